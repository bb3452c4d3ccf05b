complete -c iecprobe -s p -l port -d 'The same as PORT; given several times, all ports are worked on side by side' -r
complete -c iecprobe -s b -l baud -d 'Force the data rate, whatever the meter offers' -r
complete -c iecprobe -l start-baud -d 'Rate of the sign-on [default: 300]' -r
complete -c iecprobe -l dtr -d 'Level of DTR; many heads draw their power from it [default: on]' -r -f -a "on\t''
off\t''"
complete -c iecprobe -l rts -d 'Level of RTS [default: on]' -r -f -a "on\t''
off\t''"
complete -c iecprobe -s w -l wait -d 'Longest wait for the first byte of each answer [default: 2s, confirmation 1.7s]' -r
complete -c iecprobe -s m -l manufacturer -d 'Accept only these manufacturers, by FLAG id' -r
complete -c iecprobe -s a -l address -d 'Device address in the request' -r
complete -c iecprobe -l attempts -d 'Requests in all' -r
complete -c iecprobe -l wake-up -d 'Wake a battery meter first' -r -f -a "normal\t'One run of NULs, then silence'
fast\t'Bursts of NULs until the meter answers'"
complete -c iecprobe -l linger -d 'After the end of stdin, stay until the line has been silent this long' -r
complete -c iecprobe -l listen -d 'Carry them for TCP clients, one after the other; HOST is 127.0.0.1 unless named, a PORT of 0 is the system\'s to pick' -r
complete -c iecprobe -l sessions -d 'With --listen: end after this many clients' -r
complete -c iecprobe -l idle -d 'End when no byte has passed in either direction for this long' -r
complete -c iecprobe -s o -l output -d 'Form of the report' -r -f -a "text\t'`key: value`, one a line'
json\t'One object on one line'
shell\t'Lines to `eval`'"
complete -c iecprobe -l color -d 'Colours of messages, help, list and pictures' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c iecprobe -l trace -d 'Write every byte of the line to FILE, with its time (`-` is stderr)' -r -F
complete -c iecprobe -l timeline -d 'Draw the sign-on when it is over: to stderr, or to FILE.svg or FILE.txt' -r -F
complete -c iecprobe -l parity -d 'Who computes the parity of 7E1' -r -f -a "auto\t'Hardware where the driver keeps 7E1, none on a pseudo-terminal, else software'
hardware\t'7E1 by the driver'
software\t'8N1 with parity computed into bit 7'
none\t'Plain ASCII at 8N1'"
complete -c iecprobe -l warm-up -d 'Quiet time before the first byte [default: 200ms, 0s on a pseudo-terminal]' -r
complete -c iecprobe -l request -d 'The whole request without CR LF, for meters outside the standard' -r
complete -c iecprobe -l control -d 'The V character of the acknowledgement' -r
complete -c iecprobe -l confirm -d 'Wait for the meter\'s confirmation, demand it, or do not wait' -r -f -a "auto\t'Wait, go on without'
require\t'Wait, fail without'
skip\t'Do not wait'"
complete -c iecprobe -l switch-delay -d 'From the first byte of the acknowledgement to the change of rate [default: computed]' -r
complete -c iecprobe -l settle -d 'From the confirmation to the first byte of the DLMS program' -r
complete -c iecprobe -l hdlc-client -d 'The reader\'s HDLC address, in --check-link and in every DISC' -r
complete -c iecprobe -l hdlc-server -d 'The meter\'s HDLC address: N or LOGICAL/PHYSICAL, with :1, :2 or :4 for its length in bytes' -r
complete -c iecprobe -l completions -d 'Print the completion script for a shell' -r -f -a "bash\t''
elvish\t''
fish\t''
powershell\t''
zsh\t''"
complete -c iecprobe -l all -d 'All USB serial ports of this machine'
complete -c iecprobe -l force -d 'Acknowledge mode E even if it is not offered'
complete -c iecprobe -l no-recover -d 'Send no DISC and no break to free a meter from an earlier session'
complete -c iecprobe -l ident-only -d 'Stop after the identification: no session is opened'
complete -c iecprobe -l direct -d 'No sign-on: open at --baud (9600) 8N1, with --pipe, COMMAND or --check-link'
complete -c iecprobe -l check-link -d 'See whether HDLC answers at the new rate: SNRM, UA, DISC'
complete -c iecprobe -l disconnect -d 'Send an HDLC DISC before leaving: the meter is free at once'
complete -c iecprobe -l pipe -d 'Carry raw bytes: stdin to the line, the line to stdout'
complete -c iecprobe -l hunt -d 'The meter does not answer: try every sensible way, at most 60 s, and say which one works'
complete -c iecprobe -l watch -d 'Ask again and again while the head is turned, and show how well it sits'
complete -c iecprobe -l json -d 'The same as --output json'
complete -c iecprobe -s q -l quiet -d 'Less on stderr: in pipe modes no report, but failures'
complete -c iecprobe -s v -l verbose -d 'More on stderr: the story with its times, and with -vv every message in bytes'
complete -c iecprobe -l list -d 'List the serial ports of this machine, without opening any'
complete -c iecprobe -s h -l help -d 'Print help (see more with \'--help\')'
complete -c iecprobe -s V -l version -d 'Print version'

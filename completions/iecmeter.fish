complete -c iecmeter -l link -d 'Also make a symlink to the pseudo-terminal here' -r -F
complete -c iecmeter -l port -d 'Play on this device instead of a pseudo-terminal' -r -F
complete -c iecmeter -l listen -d 'Listen at tcp://HOST:PORT or rfc2217://HOST:PORT instead; a PORT of 0 is the system\'s to pick' -r
complete -c iecmeter -l ident -d 'The identification line, from `/` on and without CR LF' -r
complete -c iecmeter -l scenario -d 'Faults and quirks to play, joined by `+`; see --list-scenarios' -r
complete -c iecmeter -l replay -d 'Answer as the meter in this file of `iecprobe --trace` did' -r -F
complete -c iecmeter -l sessions -d 'End after this many readers have come and gone [default: never]' -r
complete -c iecmeter -l timeout -d 'End after this time, with status 1, if nothing else has ended it' -r
complete -c iecmeter -l app -d 'What answers in HDLC: UA to SNRM and DISC, or every byte back' -r -f -a "hdlc\t''
echo\t''"
complete -c iecmeter -l completions -d 'Print the completion script for a shell' -r -f -a "bash\t''
elvish\t''
fish\t''
powershell\t''
zsh\t''"
complete -c iecmeter -l real-time -d 'Pace bytes at the line rate in both directions'
complete -c iecmeter -l list-scenarios -d 'List the scenarios and end'
complete -c iecmeter -s h -l help -d 'Print help'
complete -c iecmeter -s V -l version -d 'Print version'

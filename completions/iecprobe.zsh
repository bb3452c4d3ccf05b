#compdef iecprobe

autoload -U is-at-least

_iecprobe() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'*-p+[The same as PORT; given several times, all ports are worked on side by side]:PORT:_default' \
'*--port=[The same as PORT; given several times, all ports are worked on side by side]:PORT:_default' \
'-b+[Force the data rate, whatever the meter offers]:BPS:_default' \
'--baud=[Force the data rate, whatever the meter offers]:BPS:_default' \
'(--direct)--start-baud=[Rate of the sign-on \[default\: 300\]]:BPS:_default' \
'--dtr=[Level of DTR; many heads draw their power from it \[default\: on\]]:on|off:(on off)' \
'--rts=[Level of RTS \[default\: on\]]:on|off:(on off)' \
'-w+[Longest wait for the first byte of each answer \[default\: 2s, confirmation 1.7s\]]:DURATION:_default' \
'--wait=[Longest wait for the first byte of each answer \[default\: 2s, confirmation 1.7s\]]:DURATION:_default' \
'*-m+[Accept only these manufacturers, by FLAG id]:ID[,ID..]:_default' \
'*--manufacturer=[Accept only these manufacturers, by FLAG id]:ID[,ID..]:_default' \
'-a+[Device address in the request]:TEXT:_default' \
'--address=[Device address in the request]:TEXT:_default' \
'--attempts=[Requests in all]:N:_default' \
'--wake-up=[Wake a battery meter first]:HOW:((normal\:"One run of NULs, then silence"
fast\:"Bursts of NULs until the meter answers"))' \
'--linger=[After the end of stdin, stay until the line has been silent this long]:DURATION:_default' \
'(--pipe --check-link --ident-only)--listen=[Carry them for TCP clients, one after the other; HOST is 127.0.0.1 unless named, a PORT of 0 is the system'\''s to pick]:[HOST:]PORT:_default' \
'--sessions=[With --listen\: end after this many clients]:N:_default' \
'--idle=[End when no byte has passed in either direction for this long]:DURATION:_default' \
'-o+[Form of the report]:FORM:((text\:"\`key\: value\`, one a line"
json\:"One object on one line"
shell\:"Lines to \`eval\`"))' \
'--output=[Form of the report]:FORM:((text\:"\`key\: value\`, one a line"
json\:"One object on one line"
shell\:"Lines to \`eval\`"))' \
'--color=[Colours of messages, help, list and pictures]:WHEN:((auto\:"On a terminal, unless NO_COLOR is set"
always\:"Everywhere"
never\:"Nowhere"))' \
'--trace=[Write every byte of the line to FILE, with its time (\`-\` is stderr)]:FILE:_files' \
'(--direct)--timeline=[Draw the sign-on when it is over\: to stderr, or to FILE.svg or FILE.txt]::FILE:_files' \
'--parity=[Who computes the parity of 7E1]:HOW:((auto\:"Hardware where the driver keeps 7E1, none on a pseudo-terminal, else software"
hardware\:"7E1 by the driver"
software\:"8N1 with parity computed into bit 7"
none\:"Plain ASCII at 8N1"))' \
'--warm-up=[Quiet time before the first byte \[default\: 200ms, 0s on a pseudo-terminal\]]:DURATION:_default' \
'(-a --address)--request=[The whole request without CR LF, for meters outside the standard]:TEXT:_default' \
'--control=[The V character of the acknowledgement]:CHAR:_default' \
'--confirm=[Wait for the meter'\''s confirmation, demand it, or do not wait]:HOW:((auto\:"Wait, go on without"
require\:"Wait, fail without"
skip\:"Do not wait"))' \
'--switch-delay=[From the first byte of the acknowledgement to the change of rate \[default\: computed\]]:DURATION:_default' \
'--settle=[From the confirmation to the first byte of the DLMS program]:DURATION:_default' \
'--hdlc-client=[The reader'\''s HDLC address, in --check-link and in every DISC]:N:_default' \
'--hdlc-server=[The meter'\''s HDLC address\: N or LOGICAL/PHYSICAL, with \:1, \:2 or \:4 for its length in bytes]:ADDRESS:_default' \
'--completions=[Print the completion script for a shell]:SHELL:(bash elvish fish powershell zsh)' \
'--all[All USB serial ports of this machine]' \
'--force[Acknowledge mode E even if it is not offered]' \
'--no-recover[Send no DISC and no break to free a meter from an earlier session]' \
'(--direct --pipe --listen --disconnect)--ident-only[Stop after the identification\: no session is opened]' \
'--direct[No sign-on\: open at --baud (9600) 8N1, with --pipe, COMMAND or --check-link]' \
'(--pipe --ident-only)--check-link[See whether HDLC answers at the new rate\: SNRM, UA, DISC]' \
'--disconnect[Send an HDLC DISC before leaving\: the meter is free at once]' \
'--pipe[Carry raw bytes\: stdin to the line, the line to stdout]' \
'(--pipe --ident-only --direct --check-link --disconnect --wake-up --attempts --timeline)--hunt[The meter does not answer\: try every sensible way, at most 60 s, and say which one works]' \
'(--pipe --ident-only --direct --check-link --disconnect --wake-up --attempts --timeline --hunt)--watch[Ask again and again while the head is turned, and show how well it sits]' \
'(-o --output)--json[The same as --output json]' \
'(-v --verbose)-q[Less on stderr\: in pipe modes no report, but failures]' \
'(-v --verbose)--quiet[Less on stderr\: in pipe modes no report, but failures]' \
'*-v[More on stderr\: the story with its times, and with -vv every message in bytes]' \
'*--verbose[More on stderr\: the story with its times, and with -vv every message in bytes]' \
'(--all -b --baud --start-baud --dtr --rts -w --wait -m --manufacturer -a --address --attempts --wake-up --force --no-recover --ident-only --direct --check-link --disconnect --pipe --linger --listen --sessions --idle --hunt --watch --trace --timeline --parity --warm-up --request --control --confirm --switch-delay --settle --hdlc-client --hdlc-server)--list[List the serial ports of this machine, without opening any]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::place -- The port\: a device, or `sim\:` / `sim\:SCENARIO` for the built-in virtual meter:_default' \
'*::command -- Program whose stdin and stdout are put on the line:_default' \
&& ret=0
}

(( $+functions[_iecprobe_commands] )) ||
_iecprobe_commands() {
    local commands; commands=()
    _describe -t commands 'iecprobe commands' commands "$@"
}

if [ "$funcstack[1]" = "_iecprobe" ]; then
    _iecprobe "$@"
else
    compdef _iecprobe iecprobe
fi

#compdef iecmeter

autoload -U is-at-least

_iecmeter() {
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
'(--port)--link=[Also make a symlink to the pseudo-terminal here]:PATH:_files' \
'--port=[Play on this device instead of a pseudo-terminal]:DEVICE:_files' \
'(--port --link)--listen=[Listen at tcp\://HOST\:PORT or rfc2217\://HOST\:PORT instead; a PORT of 0 is the system'\''s to pick]:URL:_default' \
'--ident=[The identification line, from \`/\` on and without CR LF]:LINE:_default' \
'--scenario=[Faults and quirks to play, joined by \`+\`; see --list-scenarios]:NAME:_default' \
'(--ident --scenario --app)--replay=[Answer as the meter in this file of \`iecprobe --trace\` did]:TRACE:_files' \
'--sessions=[End after this many readers have come and gone \[default\: never\]]:N:_default' \
'--timeout=[End after this time, with status 1, if nothing else has ended it]:DURATION:_default' \
'--app=[What answers in HDLC\: UA to SNRM and DISC, or every byte back]:APP:(hdlc echo)' \
'--completions=[Print the completion script for a shell]:SHELL:(bash elvish fish powershell zsh)' \
'--real-time[Pace bytes at the line rate in both directions]' \
'--list-scenarios[List the scenarios and end]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
'*::command -- Program to start with the meter'\''s name in IECPROBE_PORT; the meter ends with it, with its status:_default' \
&& ret=0
}

(( $+functions[_iecmeter_commands] )) ||
_iecmeter_commands() {
    local commands; commands=()
    _describe -t commands 'iecmeter commands' commands "$@"
}

if [ "$funcstack[1]" = "_iecmeter" ]; then
    _iecmeter "$@"
else
    compdef _iecmeter iecmeter
fi

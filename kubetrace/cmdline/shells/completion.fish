# fish completion for kubetrace
function __kubetrace_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($tokens[1] __complete $tokens[2..-1] "$current" 2>/dev/null)
    or return
    set -l directive (string replace ':' '' -- $answer[-1])
    set -l candidates $answer[1..-2]
    if test (math "bitand($directive, 1)") -ne 0
        return
    end
    if test (math "bitand($directive, 24)") -ne 0
        __fish_complete_path $current
        return
    end
    set -l prefix ''
    if string match -q -- '-*=*' $current
        set prefix (string replace -r '=.*' '=' -- $current)
    end
    if test (count $candidates) -gt 0
        for candidate in $candidates
            echo "$prefix$candidate"
        end
    else if test (math "bitand($directive, 4)") -eq 0
        __fish_complete_path $current
    end
end
complete -c kubetrace -e
complete -c kubetrace -f -a '(__kubetrace_complete)'

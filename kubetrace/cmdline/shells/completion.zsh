#compdef kubetrace
# zsh completion for kubetrace
_kubetrace() {
    local answer directive line value description
    local -a values descriptions arguments
    arguments=("${(@Q)words[2,CURRENT]}")
    answer=$("${words[1]}" __complete "${arguments[@]}" 2>/dev/null) || return 1
    directive=${answer##*:}
    answer=${answer%:*}
    (( directive & 1 )) && return 1
    if (( directive & 8 )); then
        local -a extensions=("${(@f)answer}")
        _files -g "*.(${(j:|:)extensions:#})"
        return
    fi
    if (( directive & 16 )); then
        _files -/
        return
    fi
    for line in "${(@f)answer}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        description=${line#*$'\t'}
        values+=("$value")
        [[ $line == *$'\t'* ]] && descriptions+=("$value -- $description") || descriptions+=("$value")
    done
    local -a flags
    (( directive & 2 )) && flags+=(-S '')
    [[ $PREFIX == -*=* ]] && compset -P '*='
    if (( ${#values} )); then
        compadd "${flags[@]}" -l -d descriptions -a values
    elif (( ! (directive & 4) )); then
        _files
    fi
}
if [[ "$funcstack[1]" = _kubetrace ]]; then
    _kubetrace "$@"
else
    compdef _kubetrace kubetrace
fi

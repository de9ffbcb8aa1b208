# bash completion for kubetrace
__kubetrace_complete() {
    local line directive value words=("${COMP_WORDS[@]:1:COMP_CWORD}")
    local current="${COMP_LINE:0:COMP_POINT}"
    # bash splits at = and :, the program does not.
    read -r -a words <<< "$current"
    [[ "$current" == *" " ]] && words+=("")
    local answer
    answer=$("${words[0]}" __completeNoDesc "${words[@]:1}" 2>/dev/null) || return
    directive="${answer##*:}"
    answer="${answer%:*}"
    COMPREPLY=()
    if (( directive & 1 )); then return; fi
    local last="${words[${#words[@]}-1]}" prefix=""
    if (( directive & 8 )); then
        local extension
        while IFS= read -r extension; do
            [[ -n "$extension" ]] && while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -X "!*.$extension" -- "${last#*=}")
        done <<< "$answer"
        while IFS= read -r line; do COMPREPLY+=("$line/"); done < <(compgen -d -- "${last#*=}")
        compopt -o nospace 2>/dev/null
        return
    fi
    if (( directive & 16 )); then
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "${last#*=}")
        return
    fi
    # readline's word begins after the last separator: give back only what follows it.
    local current_word="${COMP_WORDS[COMP_CWORD]}"
    [[ "$last" == -*=* && "$current_word" != -* ]] && last="${last#*=}"
    while IFS= read -r line; do
        [[ -n "$line" && "$line" == "$last"* ]] || continue
        value="$line"
        [[ "$last" == *:* && "$COMP_WORDBREAKS" == *:* ]] && value="${line#"${last%:*}:"}"
        COMPREPLY+=("$value")
    done <<< "$answer"
    (( directive & 2 )) && compopt -o nospace 2>/dev/null
    (( directive & 4 )) || { [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o default 2>/dev/null; }
    return 0
}
complete -F __kubetrace_complete kubetrace

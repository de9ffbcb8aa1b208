"""Which command does argv mean? cobra's search (command.go Find, stripFlags) and its suggestions."""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.cmdline.command import PROGRAM, Entry
from kubetrace.cmdline.flags import BoundFlag, bind
from kubetrace.cmdline.parser import FlagSet
from kubetrace.errors import PlainError
from kubetrace.wire.go_strconv import go_quote


class UnknownCommandError(PlainError):
    """Nothing of the table is called so; a plugin may be."""


def plain_words(argv: list[str], flags: FlagSet) -> list[str]:
    """argv's words at one level. A flag written apart from its value takes the next argument with it, unless the flag
    needs none; flags that this level does not know count as needing one."""
    words: list[str] = []
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        if argument == "--":
            break
        if _takes_next(argument, flags):
            if len(rest) <= 1:
                break
            rest.pop(0)
        elif argument and not argument.startswith("-"):
            words.append(argument)
    return words


def _takes_next(argument: str, flags: FlagSet) -> bool:
    if "=" in argument:
        return False
    if argument.startswith("--"):
        flag = flags.named(argument[2:])
    elif argument.startswith("-") and len(argument) == 2:
        flag = flags.by_shorthand.get(argument[1:])
    else:
        return False
    return flag is None or flag.bare is None


def _without_first(argv: list[str], word: str, flags: FlagSet) -> list[str]:
    """argv less the first `word` that is not a flag's value."""
    position = 0
    while position < len(argv):
        argument = argv[position]
        if argument == "--":
            break
        if _takes_next(argument, flags):
            position += 2
            continue
        if not argument.startswith("-") and argument == word:
            return argv[:position] + argv[position + 1 :]
        position += 1
    return argv


def completion_request(argv: list[str]) -> list[str] | None:
    """Where a shell asks for completions: cobra's hidden command, and then argv without it; else None. Flags before it
    have their value in the same word, or it is not found."""
    position = next((i for i, argument in enumerate(argv) if not argument.startswith("-")), None)
    if position is None or argv[position] not in ("__complete", "__completeNoDesc"):
        return None
    return [argv[position], *argv[:position], *argv[position + 1 :]]


def find(root: Entry, argv: list[str], global_flags: Iterable[BoundFlag]) -> tuple[tuple[Entry, ...], list[str], str]:
    """The command that argv names (the path of entries below the root, empty for the root itself), the arguments left
    for it, and the word that called it. Raises cobra's "unknown command" with its suggestions."""
    global_flags = tuple(global_flags)
    path: tuple[Entry, ...] = ()
    called_as, here, rest, flags = "", root, list(argv), FlagSet(global_flags)
    while words := plain_words(rest, flags):
        child = here.child(words[0])
        if child is None:
            break
        rest = _without_first(rest, words[0], flags)
        path, here, called_as = (*path, child), child, words[0]
        if not child.children:
            break
        command = child.load()
        flags = FlagSet((*global_flags, *(bind(command.options) if command else ())))
    if not path and words:
        if argv[0].startswith("-"):
            raise UnknownCommandError(f"Error: flags cannot be placed before plugin name: {argv[0]}")
        raise UnknownCommandError(
            f"error: unknown command {go_quote(words[0])} for {go_quote(PROGRAM)}{_suggestions(root, words[0])}"
        )
    return path, rest, called_as


def _suggestions(parent: Entry, word: str) -> str:
    """cobra's "Did you mean this?": names within two edits, names that the word begins, and SuggestFor,
    in the order in which kubectl adds its commands."""
    names = [
        child.name
        for child in parent.children
        if not child.hidden
        for matched in (
            _distance(word.lower(), child.name.lower()) <= 2 or child.name.lower().startswith(word.lower()),
            word.lower() in (s.lower() for s in child.suggest_for),
        )
        if matched
    ]
    return "\n\nDid you mean this?\n" + "\n".join(f"\t{name}" for name in names) if names else ""


def _distance(left: str, right: str) -> int:
    """Levenshtein's edit distance."""
    previous = list(range(len(right) + 1))
    for row, a in enumerate(left, 1):
        current = [row]
        for column, b in enumerate(right, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (a != b)))
        previous = current
    return previous[-1]

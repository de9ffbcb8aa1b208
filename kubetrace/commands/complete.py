"""`__complete`: what the shell's completion scripts ask, by cobra's rules (completions.go, getCompletions).

Answers one candidate a line, as VALUE or VALUE<tab>DESCRIPTION, and last a colon and a sum of directives: 1 error,
2 no blank after the word, 4 no file names, 8 only files with the listed extensions, 16 only folders. What stands for
words and flags' values is `kubetrace.commands.completions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import PROGRAM, Command, Entry
from kubetrace.cmdline.find import UnknownCommandError, find, plain_words
from kubetrace.cmdline.flags import BoundFlag, bind
from kubetrace.cmdline.global_options import GLOBAL_FLAGS, KUBECTL_FLAGS, OWN_FLAGS, GlobalOptions, OwnOptions
from kubetrace.cmdline.parser import FlagError, FlagSet, Parsed, build
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

ERROR, NO_SPACE, NO_FILES, EXTENSIONS, FOLDERS, DEFAULT = 1, 2, 4, 8, 16, 0
_NAMES = {
    ERROR: "ShellCompDirectiveError",
    NO_SPACE: "ShellCompDirectiveNoSpace",
    NO_FILES: "ShellCompDirectiveNoFileComp",
    EXTENSIONS: "ShellCompDirectiveFilterFileExt",
    FOLDERS: "ShellCompDirectiveFilterDirs",
    32: "ShellCompDirectiveKeepOrder",
}

Candidate = tuple[str, str]
Answer = tuple[Sequence[Candidate], int]
"""Candidates with their descriptions, and a directive."""


class _RefusedError(Exception):
    """cobra's word on a command line that nothing can be offered for."""


def complete(environment: Environment, root: Entry, argv: list[str], described: bool) -> int:
    """Answers for argv, whose last element is the word at the cursor."""
    try:
        candidates, directive = _candidates(environment, root, argv or [""])
    except _RefusedError as error:
        environment.stderr.write(f"[Debug] [Error] {error}\n")
        candidates, directive = (), DEFAULT
    except KubetraceError:
        candidates, directive = (), ERROR
    for value, description in candidates:
        environment.stdout.write(f"{value}\t{description}\n" if described and description else f"{value}\n")
    environment.stdout.write(f":{directive}\n")
    names = ", ".join(name for bit, name in _NAMES.items() if directive & bit) or "ShellCompDirectiveDefault"
    ended = f"Completion ended with directive: {names}\n"
    stream = environment.stdout if _errs_on_stdout(root, argv) else environment.stderr
    environment.stdout.flush()
    stream.write(ended)
    stream.flush()
    return 0


def _errs_on_stdout(root: Entry, argv: list[str]) -> bool:
    try:
        path, _, _ = find(root, argv[:-1], GLOBAL_FLAGS)
    except UnknownCommandError:
        return False
    command = path[-1].load() if path else None
    return command is not None and command.errs_on_stdout


class _Line(Value):
    """A command line up to the word at the cursor: the command, its flags, what was said so far."""

    entry: Entry
    command: Command | None
    inherited: tuple[BoundFlag, ...]
    own: tuple[BoundFlag, ...]
    parsed: Parsed

    @property
    def flags(self) -> list[BoundFlag]:
        """In the order of offers: what the commands above have, then the command's own, each by name."""
        hidden = {flag.name for flag in self.own}
        inherited = (flag for flag in self.inherited if flag.name not in hidden)
        return [*sorted(inherited, key=_name), *sorted(self.own, key=_name)]

    def is_given(self, flag: BoundFlag) -> bool:
        return flag.field in self.parsed.values


def _name(flag: BoundFlag) -> str:
    return flag.name


def _candidates(environment: Environment, root: Entry, argv: list[str]) -> Answer:
    from kubetrace.commands.completion_plugins import plugin_answer, plugin_commands

    *before, word = argv
    plain = plain_words(before, FlagSet(GLOBAL_FLAGS))
    if plain[:1] == ["help"]:
        return _topics(root, plain[1:], word), NO_FILES
    if (answer := plugin_answer(environment, root, argv)) is not None:
        return answer
    try:
        path, rest, _ = find(root, before, GLOBAL_FLAGS)
    except UnknownCommandError:
        raise _RefusedError(f"unable to find a command for arguments: [{' '.join(before)}]") from None
    entry = path[-1] if path else root
    command = entry.load() if path else None
    own = bind(command.options) if command else ()
    flags = FlagSet((*GLOBAL_FLAGS, *own))
    flag, rest, typed, refused = _flag_in_question(flags, entry, rest, word)
    try:
        parsed = flags.parse(rest)
    except FlagError as error:
        raise _RefusedError(f"Error while parsing flags from args [{' '.join(rest)}]: {error}") from None
    if refused and parsed.dash is None:
        raise _RefusedError(refused)
    environment.options = build(GlobalOptions, KUBECTL_FLAGS, parsed.values)
    environment.own = build(OwnOptions, OWN_FLAGS, parsed.values)
    if parsed.help:
        return [], NO_FILES
    local = (*own, flags.by_name["help"])
    line = _Line(entry, command, GLOBAL_FLAGS if path else (), local if path else (*GLOBAL_FLAGS, *local), parsed)
    if flag is not None and parsed.dash is None:
        from kubetrace.commands.completions import flag_values

        return flag_values(environment, flag, parsed.words, typed)
    if flag is None and typed.startswith("-") and "=" not in typed and parsed.dash is None:
        return _flag_names(line, typed), NO_FILES
    found, directive = _subcommands(line, typed)
    if not path and not before:
        found = sorted({**dict(plugin_commands(environment, root, typed)), **dict(found)}.items())
    found += _required(line, typed)
    if command is not None and command.words:
        from kubetrace.commands.completions import words

        more, directive = words(environment, command.words, parsed.words, typed)
        found += more
    return found, directive


def _topics(root: Entry, words: list[str], word: str) -> list[Candidate]:
    """What `help` can tell about: the commands below those that were named."""
    try:
        path, _, _ = find(root, words, GLOBAL_FLAGS)
    except KubetraceError:
        return []
    return _children(path[-1] if path else root, word)


def _children(entry: Entry, word: str) -> list[Candidate]:
    there = [(c.name, c.summary) for c in entry.children if not c.hidden]
    if entry.name == PROGRAM:
        there.append(("help", "Help about any command"))
    return [one for one in sorted(there) if one[0].startswith(word)]


def _flag_in_question(
    flags: FlagSet, entry: Entry, rest: list[str], word: str
) -> tuple[BoundFlag | None, list[str], str, str]:
    """The flag whose value is being typed, the arguments without it, what is typed of the value, and cobra's complaint
    about a flag that the command does not have (checkIfFlagCompletion)."""
    name, typed, with_equals, trimmed = "", word, False, rest
    if word.startswith("-"):
        before, equals, value = word.partition("=")
        if not equals:
            return None, rest, word, ""
        name, typed, with_equals = before[2:] if before.startswith("--") else before[-1:], value, True
    if not name and rest:
        last = rest[-1]
        if _is_flag(last) and "=" not in last:
            name, trimmed = last[2:] if last.startswith("--") else last[-1:], rest[:-1]
    if not name:
        return None, trimmed, typed, ""
    flag = flags.by_shorthand.get(name) if len(name) == 1 else flags.by_name.get(name)
    if flag is None:
        return None, rest, word, f"Subcommand '{entry.name}' does not support flag '{name}'"
    if not with_equals and flag.bare is not None:
        return None, rest, typed, ""
    return flag, trimmed, typed, ""


def _is_flag(argument: str) -> bool:
    return (len(argument) >= 3 and argument.startswith("--")) or (
        len(argument) >= 2 and argument[0] == "-" and argument[1] != "-"
    )


def _flag_names(line: _Line, word: str) -> list[Candidate]:
    """The required flags that are still missing, or all that may be given (once more)."""
    repeated = ("slice", "array", "map")
    return _required(line, word) or [
        candidate
        for flag in line.flags
        if not line.is_given(flag) or flag.kind in repeated
        for candidate in _spellings(flag, word)
    ]


def _required(line: _Line, word: str) -> list[Candidate]:
    missing = (flag for flag in line.flags if flag.flag.required and not line.is_given(flag))
    return [candidate for flag in missing for candidate in _spellings(flag, word)]


def _spellings(flag: BoundFlag, word: str) -> Iterable[Candidate]:
    if flag.flag.deprecated or (flag.flag.hidden and flag.name != "help"):
        return ()
    spellings = (f"--{flag.name}", f"-{flag.shorthand}" if flag.shorthand else "")
    help_text = flag.flag.help or f"Help for {PROGRAM}"
    return [(spelling, help_text) for spelling in spellings if spelling and spelling.startswith(word)]


def _subcommands(line: _Line, word: str) -> tuple[list[Candidate], int]:
    """Its subcommands, as long as neither a word nor a flag of its own was given."""
    if line.parsed.words or any(line.is_given(flag) for flag in line.own if flag not in GLOBAL_FLAGS):
        return [], DEFAULT
    return _children(line.entry, word), NO_FILES if line.entry.children else DEFAULT

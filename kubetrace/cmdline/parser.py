"""pflag's grammar: how argv falls apart into flags and words (github.com/spf13/pflag flag.go).

`-v8`, `-v 8`, `-v=8`, `--v=8`, `--v 8`; booleans take a value only with `=`; short flags cluster (`-Aw`); flags may
stand anywhere until `--`; the last one wins and lists grow; `_` in a flag's name counts as `-`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubetrace.cmdline.flags import BoundFlag, Flag, parse_value
from kubetrace.errors import KubetraceError
from kubetrace.value import Mutable, fresh
from kubetrace.wire.go_strconv import BadValue, go_quote

HELP = BoundFlag("help", "help", Flag(False, "h", hidden=True))


class FlagError(KubetraceError):
    """argv does not follow the grammar; the message is pflag's."""


class Parsed(Mutable):
    """What argv said: flag values by field (only of flags that were given), the words left over, how many words stood
    before `--` (None without it), and each flag's name and text as they came."""

    values: dict[str, Any] = fresh(dict)
    words: list[str] = fresh(list)
    dash: int | None = None
    help: bool = False
    deprecations: list[str] = fresh(list)
    occurrences: list[tuple[str, str]] = fresh(list)


class FlagSet:
    """The flags that a command knows: its own and the global ones, by name and by shorthand."""

    def __init__(self, flags: Iterable[BoundFlag]):
        self.by_name: dict[str, BoundFlag] = {"help": HELP}
        self.by_shorthand: dict[str, BoundFlag] = {"h": HELP}
        for flag in flags:
            hidden = self.by_name.get(flag.name)  # a command's own flag hides the global one, shorthand and all
            if hidden is not None and self.by_shorthand.get(hidden.shorthand) is hidden:
                del self.by_shorthand[hidden.shorthand]
            self.by_name[flag.name] = flag
            if flag.shorthand:
                self.by_shorthand[flag.shorthand] = flag

    def named(self, name: str) -> BoundFlag | None:
        return self.by_name.get(name.replace("_", "-"))

    def parse(self, argv: Iterable[str], presets: Mapping[str, str] | None = None) -> Parsed:
        """Raises FlagError at the first argument that breaks the grammar, as pflag does. `presets` are texts for flags
        that argv leaves out (kuberc); like kubectl's they count as given."""
        parsed = Parsed()
        rest = list(argv)
        while rest:
            argument = rest.pop(0)
            if len(argument) < 2 or not argument.startswith("-"):
                parsed.words.append(argument)
            elif argument == "--":
                parsed.dash = len(parsed.words)
                parsed.words += rest
                break
            elif argument.startswith("--"):
                self._long(argument, rest, parsed)
            else:
                self._short(argument[1:], rest, parsed)
        for name, text in (presets or {}).items():
            flag = self.by_name[name]
            if flag.field not in parsed.values:
                _store(parsed, flag, text)
        return parsed

    def _long(self, argument: str, rest: list[str], parsed: Parsed) -> None:
        name, equals, value = argument[2:].partition("=")
        if not name or name.startswith("-"):
            raise FlagError(f"bad flag syntax: {argument}")
        flag = self.named(name)
        if flag is None:
            raise FlagError(f"unknown flag: --{name}")
        if not equals:
            if flag.bare is not None:
                value = flag.bare
            elif rest:
                value = rest.pop(0)
            else:
                raise FlagError(f"flag needs an argument: --{name}")
        _store(parsed, flag, value)

    def _short(self, letters: str, rest: list[str], parsed: Parsed) -> None:
        while letters:
            letter, remaining = letters[0], letters[1:]
            flag = self.by_shorthand.get(letter)
            if flag is None:
                raise FlagError(f"unknown shorthand flag: {_rune(letter)} in -{letters}")
            if len(letters) > 2 and remaining.startswith("="):
                value, remaining = remaining[1:], ""
            elif flag.bare is not None:
                value = flag.bare
            elif remaining:
                value, remaining = remaining, ""
            elif rest:
                value = rest.pop(0)
            else:
                raise FlagError(f"flag needs an argument: {_rune(letter)} in -{letters}")
            _store(parsed, flag, value)
            letters = remaining


def _rune(letter: str) -> str:
    """Go's %q of a shorthand: pflag looks at bytes, so the first one of a longer character stands for it."""
    first = chr(letter.encode("utf-8", "surrogateescape")[0])
    if first == '"':
        return "'\"'"
    return "'\\''" if first == "'" else f"'{go_quote(first)[1:-1]}'"


def _store(parsed: Parsed, flag: BoundFlag, text: str) -> None:
    try:
        value = parse_value(flag, text)
    except BadValue as error:
        raise FlagError(f"invalid argument {go_quote(text)} for {go_quote(flag.label())} flag: {error}") from None
    parsed.occurrences.append((flag.name, text))
    if flag is HELP:
        parsed.help = value
        return
    if flag.kind in ("slice", "array", "map", "pairs"):
        value = (*parsed.values.get(flag.field, ()), *value)
    if flag.flag.deprecated and flag.field not in parsed.values:
        parsed.deprecations.append(f"Flag --{flag.name} has been deprecated, {flag.flag.deprecated}")
    parsed.values[flag.field] = value


def build(options: type, flags: Iterable[BoundFlag], values: Mapping[str, Any]) -> Any:
    """The options value of one command: the given flags' values, defaults for the rest."""
    fields = {flag.field for flag in flags}
    return options(**{name: value for name, value in values.items() if name in fields})

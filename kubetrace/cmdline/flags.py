"""Flags as data: what a command declares, how a text becomes a value, and pflag's words when it does not.

A command's options are a value; each field whose default is a `flag` can be given on the command line:

    class GetOptions(Value):
        all_namespaces: bool = flag(False, "A", help="List objects of every namespace.")

The flag's name is the field's name with dashes; its kind follows the default's type (bool, int, str, tuple for a list,
float for a duration in seconds) unless `kind` says more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from kubetrace.value import Field, Value
from kubetrace.wire.go_strconv import BadValue, parse_bool, parse_duration, parse_int

_T = TypeVar("_T")

Kind = Literal[
    "bool", "int", "int32", "level", "string", "slice", "array", "duration", "go-duration", "vmodule", "map", "pairs"
]


class Flag(Field):
    """What a field declares about its flag; see `flag`."""

    __slots__ = ("bare", "completion", "deprecated", "help", "hidden", "kind", "name", "required", "shorthand",
                 "shown_default")  # fmt: skip

    def __init__(
        self,
        default: Any,
        shorthand: str = "",
        *,
        help: str = "",
        kind: Kind | None = None,
        bare: str | None = None,
        name: str | None = None,
        hidden: bool = False,
        deprecated: str = "",
        shown_default: str | None = None,
        completion: str = "",
        required: bool = False,
    ) -> None:
        super().__init__(default)
        self.shorthand = shorthand
        self.help = help
        self.kind = kind or _KINDS[type(default)]
        self.bare = bare
        self.name = name
        self.hidden = hidden
        self.deprecated = deprecated
        self.shown_default = shown_default
        self.completion = completion
        self.required = required


def flag(default: _T, shorthand: str = "", **declared: Any) -> _T:
    """A field that is a flag, by its default. `bare` is the value of a flag given without one (pflag's NoOptDefVal);
    booleans are "true" when bare. `shown_default` replaces the default in help where kubectl shows another text.
    `completion` says what completes its value: "context", "cluster", "user", "namespace", "file", "dir",
    "ext:yaml,json" (files of these kinds), "names:nodes" (objects of that type), "containers" (those of the pod that
    the first word names), "=a,b" (these) or "any:a,b" (these, whatever is typed). `name` is the flag's where it is not
    the field's.
    A command is refused without its `required` flags."""
    declaration: Any = Flag(default, shorthand, **declared)
    return declaration  # type: ignore[no-any-return]


class BoundFlag(Value):
    """A flag together with the field it fills."""

    name: str
    field: str
    flag: Flag

    @property
    def kind(self) -> Kind:
        return self.flag.kind

    @property
    def default(self) -> Any:
        return self.flag.default

    @property
    def shorthand(self) -> str:
        return self.flag.shorthand

    @property
    def bare(self) -> str | None:
        if self.flag.bare is not None:
            return self.flag.bare
        return "true" if self.kind == "bool" else None

    def label(self) -> str:
        """The flag as pflag names it in errors: "-A, --all-namespaces"."""
        return f"-{self.shorthand}, --{self.name}" if self.shorthand else f"--{self.name}"

    def default_text(self) -> str:
        """The default as kubectl's help shows it."""
        if self.flag.shown_default is not None:
            return self.flag.shown_default
        if self.kind == "bool":
            return "true" if self.default else "false"
        if self.kind in ("slice", "array", "pairs"):
            return "[" + ",".join(self.default) + "]"
        if self.kind == "map":
            return ""
        if self.kind in ("duration", "go-duration"):
            return format_duration(self.default)
        return str(self.default)


_KINDS: dict[type, Kind] = {bool: "bool", int: "int", str: "string", float: "duration", tuple: "slice"}


def bind(options: type[Value]) -> tuple[BoundFlag, ...]:
    """The flags that an options class declares, in the order of its fields."""
    return tuple(
        [
            BoundFlag(declared.name or field.replace("_", "-"), field, declared)
            for field, declared in options.described_fields.items()
            if isinstance(declared, Flag)
        ]
    )


# --- texts to values, with Go's words ---------------------------------------------------------------------------------


def format_duration(seconds: float) -> str:
    """Go's Duration.String for whole seconds ("0s", "5s", "1m0s", "1h0m0s"), as help shows defaults."""
    whole = int(seconds)
    if whole == 0:
        return "0s"
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    text = f"{secs}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _parse_go_duration(text: str) -> float:
    """A Go standard-library flag's duration: its error is only "parse error"."""
    try:
        return parse_duration(text)
    except BadValue:
        raise BadValue("parse error") from None


def _parse_vmodule(text: str) -> str:
    """klog's --vmodule: comma-separated PATTERN=N, checked here, used by the log."""
    for part in text.split(",") if text else ():
        if not part:
            continue
        pattern, equals, level = part.partition("=")
        if not equals or not pattern or not level or "=" in level:
            raise BadValue("syntax error: expect comma-separated list of filename=N")
        try:
            number = parse_int(level, bits=32, base=10)
        except BadValue:
            raise BadValue("syntax error: expect comma-separated list of filename=N") from None
        if number < 0:
            raise BadValue("negative value for vmodule level")
    return text


def _parse_csv(text: str) -> tuple[str, ...]:
    """pflag's stringSlice: one line of CSV."""
    if not any(sign in text for sign in '"\n\r'):
        return tuple(text.split(",")) if text else ()
    from kubetrace.cmdline.go_csv import first_record

    return first_record(text)


def _parse_map(text: str) -> tuple[str, ...]:
    """component-base's MapStringString: "a=b,c=d", each pair kept as "KEY=VALUE"."""
    pairs = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if part and not equals:
            raise BadValue("malformed pair, expect string=string")
        if part:
            pairs.append(f"{key.strip()}={value.strip()}")
    return tuple(pairs)


def _parse_pairs(text: str) -> tuple[str, ...]:
    """pflag's stringToString: one KEY=VALUE, or several as one line of CSV."""
    if text.count("=") > 1:
        pairs = _parse_csv(text)
    else:
        pairs = (text.strip('"'),) if "=" in text else (text,)
    for pair in pairs:
        if "=" not in pair:
            raise BadValue(f"{pair} must be formatted as key=value")
    return pairs


_PARSERS: dict[Kind, Callable[[str], Any]] = {
    "bool": parse_bool,
    "int": parse_int,
    "int32": lambda text: parse_int(text, bits=32),
    "level": lambda text: parse_int(text, bits=32, base=10),
    "string": str,
    "array": lambda text: (text,),
    "slice": _parse_csv,
    "duration": parse_duration,
    "go-duration": _parse_go_duration,
    "vmodule": _parse_vmodule,
    "map": _parse_map,
    "pairs": _parse_pairs,
}


def parse_value(flag: BoundFlag, text: str) -> Any:
    """One occurrence's value. Raises BadValue with Go's words."""
    return _PARSERS[flag.kind](text)

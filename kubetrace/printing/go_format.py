"""fmt.Sprintf, Sprint and Sprintln for the values that a template knows (Go's fmt/print.go and fmt/format.go).

Texts may hold bytes that are no UTF-8, as surrogate escapes. %p shows an address, which is different in every run.
"""

from __future__ import annotations

import re
from typing import Any

from kubetrace.printing.go_values import Uint8, sprint, type_name
from kubetrace.value import Mutable, replace
from kubetrace.wire.go_float_verbs import format_float
from kubetrace.wire.go_quote import as_bytes, quote, quote_rune, quote_to_ascii

_FLAGS = re.compile("[-+# 0]*")
_DIGITS = re.compile("[0-9]*")
_LARGEST = 1_000_000
"""Widths and precisions beyond are no numbers to fmt."""
_BASES = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}


def sprintf(format: str, arguments: list[Any]) -> str:
    """fmt.Sprintf; what does not fit is said in the text ("%!d(string=x)"), as Go says it."""
    return _Printf(format, arguments).text()


def sprint_all(arguments: list[Any]) -> str:
    """fmt.Sprint: a blank between two operands when neither is a text."""
    parts = []
    after_text = True
    for argument in arguments:
        is_text = isinstance(argument, str)
        if not is_text and not after_text:
            parts.append(" ")
        parts.append(sprint(argument))
        after_text = is_text
    return "".join(parts)


def sprintln(arguments: list[Any]) -> str:
    """fmt.Sprintln: blanks between all operands, and a newline."""
    return " ".join(map(sprint, arguments)) + "\n"


class _Verb(Mutable):
    """One directive's flags. For %v, `#` and `+` mean Go's syntax and structs' names instead, and are taken away."""

    letter: str = ""
    sharp: bool = False
    zero: bool = False
    plus: bool = False
    minus: bool = False
    space: bool = False
    go_syntax: bool = False
    width: int | None = None
    precision: int | None = None

    def pad(self, text: str, zero: bool = True) -> str:
        missing = (self.width or 0) - len(text)
        if missing <= 0:
            return text
        if self.minus:
            return text + " " * missing
        return ("0" if self.zero and zero else " ") * missing + text


class _Printf:
    """One call: the walk over the format, and which argument is next."""

    def __init__(self, format: str, arguments: list[Any]) -> None:
        self._format = format
        self._arguments = arguments
        self._at = 0
        self._next = 0
        self._reordered = False
        self._good_index = True

    def text(self) -> str:
        parts: list[str] = []
        while True:
            percent = self._format.find("%", self._at)
            if percent < 0:
                parts.append(self._format[self._at :])
                break
            parts.append(self._format[self._at : percent])
            self._at = percent + 1
            self._directive(parts)
        if not self._reordered and self._next < len(self._arguments):
            extra = ", ".join(map(_with_type, self._arguments[self._next :]))
            parts.append(f"%!(EXTRA {extra})")
        return "".join(parts)

    def _directive(self, parts: list[str]) -> None:
        verb = _Verb()
        self._good_index = True
        flags = self._match(_FLAGS)
        verb.sharp, verb.zero, verb.plus = "#" in flags, "0" in flags, "+" in flags
        verb.minus, verb.space = "-" in flags, " " in flags
        after_index = self._index()
        after_index = self._width(verb, after_index, parts)
        if self._at + 1 < len(self._format) and self._format[self._at] == ".":
            after_index = self._precision(verb, after_index, parts)
        if not after_index:
            self._index()
        verb.letter = self._format[self._at : self._at + 1]
        self._at += 1
        parts.append(self._directed(verb))

    def _directed(self, verb: _Verb) -> str:
        letter = verb.letter
        if not letter:
            return "%!(NOVERB)"
        if letter == "%":
            return "%"
        if not self._good_index:
            return f"%!{_rune(letter)}(BADINDEX)"
        if self._next >= len(self._arguments):
            return f"%!{_rune(letter)}(MISSING)"
        if letter in "vw":
            verb.go_syntax, verb.sharp, verb.plus = verb.sharp, False, False
        self._next += 1
        return _argument(self._arguments[self._next - 1], verb)

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._format, self._at)
        assert match is not None
        self._at = match.end()
        return match[0]

    def _number(self) -> int | None:
        digits = self._match(_DIGITS)
        if not digits:
            return None
        if int(digits[:-1] or 0) > _LARGEST:
            self._at = len(self._format)  # fmt gives up on the whole format
            return None
        return int(digits)

    def _index(self) -> bool:
        """An explicit argument index, [3]: was there one?"""
        if self._format[self._at : self._at + 1] != "[":
            return False
        self._reordered = True
        close = self._format.find("]", self._at)
        if close < 0 or len(self._format) - self._at < 3:
            self._good_index = False
            self._at += 1
            return False
        inner = self._format[self._at + 1 : close]
        self._at = close + 1
        if not re.fullmatch("[0-9]+", inner) or int(inner[:-1] or 0) > _LARGEST:
            self._good_index = False
            return False
        if not 1 <= int(inner) <= len(self._arguments):
            self._good_index = False
            return True
        self._next = int(inner) - 1
        return True

    def _width(self, verb: _Verb, after_index: bool, parts: list[str]) -> bool:
        if self._format[self._at : self._at + 1] != "*":
            verb.width = self._number()
            if after_index and verb.width is not None:
                self._good_index = False
            return after_index
        self._at += 1
        width = self._integer_argument()
        if width is None:
            parts.append("%!(BADWIDTH)")
        elif width < 0:
            width, verb.minus, verb.zero = -width, True, False
        verb.width = width
        return False

    def _precision(self, verb: _Verb, after_index: bool, parts: list[str]) -> bool:
        self._at += 1
        if after_index:
            self._good_index = False
        after_index = self._index()
        if self._format[self._at : self._at + 1] != "*":
            verb.precision = self._number() or 0
            return after_index
        self._at += 1
        precision = self._integer_argument()
        verb.precision = precision if precision is not None and precision >= 0 else None
        if verb.precision is None:
            parts.append("%!(BADPREC)")
        return False

    def _integer_argument(self) -> int | None:
        if self._next >= len(self._arguments):
            return None
        value = self._arguments[self._next]
        self._next += 1
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
            return None
        return int(value)


def _rune(letter: str) -> str:
    """A verb as fmt repeats it: a byte that is no UTF-8 is U+FFFD by then."""
    return "\ufffd" if 0xDC80 <= ord(letter) <= 0xDCFF else letter


def _with_type(value: Any) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={sprint(value)}"


# --- one operand -----------------------------------------------------------------------------------------------------


def _argument(value: Any, verb: _Verb) -> str:
    if value is None:
        return verb.pad("<nil>") if verb.letter in "Tv" else _bad(value, verb)
    if verb.letter == "T":
        return _text(type_name(value), replace(verb, letter="s"))
    if verb.letter == "p":
        return _pointer(value, verb)
    if verb.letter == "w" and isinstance(value, dict | list):
        return _bad(value, verb)
    return _value(value, verb)


def _value(value: Any, verb: _Verb) -> str:
    """An operand, or what a list or a map holds."""
    if isinstance(value, str):
        return _text(value, verb)
    if isinstance(value, bool):
        return verb.pad("true" if value else "false") if verb.letter in "tv" else _bad(value, verb)
    if isinstance(value, int):
        return _integer(value, verb)
    if isinstance(value, float):
        return _float(value, verb)
    if isinstance(value, complex):
        return _complex(value, verb)
    if value is None:
        return "interface {}(nil)" if verb.go_syntax else "<nil>"
    return _composite(value, verb)


def _composite(value: Any, verb: _Verb) -> str:
    if isinstance(value, dict):
        parts = [f"{_value(key, verb)}:{_value(value[key], verb)}" for key in sorted(value)]
    else:
        parts = [_value(item, verb) for item in value]
    if verb.go_syntax:
        return f"{type_name(value)}{{{', '.join(parts)}}}"
    return f"{'map' if isinstance(value, dict) else ''}[{' '.join(parts)}]"


def _bad(value: Any, verb: _Verb) -> str:
    """ "%!d(string=x)": the value stands there as %v would print it, with this directive's width."""
    if value is None:
        return f"%!{_rune(verb.letter)}(<nil>)"
    return f"%!{_rune(verb.letter)}({type_name(value)}={_value(value, replace(verb, letter='v'))})"


def _pointer(value: Any, verb: _Verb) -> str:
    if not isinstance(value, dict | list):
        return _bad(value, verb)
    address = 0xC000000000 + (id(value) & 0xFFFFFFFF)
    return _digits(address, replace(verb, letter="v", sharp=not verb.sharp), 16, False)


def _text(value: str, verb: _Verb) -> str:
    letter = verb.letter
    if letter in "xX":
        return _hexadecimal(as_bytes(value), verb)
    if letter not in "vsq":
        return _bad(value, verb)
    if verb.precision is not None:
        value = value[: verb.precision]
    if letter == "s" or (letter == "v" and not verb.go_syntax):
        return verb.pad(value)
    if verb.sharp and _can_be_raw(value):
        return verb.pad(f"`{value}`")
    return verb.pad(quote_to_ascii(value) if verb.plus else quote(value))


def _can_be_raw(value: str) -> bool:
    """strconv.CanBackquote."""
    return not re.search("[\x00-\x08\x0a-\x1f`\x7f\ufeff\udc80-\udcff]", value)


def _hexadecimal(data: bytes, verb: _Verb) -> str:
    if verb.precision is not None:
        data = data[: verb.precision]
    if not data:
        return verb.pad("", zero=True) if verb.width is not None else ""
    prefix = "0x" if verb.sharp else ""
    if verb.space:
        text = " ".join(f"{prefix}{byte:02x}" for byte in data)
    else:
        text = prefix + data.hex()
    return verb.pad(text.upper() if verb.letter == "X" else text)


def _integer(value: int, verb: _Verb) -> str:
    letter = verb.letter
    if letter in "cqU":
        return _character(value, verb)
    if letter not in _BASES:
        return _bad(value, verb)
    if letter == "v" and verb.go_syntax and isinstance(value, Uint8):
        return _digits(value, replace(verb, sharp=True), 16, False)
    return _digits(value, verb, _BASES[letter], letter == "X")


def _digits(value: int, verb: _Verb, base: int, upper: bool) -> str:
    """fmt.fmtInteger. Zeros come from the precision, or from the width with the flag 0."""
    sign = "-" if value < 0 else "+" if verb.plus else " " if verb.space else ""
    least = 0
    if verb.precision is not None:
        least = verb.precision
        if least == 0 and value == 0:
            return verb.pad("", zero=False)
    elif verb.zero and not verb.minus and verb.width is not None:
        least = verb.width - len(sign)
    text = format(abs(value), {10: "d", 2: "b", 8: "o", 16: "X" if upper else "x"}[base]).rjust(least, "0")
    if verb.sharp:
        if base == 2:
            text = "0b" + text
        elif base == 8 and text[0] != "0":
            text = "0" + text
        elif base == 16:
            text = ("0X" if upper else "0x") + text
    if verb.letter == "O":
        text = "0o" + text
    return verb.pad(sign + text, zero=False)


def _character(value: int, verb: _Verb) -> str:
    if verb.letter == "U":
        number = int(value) & (1 << 64) - 1
        text = f"U+{number:0{max(4, verb.precision or 0)}X}"
        if verb.sharp and number <= 0x10FFFF and chr(number).isprintable():
            text += f" '{chr(number)}'"
        return verb.pad(text, zero=False)
    char = chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"
    return verb.pad(char if verb.letter == "c" else quote_rune(char, ascii_only=verb.plus))


def _float(value: float, verb: _Verb) -> str:
    letter = {"v": "g", "F": "f"}.get(verb.letter, verb.letter)
    if letter not in "bgGxXfeE":
        return _bad(value, verb)
    precision = verb.precision
    if precision is None:
        precision = 6 if letter in "feE" else -1
    text = format_float(value, letter, precision)
    sign, text = ("-", text[1:]) if text[0] == "-" else ("+" if verb.plus else " " if verb.space else "", text)
    if verb.sharp and letter != "b":
        text = _with_point(text, letter, precision)
    if sign and verb.zero and not verb.minus and verb.width is not None:
        return sign + text.rjust(verb.width - len(sign), "0")
    return verb.pad(sign + text)


def _with_point(text: str, letter: str, precision: int) -> str:
    """The flag #: always a decimal point, and %g keeps its zeros."""
    wanted = (6 if precision == -1 else precision) if letter in "gGx" else 0
    at = re.search("[pP]" if letter in "xX" else "[eE]", text)
    body, tail = (text[: at.start()], text[at.start() :]) if at else (text, "")
    significant = body.replace(".", "").lstrip("0")
    wanted -= len(significant)
    if "." not in body:
        if body == "0":
            wanted -= 1
        body += "."
    return body + "0" * max(0, wanted) + tail


def _complex(value: complex, verb: _Verb) -> str:
    if verb.letter not in "vbgGxXfFeE":
        return _bad(value, verb)
    return f"({_float(value.real, verb)}{_float(value.imag, replace(verb, plus=True))}i)"

"""Go's regular expressions (RE2 syntax, regexp/syntax), as far as they and Python's differ."""

from __future__ import annotations

import re

_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_ESCAPES = frozenset("abfnrtvdDsSwWABxQEzpPC01234567")
_REPETITION = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_GROUP = re.compile(r"\?(?:P?<[A-Za-z_][A-Za-z0-9_]*>|[imsU]*(?:-[imsU]+)?[:)])")


class RegexpError(ValueError):
    """The text is no regular expression of Go's; the message is Go's."""

    def __init__(self, what: str, part: str) -> None:
        super().__init__(f"error parsing regexp: {what}: `{part}`")


class Regexp:
    """A compiled expression; it prints as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._pattern = _compile(text)

    def __str__(self) -> str:
        return self.text

    def matches(self, text: str) -> bool:
        """Is there a match anywhere in the text?"""
        return self._pattern.search(text) is not None


def _compile(text: str) -> re.Pattern[str]:
    translated = _Translation(text).run()
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise RegexpError(str(error), text) from None


class _Translation:
    """One walk over an expression, from Go's syntax to Python's."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out: list[str] = []
        self._depth = 0
        self._repeatable = False
        self._repeated = -1
        """Where the last repetition began, where one has just been read."""

    def run(self) -> str:
        while self._at < len(self._text):
            self._step(self._text[self._at])
        if self._depth:
            raise RegexpError("missing closing )", self._text)
        return "".join(self._out)

    def _step(self, sign: str) -> None:
        repetition = _REPETITION.match(self._text, self._at)
        if repetition:
            self._repeat(repetition[0])
            return
        self._repeated = -1
        if sign == "(":
            self._open()
        elif sign == ")":
            if not self._depth:
                raise RegexpError("unexpected )", self._text)
            self._depth -= 1
            self._take(")", 1)
        elif sign == "[":
            self._take(*self._class())
        elif sign == "\\":
            self._escape()
        elif sign in "|^":
            self._take(sign, 1, repeatable=sign == "^")
        elif sign == "$":
            self._take(r"(?!\n)\Z" if not self._multiline() else "$", 1)
        else:
            self._take(re.escape(sign) if sign in "{}" else sign, 1)

    def _take(self, translated: str, size: int, *, repeatable: bool = True) -> None:
        self._out.append(translated)
        self._at += size
        self._repeatable = repeatable

    def _multiline(self) -> bool:
        return re.search(r"\(\?[isU]*m", self._text[: self._at]) is not None

    def _repeat(self, what: str) -> None:
        if self._repeated >= 0:
            start, self._repeated = self._repeated, -1
            if what != "?":
                raise RegexpError("invalid nested repetition operator", self._text[start : self._at + len(what)])
            self._take("?", 1)
            return
        if not self._repeatable:
            raise RegexpError("missing argument to repetition operator", what)
        if what.startswith("{"):
            low, _, high = what[1:-1].partition(",")
            if int(low) > 1000 or (high and (int(high) > 1000 or int(high) < int(low))):
                raise RegexpError("invalid repeat count", what)
        start = self._at
        self._take(what, len(what))
        self._repeated = start

    def _open(self) -> None:
        if self._text.startswith("(?", self._at):
            found = _GROUP.match(self._text, self._at + 1)
            if found is None:
                part = self._text[self._at : self._at + 3]
                raise RegexpError("invalid or unsupported Perl syntax", part)
            words = found[0].replace("?<", "?P<")
            if words.endswith(")"):  # flags for what follows: Python takes them at the start only
                self._out.insert(0, f"({words}".replace("U", ""))
                self._at += 1 + len(found[0])
                self._repeatable = False
                return
            self._take(f"({words}".replace("U", ""), 1 + len(found[0]), repeatable=False)
        else:
            self._take("(", 1, repeatable=False)
        self._depth += 1

    def _escape(self) -> None:
        rest = self._text[self._at + 1 :]
        if not rest:
            raise RegexpError("trailing backslash at end of expression", "")
        sign = rest[0]
        if sign == "Q":
            literal = rest[1:].partition("\\E")[0]
            self._take(re.escape(literal), 2 + len(literal) + (2 if "\\E" in rest else 0))
        elif sign == "z":
            self._take(r"\Z", 2)
        elif sign == "x" and rest.startswith("x{"):
            digits, closed, _ = rest[2:].partition("}")
            if not closed or not re.fullmatch("[0-9A-Fa-f]{1,6}", digits):
                raise RegexpError("invalid escape sequence", "\\" + rest[: 3 + len(digits)])
            self._take(re.escape(chr(int(digits, 16))), 4 + len(digits))
        elif (sign.isalnum() and sign not in _ESCAPES) or sign in "pPC123456789":
            raise RegexpError("invalid escape sequence", "\\" + sign)
        else:
            self._take("\\" + sign, 2)

    def _class(self) -> tuple[str, int]:
        """A bracket expression, translated, and its length."""
        at = self._at + 1
        parts = ["["]
        if self._text.startswith("^", at):
            parts.append("^")
            at += 1
        first = True
        while first or not self._text.startswith("]", at):
            if at >= len(self._text):
                raise RegexpError("missing closing ]", self._text[self._at :])
            named = re.compile(r"\[:(\^?)([a-z]+):\]").match(self._text, at)
            if named and named[2] in _CLASSES and not named[1]:
                parts.append(_CLASSES[named[2]])
                at = named.end()
            elif named:
                raise RegexpError("invalid character class range", named[0])
            elif self._text[at] == "\\":
                parts.append(self._text[at : at + 2])
                at += 2
            else:
                sign = self._text[at]
                parts.append("\\" + sign if sign in "[]&~|" else sign)
                at += 1
            first = False
        return "".join([*parts, "]"]), at + 1 - self._at

"""Go templates, text to tokens (text/template/parse/lex.go)."""

from __future__ import annotations

import re

from kubetrace.value import Value
from kubetrace.wire.go_quote import quote

KEYWORDS = frozenset(
    (".", "block", "break", "continue", "define", "else", "end", "if", "range", "nil", "template", "with")
)
_SPACES = " \t\r\n"
_LEFT, _RIGHT = "{{", "}}"
_TRIM_LEFT = re.compile(r"-[ \t\r\n]")
_RIGHT_DELIMITER = re.compile(r"([ \t\r\n]-)?}}")
_SPACE_RUN = re.compile(r"[ \t\r\n]+")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_QUOTED = {
    '"': ("string", re.compile(r'"(?:\\[^\n]|[^\\"\n])*"'), "unterminated quoted string"),
    "'": ("char constant", re.compile(r"'(?:\\[^\n]|[^\\'\n])*'"), "unterminated character constant"),
    "`": ("raw string", re.compile(r"`[^`]*`"), "unterminated raw quoted string"),
}
_SINGLE = {"=": "assign", "|": "pipe"}


class Token(Value):
    """A token: its kind (a keyword's kind is the word itself), where it begins, its text, and its line (from 1)."""

    kind: str
    position: int
    text: str
    line: int

    def __str__(self) -> str:
        if self.kind in ("EOF", "error"):
            return self.text
        if self.kind in KEYWORDS:
            return f"<{self.text}>"
        return f"{quote(self.text[:10])}..." if len(self.text.encode("utf-8", "replace")) > 10 else quote(self.text)


class Lexer:
    """Gives one token after the other; after an error there are only EOFs."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._inside = False
        self._depth = 0

    def next(self) -> Token:
        return self._action_token() if self._inside else self._text_token()

    def _token(self, kind: str, end: int) -> Token:
        token = Token(kind, self._at, self._text[self._at : end], self._line_here())
        self._at = end
        return token

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _error(self, message: str) -> Token:
        token = Token("error", self._at, message, self._line_here())
        self._text, self._at, self._counted = "", 0, 0
        return token

    # --- outside of actions

    def _text_token(self) -> Token:
        while True:
            left = self._text.find(_LEFT, self._at)
            end = len(self._text) if left < 0 else left
            if left >= 0 and _TRIM_LEFT.match(self._text, left + 2):
                end = self._at + len(self._text[self._at : left].rstrip(_SPACES))
            if end > self._at:
                token = self._token("text", end)
                self._at = end if left < 0 else left
                return token
            if left < 0:
                return Token("EOF", self._at, "EOF", self._line_here())
            self._at = left
            token_or_comment = self._left_delimiter()
            if token_or_comment is not None:
                return token_or_comment

    def _left_delimiter(self) -> Token | None:
        """The delimiter; None for a comment, which is skipped."""
        behind = self._at + 2
        if _TRIM_LEFT.match(self._text, behind):
            behind += 2
        if self._text.startswith("/*", behind):
            self._at = behind
            return self._comment()
        token = self._token("left delim", self._at + 2)
        self._at = behind
        self._inside, self._depth = True, 0
        return token

    def _comment(self) -> Token | None:
        close = self._text.find("*/", self._at + 2)
        if close < 0:
            return self._error("unclosed comment")
        match = _RIGHT_DELIMITER.match(self._text, close + 2)
        if match is None:
            return self._error("comment ends before closing delimiter")
        self._after_action(match)
        return None

    def _after_action(self, match: re.Match[str]) -> None:
        self._at = match.end()
        space = _SPACE_RUN.match(self._text, self._at)
        if match[1] and space:
            self._at = space.end()

    # --- inside

    def _action_token(self) -> Token:
        match = _RIGHT_DELIMITER.match(self._text, self._at)
        if match:
            if self._depth:
                return self._error("unclosed left paren")
            return self._right_delimiter(match)
        char = self._text[self._at : self._at + 1]
        if not char:
            return self._error("unclosed action")
        if char in _SPACES:
            return self._space()
        if char in _SINGLE:
            return self._token(_SINGLE[char], self._at + 1)
        if char == ":":
            if self._text[self._at + 1 : self._at + 2] != "=":
                return self._error("expected :=")
            return self._token("declare", self._at + 2)
        if char in _QUOTED:
            kind, pattern, problem = _QUOTED[char]
            quoted = pattern.match(self._text, self._at)
            return self._token(kind, quoted.end()) if quoted else self._error(problem)
        if char == "$" or (char == "." and not re.match(r"[0-9]|\Z", self._text[self._at + 1 : self._at + 2])):
            return self._field_or_variable("variable" if char == "$" else "field")
        if char in "+-." or "0" <= char <= "9":
            return self._number()
        if _is_alphanumeric(char):
            return self._identifier()
        return self._parenthesis_or_char(char)

    def _right_delimiter(self, match: re.Match[str]) -> Token:
        self._at = match.end() - 2
        token = self._token("right delim", match.end())
        self._after_action(match)
        self._inside = False
        return token

    def _space(self) -> Token:
        match = _SPACE_RUN.match(self._text, self._at)
        assert match is not None
        end = match.end()
        if self._text.startswith("-}}", end):
            end -= 1  # the last blank belongs to the delimiter
        return self._token("space", end)

    def _field_or_variable(self, kind: str) -> Token:
        end = self._word_end(self._at + 1)
        if not self._ends(end):
            return self._error(f"bad character {_unicode(self._text[end])}")
        if kind == "field" and end == self._at + 1:
            return self._token(".", end)
        return self._token(kind, end)

    def _identifier(self) -> Token:
        end = self._word_end(self._at)
        if not self._ends(end):
            return self._error(f"bad character {_unicode(self._text[end])}")
        word = self._text[self._at : end]
        if word in KEYWORDS:
            return self._token(word, end)
        return self._token("bool" if word in ("true", "false") else "identifier", end)

    def _word_end(self, at: int) -> int:
        while _is_alphanumeric(self._text[at : at + 1]):
            at += 1
        return at

    def _ends(self, at: int) -> bool:
        """May a word end here?"""
        char = self._text[at : at + 1]
        return char in _SPACES or char in ".,|:)(" or self._text.startswith(_RIGHT, at)

    def _number(self) -> Token:
        end, good = self._number_end(self._at)
        kind = "number"
        if good and self._text[end : end + 1] in ("+", "-"):
            kind = "complex"
            end, good = self._number_end(end)
            good = good and self._text[end - 1] == "i"
        if not good:
            return self._error(f"bad number syntax: {quote(self._text[self._at : end])}")
        return self._token(kind, end)

    def _number_end(self, at: int) -> tuple[int, bool]:
        match = _NUMBER.match(self._text, at)
        assert match is not None
        end = match.end()
        if _is_alphanumeric(self._text[end : end + 1]):
            return end + 1, False
        return end, True

    def _parenthesis_or_char(self, char: str) -> Token:
        if char == "(":
            self._depth += 1
            return self._token("left paren", self._at + 1)
        if char == ")":
            if not self._depth:
                return self._error("unexpected right paren")
            self._depth -= 1
            return self._token("right paren", self._at + 1)
        if char.isascii() and char.isprintable():
            return self._token("char", self._at + 1)
        return self._error(f"unrecognized character in action: {_unicode(char)}")


def _is_alphanumeric(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _unicode(char: str) -> str:
    """fmt's %#U."""
    if 0xDC80 <= ord(char) <= 0xDCFF:
        char = "\ufffd"
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")

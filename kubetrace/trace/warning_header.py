"""`Warning` headers (RFC 7234, section 5.5) as apimachinery reads them (util/net/http.go: ParseWarningHeaders)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from kubetrace.trace.exchange import Response

_START = r"([0-9]{3}) ([^ ]+) (?=.)"


def warning_texts(values: Iterable[str]) -> list[str]:
    """The texts of all 299 warnings in these header values, in order. Where a value turns malformed, its rest is
    skipped."""
    return [text for value in values for code, text in _parse(value) if code == 299 and text]


def warnings_of(response: Response | None) -> list[str]:
    """The texts of all 299 warnings of an answer."""
    headers = response.headers if response is not None else ()
    return warning_texts(value for name, value in headers if name.lower() == "warning")


def _parse(value: str) -> list[tuple[int, str]]:
    """Code and text of each warning in one header value; the value is latin-1 text of UTF-8 bytes."""
    try:
        rest = value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return []
    found: list[tuple[int, str]] = []
    while rest:
        parsed = _one(rest)
        if parsed is None:
            break
        code, text, rest = parsed
        found.append((code, text))
    return found


def _one(header: str) -> tuple[int, str, str] | None:
    """Code, text and remainder of the first warning; None where it is malformed."""
    start = re.match(_START, header.strip(), re.DOTALL)
    if start is None or _has_control(start[2]):
        return None
    quoted = _quoted_string(header.strip()[start.end() :])
    if quoted is None:
        return None
    text, rest = _decoded(quoted[0]), quoted[1]
    if rest.startswith('"'):  # the warn-date, which nobody needs
        date_end = rest.find('"', 1)
        if date_end < 0:
            return None
        rest = rest[date_end + 1 :].strip()
    if rest and not rest.startswith(","):
        return None
    return None if _has_control(text) else (int(start[1]), text, rest[1:].strip())


def _quoted_string(text: str) -> tuple[str, str] | None:
    """The unescaped content of the quoted string at the start, and what follows it."""
    if not text.startswith('"'):
        return None
    out: list[str] = []
    position = 1
    while position < len(text):
        character = text[position]
        if character == '"':
            return "".join(out), text[position + 1 :].strip()
        if character == "\\" and position + 1 < len(text):
            position += 1
            character = text[position]
        out.append(character)
        position += 1
    return None


def _decoded(text: str) -> str:
    """RFC 2047 words, which RFC 2616 servers used."""
    if "=?" not in text:
        return text
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def _has_control(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)

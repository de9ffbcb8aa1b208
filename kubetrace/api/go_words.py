"""How Go words values inside the messages that kubectl prints."""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.transport.go_quote import quote


def quoted(text: str) -> str:
    """A string as Go's %q writes it."""
    return quote(text.encode("utf-8", "surrogateescape"))


def quoted_list(texts: Iterable[str]) -> str:
    """A slice of strings as %q writes it: `["a" "b"]`."""
    return "[" + " ".join(quoted(text) for text in texts) + "]"


def bracketed(values: Iterable[object]) -> str:
    """A slice as %v writes it: `[a b]`."""
    return "[" + " ".join(str(value) for value in values) + "]"


def json_problem(body: bytes) -> str:
    """What encoding/json says about a text that is not JSON."""
    import json

    if not body.strip():
        return "unexpected end of JSON input"
    try:
        json.loads(body)
    except json.JSONDecodeError as problem:
        if problem.pos >= len(problem.doc.rstrip()):
            return "unexpected end of JSON input"
        return _invalid_character(problem)
    except ValueError:
        return "invalid character in string literal"
    return "unexpected end of JSON input"


def _invalid_character(problem: object) -> str:
    message, document, position = (getattr(problem, name) for name in ("msg", "doc", "pos"))
    sign = document[position]
    shown = "'\\''" if sign == "'" else f"'{sign}'" if sign != '"' else "'\"'"
    if message.startswith("Expecting property name"):
        return f"invalid character {shown} looking for beginning of object key string"
    if message.startswith("Expecting ':'"):
        return f"invalid character {shown} after object key"
    if message.startswith("Expecting ','"):
        inside = "object key:value pair" if _in_object(document, position) else "array element"
        return f"invalid character {shown} after {inside}"
    if message == "Extra data":
        return f"invalid character {shown} after top-level value"
    if message.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    return _in_literal(document, position) or f"invalid character {shown} looking for beginning of value"


def _in_literal(document: str, position: int) -> str | None:
    for literal in ("true", "false", "null"):
        rest = document[position : position + len(literal)]
        if rest[:1] != literal[:1]:
            continue
        for index, expected in enumerate(literal):
            if index >= len(rest):
                return "unexpected end of JSON input"
            if rest[index] != expected:
                return f"invalid character '{rest[index]}' in literal {literal} (expecting '{expected}')"
    return None


def _in_object(document: str, position: int) -> bool:
    depth = 0
    for sign in reversed(document[:position]):
        if sign in "}]":
            depth += 1
        elif sign in "{[":
            if depth == 0:
                return sign == "{"
            depth -= 1
    return False


def struct_json(value: object, indent: int = 0) -> bytes:
    """JSON as Go writes a struct: keys in the order given, HTML characters escaped, no newline at the end."""
    import msgspec

    data = msgspec.json.encode(value)
    for plain, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        data = data.replace(plain, escaped)
    return msgspec.json.format(data, indent=indent) if indent else data

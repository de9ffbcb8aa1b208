"""How Go words values inside the messages that kubectl prints."""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.wire.go_quote import quote


def quoted(text: str) -> str:
    """A string as Go's %q writes it."""
    return quote(text)


def quoted_list(texts: Iterable[str]) -> str:
    """A slice of strings as %q writes it: `["a" "b"]`."""
    return "[" + " ".join(quoted(text) for text in texts) + "]"


def bracketed(values: Iterable[object]) -> str:
    """A slice as %v writes it: `[a b]`."""
    return "[" + " ".join(str(value) for value in values) + "]"


def int32(number: int) -> int:
    """A number as Go's int32(number) cuts it off: 2³² + 80 → 80."""
    return (number + 2**31) % 2**32 - 2**31


def atoi(text: str) -> int:
    """strconv.Atoi. Raises ValueError in its words."""
    from kubetrace.wire.go_strconv import BadValue, parse_int

    try:
        return parse_int(text, base=10)
    except BadValue as error:
        raise ValueError(str(error).replace("ParseInt", "Atoi", 1)) from None


def json_problem(body: bytes) -> str:
    """What encoding/json says about a text that is not JSON."""
    from kubetrace.wire.json_stream import problem

    return problem(body)


def struct_json(value: object, indent: int = 0) -> bytes:
    """JSON as Go writes a struct: keys in the order given, HTML characters escaped, no newline at the end."""
    import msgspec

    data = msgspec.json.encode(value)
    for plain, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        data = data.replace(plain, escaped)
    return msgspec.json.format(data, indent=indent) if indent else data

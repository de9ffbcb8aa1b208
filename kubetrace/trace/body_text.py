"""Bodies for people: JSON indented, Kubernetes protobuf decoded to JSON, text as it is, the rest by its size."""

from __future__ import annotations

import json
import re

from kubetrace.wire import CBOR, PROTOBUF, is_watch_stream, watch_spans

_ESCAPES = re.compile(r"(?<!\\)((?:\\\\)*)((?:\\u[0-9a-fA-F]{4})+)")
# C0 but tab and newline, DEL, C1, marks without width or that turn the direction of text, separators, surrogates.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def readable(body: bytes) -> str:
    """A body's text; what can't be decoded says so."""
    if body.startswith(PROTOBUF):
        return _protobuf(body)
    if is_watch_stream(body):
        return _protobuf_events(body)
    if body.startswith(CBOR):
        return _cbor(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return f"({len(body)} bytes that are no text)"
    if text[:1] in ("{", "["):
        return indented(text)
    return text if "\0" not in text else f"({len(body)} bytes that are no text)"


def indented(text: str) -> str:
    """A JSON text on lines of its own, its numbers and the order of its keys as they came; so is each of several, as
    watches send them. Text that is no JSON stays as it is."""
    import msgspec

    try:
        found = msgspec.json.format(text, indent=2)
    except RecursionError:
        return text
    except msgspec.DecodeError:  # it takes no lone surrogates
        try:
            return json.dumps(json.loads(text), indent=2)
        except (ValueError, RecursionError):
            return _indented_lines(text)
    return _ESCAPES.sub(_unescaped, found) if "\\u" in found else found


def _indented_lines(text: str) -> str:
    import msgspec

    first, newline, rest = text.partition("\n")
    try:
        msgspec.json.decode(first)
    except (msgspec.DecodeError, RecursionError):
        return text
    return "\n".join(map(indented, [first, *rest.splitlines()])) if newline else text


def _unescaped(match: re.Match[str]) -> str:
    r"""Go writes <, > and & as \u003c and so on; people read characters."""
    try:
        characters = json.loads(f'"{match[2]}"')
    except ValueError:
        return match[0]
    escape = json.JSONEncoder().encode
    return match[1] + "".join(
        one if one.isprintable() and one not in '"\\' else escape(one)[1:-1] for one in characters
    )


def _protobuf(body: bytes) -> str:
    from kubetrace.wire.protobuf import InvalidProtobuf, decode

    try:
        return json.dumps(decode(body), indent=2, ensure_ascii=False)
    except (InvalidProtobuf, ValueError, RecursionError) as error:
        return f"({len(body)} bytes of protobuf that can't be decoded: {error})"


def _cbor(body: bytes) -> str:
    """CBOR's items (a watch's events), one below the other."""
    from kubetrace.wire.cbor import Ends, InvalidCBOR, decode

    if not body[len(CBOR) :].strip(b"*"):
        return f"({len(body)} bytes of CBOR, masked)"
    texts: list[str] = []
    ends, start, view = Ends(), 0, memoryview(body)
    try:
        while size := ends.find(view[start:]):
            texts.append(json.dumps(decode(body[start : start + size]), indent=2, ensure_ascii=False))
            start += size
    except (InvalidCBOR, RecursionError) as error:
        texts.append(f"({len(body) - start} bytes of CBOR that can't be decoded: {error})")
        return "\n".join(texts)
    if start < len(body):
        texts.append(f"({len(body) - start} bytes of CBOR that are not here as a whole)")
    return "\n".join(texts)


def _protobuf_events(body: bytes) -> str:
    """A watch's events, one below the other."""
    from kubetrace.wire.protobuf import InvalidProtobuf, decode, watch_event

    texts: list[str] = []
    for start, stop in watch_spans(body):
        if stop > len(body):
            texts.append(f"({len(body) - start} bytes of an event that is not here as a whole)")
            break
        try:
            type, raw = watch_event(body[start:stop])
            texts.append(json.dumps({"type": type, "object": decode(raw)}, indent=2, ensure_ascii=False))
        except (InvalidProtobuf, ValueError, RecursionError) as error:
            texts.append(f"({stop - start} bytes of protobuf that can't be decoded: {error})")
    return "\n".join(texts)


def json_of(body: bytes) -> bytes:
    """Kubernetes' protobuf as JSON in one line; any other body, and what can't be decoded, as it is."""
    if not body.startswith(PROTOBUF):
        return body
    from kubetrace.wire.protobuf import InvalidProtobuf, decode

    try:
        return json.dumps(decode(body), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    except (InvalidProtobuf, ValueError, RecursionError):
        return body


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey: control characters become escapes; newlines and tabs stay."""
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def one_line(text: str) -> str:
    """Text for one line of a table or a comment."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def size(count: int | None) -> str:
    """A number of bytes, short: "812 B", "12.3 KiB"."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{int(amount)} B" if unit == "B" else f"{amount:.1f} {unit}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 call", "2 calls"."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def milliseconds(seconds: float | None) -> str:
    """A time, short: "0.4 ms", "12 ms", "1.25 s"."""
    if seconds is None:
        return ""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"

"""The documents of one manifest stream: JSON texts in a row or YAML documents between `---` lines.

The rules are those of apimachinery's pkg/util/yaml (YAMLOrJSONDecoder, YAMLReader): a stream that begins with "{" is
read as JSON until that fails, from then on as YAML; the JSON error is what is told when both fail.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.value import Value
from kubetrace.wire.json_stream import JSONSyntaxError, skip_space, value_end

_GUESS = 4096
_SEPARATOR = b"---"


class Parsed(Value):
    """One document. `json` is the text that a JSON document was; what was YAML has none, so kubectl makes one."""

    value: Any
    json: str = ""

    @property
    def text(self) -> str:
        """The document as kubectl's decoders get it."""
        from kubetrace.wire.go_json import dumps

        return self.json or dumps(self.value).decode()


def decode_text(data: bytes) -> bytes:
    """UTF-8 without its byte order mark; UTF-16 where a mark says so (unicode.BOMOverride)."""
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return data[2:].decode(name, "replace").encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        data.decode()
    except UnicodeDecodeError:
        from kubetrace.wire.go_json import valid_utf8

        return valid_utf8(data).encode()
    return data


def documents(data: bytes, source: str) -> Iterator[Parsed]:
    """Every document; empty ones are left out. Raises KubetraceError ("error parsing SOURCE: …")
    at the first document that can't be read, which ends the stream."""
    try:
        yield from (parsed for parsed in _parsed(decode_text(data)) if parsed.value is not None)
    except _ParseError as error:
        raise KubetraceError(f"error parsing {source}: {error}") from None


class _ParseError(ValueError):
    """What is wrong, in kubectl's words, without the source's name."""


def _parsed(data: bytes) -> Iterator[Parsed]:
    if not data[:_GUESS].lstrip().startswith(b"{"):
        yield from _parsed_yaml(data)
        return
    text = data.decode()
    at = count = 0
    while True:
        start = skip_space(text, at)
        if start >= len(text):
            return
        try:
            end = value_end(text, start)
        except JSONSyntaxError as error:
            yield from _parsed_after_json(text, at, count, error)
            return
        yield Parsed(_loads(text[start:end]), text[start:end])
        at, count = end, count + 1


def _loads(text: str) -> Any:
    from kubetrace.wire.go_json import loads

    return loads(text.encode())


def _parsed_after_json(text: str, at: int, count: int, error: JSONSyntaxError) -> Iterator[Parsed]:
    """The rest of a stream that stopped being JSON, as YAML, unless it began with several JSON texts."""
    if count > 1:
        raise _ParseError(str(error))
    words = str(error) if error.ended else f"json: offset {len(text[: error.offset].encode())}: {error}"
    start = _behind_blanks(text, at)
    if start is None:
        raise _ParseError(words)
    first = True
    try:
        for parsed in _parsed_yaml(text[start:].encode()):
            yield parsed
            first = False
    except _ParseError as yaml_error:
        raise _ParseError(words if first else str(yaml_error)) from None


def _behind_blanks(text: str, at: int) -> int | None:
    """Past blanks up to and including one newline; None where fewer than four bytes are left on the way, which the
    decoder takes for the stream's end."""
    rest = text[at:].encode()
    position = 0
    for sign in text[at:]:
        if len(rest) - position < 4:
            return None
        if sign == "\n":
            return at + 1
        if not sign.isspace():
            return at
        at += 1
        position += len(sign.encode())
    return None


def _parsed_yaml(data: bytes) -> Iterator[Parsed]:
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    for document in _yaml_documents(data):
        try:
            yield Parsed(loads(document))
        except InvalidYAML as error:
            raise _ParseError(f"error converting YAML to JSON: {error}") from None


def _yaml_documents(data: bytes) -> Iterator[bytes]:
    """The texts between lines that begin with "---"; a comment may follow on such a line, nothing else. A separator
    that ends no text begins the next one: parser and line numbers see it (YAMLReader)."""
    lines: list[bytes] = []
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        line = line.removesuffix(b"\r")
        if line.startswith(_SEPARATOR):
            behind = line[len(_SEPARATOR) :].strip()
            if behind and not behind.startswith(b"#"):
                raise _ParseError(f"invalid Yaml document separator: {behind.decode('utf-8', 'replace')}")
            if lines:
                yield b"\n".join(lines) + b"\n"
                lines = []
                continue
        lines.append(line)
    if lines:
        yield b"\n".join(lines) + b"\n"

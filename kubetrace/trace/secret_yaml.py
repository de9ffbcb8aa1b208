"""Finds the credentials in YAML (and in text that is neither JSON nor protobuf), line by line.

Deliberately generous: in a document that names a Secret every `data` and `stringData` block counts as one.
"""

from __future__ import annotations

import re

from kubetrace.trace.secret_json import Span

_SECRET = re.compile(rb"""(?m)^[ \t-]*["']?kind["']?[ \t]*:[ \t]*["']?(?:Secret|TokenRequest|ExecCredential)""")
_CONFIG = re.compile(rb"""(?m)^[ \t-]*["']?kind["']?[ \t]*:[ \t]*["']?Config["']?[ \t]*\r?$""")
_BLOCK = re.compile(rb"""(?m)^([ \t]*(?:-[ \t]+)*)["']?(data|stringData|status)["']?[ \t]*:[ \t]*([^\r\n]*)""")
_CREDENTIAL = re.compile(
    rb"""(?m)^[ \t-]*["']?(?:token|password|client-key-data|clientKeyData|access-token|refresh-token|id-token"""
    rb"""|client-secret)["']?[ \t]*:[ \t]*([^\s#].*?)[ \t]*\r?$"""
)
_CLIENT_KEY = re.compile(rb"""client-key-data["']?[ \t]*:[ \t]*["']?([^\s"',}]+)""")
_PAIR = re.compile(rb"""^([ \t]*)(?:-[ \t]+)?(?:["'][^"']*["']|[^\s:#"'][^:]*)[ \t]*:(?:[ \t]+|$)(.*)$""", re.DOTALL)
_FLOW_VALUE = re.compile(rb""":[ \t]*("(?:[^"\\]|\\.)*"?|'[^']*'?|[^,}\s][^,}]*)""")


def spans(text: bytes, in_secret: bool = False) -> list[Span]:
    """The spans of all credentials in the text, document by document."""
    found: list[Span] = []
    start = 0
    for match in re.finditer(rb"(?m)^---.*$|\Z", text):
        found += _document(text, start, match.start(), in_secret)
        start = match.end()
    return found


def _document(text: bytes, start: int, stop: int, in_secret: bool) -> list[Span]:
    document = text[start:stop]
    found: list[Span] = []
    if in_secret or _SECRET.search(document):
        for match in _BLOCK.finditer(document):
            found += _block(document, match)
    if _CONFIG.search(document):
        found += [_unquoted(document, *match.span(1)) for match in _CREDENTIAL.finditer(document)]
    found += [_unquoted(document, *match.span(1)) for match in _CLIENT_KEY.finditer(document)]
    return [(first + start, last + start, levels) for first, last, levels in found]


def _block(document: bytes, match: re.Match[bytes]) -> list[Span]:
    """The values below `data:`, in block or in flow style."""
    only_tokens = match[2] == b"status"
    rest = match[3].strip()
    if rest.startswith(b"{"):
        end = document.find(b"}", match.start(3))
        stop = len(document) if end < 0 else end
        flow = [] if only_tokens else _FLOW_VALUE.finditer(document, match.start(3), stop)
        return [_unquoted(document, *value.span(1)) for value in flow]
    return _values(document, match.end(), len(match[1]), only_tokens)


def _values(document: bytes, position: int, indent: int, only_tokens: bool) -> list[Span]:
    found: list[Span] = []
    key_indent = -1
    wanted = True
    for line in re.finditer(rb"[^\n]*\n?", document[position:]):
        content = line[0].rstrip(b"\r\n")
        stripped = content.strip()
        offset = position + line.start()
        if not stripped:
            continue
        width = len(content) - len(content.lstrip())
        if line.start() and width <= indent:
            break
        if not line.start():
            continue
        pair = _PAIR.match(content) if key_indent in (-1, width) else None
        if pair is None:  # the next line of a value above: a block scalar or a folded one
            if wanted:
                found.append((offset + width, offset + len(content.rstrip()), 0))
            continue
        key_indent = width
        wanted = not only_tokens or b"token" in content or b"clientKeyData" in content
        value = pair[2].strip()
        if wanted and value and value[:1] not in (b"|", b">", b"#"):
            first = offset + pair.start(2) + (len(pair[2]) - len(pair[2].lstrip()))
            found.append(_unquoted(document, first, first + len(value)))
    return found


def _unquoted(document: bytes, start: int, stop: int) -> Span:
    """A scalar's span without its quotation marks."""
    quotes = document[start : start + 1]
    if stop - start >= 2 and quotes in (b'"', b"'") and document[stop - 1 : stop] == quotes:
        return (start + 1, stop - 1, 1 if quotes == b'"' else 0)
    return (start, stop, 0)

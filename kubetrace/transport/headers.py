"""HTTP header fields as Go's net/http spells and reports them, because that is how kubectl's users see them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from kubetrace.trace.exchange import Headers

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@lru_cache(maxsize=256)
def canonical(name: str) -> str:
    """Go's canonical spelling (textproto.CanonicalMIMEHeaderKey): "ETag" becomes "Etag"; a name that is no token is
    left alone."""
    if not name or not _TOKEN.issuperset(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def wire_text(value: str) -> str:
    """A header value as http.client sends it: Go writes UTF-8 bytes, http.client encodes latin-1, so each byte becomes
    one character."""
    return value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("latin-1")


def is_field_value(value: str) -> bool:
    """Whether Go would send this value (httpguts.ValidHeaderFieldValue): no control characters but the tab."""
    return not any((character < " " and character != "\t") or character == "\x7f" for character in value)


def has_body(method: str, status: int) -> bool:
    """Whether an answer can have a body at all."""
    return method != "HEAD" and status >= 200 and status not in (204, 304)


def response_headers(fields: Iterable[tuple[str, str]], *, decoded: bool) -> Headers:
    """What Go's Response.Header holds: canonical names, framing and hop-by-hop fields that its transport consumed left
    out; `decoded` when the transport itself asked for gzip and undid it, which hides the two fields that described
    the compressed body."""
    hidden = {"Transfer-Encoding", "Trailer"}
    if decoded:
        hidden |= {"Content-Encoding", "Content-Length"}
    kept = ((canonical(name), value.strip(" \t")) for name, value in fields)
    return tuple(
        (name, value)
        for name, value in kept
        if name not in hidden and not (name == "Connection" and value.lower() == "close")
    )

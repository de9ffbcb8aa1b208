"""Header fields on their way through a gateway: what Go's httputil.ReverseProxy, its server and client-go's wrappers
take away and add."""

from __future__ import annotations

from email.utils import formatdate

from kubetrace.recorder.answers import lifetime
from kubetrace.recorder.heads import Fields, Head, RequestHead, ResponseHead, written
from kubetrace.recorder.upstream import Identity
from kubetrace.transport.headers import canonical

_HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"proxy-connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)


def upgrades(head: Head) -> bool:
    """httpstream.IsUpgradeRequest: any word in Connection that holds "upgrade" counts."""
    return any(b"upgrade" in value.lower() for value in head.values(b"connection"))


def forwarded(head: RequestHead, peer: str | None) -> Fields:
    """A client's fields as they go on: without those of its own connection, unless that is to be upgraded."""
    fields = list(head.fields) if upgrades(head) else _end_to_end(head)
    fields = [(name, value) for name, value in fields if name.lower() != b"host"]
    if not peer:
        return fields
    before = [value for name, value in fields if name.lower() == b"x-forwarded-for"]
    kept = [(name, value) for name, value in fields if name.lower() != b"x-forwarded-for"]
    return [*kept, (b"X-Forwarded-For", b", ".join([*before, peer.encode("ascii")]))]


def authenticated(fields: Fields, identity: Identity, host: bytes, user_agent: str) -> Fields:
    """The fields with the user's credentials, and a User-Agent, where the client brought none of its own."""
    names = {name.lower() for name, _ in fields}
    found: Fields = [(b"Host", host), *fields]
    if b"user-agent" not in names:
        found.append((b"User-Agent", user_agent.encode("latin-1")))
    if b"authorization" not in names and identity.authorization is not None:
        found.append((b"Authorization", identity.authorization))
    if b"impersonate-user" not in names:
        found += identity.impersonation
    return found


def _end_to_end(head: Head) -> Fields:
    """The fields that are not of one connection only. The framing stays as it is, so what tells of it stays, too."""
    own = {word.strip().lower() for value in head.values(b"connection") for word in value.split(b",")}
    framing = b"transfer-encoding" if head.chunked else b""
    fields = [
        (name, value)
        for name, value in head.fields
        if name.lower() == framing or (name.lower() not in _HOP_BY_HOP and name.lower() not in own)
    ]
    return [*fields, (b"Te", b"trailers")] if head.lists(b"te", b"trailers") else fields


def answered(response: ResponseHead, raw: bytes, *, minor: int, close: bool) -> bytes:
    """The head of an answer to a client of HTTP/1.`minor` as net/http writes it: fields in order of their names, with a
    date."""
    fields = _canonical(_end_to_end(response))
    fields += [(b"Trailer", value) for value in response.values(b"trailer")]
    names = {name for name, _ in fields}
    if b"Date" not in names:
        fields.append((b"Date", formatdate(usegmt=True).encode()))
    fields.sort(key=lambda field: field[0])
    line = interim(raw, minor=minor).partition(b"\r\n")[0]
    if minor == 0:
        fields = [(name, value) for name, value in fields if name != b"Transfer-Encoding"]
    return written(line, fields + lifetime(minor, close))


def interim(raw: bytes, *, minor: int) -> bytes:
    """The head of a 1xx answer, for a client of HTTP/1.`minor`."""
    return raw if minor else b"HTTP/1.0" + raw[len(b"HTTP/1.0") :]


def refused(response: ResponseHead, raw: bytes) -> bytes:
    """The head of an error that answers a request for an upgrade, as http.Response.Write has it; the connection ends
    behind it."""
    fields = sorted(_canonical(response.fields), key=lambda field: field[0])
    ends = response.length is None and not response.chunked
    closing = [(b"Connection", b"close")] if ends and not response.lists(b"connection", b"close") else []
    return written(raw.partition(b"\r\n")[0], [*closing, *fields])


def _canonical(fields: Fields) -> Fields:
    return [(canonical(name.decode("latin-1")).encode("latin-1"), value) for name, value in fields]

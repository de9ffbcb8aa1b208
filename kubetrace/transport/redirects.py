"""Redirects as Go's http.Client follows them (net/http/client.go), with one difference for safety's sake.

client-go adds the credentials below http.Client and so sends them to whatever host a redirect names; here they go only
to the host they were meant for and its subdomains, which is Go's own rule for headers set by hand.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from kubetrace.trace.exchange import Headers, Response
from kubetrace.transport.errors import TransportError
from kubetrace.value import Value

LIMIT = 10
_BODY_FIELDS = ("Content-Type", "Content-Encoding", "Content-Language", "Content-Location")
_CREDENTIAL_FIELDS = ("Authorization", "Cookie", "Proxy-Authorization")


class Hop(Value):
    """Where to go next and how. `trusted` says whether credentials may go along."""

    method: str
    url: str
    keep_body: bool
    referer: str
    trusted: bool

    def headers(self, before: Headers) -> Headers:
        """The fields that go along, from those of the request that was answered with the redirect."""
        body = () if self.keep_body else _BODY_FIELDS
        dropped = {"Referer", *body, *(() if self.trusted else _CREDENTIAL_FIELDS)}
        kept = tuple(
            (name, value)
            for name, value in before
            if name not in dropped and (self.trusted or not name.startswith("Impersonate-"))
        )
        return (*kept, ("Referer", self.referer)) if self.referer else kept


def next_hop(method: str, url: str, origin: str, response: Response) -> Hop | None:
    """The hop a redirect answer asks for; None for any other answer. `origin` is the URL of the first request."""
    location = response.header("Location")
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    target = _target(method, url, location)
    keep = response.status in (307, 308)
    followed = method if keep or method in ("GET", "HEAD") else "GET"
    return Hop(followed, target, keep, _referer(url, target), _same_site(origin, target))


def _target(method: str, url: str, location: str) -> str:
    """The absolute URL that a Location names; one that is no URL ends the command as it ends kubectl."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
    except ValueError as error:
        raise _no_url(method, url, location, "missing ']' in host") from error
    port = parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    if port and not (port.isascii() and port.isdigit()):
        raise _no_url(method, url, location, f'invalid port ":{port}" after host')
    if port and int(port) > 65535:
        raise TransportError(method, target, f"dial tcp: address {port}: invalid port", "protocol")
    return target


def _no_url(method: str, url: str, location: str, why: str) -> TransportError:
    told = f'failed to parse Location header "{location}": parse "{location}": {why}'
    return TransportError(method, url, told, "protocol")


def _referer(url: str, target: str) -> str:
    """The previous URL without credentials; nothing when https leads to http."""
    here = urlsplit(url)
    if here.scheme == "https" and urlsplit(target).scheme == "http":
        return ""
    return here._replace(netloc=here.netloc.rpartition("@")[2], fragment="").geturl()


def _same_site(origin: str, target: str) -> bool:
    """Whether the target is the origin's host or below it. A hop from https to http is trusted with nothing."""
    first, second = urlsplit(origin), urlsplit(target)
    if first.scheme == "https" and second.scheme != "https":
        return False
    host, other = (first.hostname or "").lower(), (second.hostname or "").lower()
    if host == other:
        return first.port == second.port or _port(first) == _port(second)
    return bool(host) and other.endswith("." + host) and ":" not in other and "%" not in other


def _port(parts: object) -> int:
    scheme, port = getattr(parts, "scheme", ""), getattr(parts, "port", None)
    return port or (443 if scheme == "https" else 80)

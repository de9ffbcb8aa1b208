"""What a request's target leads to: ServeMux of net/http (as of Go 1.21, which kubectl asks for) over the prefixes."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote_to_bytes, urlsplit

from kubetrace.recorder.heads import BadMessage
from kubetrace.value import Value
from kubetrace.wire.url_path import escape_path

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_AS_IT_IS = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]%]*")


class Target(Value):
    """A request's target: `path` decoded, `escaped` as it goes on, `query` with its question mark. `host` is the one
    that it names itself (as clients of HTTP proxies write it)."""

    path: str
    escaped: str
    query: str = ""
    host: str | None = None

    def at(self, path: str) -> Target:
        """The same query at another path; an encoding that still fits is kept (url.URL.EscapedPath)."""
        return Target(path, self.escaped if path == self.path else escape_path(path), self.query, self.host)


def read_target(raw: bytes) -> Target:
    """Raises BadMessage for a target that net/url does not read."""
    place, mark, query = raw.partition(b"?")
    host = None
    if not place.startswith(b"/"):
        try:
            parts = urlsplit(place.decode("latin-1"))
        except ValueError:
            raise BadMessage("malformed target") from None
        if not parts.scheme or not parts.netloc:
            raise BadMessage("malformed target")
        host, place = parts.netloc, parts.path.encode("latin-1")
    if _BAD_ESCAPE.search(place):
        raise BadMessage("malformed target")
    path = unquote_to_bytes(place).decode("utf-8", "surrogateescape")
    text = place.decode("latin-1")
    kept = text if place.isascii() and _AS_IT_IS.fullmatch(text) else escape_path(path)
    return Target(path, kept, (mark + query).decode("latin-1"), host)


class Moved(Value):
    """301, to this path and query."""

    location: str


class Static(Value):
    """A file below the folder of --www."""

    target: Target


class Proxied(Value):
    """The API server, at this path."""

    target: Target


class Routes:
    """`api_prefix` and `static_prefix` end with a slash; without a static prefix no files are served."""

    def __init__(self, api_prefix: str, static_prefix: str | None = None) -> None:
        self._api = api_prefix
        self._static = static_prefix
        self._prefixes = sorted({api_prefix, static_prefix or api_prefix}, key=len, reverse=True)

    def find(self, target: Target) -> Moved | Static | Proxied | None:
        """None where nothing is served."""
        path = _clean(target.path)
        if path not in self._prefixes and f"{path}/" in self._prefixes:
            return Moved(escape_path(f"{path}/") + target.query)
        if path != target.path:
            return Moved(escape_path(path) + target.query)
        prefix = next((prefix for prefix in self._prefixes if path.startswith(prefix)), None)
        if prefix is None:
            return None
        if prefix == self._static:
            return Static(target.at(path[len(prefix) :]))
        return Proxied(target if self._api.startswith("/api") else target.at(self._stripped(path)))

    def _stripped(self, path: str) -> str:
        """Like http.StripPrefix, but a slash stays (stripLeaveSlash)."""
        rest = path[len(self._api) :]
        return rest if not rest or rest.startswith("/") else f"/{rest}"


def _clean(path: str) -> str:
    """net/http's cleanPath."""
    if not path:
        return "/"
    cleaned = posixpath.normpath("/" + path.lstrip("/"))
    return cleaned if cleaned == "/" or not path.endswith("/") else f"{cleaned}/"

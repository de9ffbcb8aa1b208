"""The HTTP cache below discovery and OpenAPI, in the files that kubectl keeps, so that both programs share them.

client-go wraps those calls in an RFC 7234 cache (discovery/cached/disk/round_tripper.go, third_party/forked/httpcache):
an answer that is still fresh is not asked for again (OpenAPI documents, named by their hash, stay fresh for a year);
one that is not is asked for with If-None-Match, and a 304 stands for what is kept. In kubectl's log, and so in ours,
such an answer is a 200 with `X-From-Cache: 1`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPHeaderDict, HTTPResponse

from kubetrace.trace.exchange import Headers, Response
from kubetrace.transport.headers import canonical

if TYPE_CHECKING:
    from kubetrace.transport.recording import Recording

FROM_CACHE = "X-From-Cache"
VARIED = "X-Varied-"
HOP_BY_HOP = frozenset(
    {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailers", "Transfer-Encoding",
     "Upgrade"}
)  # fmt: skip
NOT_MODIFIED, OK = 304, 200
_CHECKSUM = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer on disk."""

    status: int
    reason: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        wanted = canonical(name)
        return next((value for key, value in self.headers if key == wanted), "")

    def directives(self) -> dict[str, str]:
        return cache_control(self.header("Cache-Control"))

    def is_fresh(self, now: float) -> bool:
        """Whether it may stand for the server's answer unasked; `now` in seconds since the epoch."""
        directives = self.directives()
        date = _moment(self.header("Date"))
        if "no-cache" in directives or date is None:
            return False
        if "max-age" in directives:
            age = directives["max-age"]
            lifetime = float(age) if age.isdigit() else 0.0
        else:
            expires = _moment(self.header("Expires"))
            lifetime = 0.0 if expires is None else expires - date
        return lifetime > now - date

    def answers(self, request: Any) -> bool:
        """Whether the fields that the answer varies with are the same in this request."""
        return all(_varied(request, name) == self.header(VARIED + name) for name in _vary(self.header("Vary")))


class HTTPCache:
    """Answers to GET by URL, one file each, below CACHE_DIR/http. What cannot be read or written is not kept."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock

    def send(self, request: Any, recording: Recording, wire: Callable[[], Any], build: Callable[[Any], Any]) -> Any:
        """The answer to a GET, from disk or from the wire. `build` makes a requests.Response of a urllib3 one."""
        kept = self._load(request.url)
        if kept is not None and kept.answers(request):
            if kept.is_fresh(self._clock()):
                return build(_raw(kept))
            for field, value in (
                ("If-None-Match", kept.header("Etag")),
                ("If-Modified-Since", kept.header("Last-Modified")),
            ):
                if value:
                    request.headers[field] = value
        answer = wire()
        if kept is not None and answer.status_code == NOT_MODIFIED:
            fields = [(canonical(name), value) for name, value in answer.raw.headers.items()]
            answer.raw.drain_conn()
            answer.raw.release_conn()
            answer = build(_raw(_updated(kept, fields)))
        if "no-store" in cache_control(answer.raw.headers.get("Cache-Control", "")):
            self._forget(request.url)
            return answer
        for name in _vary(answer.raw.headers.get("Vary", "")):
            if value := _varied(request, name):
                answer.raw.headers[VARIED + name] = value
        recording.keep = lambda response, body: self._store(request.url, response, body)
        return answer

    # --- files -----------------------------------------------------------------------------------------------------

    def _file(self, url: str) -> Path:
        return self._folder / hashlib.sha256(url.encode()).hexdigest()

    def _load(self, url: str) -> Kept | None:
        try:
            data = self._file(url).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[_CHECKSUM:]).digest() != data[:_CHECKSUM]:
            return None
        return _parse(data[_CHECKSUM:])

    def _store(self, url: str, response: Response, body: bytes) -> None:
        lines = [f"HTTP/1.1 {response.status} {response.reason or ''}"]
        if response.header("Content-Length") is None:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in response.headers]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
        with contextlib.suppress(OSError):
            self._write(self._file(url), hashlib.sha256(data).digest() + data)

    def _write(self, path: Path, data: bytes) -> None:
        drafts = self._folder / ".diskv-temp"
        drafts.mkdir(0o750, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=drafts)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            os.chmod(draft, 0o660)  # noqa: PTH101
            os.replace(draft, path)  # noqa: PTH105
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(draft)  # noqa: PTH108
            raise

    def _forget(self, url: str) -> None:
        with contextlib.suppress(OSError):
            self._file(url).unlink()


def cache_control(value: str) -> dict[str, str]:
    """Cache-Control's directives, without quotes and blanks."""
    parts = (part.strip().partition("=") for part in value.split(","))
    return {name.strip().lower(): argument.strip(' "') for name, _, argument in parts if name}


def _parse(data: bytes) -> Kept | None:
    head, separator, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    _, _, status = first.partition(" ")
    code, _, reason = status.partition(" ")
    if not separator or not code.isdigit():
        return None
    fields = (line.partition(":") for line in rest)
    headers = tuple((canonical(name), value.strip()) for name, _, value in fields if name.lower() != "connection")
    return Kept(int(code), reason, headers, body)


def _updated(kept: Kept, fields: list[tuple[str, str]]) -> Kept:
    """What is kept, with the 304's own end-to-end fields."""
    new = tuple((name, value) for name, value in fields if name not in HOP_BY_HOP)
    names = {name for name, _ in new}
    return Kept(kept.status, kept.reason, (*(pair for pair in kept.headers if pair[0] not in names), *new), kept.body)


def _raw(kept: Kept) -> HTTPResponse:
    headers = HTTPHeaderDict()
    for name, value in kept.headers:
        headers.add(name, value)
    headers[FROM_CACHE] = "1"
    return HTTPResponse(
        io.BytesIO(kept.body), headers, kept.status, 11, reason=kept.reason, preload_content=False, decode_content=False
    )


def _vary(value: str) -> Iterator[str]:
    return (canonical(name.strip()) for name in value.split(",") if name.strip())


def _varied(request: Any, name: str) -> str:
    """A request field as client-go's cache sees it: its transport adds Accept-Encoding only below."""
    return "" if name == "Accept-Encoding" else str(request.headers.get(name) or "")


def _moment(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else datetime.replace(moment, tzinfo=UTC)).timestamp()

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
import re
import tempfile
import time
from calendar import timegm
from collections.abc import Callable, Iterator
from email.utils import parsedate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPHeaderDict, HTTPResponse

from kubetrace.trace.exchange import CacheHit, Headers, Response
from kubetrace.transport.headers import canonical
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.transport.recording import Recording

FROM_CACHE = "X-From-Cache"
VARIED = "X-Varied-"
HOP_BY_HOP = frozenset(
    {"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailers", "Transfer-Encoding",
     "Upgrade"}
)  # fmt: skip
NOT_MODIFIED, OK, SERVER_ERROR = 304, 200, 500
LONGEST = (2**63 - 1) / 1e9
"""Seconds that a Go duration can hold; a max-age beyond them counts as none."""

_CHECKSUM = hashlib.sha256().digest_size
_RFC1123 = r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [A-Z]{3,5}"


class Kept(Value):
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
            lifetime = _seconds(directives["max-age"]) or 0.0
        else:
            expires = _moment(self.header("Expires"))
            lifetime = 0.0 if expires is None else expires - date
        return lifetime > now - date

    def may_hide_errors(self, now: float) -> bool:
        """Whether it may stand for an answer that failed (stale-if-error, RFC 5861)."""
        grace = self.directives().get("stale-if-error")
        if not grace:
            return grace is not None
        seconds, date = _seconds(grace), _moment(self.header("Date"))
        return seconds is not None and date is not None and seconds > now - date

    def conditions(self) -> dict[str, str]:
        """The fields that ask the server whether it still holds."""
        found = {"If-None-Match": self.header("Etag"), "If-Modified-Since": self.header("Last-Modified")}
        return {name: value for name, value in found.items() if value}

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
                recording.saved(CacheHit(str(self._file(request.url)), request.url))
                return build(_raw(kept))
            conditions = kept.conditions()
            request.headers.update(conditions)
            recording.conditional(conditions)
        if kept is None:
            return self._keep(request, recording, wire())
        try:
            answer = wire()
        except Exception:
            if kept.may_hide_errors(self._clock()):
                return build(_raw(kept))
            self._forget(request.url)
            raise
        if answer.status_code == NOT_MODIFIED:
            fields = [(canonical(name), value) for name, value in answer.raw.headers.items()]
            answer = _instead(answer, recording, build, _updated(kept, fields))
        elif answer.status_code >= SERVER_ERROR and kept.may_hide_errors(self._clock()):
            return _instead(answer, recording, build, kept)
        elif answer.status_code != OK:
            self._forget(request.url)
        return self._keep(request, recording, answer)

    def _keep(self, request: Any, recording: Recording, answer: Any) -> Any:
        """Sees to it that the answer is on disk once its body has been read."""
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
        length = response.header("Content-Length")
        lines = [f"HTTP/1.1 {response.status} {response.reason or ''}"]
        lines.append("Connection: close" if length is None else f"Content-Length: {length}")
        lines += [f"{name}: {value}" for name, value in sorted(response.headers) if name != "Content-Length"]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
        with contextlib.suppress(OSError):
            self._write(self._file(url), hashlib.sha256(data).digest() + data)

    def _write(self, path: Path, data: bytes) -> None:
        drafts = self._folder / ".diskv-temp"
        for folder in (*reversed(drafts.parents), drafts):
            if not folder.exists():
                folder.mkdir(0o750, exist_ok=True)
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
    """Cache-Control's directives as httpcache reads them: in lower case only, arguments as they stand."""
    parts = (part.strip(" ").split("=") for part in value.split(","))
    return {part[0].strip(" "): part[1] if len(part) > 1 else "" for part in parts if part != [""]}


def _parse(data: bytes) -> Kept | None:
    head, separator, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    _, _, status = first.partition(" ")
    code, _, reason = status.partition(" ")
    fields = [(canonical(name), colon, value.strip()) for name, colon, value in (line.partition(":") for line in rest)]
    if not separator or not re.fullmatch(r"\d{3}", code, re.ASCII) or not all(colon for _, colon, _ in fields):
        return None
    headers = tuple((name, value) for name, _, value in fields if name not in HOP_BY_HOP)
    if ("Transfer-Encoding", ":", "chunked") in fields:
        joined = _joined(body)
        return None if joined is None else Kept(int(code), reason, headers, joined)
    return Kept(int(code), reason, headers, body)


def _joined(chunked: bytes) -> bytes | None:
    """A body without the chunks in which an HTTP/1.1 answer came: Go keeps them. None where they make no sense."""
    pieces: list[bytes] = []
    while True:
        line, separator, chunked = chunked.partition(b"\r\n")
        size = re.match(rb"[0-9a-fA-F]+", line)
        if not separator or size is None:
            return None
        length = int(size[0], 16)
        if length == 0:
            return b"".join(pieces)
        pieces.append(chunked[:length])
        if chunked[length : length + 2] != b"\r\n":
            return None
        chunked = chunked[length + 2 :]


def _instead(answer: Any, recording: Recording, build: Callable[[Any], Any], kept: Kept) -> Any:
    """What is kept, in place of an answer whose own status is only told to the trace."""
    recording.wire_status = answer.status_code
    answer.raw.drain_conn()
    answer.raw.release_conn()
    return build(_raw(kept))


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
    """Seconds since the epoch of a date as Go reads it: RFC 1123 alone, unknown zones as UTC."""
    moment = parsedate(value) if re.fullmatch(_RFC1123, value, re.ASCII) else None
    try:
        return None if moment is None else float(timegm(moment))
    except (ValueError, OverflowError):
        return None


def _seconds(value: str) -> float | None:
    """A directive's seconds; None for what Go's durations can't be."""
    seconds = float(value) if re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)", value, re.ASCII) else None
    return None if seconds is None or abs(seconds) > LONGEST else seconds

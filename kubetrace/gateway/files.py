"""The files of --www, as Go's http.FileServer serves them."""

from __future__ import annotations

import html
import mimetypes
import posixpath
import re
import stat
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from kubetrace.gateway.routes import Target
from kubetrace.recorder.answers import LocalAnswer
from kubetrace.recorder.heads import Fields, RequestHead
from kubetrace.value import Value
from kubetrace.wire.url_path import escape_path

PLAIN = b"text/plain; charset=utf-8"
NOSNIFF = (b"X-Content-Type-Options", b"nosniff")
_HTML = b"text/html; charset=utf-8"
_SNIFFED = 512
_TYPES = {
    ".avif": "image/avif", ".css": "text/css", ".gif": "image/gif", ".htm": "text/html", ".html": "text/html",
    ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript", ".json": "application/json",
    ".mjs": "text/javascript", ".pdf": "application/pdf", ".png": "image/png", ".svg": "image/svg+xml",
    ".wasm": "application/wasm", ".webp": "image/webp", ".xml": "text/xml",
}  # fmt: skip
"""Go's own table (mime/type.go), which comes before the system's."""
_MAGIC = (
    (b"%PDF-", "application/pdf"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"), (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"), (b"<?xml", "text/xml; charset=utf-8"),
)  # fmt: skip
_PAGE = re.compile(
    rb"[\t\n\f\r ]*<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|!--)[ >]", re.I
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))")


def plain(status: int, text: str) -> LocalAnswer:
    """net/http's Error."""
    return LocalAnswer(status, text.encode("utf-8", "surrogateescape") + b"\n", [NOSNIFF], content_type=PLAIN)


def moved(location: str) -> LocalAnswer:
    """A redirect without a body."""
    return LocalAnswer(301, b"", [(b"Location", location.encode("latin-1"))], content_type=b"")


class Part(Value):
    """A file's answer: its head's fields, and `size` bytes from `start` on as the body."""

    file: BinaryIO
    status: int
    content_type: bytes
    fields: Fields
    start: int
    size: int

    @property
    def head(self) -> LocalAnswer:
        return LocalAnswer(self.status, b"", self.fields, content_type=self.content_type)


class Files:
    """Serves what is below one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def serve(self, target: Target, head: RequestHead) -> LocalAnswer | Part:
        """`target` is relative to the folder. A Part's file is open."""
        asked = target.path if target.path.startswith("/") else f"/{target.path}"
        if asked.endswith("/index.html"):
            return moved("./" + target.query)
        if "\0" in asked:
            return plain(404, "404 page not found")
        place = Path(self._folder + posixpath.normpath(asked))
        try:
            found = place.stat()
            if stat.S_ISDIR(found.st_mode) != asked.endswith("/"):
                name = posixpath.basename(asked.rstrip("/"))
                where = f"{name}/" if stat.S_ISDIR(found.st_mode) else f"../{name}"
                return moved(escape_path(where) + target.query)
            if stat.S_ISDIR(found.st_mode):
                page = place / "index.html"
                return _part(page, head) if page.is_file() else _listing(place)
            return _part(place, head)
        except (FileNotFoundError, NotADirectoryError):
            return plain(404, "404 page not found")
        except PermissionError:
            return plain(403, "403 Forbidden")
        except (OSError, ValueError):
            return plain(500, "500 Internal Server Error")


def _listing(folder: Path) -> LocalAnswer:
    lines = ["<!doctype html>", '<meta name="viewport" content="width=device-width">', "<pre>"]
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = entry.name + ("/" if entry.is_dir() and not entry.is_symlink() else "")
        link = escape_path(name)
        link = f"./{link}" if ":" in link.partition("/")[0] else link  # no scheme (url.URL.String)
        shown = html.escape(name).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
        lines.append(f'<a href="{link}">{shown}</a>')
    body = "\n".join([*lines, "</pre>", ""]).encode("utf-8", "surrogateescape")
    modified = (b"Last-Modified", _date(folder.stat().st_mtime))
    return LocalAnswer(200, body, [modified], content_type=_HTML)


def _part(place: Path, head: RequestHead) -> LocalAnswer | Part:
    file = place.open("rb")
    info = place.stat()
    fields: Fields = [(b"Accept-Ranges", b"bytes"), (b"Last-Modified", _date(info.st_mtime))]
    if _unchanged(head, info.st_mtime):
        file.close()
        return LocalAnswer(304, b"", fields[1:], content_type=b"")
    kind = _content_type(place.name, file)
    asked = _RANGE.fullmatch((head.first(b"range") or b"").decode("latin-1"))
    if asked is None:
        return Part(file, 200, kind, fields, 0, info.st_size)
    first = int(asked[1]) if asked[1] is not None else max(0, info.st_size - int(asked[3]))
    last = min(int(asked[2]), info.st_size - 1) if asked[2] else info.st_size - 1
    if first >= info.st_size or last < first:
        file.close()
        overshot = [(b"Content-Range", b"bytes */%d" % info.st_size), fields[1], NOSNIFF]
        return LocalAnswer(416, b"invalid range: failed to overlap\n", overshot, content_type=PLAIN)
    shown = (b"Content-Range", b"bytes %d-%d/%d" % (first, last, info.st_size))
    return Part(file, 206, kind, [*fields, shown], first, last + 1 - first)


def _date(seconds: float) -> bytes:
    return formatdate(int(seconds), usegmt=True).encode()


def _unchanged(head: RequestHead, modified: float) -> bool:
    since = (head.first(b"if-modified-since") or b"").decode("latin-1")
    try:
        return bool(since) and int(modified) <= parsedate_to_datetime(since).timestamp()
    except (ValueError, TypeError):
        return False


def _content_type(name: str, file: BinaryIO) -> bytes:
    ending = posixpath.splitext(name)[1].lower()
    known = _TYPES.get(ending) or mimetypes.guess_type(f"x{ending}")[0]
    if known is None:
        known = _sniffed(file.read(_SNIFFED))
        file.seek(0)
    return (f"{known}; charset=utf-8" if known.startswith("text/") and ";" not in known else known).encode()


def _sniffed(beginning: bytes) -> str:
    """net/http's DetectContentType, as far as files that people serve need it."""
    if _PAGE.match(beginning):
        return "text/html"
    for magic, kind in _MAGIC:
        if beginning.startswith(magic):
            return kind
    return "application/octet-stream" if _BINARY.search(beginning) else "text/plain"

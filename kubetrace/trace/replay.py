"""A trace as a source of answers: what was asked is answered as it was then, what was not says so.

Answers to the same question are given in their order, the last one from then on. What changes from run to run
(resource versions of watches, timeouts, field managers) does not make another question; a body does.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from kubetrace.serving.status import failure
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import Headers, Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.meaning import parsed
from kubetrace.trace.replay_discovery import Resources
from kubetrace.trace.scratch import database, packed, unpacked
from kubetrace.value import Value

if TYPE_CHECKING:
    from sqlite3 import Connection

_SET_ASIDE = frozenset({"timeout", "timeoutSeconds", "resourceVersion", "fieldManager", "fieldValidation", "pretty"})
_HOP = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_FORMS = frozenset({"Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList"})
"""Kinds that a client asks for by the parameter `as` of Accept."""
_DISCOVERY = "APIGroupDiscovery;"
_PROTOBUF = "application/vnd.kubernetes.protobuf"


class Answer(Value):
    """What goes back to a client. A watch (`stays`) is left open: yesterday's cluster does not change any more."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    stays: bool = False
    found: bool = True


_SCHEMA = """
CREATE TABLE answers (
  question BLOB, form BLOB, place INT, status INT, reason BLOB, headers BLOB, start INT, size INT, protobuf INT,
  PRIMARY KEY (question, form, place)
) WITHOUT ROWID;
CREATE INDEX failures ON answers (question, start) WHERE status >= 400;
CREATE TABLE lost (question BLOB PRIMARY KEY, why TEXT) WITHOUT ROWID;
"""
"""Answers to a question have a form ("Table;v1"; empty is the plain object) and, within it, a place from 0 on; their
bodies lie in the spool. Lost are those that the trace does not hold."""
_FOUND = "SELECT place, status, reason, headers, start, size, protobuf FROM answers "


class Answers:
    """All answers of a trace, kept on the disk, in files without a name. For one thread at a time."""

    def __init__(self, exchanges: Iterable[Recorded]) -> None:
        self._known = database(_SCHEMA)
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this)
        self._close = weakref.finalize(self, _close, self._known, self._spool)
        self._given: dict[tuple[bytes, bytes], int] = {}
        self._resources = Resources()
        self.has_discovery = False
        """Whether the trace asked itself which kinds there are (and had not got it from a cache)."""
        self.count = 0
        for recorded in exchanges:
            self._keep(recorded)

    def close(self) -> None:
        self._close()

    def _keep(self, recorded: Recorded) -> None:
        exchange = recorded.exchange
        response = exchange.response
        if response is None:
            return
        request = exchange.request
        self.has_discovery |= endpoint(request).path.rstrip("/") == "/apis"
        question = _question(request)
        if response.status == 101 or (exchange.body is None and exchange.body_size):
            self._lose(question, "the trace does not keep streams")
            return
        if "response" in recorded.cut or exchange.error is not None:
            self._lose(question, "the trace does not hold the whole answer (--trace-bodies all keeps it)")
            return
        body = exchange.body or b""
        form = _form(body)
        if form.startswith(_DISCOVERY):
            self._resources.learn(parsed(body))
        else:
            self._resources.see(request, body)
        start = self._spool.seek(0, 2)
        self._spool.write(body)
        headers = [(name, value) for name, value in response.headers if name.lower() not in _HOP]
        protobuf = (response.header("Content-Type") or "").startswith(_PROTOBUF)
        self._known.execute(
            "INSERT INTO answers SELECT ?1, ?2, coalesce(max(place) + 1, 0), ?3, ?4, ?5, ?6, ?7, ?8 "
            "FROM answers WHERE question = ?1 AND form = ?2",
            (
                question,
                packed(form),
                response.status,
                packed(response.reason or ""),
                packed(json.dumps(headers)),
                start,
                len(body),
                protobuf,
            ),
        )
        self.count += 1

    def _lose(self, question: bytes, why: str) -> None:
        self._known.execute("INSERT OR REPLACE INTO lost VALUES (?, ?)", (question, why))

    def to(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """The answer to a request."""
        request = Request(method, target, headers, body or None)
        where = endpoint(request)
        if where.verb == "watch":
            return Answer(200, "OK", (("Content-Type", "application/json"),), b"", stays=True)
        question = _question(request)
        if answer := self._chosen(question, _wanted(headers)):
            return answer
        if method == "GET" and (found := self._resources.discovery(where.path)) is not None:
            warning = (
                "Warning",
                '299 - "kubetrace: the trace holds no discovery, this is what its requests tell of it"',
            )
            content = (("Content-Type", "application/json"), *(() if self._resources.told else (warning,)))
            return Answer(200, "OK", content, json.dumps(found).encode())
        return _never(method, target, self._why_not(question, method))

    def _why_not(self, question: bytes, method: str) -> str:
        if lost := self._known.execute("SELECT why FROM lost WHERE question = ?", (question,)).fetchone():
            return str(lost[0])
        if self._known.execute("SELECT 1 FROM answers WHERE question = ? LIMIT 1", (question,)).fetchone():
            return "the trace holds this answer in another form only"
        return "the trace never asked this" + ("" if method in ("GET", "HEAD") else " (with this body)")

    def _chosen(self, question: bytes, wanted: list[tuple[str, bool]]) -> Answer | None:
        """The next answer in the first form that the client takes."""
        for name, protobuf in wanted:
            form = packed(name)
            place = self._given.get((question, form), 0)
            kept = self._known.execute(
                _FOUND + "WHERE question = ? AND form = ? AND place <= ? ORDER BY place DESC LIMIT 1",
                (question, form, place),
            ).fetchone()
            if kept and (protobuf or not kept[-1]):
                self._given[question, form] = place + 1
                return self._answer(*kept)
        failed = self._known.execute(
            _FOUND + "WHERE question = ? AND status >= 400 ORDER BY start LIMIT 1", (question,)
        ).fetchone()
        return self._answer(*failed) if failed else None

    def _answer(
        self, place: int, status: int, reason: bytes, headers: bytes, start: int, size: int, protobuf: int
    ) -> Answer:
        self._spool.seek(start)
        pairs = tuple((name, value) for name, value in json.loads(unpacked(headers)))
        return Answer(status, unpacked(reason), pairs, self._spool.read(size))


def _close(known: Connection, spool: IO[bytes]) -> None:
    known.close()
    spool.close()


def _question(request: Request) -> bytes:
    """A digest of what a request asks."""
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return _sha256(repr((request.method, request.url)))
    query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _SET_ASIDE)
    method = "GET" if request.method == "HEAD" else request.method
    return _sha256(repr((method, parts.path.rstrip("/") or "/", query, _digest(request))))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(packed(text)).digest()


def _digest(request: Request) -> bytes:
    """What a body says, however it is written down. An object may have empty fields or lack them, and its status is
    nothing that a client says; in a patch both mean something."""
    body = request.body
    if not body:
        return b""
    value = parsed(body)
    if value is not None:
        if request.method != "PATCH":
            value = _without_empty(value)
            if isinstance(value, dict) and not urlsplit(request.url).path.endswith("/status"):
                value.pop("status", None)
        body = json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")
    return hashlib.sha256(body).digest()


def _without_empty(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_empty(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_empty(each) for name, each in value.items()}
    return {name: each for name, each in kept.items() if each not in (None, "", {}, [])}


def _form(body: bytes) -> str:
    if b'"kind"' not in body[:4096]:
        return ""
    value = parsed(body) if any(one.encode() in body[:4096] for one in _FORMS) else None
    if not isinstance(value, dict) or value.get("kind") not in _FORMS:
        return ""
    return f"{value['kind'].removesuffix('List')};{str(value.get('apiVersion') or '').rpartition('/')[2]}"


def _wanted(headers: Headers) -> list[tuple[str, bool]]:
    """The forms that Accept names, in its order, and whether protobuf will do for each."""
    accept = ",".join(value for name, value in headers if name.lower() == "accept") or "*/*"
    wanted: list[tuple[str, bool]] = []
    protobuf = _PROTOBUF in accept or "*/*" in accept
    for part in accept.split(","):
        media, *parameters = (word.strip() for word in part.split(";"))
        if not media:
            continue
        given = dict(word.partition("=")[::2] for word in parameters)
        form = f"{given['as'].removesuffix('List')};{given.get('v', '')}" if "as" in given else ""
        wanted.append((form, protobuf))
    return wanted


def _never(method: str, target: str, why: str) -> Answer:
    value = failure(404, f"{why}: {method} {target}", "NotFound")
    return Answer(404, "Not Found", (("Content-Type", "application/json"),), json.dumps(value).encode(), found=False)


def unauthorized() -> Answer:
    """The answer to somebody else."""
    value: Mapping[str, Any] = failure(401, "Unauthorized", "Unauthorized")
    return Answer(401, "Unauthorized", (("Content-Type", "application/json"),), json.dumps(value).encode())

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
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from kubetrace.serving.status import failure
from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import Headers, Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.meaning import parsed
from kubetrace.trace.replay_discovery import Resources
from kubetrace.value import Mutable, Value, fresh

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

Key = tuple[str, str, tuple[tuple[str, str], ...], bytes]


class Answer(Value):
    """What goes back to a client. A watch (`stays`) is left open: yesterday's cluster does not change any more."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    stays: bool = False
    found: bool = True


class _Kept(Value):
    """One answer of the trace; its body lies in the spool."""

    status: int
    reason: str
    headers: Headers
    start: int
    size: int
    form: str
    protobuf: bool


class _Question(Mutable):
    """Answers to one question by their form ("Table;v1"; "" is the plain object), and how many have been given."""

    kept: dict[str, list[_Kept]] = fresh(dict)
    given: dict[str, int] = fresh(dict)
    lost: str = ""


class Answers:
    """All answers of a trace. Bodies are kept in a file without a name. Not safe for several threads at once."""

    def __init__(self, exchanges: Iterable[Recorded]) -> None:
        self._questions: dict[Key, _Question] = {}
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as this)
        self._close = weakref.finalize(self, self._spool.close)
        self._resources = Resources()
        self.count = 0
        for recorded in exchanges:
            self._keep(recorded)

    def close(self) -> None:
        self._close()

    @property
    def has_discovery(self) -> bool:
        """Whether the trace asked itself which kinds there are (and had not got it from a cache)."""
        return any(key[1] == "/apis" for key in self._questions)

    def _keep(self, recorded: Recorded) -> None:
        exchange = recorded.exchange
        response = exchange.response
        if response is None:
            return
        request = exchange.request
        question = self._questions.setdefault(_key(request), _Question())
        if response.status == 101 or (exchange.body is None and exchange.body_size):
            question.lost = "the trace does not keep streams"
            return
        if "response" in recorded.cut or exchange.error is not None:
            question.lost = "the trace does not hold the whole answer (--trace-bodies all keeps it)"
            return
        body = exchange.body or b""
        form = _form(body)
        if form.startswith(_DISCOVERY):
            self._resources.learn(parsed(body))
        else:
            self._resources.see(request, body)
        start = self._spool.seek(0, 2)
        self._spool.write(body)
        headers = tuple((name, value) for name, value in response.headers if name.lower() not in _HOP)
        protobuf = (response.header("Content-Type") or "").startswith(_PROTOBUF)
        kept = _Kept(response.status, response.reason or "", headers, start, len(body), form, protobuf)
        question.kept.setdefault(form, []).append(kept)
        self.count += 1

    def to(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """The answer to a request."""
        request = Request(method, target, headers, body or None)
        where = endpoint(request)
        question = self._questions.get(_key(request))
        if where.verb == "watch":
            return Answer(200, "OK", (("Content-Type", "application/json"),), b"", stays=True)
        kept = question and self._chosen(question, _wanted(headers))
        if kept:
            self._spool.seek(kept.start)
            return Answer(kept.status, kept.reason, kept.headers, self._spool.read(kept.size))
        if method == "GET" and (found := self._resources.discovery(where.path)) is not None:
            warning = (
                "Warning",
                '299 - "kubetrace: the trace holds no discovery, this is what its requests tell of it"',
            )
            content = (("Content-Type", "application/json"), *(() if self._resources.told else (warning,)))
            return Answer(200, "OK", content, json.dumps(found).encode())
        return _never(method, target, self._why_not(question, method))

    def _why_not(self, question: _Question | None, method: str) -> str:
        if question is not None:
            return question.lost or "the trace holds this answer in another form only"
        return "the trace never asked this" + ("" if method in ("GET", "HEAD") else " (with this body)")

    def _chosen(self, question: _Question, wanted: list[tuple[str, bool]]) -> _Kept | None:
        """The next answer in the first form that the client takes."""
        failed = [kept for found in question.kept.values() for kept in found if kept.status >= 400]
        for form, protobuf in wanted:
            for held, found in question.kept.items():
                if form != held:
                    continue
                place = question.given.get(held, 0)
                kept = found[min(place, len(found) - 1)]
                if kept.protobuf and not protobuf:
                    continue
                question.given[held] = place + 1
                return kept
        return failed[0] if failed else None


def _key(request: Request) -> Key:
    try:
        parts = urlsplit(request.url)
    except ValueError:
        return request.method, request.url, (), b""
    query = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in _SET_ASIDE)
    method = "GET" if request.method == "HEAD" else request.method
    return method, parts.path.rstrip("/") or "/", tuple(query), _digest(request)


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

"""The answers of a capture's server, as far as the logs of one kubectl release tell them together.

A log at -v=6 has no bodies and one at -v=8 cuts them; another capture of the same release often has the whole. What
nobody logged is filled up: the length is right then, the content is not.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from kubetrace.trace.exchange import ResponseBody, ResponseReceived, Retrying, WarningReceived
from tests.trace import record
from tests.trace.capture import CAPTURES, Capture, PlainLine, load
from tests.trace.replay import FILLER, events_of

PLAIN_PORT, DEAD_PORT = 38471, 38474
"""The ports of the recorded mock in the clear, and of nobody."""


@dataclass
class Answer:
    """What is sent for one request. `status_line` is the text after "HTTP/1.1 "; empty breaks the connection."""

    status_line: str
    headers: list[tuple[str, str]]
    body: bytes | None
    known_headers: bool = True
    certain: bool = True

    @property
    def complete(self) -> bool:
        return self.body is not None and b"~" not in self.body


RECORDED_HERE = ("1.27.16", "1.28.15", "1.29.14", "1.30.13", "1.31.9", "1.33.1")
"""Releases whose captures tests/trace/record.py made, its server's discovery documents known to the letter."""

Key = tuple[str, str]

_PARALLEL = re.compile(r"/api/v1|/apis/[^/]+/[^/]+")
SUBSTITUTES = {"/api/v1/namespaces/default/pods/retry500": "/api/v1/namespaces/default/pods/retry429"}
"""Where no capture has a body, a sibling of the same length in which one name differs."""

UNKNOWN = (
    b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
    b'"message":"the server could not find the requested resource","reason":"NotFound","code":404}\n'
)
"""What the mock says of a path that it does not know."""


def tls_port(version: str) -> int:
    """The port of a release's recorded server."""
    found = re.search(rb"https://127\.0\.0\.1:(\d{4,5})/api", (CAPTURES / version / "apply-v8.log").read_bytes())
    assert found is not None
    return int(found[1])


def target(url: str) -> str:
    """Path and query, without the timeouts that only say how patient the client is."""
    parts = urlsplit(url)
    query = re.sub(r"(^|&)timeout=[^&]*", "", parts.query).lstrip("&")
    return parts.path + ("?" + query if query else "")


def answers_of(capture: Capture) -> list[tuple[Key, Answer]]:
    """Every answer that the capture tells of, in order, with the request that it belongs to."""
    found: list[tuple[Key, Answer]] = []
    for event in (timed.event for timed in events_of(capture)):
        if isinstance(event, ResponseReceived):
            response = event.response
            line = "" if response is None else f"{response.status}"
            if response is not None and response.reason is not None:
                line += f" {response.reason}"
            headers = list(response.headers) if response else []
            key = (event.request.method, target(event.request.url))
            found.append((key, Answer(line, headers, None, bool(headers), capture.verbosity >= 9)))
        elif isinstance(event, ResponseBody):
            _place(found, event)
        elif isinstance(event, Retrying) and found:
            found[-1][1].headers += [] if found[-1][1].known_headers else [("Retry-After", str(int(event.seconds)))]
        elif isinstance(event, WarningReceived) and found and not found[-1][1].known_headers:
            if event.text.startswith("version difference"):  # kubectl's own word
                continue
            quoted = event.text.replace("\\", "\\\\").replace('"', '\\"')
            found[-1][1].headers.append(("Warning", f'299 - "{quoted}"'))
    return found


def _place(found: list[tuple[Key, Answer]], event: ResponseBody) -> None:
    """A body belongs to the oldest answer without one that has its length."""
    waiting = [answer for _, answer in found if answer.body is None and answer.status_line]
    for size in (
        len(event.body),
        len(event.body) - 1,
        len(event.body) + 1,
    ):  # the log does not tell whether a newline ended the body
        for answer in waiting:
            if dict(answer.headers).get("Content-Length") == str(size):
                answer.body = (event.body + b"\n")[:size]
                return
    for answer in waiting[-1:]:
        answer.body = event.body


@cache
def _library(version: str) -> dict[tuple[Key, str], list[Answer]]:
    """All complete answers of a release by request and status."""
    known: dict[tuple[Key, str], list[Answer]] = defaultdict(list)
    for path in sorted((CAPTURES / version).glob("*.log")):
        for key, answer in answers_of(_loaded(path)):
            if answer.known_headers:
                known[key, answer.status_line].append(answer)
    return known


@cache
def _loaded(path: Path) -> Capture:
    return load(path)


def _told_in_errors(capture: Capture) -> bytes:
    """kubectl's last word sometimes holds the whole body."""
    told = b"".join(item.text for item in capture.stderr if isinstance(item, PlainLine))
    match = re.search(rb"is missing in '(.*)'\n", told, re.DOTALL)
    return match[1] if match else b""


def _whole(version: str, key: Key, answer: Answer, told: bytes) -> Answer:
    """The answer with headers and body that another capture tells."""
    candidates = _library(version).get((key, answer.status_line), [])
    if _PARALLEL.fullmatch(key[1]) and candidates:
        # A log at -v=8 does not tell which body belongs to which of the parallel calls; others do.
        return next((known for known in candidates if known.complete and known.certain), answer)
    headers = list(answer.headers)
    if not answer.known_headers and candidates:
        headers += [pair for pair in candidates[0].headers if pair[0] not in dict(headers)]
    sibling = SUBSTITUTES.get(key[1])
    if sibling is not None and answer.status_line.startswith("200"):
        other = _library(version)[(key[0], sibling), answer.status_line][0]
        names = sibling.rpartition("/")[2].encode(), key[1].rpartition("/")[2].encode()
        return Answer(answer.status_line, other.headers, (other.body or b"").replace(*names))
    wanted = dict(headers).get("Content-Length")
    body = answer.body
    if not answer.complete:
        shown = (body or b"").partition(b"~")[0]
        bodies = [told, told + b"\n", told + b"}\n"] if told else []
        bodies += [known.body for known in candidates if known.complete and known.body is not None]
        fitting = [one for one in bodies if one.startswith(shown) and wanted in (None, str(len(one)))]
        body = fitting[0] if fitting else body
    if body is None:
        body = UNKNOWN if answer.status_line.startswith("404") else (FILLER * 4000)[: int(wanted or 0)]
    return Answer(answer.status_line, headers, body, answer.known_headers)


def _telling(capture: Capture) -> Capture:
    """The same command with a log that tells of its calls."""
    if answers_of(capture) or capture.verbosity >= 6:
        return capture
    sibling = CAPTURES / capture.version / (re.sub(r"-v\d$", "", capture.name) + "-v8.log")
    return _loaded(sibling) if sibling.exists() else capture


class Script:
    """The answers that a capture's server gives: each in its turn, the last one again and again."""

    def __init__(self, capture: Capture) -> None:
        self._version = capture.version
        self._queues: dict[Key, deque[Answer]] = defaultdict(deque)
        told = capture.stdout if "--raw" in capture.command else _told_in_errors(capture)
        self.asked: list[Key] = []
        self.unexpected: list[Key] = []
        for key, answer in answers_of(_telling(capture)):
            self._queues[key].append(_whole(capture.version, key, answer, told))

    def answer(self, method: str, path: str) -> Answer:
        key = (method, target(path))
        self.asked.append(key)
        queue = self._queues.get(key)
        if queue:
            return queue.popleft() if len(queue) > 1 else queue[0]
        return self._known(key)

    def _known(self, key: Key) -> Answer:
        """What the server said to others: the cache was filled before the recording, and so it is here."""
        if self._version in RECORDED_HERE and key[1] in record.BODIES:
            body = json.dumps(record.BODIES[key[1]]).encode() + b"\n"
            return Answer("200 OK", [("Content-Type", "application/json")], body, known_headers=False)
        for (known, line), answers in _library(self._version).items():
            whole = next((answer for answer in answers if answer.complete), None)
            if known == key and line.startswith("200") and whole is not None:
                return whole
            if known == key and line.startswith("404") and whole is not None:
                return whole
        self.unexpected.append(key)
        return Answer("404 Not Found", [("Content-Type", "application/json")], UNKNOWN, known_headers=False)

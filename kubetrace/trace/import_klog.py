"""kubectl's own verbose logs (-v=6 to -v=10, releases 1.19 to 1.37) as events, whichever release wrote them.

What a log does not tell stays open: below -v=7 there are no headers, below -v=8 no bodies, and long bodies are cut.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from kubetrace.trace.exchange import (
    Connection,
    Exchange,
    Headers,
    Request,
    Response,
    Timings,
    WarningReceived,
)
from kubetrace.trace.imported import told
from kubetrace.trace.klog_entries import Entry, dumped, entries, quoted_words, structured
from kubetrace.trace.records import Timed
from kubetrace.value import Mutable, fresh, replace

_URL = rb"(?:https?://\S*|/\S*)"
_TIMED = re.compile(rb"([A-Z]+) (" + _URL + rb") ?(.*) in (\d+) milliseconds")
_REQUEST = re.compile(rb"([A-Z]+) (" + _URL + rb")")
_STATUS = re.compile(rb"Response Status: (.*) in (\d+) milliseconds")
_CURL = re.compile(rb"curl (?:-k )?-v -X ?([A-Z]+) (.*) '(.*)'", re.DOTALL)
_HEADER = re.compile(rb"    ([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?(.*)", re.DOTALL)
_BODY = re.compile(rb"(Request|Response) Body:[ \n]?")
_CUT = re.compile(rb" \[truncated (\d+) chars\]")
_STATISTIC = re.compile(rb"(\w+) (\d+) ms")
_PLAIN = re.compile(rb"\n(?:Warning: |Error from server|[Ee]rror: |Unable to connect|The connection to the server)")
_PHASES = {
    "dnslookup": "dns",
    "dial": "connect",
    "tlshandshake": "tls",
    "serverprocessing": "first_byte",
    "getconnection": "get_connection",
}
_WAITING = 32


class _Open(Mutable):
    """A round trip while its entries are read."""

    request: Request
    at: float
    headers: list[tuple[str, str]] = fresh(list)
    status: bytes = b""
    answered: list[tuple[str, str]] = fresh(list)
    phases: dict[str, float] = fresh(dict)
    body: bytes | None = None
    missing: int = 0


def events(lines: Iterable[bytes], now: float) -> Iterator[Timed]:
    """The round trips of a log as events, in the order in which they ended, and its warnings."""
    yield from _Importer().read(entries(lines, now))


class _Importer:
    def __init__(self) -> None:
        self._asked: list[_Open] = []
        self._answers: list[_Open] = []
        self._body: tuple[bytes, int] | None = None
        self._last: _Open | None = None
        self._ready: list[_Open] = []
        self._id = 0
        self._at = 0.0

    def read(self, found: Iterable[Entry]) -> Iterator[Timed]:
        for entry in found:
            self._at = entry.at
            for text in re.findall(rb"(?m)^Warning: (.*)$", entry.message):
                yield Timed(WarningReceived(text.decode("utf-8", "replace")), entry.at)
            if entry.source:
                self._entry(entry.message)
            yield from self._ended()
        self._ready += self._answers
        yield from self._ended()

    def _entry(self, message: bytes) -> None:
        titled = structured(message)
        if titled is not None:
            self._structured(*titled)
        elif body := _BODY.match(message):
            self._logged_body(body[1], _without_plain(message[body.end() :]))
        else:
            self._line(message.split(b"\n", 1)[0], message)

    def _structured(self, title: str, values: Mapping[str, bytes]) -> None:
        if title == "Request" and "curlCommand" in values:
            self._curl(values["curlCommand"].strip())
        elif title == "Request" and "verb" in values:
            self._ask(_request(values["verb"], values.get("url", b""), _headers(values.get("headers", b""))))
        elif title == "Response" and "milliseconds" in values:
            known = self._taken(values["verb"], values.get("url", b"")) if "verb" in values else self._first()
            known.phases.update(_phases({name.removesuffix("Milliseconds"): v for name, v in values.items()}))
            self._answer(known, values.get("status", b""), values["milliseconds"])
            known.answered = list(_headers(values.get("headers", b"")))
        elif title in ("Request Body", "Response Body") and "body" in values:
            self._logged_body(title.split()[0].encode(), values["body"])

    def _line(self, line: bytes, message: bytes) -> None:
        """One printf-style entry."""
        if match := _TIMED.fullmatch(line):
            self._answer(self._taken(match[1], match[2]), match[3], match[4])
        elif match := _STATUS.fullmatch(line):
            self._answer(self._first(), match[1], match[2])
        elif match := _CURL.match(message):
            self._curl(match[0])
        elif match := _REQUEST.fullmatch(line):
            self._ask(_request(match[1], match[2]))
        elif line.startswith(b"HTTP Statistics: ") and self._last is not None:
            self._last.phases.update(_phases({n.decode(): v for n, v in _STATISTIC.findall(line)}))
        elif (match := _HEADER.fullmatch(line)) and self._last is not None:
            pair = match[1].decode("latin-1"), match[2].decode("latin-1")
            (self._last.headers if self._last in self._asked else self._last.answered).append(pair)

    def _curl(self, command: bytes) -> None:
        match = _CURL.fullmatch(command)
        if match:
            lines = b"\n".join(quoted_words(match[2]))
            self._ask(_request(match[1], match[3], _headers(lines)))

    def _ask(self, request: Request) -> None:
        if not self._asked:
            self._ready += self._answers
            self._answers = []
        known = _Open(request, self._at)
        if self._body is not None and request.method in ("POST", "PUT", "PATCH", "DELETE"):
            known.request = replace(request, body=self._body[0])
            self._body = None
        self._asked.append(known)
        self._last = known

    def _taken(self, method: bytes, url: bytes) -> _Open:
        wanted = _request(method, url)
        for known in self._asked:
            if (known.request.method, known.request.url) == (wanted.method, wanted.url):
                self._asked.remove(known)
                return known
        self._ask(wanted)  # at -v=6 the answer's line is the first
        return self._asked.pop()

    def _first(self) -> _Open:
        return self._asked.pop(0) if self._asked else _Open(Request("", ""), self._at)

    def _answer(self, known: _Open, status: bytes, milliseconds: bytes) -> None:
        known.status = status.strip()
        known.phases["headers"] = _number(milliseconds) / 1000
        self._last = known
        self._answers.append(known)
        if len(self._answers) > _WAITING:
            self._ready.append(self._answers.pop(0))

    def _logged_body(self, which: bytes, text: bytes) -> None:
        body, missing = _whole(text)
        if which == b"Request":
            self._body = (body, missing) if body else None
            return
        waiting = [known for known in self._answers if known.body is None and known.status]
        if waiting:
            waiting[-1].body, waiting[-1].missing = body, missing

    def _ended(self) -> Iterator[Timed]:
        for known in self._ready:
            self._id += 1
            yield from _events(known, self._id)
        self._ready = []


def _events(known: _Open, number: int) -> Iterator[Timed]:
    request = replace(known.request, headers=(*known.request.headers, *known.headers))
    seconds = known.phases.get("headers", 0.0)
    response = _response(known.status, tuple(known.answered))
    timings = Timings(**known.phases, total=seconds)
    connection = Connection(reused="get_connection" in known.phases)
    error = None if response is not None else "no answer (the log does not say why)"
    size = None if known.body is None else len(known.body) + known.missing
    ended = Exchange(
        number, number, 1, request, response, known.body, size, timings, connection, known.at - seconds, error
    )
    cut = {"response"} if known.missing or (known.body is None and response is not None) else set()
    yield from told(ended, sent=known.at, answered=known.at, ended=known.at, cut=cut)


def _request(method: bytes, url: bytes, headers: Headers = ()) -> Request:
    return Request(method.decode("latin-1"), url.decode("utf-8", "replace"), headers)


def _response(status: bytes, headers: Headers) -> Response | None:
    match = re.fullmatch(r"(\d{3})(?: (.*))?", status.decode("latin-1"), re.DOTALL)
    return Response(int(match[1]), match[2], headers) if match else None


def _headers(text: bytes) -> Headers:
    pairs = (line.decode("latin-1").partition(": ") for line in text.split(b"\n") if line.strip())
    return tuple((name, value) for name, colon, value in pairs if colon)


def _phases(values: Mapping[str, bytes]) -> dict[str, float]:
    found = {}
    for name, number in values.items():
        phase = _PHASES.get(name.lower())
        if phase is not None:
            found[phase] = _number(number) / 1000
    return found


def _number(text: bytes) -> int:
    return int(text) if text.isdigit() and len(text) < 12 else 0


def _without_plain(text: bytes) -> bytes:
    """A body's text without the lines that the command wrote after it: JSON ends where it ends."""
    if text[:1] in (b"{", b"["):
        decoded = text.decode("utf-8", "surrogateescape")
        try:
            _, end = json.JSONDecoder().raw_decode(decoded)
        except (ValueError, RecursionError):
            pass
        else:
            size = len(decoded[:end].encode("utf-8", "surrogateescape"))
            cut = _CUT.match(text, size)
            return text[: cut.end() if cut else size]
    if cut := _CUT.search(text):
        return text[: cut.end()]
    plain = _PLAIN.search(text)
    return text[: plain.start()] if plain else text


def _whole(text: bytes) -> tuple[bytes, int]:
    """What a logged body shows, and how many bytes of it the log left out (of a hex dump: at least one)."""
    cut = _CUT.search(text)
    shown = text[: cut.start()] if cut else text
    missing = _number(cut[1]) if cut else 0
    raw = dumped(shown)
    if raw is not None:
        return raw, max(1, missing // 79 * 16) if missing else 0
    return shown, missing

"""Turns a capture back into events: the server's answers and everything else that made kubectl log."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from kubetrace.trace.dialects import Dialect, dialect, http
from kubetrace.trace.dialects.notes import NOTES, Line
from kubetrace.trace.exchange import (
    CallStarted,
    Connection,
    Dialed,
    Event,
    HostResolved,
    Note,
    Request,
    RequestSent,
    Response,
    ResponseBody,
    ResponseReceived,
    Retrying,
    Throttled,
    Timings,
    WarningReceived,
)
from kubetrace.trace.go_text import hexdump_size
from tests.trace.capture import (
    QUOTED,
    Capture,
    CapturedExchange,
    LogEntry,
    PlainLine,
    go_unquote,
    parse_structured,
)

_TRUNCATED = re.compile(rb" \[truncated (\d+) chars\]\n?$")
_DUMP = re.compile(rb"^([0-9a-f]{8})  ((?:[0-9a-f]{2}|  | )*?)(?:  ?\|.*)?$", re.MULTILINE)
_DUMP_START = re.compile(rb"^00000000  (?:[0-9a-f]{2} | )")
_TIMED = re.compile(rb"(\w+) (\S+) (.*) in (\d+) milliseconds")
_STATISTIC = re.compile(rb"(\w+) (\d+) ms")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}


class NotReplayable(Exception):
    """The log has an entry that the reader does not know."""


def seconds_of(text: str) -> float:
    """A Go duration in seconds."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|µs|ns|h|m|s)", text))


@dataclass
class _Open:
    """A request whose answer is still being read."""

    request: Request
    response: Response | None = None
    timings: dict[str, float] = field(default_factory=dict)
    reused: bool = False
    status: bytes = b""
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    response_headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Timed:
    """An event and the time of day (seconds) of the entry that told it."""

    event: Event
    at: float


def events_of(capture: Capture) -> list[Timed]:
    return _Reader(capture).read()


def exchanges_of(capture: Capture) -> list[CapturedExchange]:
    """The capture's round trips in the order in which their answers came."""
    found: list[CapturedExchange] = []
    bodies: list[bytes] = []
    for item in events_of(capture):
        event = item.event
        if isinstance(event, CallStarted) and event.request.body:
            bodies.append(event.request.body)
        elif isinstance(event, ResponseReceived):
            response = event.response
            status = "" if response is None else f"{response.status} {response.reason or ''}".rstrip()
            writes = event.request.method in ("POST", "PUT", "PATCH", "DELETE")
            found.append(
                CapturedExchange(
                    event.request.method,
                    event.request.url,
                    list(event.request.headers),
                    bodies.pop(0) if writes and bodies else None,
                    status,
                    list(response.headers) if response else [],
                    milliseconds=round((event.timings.headers or 0) * 1000),
                )
            )
        elif isinstance(event, ResponseBody) and found:
            waiting = next((known for known in found if known.body is None and known.status), found[-1])
            if len(found) and found[-1].body is None:
                waiting = found[-1]
            waiting.body = event.body
            waiting.complete = FILLER not in event.body
    return found


FILLER = b"~cut~"


class _Reader:
    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._dialect: Dialect = dialect(capture.like)
        self._events: list[Timed] = []
        self._pending: list[_Open] = []
        self._answered: _Open | None = None
        self._at = 0.0
        self._in_gates = False
        self._names = {source: entry for entry, source in self._dialect.sources.items()}
        self._operations: dict[str, str] = {}
        for name in reversed(list(http.OPERATIONS)):
            self._operations[self._dialect.operation(name)] = name
            self._operations[self._dialect.operation(name, response=True)] = name
        self._notes: dict[str, list[tuple[str, Line]]] = {}
        for name in NOTES:
            known = self._dialect.note(name)
            if known:
                self._notes.setdefault(known[1].source, []).append((name, known[1]))

    def read(self) -> list[Timed]:
        for item in self._capture.stderr:
            if isinstance(item, PlainLine):
                self._plain(item)
            else:
                self._at = item.seconds
                self._entry(item)
        self._flush()
        return self._events

    def _add(self, event: Event) -> None:
        self._events.append(Timed(event, self._at))

    def _plain(self, item: PlainLine) -> None:
        self._flush()
        for line in item.text.split(b"\n"):
            if line.startswith(b"Warning: "):
                self._add(WarningReceived(line[9:].decode("latin-1")))

    # --- one entry ---

    def _entry(self, entry: LogEntry) -> None:
        is_gate = entry.source.startswith("envvar.go")
        if is_gate:
            self._gate(entry)
        self._in_gates = is_gate
        if is_gate:
            return
        if entry.source.startswith("round_trippers.go"):
            (self._structured_http if self._dialect.structured_http else self._classic_http)(entry)
            return
        self._flush()
        if self._body(entry) or self._waiting(entry) or self._note(entry):
            return
        raise NotReplayable(f"{entry.source}] {entry.message[:60]!r}")

    def _gate(self, entry: LogEntry) -> None:
        """A run of gates is one note; what differs from the defaults are its overrides."""
        parsed = parse_structured(entry.message)
        assert parsed is not None
        if not self._in_gates:
            self._add(Note("feature-gates", {"overrides": {}}))
        if parsed[0] == "Feature gate updated state":
            note = self._events[-1].event
            assert isinstance(note, Note) and isinstance(note.values["overrides"], dict)
            note.values["overrides"][parsed[1]["feature"].decode()] = parsed[1]["enabled"] == b"true"

    # --- HTTP, structured ---

    def _structured_http(self, entry: LogEntry) -> None:
        parsed = parse_structured(entry.message)
        assert parsed is not None, entry
        title, values = parsed
        if title == "Request":
            self._structured_request(values)
        elif title == "Response":
            self._structured_response(values)
        elif title.startswith("HTTP Trace: DNS"):
            addresses = json.loads(values["address"])
            pairs = tuple((address["IP"], address["Zone"]) for address in addresses)
            self._add(HostResolved(1, values["host"].decode(), pairs))
        else:
            error = values.get("err")
            self._add(Dialed(1, values["address"].decode(), error.decode() if error else None))

    def _structured_request(self, values: dict[str, bytes]) -> None:
        if "curlCommand" in values:
            self._sent(_curl_request(values["curlCommand"].removesuffix(b"\n")))
            return
        headers = tuple(_header_lines(values.get("headers", b"")))
        self._sent(Request(values["verb"].decode(), values["url"].decode(), headers))

    def _sent(self, request: Request) -> None:
        self._pending.append(_Open(request))
        self._add(RequestSent(1, 1, 1, request))

    def _structured_response(self, values: dict[str, bytes]) -> None:
        if "verb" in values:
            known = self._take(values["verb"].decode(), values["url"].decode())
        else:
            known = self._pending.pop(0)
        known.status = values["status"]
        known.response_headers = _header_lines(values.get("headers", b""))
        known.timings["headers"] = int(values["milliseconds"]) / 1000
        names = {
            "dnsLookupMilliseconds": "dns",
            "dialMilliseconds": "connect",
            "tlsHandshakeMilliseconds": "tls",
            "serverProcessingMilliseconds": "first_byte",
            "getConnectionMilliseconds": "get_connection",
        }
        for key, name in names.items():
            if key in values:
                known.timings[name] = int(values[key]) / 1000
        known.reused = "getConnectionMilliseconds" in values
        self._answer(known)

    def _take(self, method: str, url: str) -> _Open:
        for index, known in enumerate(self._pending):
            if (known.request.method, known.request.url) == (method, url):
                return self._pending.pop(index)
        request = Request(method, url)
        self._add(RequestSent(1, 1, 1, request))
        return _Open(request)

    def _answer(self, known: _Open) -> None:
        response = _response(known.status, tuple(known.response_headers))
        timings = Timings(**known.timings)
        connection = Connection(reused=known.reused)
        self._add(ResponseReceived(1, 1, known.request, response, timings, connection))

    # --- HTTP, classic: several entries make one event ---

    def _classic_http(self, entry: LogEntry) -> None:
        name = self._names[entry.source]
        if name not in ("request-headers", "request-header"):
            self._flush_request()
        if name not in ("response-headers", "response-header", "statistics", "response-status"):
            self._flush_response()
        getattr(self, "_classic_" + name.replace("-", "_"))(entry.message)

    def _classic_request(self, message: bytes) -> None:
        method, url = message.decode().split(" ", 1)
        self._sending = _Open(Request(method, url))

    def _classic_request_headers(self, message: bytes) -> None:
        assert message == b"Request Headers:"

    def _classic_request_header(self, message: bytes) -> None:
        assert self._sending is not None and message.startswith(b"    ")
        self._sending.request_headers += _header_lines(message[4:])

    def _classic_curl(self, message: bytes) -> None:
        self._sent(_curl_request(message))

    def _classic_trace_dns(self, message: bytes) -> None:
        match = re.fullmatch(rb"HTTP Trace: DNS Lookup for (\S+) resolved to \[(.*)\]", message)
        assert match is not None
        pairs = tuple((ip, zone) for ip, zone in re.findall(r"\{(\S*) (\S*)\}", match[2].decode()))
        self._add(HostResolved(1, match[1].decode(), pairs))

    def _classic_trace_dial(self, message: bytes) -> None:
        match = re.fullmatch(rb"HTTP Trace: Dial to tcp:(\S+) succeed", message)
        assert match is not None
        self._add(Dialed(1, match[1].decode()))

    def _classic_trace_dial_failed(self, message: bytes) -> None:
        match = re.fullmatch(rb"HTTP Trace: Dial to tcp:(\S+) failed: (.*)", message)
        assert match is not None
        self._add(Dialed(1, match[1].decode(), match[2].decode()))

    def _classic_response(self, message: bytes) -> None:
        match = _TIMED.fullmatch(message)
        assert match is not None, message
        known = self._take(match[1].decode(), match[2].decode())
        known.status = match[3]
        known.timings["headers"] = int(match[4]) / 1000
        self._answering = known

    def _classic_statistics(self, message: bytes) -> None:
        assert self._answering is not None
        names = {
            b"DNSLookup": "dns",
            b"Dial": "connect",
            b"TLSHandshake": "tls",
            b"ServerProcessing": "first_byte",
            b"GetConnection": "get_connection",
        }
        for name, number in _STATISTIC.findall(message):
            if name in names:
                self._answering.timings[names[name]] = int(number) / 1000
        self._answering.reused = b"GetConnection" in message

    def _classic_response_status(self, message: bytes) -> None:
        match = re.fullmatch(rb"Response Status: (.*) in (\d+) milliseconds", message)
        assert match is not None
        known = self._pending.pop(0)
        known.status = match[1]
        known.timings["headers"] = int(match[2]) / 1000
        self._answering = known

    def _classic_response_headers(self, message: bytes) -> None:
        assert message == b"Response Headers:"

    def _classic_response_header(self, message: bytes) -> None:
        assert self._answering is not None and message.startswith(b"    ")
        self._answering.response_headers += _header_lines(message[4:])

    _sending: _Open | None = None
    _answering: _Open | None = None

    def _flush(self) -> None:
        self._flush_request()
        self._flush_response()

    def _flush_request(self) -> None:
        known, self._sending = self._sending, None
        if known is not None:
            request = Request(known.request.method, known.request.url, tuple(known.request_headers))
            self._sent(request)

    def _flush_response(self) -> None:
        known, self._answering = self._answering, None
        if known is not None:
            self._answer(known)

    # --- bodies, waits, notes ---

    def _body(self, entry: LogEntry) -> bool:
        match = re.match(rb'"?(Request|Response) Body(?:"|:)', entry.message)
        if match is None:
            return False
        operation = "other"
        if self._dialect.structured_bodies:
            parsed = parse_structured(entry.message)
            assert parsed is not None and set(parsed[1]) == {"body"}
            text = parsed[1]["body"]
            operation = self._operations[entry.source]
        else:
            is_hex = entry.source == self._dialect.sources["body-hex"]
            text = entry.message[match.end() + 1 :] + (b"\n" if is_hex else b"")
        body = whole_body(text)
        if match[1] == b"Request":
            known = Request("", "", body=body or None, operation=operation)  # type: ignore[arg-type]
            self._add(CallStarted(1, known))
        else:
            self._add(ResponseBody(1, 1, Request("", "", operation=operation), body))  # type: ignore[arg-type]
        return True

    def _waiting(self, entry: LogEntry) -> bool:
        name = self._names.get(entry.source)
        if name == "retry":
            self._add(self._retry(entry.message))
        elif name == "throttled":
            self._add(self._throttle(entry.message))
        elif name == "throttled-long":
            if self._capture.verbosity < 3:
                self._add(self._throttle(entry.message))
        else:
            return False
        return True

    def _retry(self, message: bytes) -> Retrying:
        parsed = parse_structured(message)
        if parsed:
            values = {key: value.decode() for key, value in parsed[1].items()}
            delay, attempt, url = values["delay"], values["attempt"], values["url"]
        else:
            match = re.fullmatch(r"Got a Retry-After (\S+) response for attempt (\d+) to (.*)", message.decode())
            assert match is not None
            delay, attempt, url = match.groups()
        return Retrying(1, Request("GET", url), int(attempt), seconds_of(delay), self._dialect.retry_phase)

    def _throttle(self, message: bytes) -> Throttled:
        parsed = parse_structured(message)
        if parsed:
            values = {key: value.decode() for key, value in parsed[1].items()}
            delay, verb, url = values["delay"], values["verb"], values["URL"]
        else:
            match = re.search(r"(?:took|for) (\S+?)(?: due|,).* request: (\w+):(.*)", message.decode())
            assert match is not None
            delay, verb, url = match.groups()
        return Throttled(1, Request(verb, url), seconds_of(delay))

    def _note(self, entry: LogEntry) -> bool:
        for name, line in self._notes.get(entry.source, ()):
            values = _note_values(line, entry.message)
            if values is not None:
                self._add(Note(name, values))
                return True
        return False


def _note_values(line: Line, message: bytes) -> dict[str, object] | None:
    if line.pairs is None:
        return _fit(line.text, message.decode("utf-8", "surrogateescape"))
    parsed = parse_structured(message)
    if parsed is None or parsed[0] != line.text:
        return None
    values: dict[str, object] = {}
    for key, name in line.pairs:
        text = parsed[1][key].decode("utf-8", "surrogateescape")
        if name.startswith("="):
            values.update(_fit(name[1:], text) or {})
        elif name.startswith("duration:"):
            values[name.partition(":")[2]] = seconds_of(text)
        else:
            values[name] = int(text) if text.isdigit() else text
    return values


def _fit(template: str, text: str) -> dict[str, object] | None:
    """The values that make a template this text."""
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*?)", re.escape(template))
    match = re.fullmatch(pattern, text, re.DOTALL)
    return dict(match.groupdict()) if match else None


def _header_lines(text: bytes) -> list[tuple[str, str]]:
    lines = text.split(b"\n")
    pairs = (line.decode("latin-1").split(": ", 1) for line in lines if line)
    return [(name, value) for name, value in pairs]


def _curl_request(command: bytes) -> Request:
    match = re.fullmatch(rb"curl (?:-k )?-v -X(\w+) (.*) '(.*)'", command, re.DOTALL)
    assert match is not None, command
    headers: list[tuple[str, str]] = []
    for quoted in QUOTED.findall(match[2]):
        headers += _header_lines(go_unquote(quoted))
    return Request(match[1].decode(), match[3].decode(), tuple(headers))


def _response(status: bytes, headers: tuple[tuple[str, str], ...]) -> Response | None:
    if not status:
        return None
    code, blank, reason = status.decode("latin-1").partition(" ")
    return Response(int(code), reason if blank else None, headers)


def whole_body(text: bytes) -> bytes:
    """The body that a logged text stands for; what was cut off is filled up to the right length."""
    cut = _TRUNCATED.search(text)
    shown = text[: cut.start()] if cut else text
    if _DUMP_START.match(shown):
        return _dumped(shown, int(cut[1]) if cut else 0)
    return shown + _filler(int(cut[1])) if cut else shown


def _filler(size: int) -> bytes:
    return (FILLER * (size // len(FILLER) + 1))[:size]


def _dumped(shown: bytes, missing: int) -> bytes:
    data = bytearray()
    for line in shown.split(b"\n"):
        digits = line[10:58].strip()
        data += bytes.fromhex(digits.decode()[: len(digits) // 3 * 3 + 2] if line[60:61] == b"|" else "")
    guess = (len(shown) + missing) // 79 * 16
    size = next(size for size in range(max(guess - 16, 0), guess + 17) if hexdump_size(size) == len(shown) + missing)
    last = shown.rpartition(b"\n")[2]
    if missing and last[60:61] != b"|" and len(last) > 10:
        found = re.findall(rb"[0-9a-f]{2}(?= |$)", last[10:58])
        data += bytes.fromhex(b"".join(found).decode())
    return bytes(data) + b"\x00" * (size - len(data))

"""kubectl's verbose log, written as it happens: klog's header, levels and modules over the dialects' lines.

Each entry is one `write`. The observer sees raw events; everything it writes has gone through the `Masker`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kubetrace.trace import http_lines
from kubetrace.trace.dialects import DEFAULT_LIKE, Dialect, dialect, parse_like
from kubetrace.trace.exchange import (
    CallStarted,
    Dialed,
    Event,
    Frame,
    HostResolved,
    Note,
    Request,
    RequestSent,
    ResponseBody,
    ResponseReceived,
    Retrying,
    Throttled,
    Upgraded,
    WarningReceived,
    WatchEventReceived,
)
from kubetrace.trace.go_text import duration
from kubetrace.trace.masking import Masker
from kubetrace.trace.structured_text import Text, format_entry
from kubetrace.trace.vmodule import Verbosity
from kubetrace.wire import PROTOBUF

if TYPE_CHECKING:
    from kubetrace.trace.dialects.lines import Line

__all__ = ["DEFAULT_LIKE", "KlogObserver", "parse_like"]

LONG_THROTTLE = 0.05
EXTRA_LONG_THROTTLE = 1.0
OWN_SOURCE = "kubetrace:0"
"""Where lines come from that no kubectl has."""
CLIENT_SIDE = "client-side throttling, not priority and fairness"
_WITHOUT_BODIES = frozenset({"stream", "oidc"})
"""Operations that client-go runs below the code that logs bodies."""
_YELLOW = b"\x1b[33;1m"
_RESET = b"\x1b[0m"


class KlogObserver:
    """Writes kubectl's log of the events it observes.

    `write` receives each entry as one value, newline included; `clock` gives seconds since the epoch (printed in local
    time, as TZ says). On a terminal control characters are shown escaped; `color` adds colours and changes no byte
    besides. `decode_protobuf` shows Kubernetes' protobuf as JSON, where kubectl writes a hexdump;
    `tells_streams` has lines for frames, pieces of followed logs and events of watches, where kubectl has none. Raises
    UnknownDialect and VModuleError for a bad `like` or `vmodule`.
    """

    def __init__(
        self,
        write: Callable[[bytes], object],
        *,
        verbosity: int = 0,
        vmodule: str = "",
        like: str = DEFAULT_LIKE,
        masker: Masker | None = None,
        clock: Callable[[], float] = time.time,
        pid: int | None = None,
        is_terminal: bool = False,
        color: bool = False,
        decode_protobuf: bool = False,
        tells_streams: bool = False,
    ) -> None:
        self.dialect: Dialect = dialect(like)
        self.verbosity = Verbosity(verbosity, vmodule)
        self.masker = masker if masker is not None else Masker()
        self._write = write
        self._clock = clock
        self._pid = os.getpid() if pid is None else pid
        self._is_terminal = is_terminal
        self._color = color
        self._decode_protobuf = decode_protobuf
        self.tells_streams = tells_streams
        self._lock = threading.Lock()
        self._warnings: set[str] = set()
        self._throttle_logged: dict[int, float] = {}
        self._second = (-1, "")
        # klog asks for the level in the file that logs: one answer per file and run is enough.
        self._http_level = self._highest(self.dialect.sources["request"], (9, 8, 7, 6))
        self._body_level = self._highest("request.go", (10, 9, 8))
        self._handlers: Mapping[type, Callable[..., None]] = {
            CallStarted: self._call_started,
            Throttled: self._throttled,
            RequestSent: self._request_sent,
            HostResolved: self._traced,
            Dialed: self._traced,
            ResponseReceived: self._response_received,
            ResponseBody: self._response_body,
            Upgraded: self._upgraded,
            Frame: self._frame,
            WatchEventReceived: self._watch_event,
            Retrying: self._retrying,
            WarningReceived: self._warned,
            Note: self._noted,
        }

    def __call__(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    @property
    def follows_frames(self) -> bool:
        return self.tells_streams and self._http_level >= 8

    def _highest(self, source: str, levels: tuple[int, ...]) -> int:
        return next((level for level in levels if self.verbosity.enabled(level, source)), 0)

    # --- HTTP ---

    def _request_sent(self, event: RequestSent) -> None:
        for entry, message in http_lines.request_entries(self.dialect, self._http_level, event.request, self.masker):
            self._emit(self.dialect.sources[entry], message, entry)

    def _traced(self, event: HostResolved | Dialed) -> None:
        if self._http_level >= 9 and self.dialect.traces:
            entry, message = http_lines.trace_entry(self.dialect, event, self.masker)
            self._emit(self.dialect.sources[entry], message, entry)

    def _response_received(self, event: ResponseReceived) -> None:
        if self._http_level < 6:
            return
        status = event.response.status if event.response is not None else 0
        for entry, message in http_lines.response_entries(self.dialect, self._http_level, event, self.masker):
            self._emit(self.dialect.sources[entry], message, entry, status=status)

    # --- bodies ---

    def _call_started(self, event: CallStarted) -> None:
        if not event.log_body or event.request.operation in _WITHOUT_BODIES:
            return
        body = event.request.body
        if body is None and not self.dialect.structured_bodies:
            return
        self._body("Request Body", event.request, body or b"", response=False)

    def _response_body(self, event: ResponseBody) -> None:
        if event.request.operation in _WITHOUT_BODIES:
            return
        missing = max(0, (event.size or 0) - len(event.body))
        self._body("Response Body", event.request, event.body, response=True, missing=missing)

    def _body(self, title: str, request: Request, body: bytes, response: bool, missing: int = 0) -> None:
        if self._body_level < 8:
            return
        structured = self.dialect.structured_bodies
        source = self.dialect.operation(request.operation, response) if structured else ""
        # Structured bodies are attributed to the caller, and klog asks once more there.
        if structured and not self.verbosity.enabled(8, source):
            return
        if self._decode_protobuf and not missing and body.startswith(PROTOBUF):
            from kubetrace.trace.body_text import json_of

            body = json_of(body)
        masked = self.masker.body(body, url=request.url, shown=http_lines.BODY_LIMITS.get(self._body_level))
        text, is_hex = http_lines.body_text(masked, self._body_level, missing)
        if structured:
            self._emit(source, format_entry(title, [("body", Text(text))]), "body")
        elif is_hex:
            self._emit(self.dialect.sources["body-hex"], title.encode() + b":\n" + text, "body")
        else:
            self._emit(self.dialect.sources["body-text"], title.encode() + b": " + text, "body")

    # --- what passes within streams, which kubectl never shows ---

    def _upgraded(self, event: Upgraded) -> None:
        if self.tells_streams and self._http_level >= 8:
            self._own_line("Upgraded", [("protocol", event.protocol), ("subprotocol", event.subprotocol)])

    def _frame(self, event: Frame) -> None:
        if self.tells_streams and self._http_level >= 9:
            pairs: list[tuple[str, object]] = [("direction", event.direction), ("type", event.type)]
            pairs += [] if event.channel is None else [("channel", event.channel)]
            taken = http_lines.milliseconds(event.seconds)
            pairs += [("bytes", event.size), ("milliseconds", taken)]
            if event.content is not None and self.masker.unmask:
                pairs.append(("content", event.content.decode("utf-8", "replace")))
            self._own_line("Frame", pairs)

    def _watch_event(self, event: WatchEventReceived) -> None:
        if self.tells_streams and self._http_level >= 8:
            named = [("kind", event.kind), ("namespace", event.namespace), ("name", event.name)]
            named += [("resourceVersion", event.resource_version), ("message", self.masker.text(event.message))]
            pairs: list[tuple[str, object]] = [("type", event.type), *((key, text) for key, text in named if text)]
            taken = http_lines.milliseconds(event.seconds)
            self._own_line("Watch event", [*pairs, ("bytes", event.size), ("milliseconds", taken)])

    def _own_line(self, title: str, pairs: list[tuple[str, object]]) -> None:
        self._emit(OWN_SOURCE, format_entry(title, pairs), "note")

    # --- waiting ---

    def _throttled(self, event: Throttled) -> None:
        if event.seconds <= LONG_THROTTLE:
            return
        source = self.dialect.sources["throttled"]
        if self.verbosity.enabled(3, source):
            self._emit(source, self._throttle_message(event), "note")
        source = self.dialect.sources["throttled-long"]
        if event.seconds > EXTRA_LONG_THROTTLE and self._long_throttle_due(source):
            self._emit(source, self._throttle_message(event), "note")

    def _throttle_message(self, event: Throttled) -> bytes:
        url = self.masker.url(event.request.url)
        delay = duration(event.seconds)
        reason = event.retry_reason or CLIENT_SIDE
        if self.dialect.structured_http:
            pairs: list[tuple[str, object]] = [("delay", delay), ("reason", reason)]
            return format_entry("Waited before sending request", [*pairs, ("verb", event.request.method), ("URL", url)])
        text = self.dialect.texts["throttled-retry" if event.retry_reason else "throttled"]
        return text.format(delay=delay, reason=reason, verb=event.request.method, url=url).encode()

    def _long_throttle_due(self, source: str) -> bool:
        """client-go's throttled logger: at level 2 at most once a second, else once in ten seconds."""
        level, interval = (2, 1.0) if self.verbosity.enabled(2, source) else (0, 10.0)
        if not self.verbosity.enabled(level, source):
            return False
        with self._lock:
            now = self._clock()
            last = self._throttle_logged.get(level)
            if last is not None and now - last < interval:
                return False
            self._throttle_logged[level] = now
            return True

    def _retrying(self, event: Retrying) -> None:
        source = self.dialect.sources["retry"]
        if event.phase != self.dialect.retry_phase or not self.verbosity.enabled(4, source):
            return
        url = self.masker.url(event.request.url)
        delay = duration(event.seconds)
        if self.dialect.structured_http:
            message = format_entry(
                "Got a Retry-After response", [("delay", delay), ("attempt", event.attempt), ("url", url)]
            )
        else:
            message = f"Got a Retry-After {delay} response for attempt {event.attempt} to {url}".encode()
        self._emit(source, message, "note")

    # --- warnings and notes ---

    def _warned(self, event: WarningReceived) -> None:
        with self._lock:
            if not event.text or event.text in self._warnings:
                return
            self._warnings.add(event.text)
        text = http_lines.wire_bytes(self.masker.text(event.text))
        label = _YELLOW + b"Warning:" + _RESET if self._color else b"Warning:"
        self._write(label + b" " + (_visible(text) if self._is_terminal else text) + b"\n")

    def _noted(self, event: Note) -> None:
        if event.name == "feature-gates":
            self._feature_gates(event.values.get("overrides"))
            return
        if event.name == "request-error":
            self._no_body(event.values)
        self._write_note(event)

    def _no_body(self, values: Mapping[str, Any]) -> None:
        """A call that can't be made has no body, and its log says so."""
        self._call_started(CallStarted(0, Request("", "", operation=values["operation"]), values["log_body"]))

    def _write_note(self, event: Note) -> bool:
        """Whether this release writes the note at this level."""
        found = self.dialect.note(self._twin(event))
        if found is None:
            return False
        spec, line = found
        if not self.verbosity.enabled(spec.level if line.level is None else line.level, line.source):
            return False
        if line.below is not None and self.verbosity.enabled(line.below, line.source):
            return False
        values = {name: self._note_value(name, event.values.get(name, "")) for name in spec.values}
        severity = line.severity or spec.severity
        self._emit(line.source, _note_message(line, values), "note", severity)
        return True

    def ends_with(self, text: str) -> bool:
        """Writes a command's last words as a fatal line, where this release does so at this level; they are no line of
        the log otherwise, and the answer is False."""
        return self._write_note(Note("fatal", {"text": text}))

    def _twin(self, note: Note) -> str:
        """The name under which a note is written: discovery has a line for groups and one for a group's resources."""
        path = str(note.values.get("path", ""))
        if note.values.get("what") != "resources" and not path.endswith("serverresources.json"):
            return note.name
        from kubetrace.trace.dialects.client_notes import CLIENT_NOTES

        twin = note.name + "-resources"
        return twin if twin in CLIENT_NOTES and self.dialect.note(twin) else note.name

    def _feature_gates(self, overrides: object) -> None:
        changed = overrides if isinstance(overrides, Mapping) else {}
        for feature, enabled in self.dialect.gates:
            if feature in changed:
                values = {"feature": feature, "enabled": bool(changed[feature])}
                self._write_note(Note("feature-gate-updated", values))
            else:
                self._write_note(Note("feature-gate", {"feature": feature, "enabled": enabled}))

    def _note_value(self, name: str, value: object) -> object:
        if name == "url":
            return self.masker.url(str(value))
        if name == "reflector":
            from kubetrace.trace.dialects import since
            from kubetrace.trace.dialects.reflector_notes import REFLECTORS

            return since(REFLECTORS, self.dialect.name) if value in REFLECTORS.values() else value
        if name == "json":
            return self.masker.body(str(value).encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
        return self.masker.text(value) if isinstance(value, str) else value

    # --- writing ---

    def _emit(self, source: str, message: bytes, kind: str, severity: str = "I", status: int = 0) -> None:
        header = self._header(severity, source)
        if self._is_terminal:
            message = _visible(message)
        if self._color:
            from kubetrace.trace.terminal import paint

            header, message = paint(header, message, kind, severity, status)
        self._write(header + message if message.endswith(b"\n") else header + message + b"\n")

    def _header(self, severity: str, source: str) -> bytes:
        """`Lmmdd hh:mm:ss.uuuuuu PID FILE:LINE] `, microseconds cut off, the pid in seven columns."""
        now = self._clock()
        second = int(now // 1)
        # Two threads may both make the stamp; each uses its own.
        known, stamp = self._second
        if known != second:
            stamp = time.strftime("%m%d %H:%M:%S", time.localtime(second))
            self._second = (second, stamp)
        microseconds = min(int((now - second) * 1_000_000), 999_999)
        return f"{severity}{stamp}.{microseconds:06d} {self._pid:7d} {source}] ".encode()


def _visible(text: bytes) -> bytes:
    from kubetrace.trace.terminal import visible

    return visible(text)


def _go_bytes(text: str) -> object:
    """A Go byte slice that a note has in hexadecimal; what is no number stays as it is."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text


def _note_message(line: Line, values: Mapping[str, object]) -> bytes:
    if line.pairs is None:
        return line.text.format_map(values).encode("utf-8", "surrogateescape")
    pairs: list[tuple[str, object]] = []
    for key, value in line.pairs:
        if value.startswith("="):  # a template of its own
            pairs.append((key, value[1:].format_map(values)))
        elif value.startswith("duration:"):
            seconds = values[value.partition(":")[2]]
            pairs.append((key, duration(seconds) if isinstance(seconds, int | float) else str(seconds)))
        elif value.startswith("bytes:"):
            pairs.append((key, _go_bytes(str(values[value.partition(":")[2]]))))
        else:
            pairs.append((key, values[value]))
    return format_entry(line.text.format_map(values), pairs)

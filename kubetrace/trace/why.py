"""--why: before each call one sentence that says which of the five steps this is and why the call is made, after it one
that says what the answer meant. An observer that writes lines; calls that a cache saved are told, too.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Sequence

from kubetrace.trace import meaning
from kubetrace.trace.body_text import milliseconds, one_line
from kubetrace.trace.command_line import masked_command
from kubetrace.trace.exchange import (
    CacheHit,
    Event,
    Exchange,
    ExchangeEnded,
    Note,
    Planned,
    Request,
    RequestSent,
    ResponseReceived,
    Retrying,
    Throttled,
    WarningReceived,
)
from kubetrace.trace.exchanges import target
from kubetrace.trace.masking import Masker
from kubetrace.trace.sentences import Catalogue
from kubetrace.value import replace

_READ = frozenset({"GET", "HEAD"})
_ASKS_FIRST = frozenset({"discovery", "discovery-now", "openapi", "custom-kinds", "namespace"})
"""Purposes of calls that find out how a request has to look."""
_WRITING_COMMANDS = frozenset(
    {
        *("annotate", "apply", "autoscale", "certificate", "cordon", "create", "debug", "delete", "diff", "drain"),
        *("edit", "expose", "label", "patch", "replace", "rollout", "run", "scale", "set", "taint", "uncordon"),
    }
)
"""Their reads find out what to write."""


class WhyObserver:
    """Tells what happens, line by line, through `write`. `command` is the command's path ("apply",), `argv` its whole
    line."""

    follows_frames = False

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        language: str,
        masker: Masker,
        command: Sequence[str],
        argv: Sequence[str],
    ) -> None:
        self._write = write
        self._catalogue = Catalogue(language)
        self._masker = masker
        self._writes = command[:1] and command[0] in _WRITING_COMMANDS
        self._argv = argv
        self._lock = threading.Lock()
        self._begun = False
        self._hits: list[CacheHit] = []
        self._told: set[int] = set()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, CacheHit):
                self._begin()
                if self._hits and bool(self._hits[0].url) != bool(event.url):
                    self._tell_hits()
                self._hits.append(event)
                return
            self._event(event)

    def close(self) -> None:
        """Tells what is still to be told."""
        with self._lock:
            self._tell_hits()

    def _event(self, event: Event) -> None:
        if isinstance(event, Note):
            if event.name == "config-loaded":
                self._begin()
                self._line("step.2", path=one_line(str(event.values.get("path", ""))))
            return
        if isinstance(event, ExchangeEnded) and not event.exchange.on_wire:
            return  # its CacheHit has told it
        tell = _TELLERS.get(type(event))
        if tell is not None:
            self._tell_hits()
            tell(self, event)

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            words = masked_command(self._argv, self._masker)
            self._line("step.1", command=one_line(shlex.join(words)))

    def _tell_hits(self) -> None:
        hits, self._hits = self._hits, []
        if not hits:
            return
        first = hits[0]
        key = "cached.url" if first.url else "cached"
        path = one_line(target(self._masker.url(first.url)) if first.url else first.path)
        self._line(key if len(hits) == 1 else f"{key}.more", indent=2, path=path, count=len(hits) - 1)

    def _request_sent(self, event: RequestSent) -> None:
        self._begin()
        request = event.request
        if event.attempt > 1:
            self._line("attempt", indent=2, attempt=event.attempt)
        else:
            self._announce(request)
        self._write_line(request)

    def _announce(self, request: Request) -> None:
        self._line(f"step.{self._step(request)}", why=self.why(request), meaning=self.why(request))

    def _write_line(self, request: Request) -> None:
        self._write(f"  {one_line(request.method)} {one_line(self._masker.url(request.url))}\n")

    def why(self, request: Request) -> str:
        """Why a request is made."""
        return self._masker.text(self._catalogue.purpose(request.purpose) or self._said(meaning.reason(request)))

    def _planned(self, event: Planned) -> None:
        self._begin()
        self._announce(event.request)
        self._write_line(event.request)
        self._line("planned", indent=2)

    def _step(self, request: Request) -> int:
        """3 for finding out how the request has to look, 4 for the request itself, 5 for a look at what came of it."""
        tag = request.purpose.tag
        if tag.endswith("-wait"):
            return 5
        if tag in _ASKS_FIRST or (self._writes and request.method in _READ):
            return 3
        return 4

    def _response_received(self, event: ResponseReceived) -> None:
        if event.response is None:
            return  # the exchange's end tells the error
        said = meaning.begun(event.request, event.response)
        if said is not None:
            self._told.add(event.exchange)
            self._answer(event.request, _status(event.response.status, event.response.reason), None, self._said(said))

    def _exchange_ended(self, event: ExchangeEnded) -> None:
        exchange = event.exchange
        if exchange.id in self._told and exchange.error is None:
            self._told.discard(exchange.id)
            return
        if exchange.body and exchange.response is not None and exchange.response.status >= 400:
            exchange = replace(exchange, body=self._masker.body(exchange.body, exchange.request.url))
        said = next((one for one in meaning.outcomes(exchange) if self._catalogue.knows(one.key)), None)
        if said is not None:
            self._answer(exchange.request, _status_of(exchange), exchange.timings.total, self._said(said))

    def _answer(self, request: Request, status: str, seconds: float | None, text: str) -> None:
        text = self._masker.text(text)
        time = milliseconds(seconds)
        if status:
            key = "answer" if time else "answer.plain"
            text = self._catalogue.say(key, status=status, time=time, meaning=text)
        if self._step(request) == 4:
            self._line("step.5", meaning=text)
        else:
            self._write(f"  {text}\n")

    def _throttled(self, event: Throttled) -> None:
        if event.retry_reason is None:
            self._line("throttled", indent=2, time=milliseconds(event.seconds))

    def _retrying(self, event: Retrying) -> None:
        if event.phase == "before":
            self._line("retrying", indent=2, time=milliseconds(event.seconds), attempt=event.attempt + 1)

    def _warned(self, event: WarningReceived) -> None:
        self._line("warned", indent=2, text=one_line(self._masker.text(event.text)))

    def _said(self, said: meaning.Said) -> str:
        return self._catalogue.say(said.key, **said.values)

    def _line(self, key: str, indent: int = 0, **values: object) -> None:
        self._write(" " * indent + self._catalogue.say(key, **values) + "\n")


_TELLERS: dict[type, Callable[..., None]] = {
    RequestSent: WhyObserver._request_sent,
    Planned: WhyObserver._planned,
    ResponseReceived: WhyObserver._response_received,
    ExchangeEnded: WhyObserver._exchange_ended,
    Throttled: WhyObserver._throttled,
    Retrying: WhyObserver._retrying,
    WarningReceived: WhyObserver._warned,
}


def _status(status: int, reason: str | None) -> str:
    return one_line(f"{status} {reason or ''}".strip())


def _status_of(exchange: Exchange) -> str:
    response = exchange.response
    if response is None or exchange.error is not None:
        return ""
    return "304 Not Modified" if response.wire_status == 304 else _status(response.status, response.reason)

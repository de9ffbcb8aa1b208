"""--plan's output: every request of a command, in order, with its headers and body, and what became of it: a read that
was sent to know what follows, or a write that was not sent."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kubetrace.trace.body_text import counted, one_line, printable, readable
from kubetrace.trace.exchange import CallStarted, Event, Headers, Planned, Request, ResponseReceived
from kubetrace.trace.masking import Masker


class PlanObserver:
    """Writes the plan through `write` as the command goes along."""

    follows_frames = False

    def __init__(self, write: Callable[[str], object], masker: Masker) -> None:
        self._write = write
        self._masker = masker
        self._asked: dict[int, Request] = {}
        self._lock = threading.Lock()
        self._sent = 0
        self._planned = 0

    def __call__(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, CallStarted):
                self._asked[event.call] = event.request
            elif isinstance(event, ResponseReceived):
                self._response(event)
            elif isinstance(event, Planned):
                self._unsent(event)

    def close(self) -> None:
        """The last line: how much was asked, and that nothing was written."""
        reads = counted(self._sent, "read was", "reads were")
        if not self._sent and not self._planned:
            self._write("Plan: no request would be sent.\n")
        elif self._planned:
            self._write(f"Plan: {reads} sent, {counted(self._planned, 'request was', 'requests were')} not.\n")
        else:
            self._write(f"Plan: {reads} sent, and there is nothing more to send.\n")

    def _response(self, event: ResponseReceived) -> None:
        response = event.response
        if response is not None and response.wire_status == 0:
            return  # the cache knew
        self._sent += 1
        asked = self._asked.get(event.call, event.request)
        if response is None:
            became = f"no answer: {one_line(self._masker.text(event.error or ''))}"
        else:
            became = one_line(f"{response.status} {response.reason or ''}".strip())
        why = "for the plan alone, to know what follows" if event.request.purpose.tag == "plan" else "to read"
        later = " (as it is now: what is not sent above has changed nothing)" if self._planned else ""
        self._block(event.request, asked.headers, f"sent, {why}: {became}{later}")

    def _unsent(self, event: Planned) -> None:
        self._planned += 1
        if event.assumed is not None:
            became = f"not sent; the plan goes on as if the answer were {event.assumed}"
        else:
            became = "not sent; the plan ends here, as nobody knows this answer before it is given"
        self._block(event.request, event.request.headers, became)

    def _block(self, request: Request, headers: Headers, became: str) -> None:
        number = self._sent + self._planned
        lines = [f"{number}. {one_line(request.method)} {one_line(self._masker.url(request.url))}", f"   # {became}"]
        lines += [f"   {one_line(name)}: {one_line(self._masker.header(name, value))}" for name, value in headers]
        if request.body:
            body = printable(readable(self._masker.body(request.body, request.url)))
            lines += ["", *(f"   {line}".rstrip() for line in body.rstrip("\n").split("\n"))]
        self._write("\n".join(lines) + "\n\n")

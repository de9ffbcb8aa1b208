"""What a server really received, from its audit log."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass

from tests.conformance import normalise
from tests.conformance.plane import Plane

METHODS = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "update": "PUT", "patch": "PATCH"}
METHODS |= {"delete": "DELETE", "deletecollection": "DELETE"}
SETTLE_SECONDS = 0.04  # an answer may reach the client just before its audit line is written
_DISCOVERY = re.compile(r"^GET /(api(/v1)?|apis(/[^/?]+/[^/?]+)?)(\?timeout=|$)")


@dataclass(frozen=True, slots=True)
class Received:
    """One call: method, URI as sent, the status it got, its body (decoded) where it had one."""

    method: str
    uri: str
    status: int
    body: object = None

    @property
    def line(self) -> str:
        return f"{self.method} {self.uri} {self.status}"

    @property
    def is_discovery(self) -> bool:
        return bool(_DISCOVERY.match(f"{self.method} {self.uri}"))


class AuditReader:
    """Reads the calls of one client since the last `mark`."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.offset = 0
        self.marks = 0

    def mark(self) -> None:
        """From here on."""
        self._wait()
        self.offset = self.plane.audit.stat().st_size

    def calls(self, agent: str) -> list[Received]:
        """The calls since the mark whose user agent begins with `agent`, in the order the server got them."""
        self._wait()
        with self.plane.audit.open("rb") as stream:
            stream.seek(self.offset)
            *lines, _ = stream.read().split(b"\n")  # the last may be half written
        events: dict[str, dict[str, object]] = {}
        for line in lines:
            event = json.loads(line)
            if str(event.get("userAgent", "")).startswith(agent):
                events[event["auditID"]] = {**event, **events.get(event["auditID"], {})}
        return [_received(event) for event in sorted(events.values(), key=lambda e: str(e["requestReceivedTimestamp"]))]

    def _wait(self) -> None:
        """Until the server has written what it got before this moment."""
        self.marks += 1
        marker = f"/version?mark={self.marks}"
        start = self.plane.audit.stat().st_size if self.plane.audit.exists() else 0
        self.plane.request(marker)
        for _ in range(200):
            time.sleep(SETTLE_SECONDS / 4)
            with self.plane.audit.open("rb") as stream:
                stream.seek(start)
                if f'"requestURI":"{marker}"'.encode() in stream.read():
                    break
        time.sleep(SETTLE_SECONDS)


def _received(event: dict[str, object]) -> Received:
    verb = str(event["verb"])
    status = event.get("responseStatus")
    code = int(status.get("code", 0)) if isinstance(status, dict) else 0
    return Received(METHODS.get(verb, verb.upper()), str(event["requestURI"]), code, event.get("requestObject"))


def lines(calls: list[Received], folder: str, parallel_discovery: bool) -> list[str]:
    """The calls as comparable lines; old discovery asks every group at once, so its calls are a set."""
    texts = [(call.is_discovery, normalise.text(call.line, folder)) for call in calls]
    if not parallel_discovery:
        return [line for _, line in texts]
    return sorted(line for discovery, line in texts if discovery) + [line for discovery, line in texts if not discovery]


def bodies(calls: list[Received], folder: str, program: str = "") -> list[str]:
    return [f"{call.method} {normalise.body(call.body, folder, program)}" for call in calls if call.body is not None]

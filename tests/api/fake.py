"""A server in memory: routes instead of sockets, the calls kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubetrace.transport.call import Call, ClientMaker

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "discovery.json").read_text())


@dataclass
class FakeAnswer:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    method: str = "GET"
    url: str = "https://server:6443/"
    headers: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    def header(self, name: str) -> str | None:
        if name.lower() == "content-type":
            return self.content_type or None
        return self.headers.get(name.lower())

    def chunks(self) -> Iterator[bytes]:
        yield self.body

    def close(self) -> None:
        self.closed = True


Handler = Callable[[Call], FakeAnswer]


class FakeServer:
    """Answers by path; what has no route is a 404 without a Status. Routes are handlers, answers or exceptions."""

    server = "https://server:6443"

    def __init__(self, routes: dict[str, Any] | None = None) -> None:
        self.routes: dict[str, Any] = dict(routes or {})
        self.calls: list[Call] = []
        self._lock = threading.Lock()

    @property
    def targets(self) -> list[str]:
        return [f"{call.method} {call.target()}" for call in self.calls]

    def close(self) -> None:
        """Nothing to end."""

    def another(self, maker: ClientMaker) -> FakeServer:
        return self

    def send(self, call: Call) -> FakeAnswer:
        with self._lock:
            self.calls.append(call)
        found = self.routes.get(call.path)
        if found is None:
            found = FakeAnswer(404, b"404 page not found\n", "text/plain")
        if isinstance(found, Exception):
            raise found
        answer: FakeAnswer = found(call) if callable(found) else found
        answer.method, answer.url = call.method, self.server + call.target()
        return answer


def json_answer(value: Any, status: int = 200, content_type: str = "application/json") -> FakeAnswer:
    return FakeAnswer(status, json.dumps(value).encode() + b"\n", content_type)


def recorded_routes(form: str) -> dict[str, Any]:
    """A real 1.36 server's discovery: "aggregated" or "old"."""
    return {
        path: FakeAnswer(200, answer["body"].encode(), answer["contentType"]) for path, answer in RECORDED[form].items()
    }


def failure(code: int, reason: str, message: str, **details: Any) -> FakeAnswer:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return json_answer({**status, "reason": reason, "details": details, "code": code}, code)

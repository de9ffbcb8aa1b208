"""What a wait makes of a server's answers (client-go tools/cache/reflector.go), on a clock of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from kubetrace.api.typed_kinds import CONFIG_MAPS
from kubetrace.commands import reflector
from kubetrace.commands.reflector import Reflector, TimedOut
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.call import Call
from kubetrace.transport.errors import TransportError
from tests.api.fake import FakeAnswer, FakeServer

PATH = "/api/v1/namespaces/default/configmaps"
SECONDS = 60.0


class Clock:
    """Time that passes by calls and pauses only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def event(kind: str, uid: str = "1", version: str = "1", **annotations: str) -> dict[str, Any]:
    metadata = {"name": "a", "uid": uid, "resourceVersion": version, "annotations": annotations}
    return {"type": kind, "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}}


def end(version: str = "5") -> dict[str, Any]:
    return event("BOOKMARK", version=version, **{"k8s.io/initial-events-end": "true"})


def error(reason: str, code: int) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "code": code,
        "message": f"it is {reason}",
    }


def stream(*told: dict[str, Any]) -> FakeAnswer:
    return FakeAnswer(body=b"".join(json.dumps(one).encode() + b"\n" for one in told))


def listed(*uids: str, version: str = "5") -> FakeAnswer:
    items = [event("", uid)["object"] for uid in uids]
    kind = {"kind": "ConfigMapList", "apiVersion": "v1"}
    return FakeAnswer(body=json.dumps({**kind, "metadata": {"resourceVersion": version}, "items": items}).encode())


def refusal(reason: str, code: int) -> FakeAnswer:
    return FakeAnswer(status=code, body=json.dumps(error(reason, code)).encode())


class Told:
    """A wait that never ends by itself, against answers in turn; the last is given ever again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        self.clock = Clock()
        monkeypatch.setattr(reflector, "time", self.clock)
        self._answers = self._in_turn(answers)
        self.server = FakeServer({PATH: self._answer})
        self.err = io.StringIO()
        environment = Environment(Streams(io.BytesIO(), io.StringIO(), self.err), {"KUBETRACE_LIKE": "1.36"})
        environment.__dict__["client"] = self.server
        self.seen: list[tuple[str, str]] = []
        self.before: list[bool] = []
        watched = Reflector(environment, CONFIG_MAPS, "default", "a", Purpose("wait", "wait"))
        self.met = True
        try:
            watched.until(self._looks, self._happens, self.clock.now + SECONDS)
        except TimedOut:
            self.met = False

    @staticmethod
    def _in_turn(answers: tuple[Any, ...]) -> Iterator[Any]:
        yield from answers
        while True:
            yield answers[-1]

    def _answer(self, call: Call) -> FakeAnswer:
        self.clock.now += 1.0
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, FakeAnswer)
        return answer

    def _looks(self, value: Any) -> bool:
        self.before.append(value is not None)
        return False

    def _happens(self, kind: str, value: Any) -> bool:
        self.seen.append((kind, value["metadata"]["uid"]))
        return kind == "DELETED"

    @property
    def asked(self) -> list[str]:
        """Each call: watch or list, and from which version."""
        found = []
        for call in self.server.calls:
            query = dict(call.query)
            what = "list" if "watch" not in query else "stream" if "sendInitialEvents" in query else "watch"
            found.append(f"{what} {query.get('resourceVersion', '')}".strip())
        return found

    @property
    def log(self) -> list[str]:
        return [line.partition("] ")[2].partition(" reflector=")[0] for line in self.err.getvalue().splitlines()]


def test_the_first_state_is_streamed_and_what_follows_comes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, stream(event("ADDED"), end(), event("MODIFIED", version="6"), event("DELETED")))
    assert told.met and told.before == [True]
    assert told.seen == [("ADDED", "1"), ("MODIFIED", "1"), ("DELETED", "1")]
    assert told.asked == ["stream"] and not told.clock.pauses and not told.log


def test_a_watch_that_ends_goes_on_after_the_last_version(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(
        monkeypatch,
        stream(event("ADDED"), end(), event("MODIFIED", version="6")),
        stream(event("MODIFIED", version="7"), event("BOOKMARK", version="9")),
        stream(event("DELETED", version="10")),
    )
    assert told.met and told.asked == ["stream", "watch 6", "watch 9"] and not told.clock.pauses
    assert [kind for kind, _ in told.seen] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]


def test_a_server_that_streams_no_first_state_lists_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, refusal("Invalid", 422), listed("1"), stream(event("DELETED")))
    assert told.met and told.asked == ["stream", "list 0", "watch 5"]
    assert told.before == [True] and told.seen == [("ADDED", "1"), ("DELETED", "1")]


@pytest.mark.parametrize("code", [403, 500, 401])
def test_what_is_refused_is_told_and_asked_again(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, refusal("Forbidden", code))
    assert not told.met and not told.seen and not told.before
    assert told.asked[:4] == ["stream", "list 0", "stream", "list 0"]
    assert set(told.log) == {'"Failed to watch" err="failed to list *unstructured.Unstructured: it is Forbidden"'}
    assert 0.8 <= told.clock.pauses[0] <= 1.6 <= told.clock.pauses[1] <= 3.2 <= told.clock.pauses[2] <= 6.4


def test_a_list_without_its_watch_counts_and_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(
        monkeypatch,
        *(refusal("Forbidden", 403), listed("1"), refusal("Forbidden", 403)),
        *(refusal("Forbidden", 403), listed("1", version="8"), refusal("Forbidden", 403)),
        *(refusal("Forbidden", 403), listed(), refusal("Forbidden", 403)),
    )
    assert told.met and told.before == [True]
    assert told.seen == [("ADDED", "1"), ("MODIFIED", "1"), ("DELETED", "1")]
    assert told.asked == [
        "stream",
        "list 0",
        "watch 5",
        "stream 5",
        "list 5",
        "watch 8",
        "stream 8",
        "list 8",
        "watch 5",
    ]
    assert told.log == ['"Failed to watch" err="it is Forbidden"'] * 2


def test_a_watch_that_ends_at_once_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(monkeypatch, stream(event("ADDED"), end()), stream(event("ADDED"), end(), event("DELETED")))
    assert told.met and told.asked == ["stream", "stream 5"] and len(told.clock.pauses) == 1
    assert told.seen == [("ADDED", "1"), ("MODIFIED", "1"), ("DELETED", "1")]
    assert [line.split('"')[1] for line in told.err.getvalue().splitlines()] == ["Warning: watch ended with error"]


def test_a_version_that_is_gone_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"type": "ERROR", "object": error("Expired", 410)}
    told = Told(
        monkeypatch,
        stream(event("ADDED"), end(), event("BOOKMARK", version="5")),
        stream(gone),
        stream(event("ADDED", version="20"), end("21"), event("DELETED")),
    )
    assert told.met and told.asked == ["stream", "watch 5", "stream 5"] and len(told.clock.pauses) == 1
    assert told.seen == [("ADDED", "1"), ("MODIFIED", "1"), ("DELETED", "1")] and not told.log


def test_a_version_that_the_server_has_not_come_to_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = error("Timeout", 504) | {"details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}
    told = Told(
        monkeypatch,
        stream(event("ADDED"), end(), {"type": "ERROR", "object": error("InternalError", 500)}),
        FakeAnswer(status=504, body=json.dumps(ahead).encode()),
        stream(end("3")),
    )
    assert told.met and told.asked == ["stream", "stream 5", "stream"]
    assert told.seen == [("ADDED", "1"), ("DELETED", "1")]
    assert [line.partition("]")[2] for line in told.err.getvalue().splitlines()] == [
        ' "Warning: watch ended with error" reflector="k8s.io/client-go/tools/watch/informerwatcher.go:162" '
        'type="*unstructured.Unstructured" err="it is InternalError"'
    ]


REFUSED = TransportError("GET", "u", "dial tcp 1.2.3.4:1: connect: connection refused", "refused")


@pytest.mark.parametrize("answer", [REFUSED, refusal("TooManyRequests", 429)])
def test_a_server_that_is_not_there_or_busy_is_waited_for(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(
        monkeypatch,
        stream(event("ADDED"), end(), event("BOOKMARK", version="5")),
        answer,
        answer,
        stream(event("DELETED")),
    )
    assert told.met and told.asked == ["stream", "watch 5", "watch 5", "watch 5"]
    assert len(told.clock.pauses) == 2 and not told.log
    told = Told(monkeypatch, answer, stream(event("ADDED"), end(), event("DELETED")))
    assert told.met and told.asked == ["stream", "stream"] and len(told.clock.pauses) == 1


@pytest.mark.parametrize(
    ("told", "gone"),
    [
        ([event("ADDED"), end(), event("MODIFIED")], False),
        ([event("ADDED"), end(), event("BOOKMARK")], False),
        ([event("ADDED"), event("BOOKMARK")], False),
        ([event("ADDED"), event("DELETED"), end()], False),
        ([{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1"}}, event("DELETED")], False),
        ([], False),
        ([event("ADDED"), end(), event("DELETED")], True),
    ],
)
def test_when_a_watch_says_gone(told: list[dict[str, Any]], gone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    later = (
        listed("1") if not told or told[0]["type"] == "ERROR" else stream(event("MODIFIED")),
        stream(event("ADDED")),
    )
    assert Told(monkeypatch, stream(*told), *later).met is gone

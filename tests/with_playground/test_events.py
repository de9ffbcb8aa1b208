"""`events`: a table, the latest last; filters; every format."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client

Run = Callable[..., Outcome]


def event(name: str, kind: str, reason: str, minute: int) -> dict[str, object]:
    return {
        "metadata": {"name": name},
        "type": "Warning" if reason == "Broken" else "Normal",
        "reason": reason,
        "message": f"\tsaid \x1b[2J {reason}\n",
        "involvedObject": {"kind": kind, "name": "it", "apiVersion": "v1"},
        "lastTimestamp": f"2026-01-01T00:0{minute}:00Z",
        "firstTimestamp": "2026-01-01T00:00:00Z",
    }


@pytest.fixture
def told(server: Client, namespace: str) -> str:
    """A namespace with three events, made in another order than they happened."""
    for one in (event("c", "Pod", "Last", 3), event("a", "Pod", "Broken", 1), event("b", "Service", "Middle", 2)):
        one["involvedObject"] |= {"namespace": namespace}  # type: ignore[operator]
        server.post(f"/api/v1/namespaces/{namespace}/events", one)
    return namespace


def test_the_latest_is_last_and_terminals_are_safe(run: Run, told: str) -> None:
    rows = run("events", "-n", told).out.splitlines()
    assert rows[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert [row.split()[2] for row in rows[1:]] == ["Broken", "Middle", "Last"]
    assert "\x1b" not in "".join(rows)
    bare = run("events", "-n", told, "--no-headers").out.splitlines()
    assert [row.split() for row in bare] == [row.split() for row in rows[1:]]
    assert run("events", "-A", "--for", "service/it").out.splitlines()[1].split()[0] == told


def test_filters(run: Run, told: str) -> None:
    reasons = "jsonpath={.items[*].reason}"
    assert run("events", "-n", told, "--types=warning", "-o", reasons).out == "Broken"
    assert run("events", "-n", told, "--for=po/it", "-o", reasons).out == "Broken Last"
    assert run("events", "-n", told, "--types=Odd") == Outcome(1, "", "error: valid --types are Normal or Warning\n")
    assert run("events", "-n", "empty").err == "No events found in empty namespace.\n"


def test_formats(run: Run, told: str) -> None:
    document = json.loads(run("events", "-n", told, "-o", "json").out)
    assert (document["kind"], [item["kind"] for item in document["items"]]) == ("EventList", ["Event"] * 3)
    assert run("events", "-n", told, "-o", "name") == Outcome(0, "", "")

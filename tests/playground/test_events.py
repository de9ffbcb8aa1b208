"""How long events are kept: no server, no waiting."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from kubetrace.playground import events
from kubetrace.playground.storage import Store

_OLD = "2026-01-01T00:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db")


def put(store: Store, name: str, created: str, **more: object) -> None:
    metadata = {"name": name, "namespace": "n", "uid": name, "creationTimestamp": created}
    store.put("events", {"metadata": metadata | more.pop("metadata", {}), **more})  # type: ignore[operator]


def test_an_event_is_kept_for_an_hour_after_it_was_written(store: Store) -> None:
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    put(store, "told-late", now, lastTimestamp=_OLD)
    put(store, "counted-up", _OLD, lastTimestamp=now)
    put(store, "changed", _OLD, metadata={"managedFields": [{"manager": "m", "time": now}]}, lastTimestamp=_OLD)
    put(store, "forgotten", _OLD, lastTimestamp=_OLD)
    put(store, "series", _OLD, lastTimestamp=None)
    events.expire(store)
    assert {event["metadata"]["name"] for event in store.select("events")} == {"told-late", "counted-up", "changed"}

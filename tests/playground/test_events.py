"""How long events are kept, which are counted up, combined or left out: no waiting."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from kubetrace.playground import events
from kubetrace.playground.event_correlation import COMBINED, Correlator, Happening
from kubetrace.playground.storage import Store
from tests.playground.conftest import Client

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


def test_similar_events_are_combined_and_too_many_are_not_told() -> None:
    """By client-go's numbers: ten messages of a reason, 25 events of an object, one more in five minutes."""
    seconds = [1000.0]
    correlator = Correlator(lambda: seconds[0])

    def told(message: str, reason: str = "Scaled", type: str = "Normal") -> tuple[str, int] | None:
        found = correlator.observe(Happening("uid", type, reason, message), f"event-{message}")
        return found and (found.message, found.count)

    assert [told(str(number)) for number in range(9)] == [(str(number), 1) for number in range(9)]
    assert [told("ten"), told("eleven")] == [(f"{COMBINED}ten", 1), (f"{COMBINED}eleven", 2)]
    assert told("0", reason="Other") == ("0", 1)
    seconds[0] += 601
    assert told("0") == ("0", 2)  # ten minutes without any: they are told one by one again
    assert told("w", type="Warning") == ("w", 1)
    for _ in range(14):
        told("again")
    assert told("again") is None
    assert told("w", type="Warning") == ("w", 2)
    seconds[0] += 300
    assert told("again") == ("again", 16)  # what was not told was counted
    assert told("again") is None


def test_a_deployments_scalings_are_combined_as_on_a_cluster(client: Client, namespace: str) -> None:
    """As kube-controller-manager 1.36 told them of the same changes."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    labels = {"app": "w"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    client.post(path, {"metadata": {"name": "w"}, "spec": spec})
    for count in range(2, 13):
        patch = {"spec": {"replicas": count}}
        client.call("PATCH", f"{path}/w", patch, Content_Type="application/merge-patch+json")
        client.until(f"{path}/w", lambda status, item, wanted=count: item["status"].get("replicas") == wanted)
    events = client.get(f"/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.kind=Deployment")["items"]
    combined = [event for event in events if event["message"].startswith(COMBINED)]
    assert len(events) == 10 and [event["count"] for event in combined] == [3]
    assert combined[0]["message"].endswith("from 11 to 12")

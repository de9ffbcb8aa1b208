"""Pods whose node is gone: no server, no waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubetrace.playground.catalog import Catalog
from kubetrace.playground.controllers import podgc
from kubetrace.playground.storage import Store
from kubetrace.playground.verbs import Verbs


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "state.db")
    for name, node in (("lost", "nowhere"), ("home", "here"), ("waiting", "")):
        metadata = {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        spec = {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}
        made.put("pods", {"metadata": metadata, "spec": spec, "status": {"phase": "Running"}})
    made.put("nodes", {"metadata": {"name": "here"}})
    return made


def test_pods_of_a_lost_node_go_after_the_quarantine(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = podgc.PodGarbage(Verbs(store, Catalog()))
    left = collector.reconcile("default", "lost")
    assert left is not None and 39 < left <= 40
    assert store.get("pods", "default", "lost") is not None
    monkeypatch.setattr(podgc, "_QUARANTINE_SECONDS", 0.0)
    collector.reconcile("default", "lost")
    assert store.get("pods", "default", "lost") is None
    last = store.since("pods", 0)[-1]
    assert last.before is not None and last.before["status"]["phase"] == "Failed"
    assert last.before["status"]["conditions"][0]["message"] == "PodGC: node no longer exists"


def test_other_pods_stay(store: Store) -> None:
    collector = podgc.PodGarbage(Verbs(store, Catalog()))
    assert [collector.reconcile("default", name) for name in ("home", "waiting", "none")] == [None, None, None]

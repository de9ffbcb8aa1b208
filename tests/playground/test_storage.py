from __future__ import annotations

from pathlib import Path

import pytest

from kubetrace.playground import storage
from kubetrace.playground.storage import Lost, Store


def item(name: str, **more: object) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "n"}, **more}


def test_a_snapshot_is_what_there_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    store.put("things", item("a", x=1))
    store.put("things", item("b"))
    then = store.version
    store.put("things", item("a", x=2))
    store.remove("things", item("b"))
    store.put("things", item("c"))
    store.put("others", item("d"))
    past = store.snapshot("things", "n", then)
    assert [(entry["metadata"]["name"], entry.get("x")) for entry in past] == [("a", 1), ("b", None)]
    assert store.snapshot("things", "elsewhere", then) == []
    store.close()


def test_what_is_forgotten_is_said_to_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "HISTORY", 100)
    store = Store(tmp_path / "state.db")
    for number in range(600):
        store.put("things", item(f"i{number}"))
    with pytest.raises(Lost, match=r"^too old resource version: 3 \("):
        store.snapshot("things", "n", 3)
    assert len(store.snapshot("things", "n", store.version - 50)) == 550
    store.close()

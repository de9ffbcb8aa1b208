"""Many clients at once, and the server killed in between: nothing acknowledged is lost, each event is seen once.

The same at full size, against a real kube-apiserver: `python -m tests.benchmarks.playground`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.benchmarks.load import Seen, Server, Written, new_namespace, pages, watch, write

CLIENTS, EACH, WATCHERS = 4, 60, 8
_SECONDS = 60.0


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path), "PATH": os.environ.get("PATH", "")}


def test_load_with_a_kill_in_between(own: dict[str, str]) -> None:
    found = manager.up(own)
    users = {user["context"]: user for user in json.loads((found.folder / "users.json").read_text())}
    server = Server(found.port, users["admin"]["token"], found.folder / "ca.crt")
    since = new_namespace(server, "load")
    written = [Written() for _ in range(CLIENTS)]
    watching, seen = threading.Event(), list[Seen]()

    def look() -> None:
        wanted = CLIENTS * EACH
        seen.extend(watch(lambda: server, "load", since, wanted, WATCHERS, watching.set, _SECONDS))

    def work(number: int) -> None:
        write(lambda: server, "load", number, EACH, written[number], _SECONDS)

    threads = [threading.Thread(target=look, daemon=True)]
    threads[0].start()
    assert watching.wait(_SECONDS)
    threads += [threading.Thread(target=work, args=(number,), daemon=True) for number in range(CLIENTS)]
    for thread in threads[1:]:
        thread.start()
    while sum(len(entry.names) for entry in written) < CLIENTS * EACH // 3:
        threads[1].join(0.005)
    os.kill(found.pid, signal.SIGKILL)
    while manager.find(own).running:
        threads[1].join(0.005)
    try:
        again = manager.up(own)
        assert again.port == found.port
        for thread in threads:
            thread.join(_SECONDS)
        assert [failure for entry in written for failure in entry.failures] == []
        names = {name for entry in written for name in entry.names}
        listed = pages(server, "load", 50)
        assert len(names) == CLIENTS * EACH and sorted(listed) == sorted(names)
        assert [problem for entry in seen for problem in entry.wrong] == []
        for entry in seen:
            assert sorted(name.decode() for name in entry.names) == sorted(names)
        assert all(entry.names == seen[0].names for entry in seen)
    finally:
        manager.down(own)

"""The playground's memory: objects and their history in one SQLite file (WAL), and news for watchers.

Each write is one transaction that is on disk before the request is answered. The history keeps the last changes so
that watches resume; asking for older ones is 410 Gone.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from kubetrace.playground.objects import ordered

HISTORY = 20_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  resource TEXT, namespace TEXT, name TEXT, version INTEGER, data BLOB, PRIMARY KEY (resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  version INTEGER PRIMARY KEY, resource TEXT, namespace TEXT, kind TEXT, data BLOB, before BLOB
);
CREATE TABLE IF NOT EXISTS owners (
  uid TEXT, resource TEXT, namespace TEXT, name TEXT, PRIMARY KEY (uid, resource, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
"""


@dataclass(frozen=True, slots=True)
class Change:
    """ADDED, MODIFIED or DELETED; `before` is the object's state before it, None for a new one."""

    version: int
    resource: str
    namespace: str
    kind: str
    object: dict[str, Any]
    before: dict[str, Any] | None
    lines: dict[Any, bytes] = field(default_factory=dict, compare=False, repr=False)
    """Encoded events by form: many watchers are sent the same bytes."""


class Lost(Exception):
    """A watch asked for changes that are no longer kept, or a watcher fell too far behind."""


class Store:
    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        row = self._database.execute(
            "SELECT max(v) FROM (SELECT max(version) v FROM objects UNION SELECT max(version) FROM changes)"
        )
        self.version: int = row.fetchone()[0] or 0
        self._watchers: dict[str, set[asyncio.Queue[Change | None]]] = {}

    def close(self) -> None:
        self._database.close()

    def fact(self, name: str) -> str | None:
        row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        self._database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def get(self, resource: str, namespace: str, name: str) -> dict[str, Any] | None:
        query = "SELECT data FROM objects WHERE resource = ? AND namespace = ? AND name = ?"
        row = self._database.execute(query, (resource, namespace, name)).fetchone()
        return None if row is None else msgspec.json.decode(row[0])

    def select(self, resource: str, namespace: str = "", after: tuple[str, str] = ("", "")) -> Iterator[dict[str, Any]]:
        """Objects by namespace and name; an empty namespace means all. `after` resumes behind that key."""
        where, values = "resource = ? AND (namespace, name) > (?, ?)", [resource, *after]
        if namespace:
            where, values = f"{where} AND namespace = ?", [*values, namespace]
        query = f"SELECT data FROM objects WHERE {where} ORDER BY namespace, name"
        for (data,) in self._database.execute(query, values).fetchall():
            yield msgspec.json.decode(data)

    def rows(
        self, resource: str, namespace: str, after: tuple[str, str], limit: int
    ) -> list[tuple[tuple[str, str], bytes]]:
        """(namespace and name, the object in JSON, its fields in the order of answers) of objects behind that key; at
        most `limit` (0: all)."""
        where, values = "resource = ? AND (namespace, name) > (?, ?)", [resource, *after]
        if namespace:
            where, values = f"{where} AND namespace = ?", [*values, namespace]
        query = f"SELECT namespace, name, data FROM objects WHERE {where} ORDER BY namespace, name LIMIT ?"
        found = self._database.execute(query, (*values, limit or -1)).fetchall()
        return [((place, name), data) for place, name, data in found]

    def snapshot(self, resource: str, namespace: str, version: int) -> list[dict[str, Any]]:
        """Objects as they were at a version, by namespace and name. Raises Lost where the history is gone."""
        items = {_key(item): item for item in self.select(resource, namespace)}
        for change in reversed(self.since(resource, version)):
            if namespace and change.namespace != namespace:
                continue
            if change.before is None:
                items.pop(_key(change.object), None)
            else:
                items[_key(change.object)] = change.before
        return [items[key] for key in sorted(items)]

    def count(self, resource: str, namespace: str = "") -> int:
        query = "SELECT count(*) FROM objects WHERE resource = ? AND (? = '' OR namespace = ?)"
        return int(self._database.execute(query, (resource, namespace, namespace)).fetchone()[0])

    def count_after(self, resource: str, namespace: str, after: tuple[str, str]) -> int:
        """How many objects follow that key."""
        where, values = "resource = ? AND (namespace, name) > (?, ?)", [resource, *after]
        if namespace:
            where, values = f"{where} AND namespace = ?", [*values, namespace]
        return int(self._database.execute(f"SELECT count(*) FROM objects WHERE {where}", values).fetchone()[0])

    def oldest(self) -> int:
        """The oldest version from which the history is whole."""
        return int(self._database.execute("SELECT min(version) FROM changes").fetchone()[0] or 1) - 1

    def resources_of(self, namespace: str) -> list[str]:
        query = "SELECT DISTINCT resource FROM objects WHERE namespace = ?"
        return [row[0] for row in self._database.execute(query, (namespace,))]

    def dependents(self, uid: str) -> list[tuple[str, dict[str, Any]]]:
        """(resource, object) of everything that names an owner."""
        query = "SELECT resource, data FROM owners JOIN objects USING (resource, namespace, name) WHERE uid = ?"
        return [(resource, msgspec.json.decode(data)) for resource, data in self._database.execute(query, (uid,))]

    def put(self, resource: str, item: dict[str, Any]) -> dict[str, Any]:
        """Creates or replaces; the caller has checked what it must. Sets the new resourceVersion."""
        namespace, name = _key(item)
        before = self.get(resource, namespace, name)
        self.version += 1
        item["metadata"]["resourceVersion"] = str(self.version)
        data = msgspec.json.encode(ordered(item))
        change = Change(self.version, resource, namespace, "MODIFIED" if before else "ADDED", item, before)
        with self._transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", (resource, namespace, name, self.version, data)
            )
            self._own(resource, item, before)
            self._record(change, data)
        self._announce(change)
        return item

    def remove(self, resource: str, item: dict[str, Any]) -> dict[str, Any]:
        """Deletes; the answer is the object's last state with the version of its end."""
        namespace, name = _key(item)
        before = self.get(resource, namespace, name)
        self.version += 1
        last = item | {"metadata": item["metadata"] | {"resourceVersion": str(self.version)}}
        change = Change(self.version, resource, namespace, "DELETED", last, before)
        with self._transaction():
            self._database.execute(
                "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?", (resource, namespace, name)
            )
            self._own(resource, {"metadata": {"name": name, "namespace": namespace}}, before)
            self._record(change, msgspec.json.encode(last))
        self._announce(change)
        return last

    def _own(self, resource: str, item: dict[str, Any], before: dict[str, Any] | None) -> None:
        """Keeps the table of who owns what."""
        old = {owner.get("uid") for owner in (before or {}).get("metadata", {}).get("ownerReferences") or ()}
        new = {owner.get("uid") for owner in item["metadata"].get("ownerReferences") or ()}
        for uid in old - new:
            query = "DELETE FROM owners WHERE uid = ? AND resource = ? AND namespace = ? AND name = ?"
            self._database.execute(query, (uid, resource, *_key(item)))
        for uid in new - old:
            self._database.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)", (uid, resource, *_key(item)))

    def _transaction(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def _record(self, change: Change, data: bytes) -> None:
        before = None if change.before is None else msgspec.json.encode(change.before)
        row = (change.version, change.resource, change.namespace, change.kind, data, before)
        self._database.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?)", row)
        if change.version % 256 == 0:
            self._database.execute("DELETE FROM changes WHERE version <= ?", (change.version - HISTORY,))

    def since(self, resource: str, version: int) -> list[Change]:
        """The changes of a resource after a version; Lost where the history no longer reaches back."""
        oldest = self._database.execute("SELECT min(version) FROM changes").fetchone()[0]
        if oldest is not None and version < oldest - 1:
            raise Lost(f"too old resource version: {version} ({oldest})")
        query = "SELECT version, namespace, kind, data, before FROM changes WHERE resource = ? AND version > ?"
        rows = self._database.execute(f"{query} ORDER BY version", (resource, version)).fetchall()
        decode = msgspec.json.decode
        return [Change(v, resource, ns, kind, decode(data), decode(b) if b else None) for v, ns, kind, data, b in rows]

    def subscribe(self, resource: str) -> asyncio.Queue[Change | None]:
        """News of a resource ("" for all) from now on. None in the queue: the watcher fell behind."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(maxsize=HISTORY)
        self._watchers.setdefault(resource, set()).add(queue)
        return queue

    def unsubscribe(self, resource: str, queue: asyncio.Queue[Change | None]) -> None:
        self._watchers.get(resource, set()).discard(queue)

    def _announce(self, change: Change) -> None:
        for name in (change.resource, ""):
            for queue in list(self._watchers.get(name, ())):
                if queue.full():
                    queue.get_nowait()
                    queue.put_nowait(None)
                    self.unsubscribe(name, queue)
                else:
                    queue.put_nowait(change)


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]

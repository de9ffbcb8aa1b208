"""Events about objects: one for each thing that happens, counted up when it happens again."""

from __future__ import annotations

import hashlib
from typing import Any

from kubetrace.playground.objects import new_uid, now
from kubetrace.playground.storage import Store

KEPT = 2000


class Recorder:
    def __init__(self, store: Store) -> None:
        self._store = store

    def tell(self, kind: str, metadata: dict[str, Any], reason: str, message: str, source: str) -> None:
        self._record(kind, metadata, "Normal", reason, message, source)

    def warn(self, kind: str, metadata: dict[str, Any], reason: str, message: str, source: str) -> None:
        self._record(kind, metadata, "Warning", reason, message, source)

    def _record(self, kind: str, metadata: dict[str, Any], type: str, reason: str, message: str, source: str) -> None:
        namespace = metadata.get("namespace") or "default"
        place = self._store.get("namespaces", "", namespace)
        if place is None or place["metadata"].get("deletionTimestamp"):
            return
        mark = hashlib.sha256(f"{metadata['uid']}{reason}{message}".encode()).hexdigest()[:16]
        name = f"{metadata['name']}.{mark}"
        old = self._store.get("events", namespace, name)
        if old is not None:
            self._store.put("events", old | {"count": old.get("count", 1) + 1, "lastTimestamp": now()})
            return
        api_version = {"Pod": "v1", "Job": "batch/v1", "Node": "v1", "Service": "v1"}.get(kind, "apps/v1")
        target = {"kind": kind, "namespace": namespace, "name": metadata["name"], "uid": metadata["uid"]}
        target |= {"apiVersion": api_version, "resourceVersion": metadata.get("resourceVersion", "")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace, "uid": new_uid(), "creationTimestamp": now()},
            "involvedObject": target,
            "reason": reason,
            "message": message,
            "source": {"component": source},
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": source,
            "reportingInstance": "",
        }
        self._store.put("events", event)

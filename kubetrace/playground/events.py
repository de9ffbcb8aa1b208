"""Events about objects: one for each thing that happens, counted up when it happens again."""

from __future__ import annotations

import datetime
import time
from typing import Any

from kubetrace.playground.objects import Object, micro_now, moment, new_uid, now
from kubetrace.playground.storage import Store

KEPT_SECONDS = 3600.0
"""As kube-apiserver's --event-ttl."""
_REMEMBERED = 4096
SCHEDULER = "default-scheduler"
"""The component that tells in the way of events.k8s.io: when, as what action, and in series."""
_ACTIONS = {"Scheduled": "Binding", "FailedScheduling": "Scheduling", "Preempted": "Preempting"}


class Recorder:
    """Tells of what one component does."""

    def __init__(self, store: Store, component: str) -> None:
        self._store, self._component = store, component
        self._names: dict[tuple[str, str, str, str], str] = {}
        """What was told of, so that it is counted up when it happens again (as client-go's event correlator)."""

    def normal(self, item: Object, reason: str, message: str, container: str = "", host: str = "") -> None:
        """`item` needs kind, apiVersion and metadata. `container` is the field path of a pod's part."""
        self._record(item, "Normal", reason, message, container, host)

    def warning(self, item: Object, reason: str, message: str, container: str = "", host: str = "") -> None:
        self._record(item, "Warning", reason, message, container, host)

    def _record(self, item: Object, type: str, reason: str, message: str, container: str, host: str) -> None:
        metadata = item["metadata"]
        namespace = metadata.get("namespace") or "default"
        place = self._store.get("namespaces", "", namespace)
        if place is None or place["metadata"].get("deletionTimestamp"):
            return
        key = (metadata["uid"], reason, message, container)
        old = self._store.get("events", namespace, self._names[key]) if key in self._names else None
        if old is not None and self._component == SCHEDULER:
            times = (old.get("series") or {}).get("count", 1) + 1
            self._store.put("events", old | {"series": {"count": times, "lastObservedTime": micro_now()}})
            return
        if old is not None:
            self._store.put("events", old | {"count": old.get("count", 1) + 1, "lastTimestamp": now()})
            return
        name = f"{metadata['name'][:230]}.{time.time_ns():x}"  # as client-go's: in the order in which they happened
        self._names[key] = name
        while len(self._names) > _REMEMBERED:
            self._names.pop(next(iter(self._names)))
        target: dict[str, Any] = {"kind": item["kind"], "name": metadata["name"], "uid": metadata["uid"]}
        if metadata.get("namespace"):
            target["namespace"] = metadata["namespace"]
        target |= {"apiVersion": item["apiVersion"], "resourceVersion": metadata.get("resourceVersion", "")}
        if container:
            target["fieldPath"] = container
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace, "uid": new_uid(), "creationTimestamp": now()},
            "involvedObject": target,
            "reason": reason,
            "message": message[:1024],
            "source": {"component": self._component} | ({"host": host} if host else {}),
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }
        if self._component == SCHEDULER:
            event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": micro_now()}
            event |= {"reportingInstance": f"{SCHEDULER}-playground", "action": _ACTIONS.get(reason, reason)}
            del event["count"]
        self._store.put("events", event)


def expire(store: Store) -> None:
    """Removes events that nobody has written for an hour. When an event happened does not count: who tells of an old
    one has it kept as long (kube-apiserver's lease is of the write)."""
    oldest = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=KEPT_SECONDS)
    for event in list(store.select("events")):
        if _last_written(event) < oldest:
            store.remove("events", event)


def _last_written(event: Object) -> datetime.datetime:
    metadata = event["metadata"]
    times = [entry.get("time") for entry in metadata.get("managedFields") or ()]
    times += [metadata["creationTimestamp"], event.get("lastTimestamp")]
    return max(moment(time) for time in times if time)

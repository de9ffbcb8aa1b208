"""Events about objects: one for each thing that happens, counted up when it happens again."""

from __future__ import annotations

import datetime
import time
from collections import OrderedDict
from typing import Any

from kubetrace.playground.event_correlation import Correlator, Happening, remembered
from kubetrace.playground.objects import Object, micro_now, moment, new_uid, now
from kubetrace.playground.storage import Store

KEPT_SECONDS = 3600.0
"""As kube-apiserver's --event-ttl."""
SCHEDULER = "default-scheduler"
"""The component that tells in the way of events.k8s.io: when, as what action, and in series."""
_ACTIONS = {"Scheduled": "Binding", "FailedScheduling": "Scheduling", "Preempted": "Preempting"}


class Recorder:
    """Tells of what one component does."""

    def __init__(self, store: Store, component: str) -> None:
        self._store, self._component = store, component
        self._correlator = Correlator()
        self._series: OrderedDict[Happening, str] = OrderedDict()
        """The scheduler's events by name, each of which is continued."""

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
        # Named as client-go names them: in the order in which they happened.
        name = f"{metadata['name'][:230]}.{time.time_ns():x}"
        happening = Happening(metadata["uid"], type, reason, message, container, host)
        if self._component == SCHEDULER:
            self._continue_series(item, happening, remembered(self._series, happening, lambda: name))
            return
        told = self._correlator.observe(happening, name)
        if told is None:
            return
        message = told.message[:1024]
        old = self._store.get("events", namespace, told.name)
        if old is None:
            old = self._event(item, happening, told.name) | {"firstTimestamp": told.first}
        self._store.put("events", old | {"count": told.count, "lastTimestamp": now(), "message": message})

    def _continue_series(self, item: Object, happening: Happening, name: str) -> None:
        old = self._store.get("events", item["metadata"].get("namespace") or "default", name)
        if old is not None:
            times = (old.get("series") or {}).get("count", 1) + 1
            self._store.put("events", old | {"series": {"count": times, "lastObservedTime": micro_now()}})
            return
        event = self._event(item, happening, name)
        event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None, "eventTime": micro_now()}
        action = _ACTIONS.get(happening.reason, happening.reason)
        event |= {"reportingInstance": f"{SCHEDULER}-playground", "action": action}
        del event["count"]
        self._store.put("events", event)

    def _event(self, item: Object, happening: Happening, name: str) -> Object:
        metadata, host = item["metadata"], happening.host
        namespace = metadata.get("namespace")
        target: dict[str, Any] = {"kind": item["kind"], "name": metadata["name"], "uid": metadata["uid"]}
        if namespace:
            target["namespace"] = namespace
        target |= {"apiVersion": item["apiVersion"], "resourceVersion": metadata.get("resourceVersion", "")}
        if happening.part:
            target["fieldPath"] = happening.part
        about = {"name": name, "namespace": namespace or "default", "uid": new_uid(), "creationTimestamp": now()}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": about,
            "involvedObject": target,
            "reason": happening.reason,
            "message": happening.message[:1024],
            "source": {"component": self._component} | ({"host": host} if host else {}),
            "firstTimestamp": now(),
            "lastTimestamp": now(),
            "count": 1,
            "type": happening.type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": host,
        }


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

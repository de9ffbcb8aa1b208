"""The controllers: small loops that follow the store and bring what is to what should be, one object at a time.

One queue of everything that changed; a reconciler for each resource; a reconciler may ask to be called again later.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Callable

from kubetrace.playground import workloads
from kubetrace.playground.budgets import Budgets
from kubetrace.playground.garbage import Garbage
from kubetrace.playground.kubelet import Kubelet
from kubetrace.playground.networking import Networking
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Change
from kubetrace.playground.verbs import Verbs

Reconcile = Callable[[str, str], float | None]
"""Takes namespace and name; gives the seconds after which it wants to be called again."""


class Controllers:
    def __init__(self, verbs: Verbs) -> None:
        self._verbs = verbs
        self._garbage = Garbage(verbs)
        kubelet, networking = Kubelet(verbs), Networking(verbs)
        made, budgets = workloads.Workloads(verbs), Budgets(verbs.store)
        self._reconcilers: dict[str, list[Reconcile]] = {
            "pods": [kubelet.reconcile, made.pod_changed, budgets.pod_changed],
            "namespaces": [self._garbage.namespace],
            "services": [networking.service],
            "deployments.apps": [made.deployment],
            "replicasets.apps": [made.replica_set],
            "replicationcontrollers": [made.replication_controller],
            "statefulsets.apps": [made.stateful_set],
            "daemonsets.apps": [made.daemon_set],
            "jobs.batch": [made.job],
            "poddisruptionbudgets.policy": [budgets.budget],
            "resourcequotas": [budgets.quota],
        }
        self._waiting: set[tuple[str, str, str]] = set()
        self._queue: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        made.enqueue = self._add
        made.services_of = networking.services_of

    def start(self) -> list[asyncio.Task[None]]:
        for resource in self._reconcilers:
            for item in self._verbs.store.select(resource):
                self._add(resource, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        news = self._verbs.store.subscribe("")
        return [asyncio.create_task(self._follow(news)), asyncio.create_task(self._work())]

    async def _follow(self, news: asyncio.Queue[Change | None]) -> None:
        while True:
            change = await news.get()
            if change is None:
                news = self._verbs.store.subscribe("")
                continue
            metadata = change.object["metadata"]
            self._add(change.resource, metadata.get("namespace", ""), metadata["name"])
            with contextlib.suppress(ApiError):
                self._garbage.changed(change)
            for owner in metadata.get("ownerReferences") or ():
                self._add_owner(owner, metadata.get("namespace", ""))

    def _add_owner(self, owner: dict[str, str], namespace: str) -> None:
        resource = self._verbs.catalog.by_kind(owner["apiVersion"], owner["kind"])
        if resource is not None:
            self._add(resource.key, namespace if resource.namespaced else "", owner["name"])

    def _add(self, resource: str, namespace: str, name: str) -> None:
        key = (resource, namespace, name)
        if resource in self._reconcilers and key not in self._waiting:
            self._waiting.add(key)
            self._queue.put_nowait(key)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            key = await self._queue.get()
            self._waiting.discard(key)
            for reconcile in self._reconcilers[key[0]]:
                again: float | None
                try:
                    again = reconcile(key[1], key[2])
                except ApiError as error:
                    again = 1.0 if error.code in (409, 403) else None
                except Exception:
                    traceback.print_exc(file=sys.stderr)
                    again = None
                if again is not None:
                    loop.call_later(again, self._add, *key)
            await asyncio.sleep(0)

"""The controllers: small loops that follow the store and bring what is to what should be, one object at a time.

One queue of everything that changed; reconcilers for each resource; a reconciler may ask to be called again later.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from kubetrace.playground import events, flow_control, slices
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.controllers import (
    addresses,
    aggregation,
    flowcontrol,
    policies,
    registration,
    signing,
    tokens,
    volumes,
)
from kubetrace.playground.controllers.autoscaling import Autoscalers
from kubetrace.playground.controllers.cronjobs import CronJobs
from kubetrace.playground.controllers.daemonsets import DaemonSets
from kubetrace.playground.controllers.deployments import Deployments
from kubetrace.playground.controllers.disruption import Disruption, Quotas
from kubetrace.playground.controllers.endpoints import Networking
from kubetrace.playground.controllers.garbage import Garbage
from kubetrace.playground.controllers.jobs import Jobs
from kubetrace.playground.controllers.kubelet import Kubelet
from kubetrace.playground.controllers.namespaces import Namespaces
from kubetrace.playground.controllers.nodes import Nodes
from kubetrace.playground.controllers.podgc import PodGarbage
from kubetrace.playground.controllers.replicasets import ReplicaSets, ReplicationControllers
from kubetrace.playground.controllers.scheduler import Scheduler
from kubetrace.playground.controllers.statefulsets import StatefulSets
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_done
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Change
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.webhooks import Question, Unasked

Reconcile = Callable[[str, str], float | None]
"""Takes namespace and name; gives the seconds after which it wants to be called again."""
Key = tuple[str, str, str]
"""Resource, namespace, name."""

_EXPIRE_SECONDS = 60.0
_RETRY_SECONDS = {409: 1.0, 403: 1.0, 400: 5.0, 500: 5.0}
"""When a refused write is tried again; 400 and 500 are webhooks' words. Others stay refused."""


class Controllers:
    def __init__(self, verbs: Verbs, runtime: Runtime, folder: Path) -> None:
        """`folder` holds the keys of the authority that signs certificates."""
        self._verbs = verbs
        self._garbage = Garbage(verbs)
        self._kubelet, self._networking = Kubelet(verbs, runtime), Networking(verbs)
        self._kubelet.enqueue = self._add
        self._quotas, binder, nodes = Quotas(verbs), volumes.Binder(verbs), Nodes(verbs)
        self._registrations, self._aggregation = registration.Registrations(verbs), aggregation.Aggregation(verbs)
        self._tokens = tokens.Tokens(verbs)
        self._ranges, self._flows = addresses.Ranges(verbs), flowcontrol.FlowSchemas(verbs)
        scheduler, disruption, jobs = Scheduler(verbs), Disruption(verbs), Jobs(verbs)
        self._reconcilers: dict[str, list[Reconcile]] = {
            "pods": [
                scheduler.reconcile,
                self._kubelet.reconcile,
                disruption.pod_changed,
                binder.pod_changed,
                jobs.pod_changed,
                PodGarbage(verbs).reconcile,
            ],
            "nodes": [nodes.reconcile],
            "namespaces": [Namespaces(verbs).reconcile],
            "services": [self._networking.service, addresses.Addresses(verbs).service],
            "deployments.apps": [Deployments(verbs).reconcile],
            "replicasets.apps": [ReplicaSets(verbs).reconcile],
            "replicationcontrollers": [ReplicationControllers(verbs).reconcile],
            "statefulsets.apps": [StatefulSets(verbs).reconcile],
            "daemonsets.apps": [DaemonSets(verbs).reconcile],
            "jobs.batch": [jobs.reconcile],
            "cronjobs.batch": [CronJobs(verbs).reconcile],
            "horizontalpodautoscalers.autoscaling": [Autoscalers(verbs).reconcile],
            "poddisruptionbudgets.policy": [disruption.reconcile],
            "resourcequotas": [self._quotas.reconcile],
            addresses.RANGES: [self._ranges.reconcile],
            flow_control.SCHEMAS: [self._flows.reconcile],
            tokens.SECRETS: [self._tokens.reconcile],
            policies.KEY: [policies.Policies(verbs).reconcile],
            aggregation.KEY: [self._aggregation.reconcile],
            registration.KEY: [self._registrations.reconcile],
            registration.DEFINITIONS: [self._registrations.definition],
            signing.KEY: [signing.Signer(verbs, folder).reconcile],
            volumes.CLAIMS: [binder.claim],
            volumes.VOLUMES: [binder.volume],
            volumes.ATTRIBUTES: [binder.attributes_class],
        }
        self._waiting: set[Key] = set()
        self._queue: asyncio.Queue[Key] = asyncio.Queue()
        self._timers: dict[tuple[Key, int], asyncio.TimerHandle] = {}
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._collecting: set[asyncio.Task[None]] = set()

    def start(self) -> list[asyncio.Task[None]]:
        for resource in self._reconcilers:
            for item in self._verbs.store.select(resource):
                self._add(resource, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        news = self._verbs.store.subscribe("")
        work = (self._follow(news), self._work(), self._expire())
        return [asyncio.create_task(part) for part in work]

    async def _expire(self) -> None:
        while True:
            events.expire(self._verbs.store)
            await asyncio.sleep(_EXPIRE_SECONDS)

    async def _follow(self, news: asyncio.Queue[Change | None]) -> None:
        while True:
            change = await news.get()
            if change is None:
                news = self._verbs.store.subscribe("")
                continue
            metadata = change.object["metadata"]
            namespace = metadata.get("namespace", "")
            self._add(change.resource, namespace, metadata["name"])
            self._collect(change)
            for owner in metadata.get("ownerReferences") or ():
                self._add_owner(owner, namespace)
            self._concern(change, namespace)

    def _collect(self, change: Change) -> None:
        """What others' deletion takes with it; once more where a webhook is to be asked first."""
        try:
            self._garbage.changed(change)
        except Unasked as missing:
            task = asyncio.create_task(self._ask_and_collect(missing.question, change))
            self._collecting.add(task)
            task.add_done_callback(self._collecting.discard)
        except ApiError:
            pass

    async def _ask_and_collect(self, question: Question, change: Change) -> None:
        await self._verbs.webhooks.ask(question)
        self._collect(change)

    def _concern(self, change: Change, namespace: str) -> None:
        """Who else looks at a change."""
        store, resource = self._verbs.store, change.resource
        if change.kind == "DELETED" and namespace:
            self._add("namespaces", "", namespace)
        if resource == "pods":
            for item in (change.object, change.before):
                labels = ((item or {}).get("metadata") or {}).get("labels") or {}
                for service in self._networking.services_of(namespace, labels):
                    self._add("services", namespace, service)
            if change.kind == "DELETED" or (change.before or {}).get("status") != change.object.get("status"):
                self._wake_pending(change)
        elif resource == "nodes":
            for item in store.select("daemonsets.apps"):
                self._add("daemonsets.apps", item["metadata"]["namespace"], item["metadata"]["name"])
            self._add_pending("")
            for pod in store.select("pods") if change.kind == "DELETED" else ():
                if pod["spec"].get("nodeName") == change.object["metadata"]["name"]:
                    self._add("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        elif resource == tokens.ACCOUNTS:
            for name in self._tokens.concerned(namespace, change.object["metadata"]["name"]):
                self._add(tokens.SECRETS, namespace, name)
        elif resource == addresses.ADDRESSES:
            for name in self._ranges.concerned(change.object["metadata"]["name"]):
                self._add(addresses.RANGES, "", name)
            parent = (change.object.get("spec") or {}).get("parentRef") or {}
            if change.kind == "DELETED" and parent.get("resource") == "services":
                self._add("services", parent.get("namespace", ""), parent.get("name", ""))
        elif resource == flow_control.LEVELS:
            for name in self._flows.concerned(change.object["metadata"]["name"]):
                self._add(flow_control.SCHEMAS, "", name)
        elif resource == aggregation.KEY:
            for name in self._aggregation.aggregated():
                self._add(aggregation.KEY, "", name)
        elif resource in ("storageclasses.storage.k8s.io", volumes.CLAIMS):
            self._add_pending(namespace)
        elif resource in ("services", slices.KEY):
            service = slices.service_of(change.object) or change.object["metadata"]["name"]
            for name in self._registrations.concerned(namespace, service):
                self._add(registration.KEY, "", name)
        if change.kind != "MODIFIED" or resource == "pods":
            for quota in store.select("resourcequotas", namespace) if namespace else ():
                self._add("resourcequotas", namespace, quota["metadata"]["name"])

    def _wake_pending(self, change: Change) -> None:
        """Room that a pod leaves may let others in."""
        if change.kind == "DELETED" or is_done(change.object):
            self._add_pending("")

    def _add_pending(self, namespace: str) -> None:
        for pod in self._verbs.store.select("pods", namespace):
            if not pod["spec"].get("nodeName"):
                self._add("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _add_owner(self, owner: Object, namespace: str) -> None:
        resource = self._verbs.catalog.by_kind(owner["apiVersion"], owner["kind"])
        if resource is not None:
            self._add(resource.key, namespace if resource.namespaced else "", owner["name"])

    def _add(self, resource: str, namespace: str, name: str) -> None:
        key = (resource, namespace, name)
        if resource in self._reconcilers and key not in self._waiting:
            self._waiting.add(key)
            self._queue.put_nowait(key)

    async def _work(self) -> None:
        while True:
            key = await self._queue.get()
            self._waiting.discard(key)
            if key in self._asking:
                continue  # comes back with the answer
            for index, reconcile in enumerate(self._reconcilers[key[0]]):
                try:
                    again = self._one(reconcile, key)
                except Unasked as missing:
                    self._asking[key] = asyncio.create_task(self._ask(missing.question, key))
                    break
                if again is not None:
                    self._later((key, index), again)
            await asyncio.sleep(0)

    async def _ask(self, question: Question, key: Key) -> None:
        """Asks a webhook about what a reconciler wanted to make, which then comes again."""
        await self._verbs.webhooks.ask(question)
        del self._asking[key]
        self._add(*key)

    @staticmethod
    def _one(reconcile: Reconcile, key: Key) -> float | None:
        try:
            return reconcile(key[1], key[2])
        except Unasked:
            raise
        except ApiError as error:
            return _RETRY_SECONDS.get(error.code)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return None

    def _later(self, key: tuple[Key, int], seconds: float) -> None:
        """One timer a reconciler and object: the latest wish counts."""
        old = self._timers.pop(key, None)
        if old is not None:
            old.cancel()

        def fire() -> None:
            self._timers.pop(key, None)
            self._add(*key[0])

        self._timers[key] = asyncio.get_running_loop().call_later(seconds, fire)

"""The scheduler and the kubelet, simulated: pods get a node, start, crash, complete and end."""

from __future__ import annotations

import copy
import time
from typing import Any

from kubetrace.playground.events import Recorder
from kubetrace.playground.fresh import NODE
from kubetrace.playground.objects import Object, now
from kubetrace.playground.simulation import exit_code, is_broken
from kubetrace.playground.verbs import Verbs

START_SECONDS = 0.7
STOP_SECONDS = 0.4
RUN_SECONDS = 1.0
BACKOFF_SECONDS = 10.0


class Kubelet:
    def __init__(self, verbs: Verbs) -> None:
        self._store = verbs.store
        self._events = Recorder(verbs.store)
        self._due: dict[str, float] = {}

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod = self._store.get("pods", namespace, name)
        if pod is None:
            return None
        if pod["metadata"].get("deletionTimestamp"):
            return self._stop(pod)
        if not pod["spec"].get("nodeName"):
            return self._schedule(pod)
        if pod["spec"]["nodeName"] != NODE and self._store.get("nodes", "", pod["spec"]["nodeName"]) is None:
            return None
        return self._run(pod)

    def _later(self, pod: Object, step: str, seconds: float) -> float | None:
        """None when that step of the pod is due, else how long to wait; counts from the first call."""
        key = f"{pod['metadata']['uid']}/{step}"
        due = self._due.setdefault(key, time.monotonic() + seconds)
        left = due - time.monotonic()
        if left > 0:
            return left + 0.01
        del self._due[key]
        return None

    def _schedule(self, pod: Object) -> float | None:
        nodes = [node for node in self._store.select("nodes") if _accepts(node, pod)]
        metadata, fresh = pod["metadata"], copy.deepcopy(pod)
        conditions = fresh["status"].setdefault("conditions", [])
        if not nodes:
            if not conditions:
                told = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
                conditions.append(_condition("PodScheduled", "False") | {"reason": "Unschedulable", "message": told})
                self._events.warn("Pod", metadata, "FailedScheduling", told, "default-scheduler")
                self._store.put("pods", fresh)
            return 5.0
        node = nodes[0]["metadata"]["name"]
        fresh["spec"]["nodeName"] = node
        fresh["status"]["conditions"] = [_condition("PodScheduled", "True")]
        self._store.put("pods", fresh)
        told = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
        self._events.tell("Pod", metadata, "Scheduled", told, "default-scheduler")
        return None

    def _run(self, pod: Object) -> float | None:
        status = pod.get("status") or {}
        if status.get("phase") in ("Succeeded", "Failed"):
            return None
        if not status.get("containerStatuses"):
            self._put_status(pod, self._creating(pod))
            return None
        states = [entry["state"] for entry in status["containerStatuses"]]
        if any((state.get("waiting") or {}).get("reason") == "ContainerCreating" for state in states):
            wait = self._later(pod, "start", START_SECONDS)
            if wait is not None:
                return wait
            self._put_status(pod, self._started(pod))
            return None
        return self._ended(pod)

    def _put_status(self, pod: Object, status: Object) -> None:
        if status != pod.get("status"):
            self._store.put("pods", copy.deepcopy(pod) | {"status": status})

    def _creating(self, pod: Object) -> Object:
        status: Object = copy.deepcopy(pod["status"]) | {"phase": "Pending", "hostIP": "127.0.0.1", "startTime": now()}
        status["hostIPs"] = [{"ip": "127.0.0.1"}]
        status["containerStatuses"] = [
            _container_status(container, {"waiting": {"reason": "ContainerCreating"}}, ready=False, started=False)
            for container in pod["spec"]["containers"]
        ]
        status["conditions"] = _conditions(pod, ready=False, initialized=True)
        return status

    def _started(self, pod: Object) -> Object:
        status: Object = copy.deepcopy(pod["status"])
        status["podIP"] = status.get("podIP") or self._address()
        status["podIPs"] = [{"ip": status["podIP"]}]
        entries, metadata = [], pod["metadata"]
        for container in pod["spec"]["containers"]:
            image, name = container.get("image", ""), container["name"]
            if is_broken(image):
                told = f'Back-off pulling image "{image}": ErrImagePull: failed to pull image "{image}": not found'
                self._events.warn("Pod", metadata, "Failed", f'Failed to pull image "{image}": not found', "kubelet")
                waiting = {"waiting": {"reason": "ImagePullBackOff", "message": told}}
                entries.append(_container_status(container, waiting, ready=False, started=False))
                continue
            self._events.tell(
                "Pod", metadata, "Pulled", f'Container image "{image}" already present on machine', "kubelet"
            )
            self._events.tell("Pod", metadata, "Created", f"Container created: {name}", "kubelet")
            self._events.tell("Pod", metadata, "Started", f"Container started: {name}", "kubelet")
            entries.append(_container_status(container, {"running": {"startedAt": now()}}, ready=True, started=True))
        status["containerStatuses"] = entries
        ready = all(entry["ready"] for entry in entries)
        status["phase"] = "Running" if any(entry["ready"] for entry in entries) else "Pending"
        status["conditions"] = _conditions(pod, ready, initialized=True)
        return status

    def _address(self) -> str:
        number = int(self._store.fact("last pod address") or 1) % 60000 + 1
        address = f"10.244.{number // 250}.{number % 250 + 2}"
        self._store.remember("last pod address", str(number))
        return address

    def _ended(self, pod: Object) -> float | None:
        """Containers whose command comes to an end: completed, failed, or restarted with a growing pause."""
        codes = {container["name"]: exit_code(container) for container in pod["spec"]["containers"]}
        status = pod["status"]
        if all(code is None for code in codes.values()):
            return None
        running = [e for e in status["containerStatuses"] if "running" in e["state"] and codes[e["name"]] is not None]
        if running:
            wait = self._later(pod, "run", RUN_SECONDS)
            if wait is not None:
                return wait
            self._put_status(pod, self._finish(pod, codes))
            return None
        waiting = [
            e
            for e in status["containerStatuses"]
            if (e["state"].get("waiting") or {}).get("reason") == "CrashLoopBackOff"
        ]
        if not waiting:
            return None
        restarts = max(entry["restartCount"] for entry in waiting)
        wait = self._later(pod, f"restart{restarts}", min(BACKOFF_SECONDS * 2 ** (restarts - 1), 300))
        if wait is not None:
            return wait
        self._put_status(pod, self._restarted(pod, [entry["name"] for entry in waiting]))
        return None

    def _finish(self, pod: Object, codes: dict[str, int | None]) -> Object:
        status: Object = copy.deepcopy(pod["status"])
        policy = pod["spec"].get("restartPolicy", "Always")
        for entry in status["containerStatuses"]:
            code = codes[entry["name"]]
            if code is None or "running" not in entry["state"]:
                continue
            ended = {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "startedAt": entry["state"]["running"]["startedAt"],
                "finishedAt": now(),
                "containerID": entry.get("containerID", ""),
            }
            entry |= {"ready": False, "started": False}
            if policy == "Always" or (policy == "OnFailure" and code):
                self._crash(pod, entry, ended)
            else:
                entry["state"] = {"terminated": ended}
        states = [entry["state"].get("terminated") for entry in status["containerStatuses"]]
        if all(state is not None for state in states):
            failed = any(state["exitCode"] for state in states if state)
            status["phase"] = "Failed" if failed else "Succeeded"
        status["conditions"] = _conditions(pod, ready=False, initialized=True, reason=_reason(status["phase"]))
        return status

    def _crash(self, pod: Object, entry: Object, ended: Object) -> None:
        metadata, name = pod["metadata"], entry["name"]
        where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        entry["restartCount"] += 1
        pause = min(int(BACKOFF_SECONDS * 2 ** (entry["restartCount"] - 1)), 300)
        text = f"{pause // 60}m{pause % 60}s" if pause >= 60 else f"{pause}s"
        told = f"back-off {text} restarting failed container={name} pod={where}"
        entry["lastState"] = {"terminated": ended}
        entry["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": told}}
        self._events.warn(
            "Pod", metadata, "BackOff", f"Back-off restarting failed container {name} in pod {where}", "kubelet"
        )

    def _restarted(self, pod: Object, names: list[str]) -> Object:
        status: Object = copy.deepcopy(pod["status"])
        for entry in status["containerStatuses"]:
            if entry["name"] in names:
                entry |= {"state": {"running": {"startedAt": now()}}, "ready": True, "started": True}
        status["conditions"] = _conditions(pod, all(e["ready"] for e in status["containerStatuses"]), initialized=True)
        return status

    def _stop(self, pod: Object) -> float | None:
        metadata = pod["metadata"]
        wait = self._later(pod, "stop", STOP_SECONDS)
        if wait is not None and metadata.get("deletionGracePeriodSeconds"):
            return wait
        if metadata.get("finalizers"):
            if metadata.get("deletionGracePeriodSeconds"):
                fresh = copy.deepcopy(pod)
                fresh["metadata"]["deletionGracePeriodSeconds"] = 0
                self._store.put("pods", fresh)
            return None
        for container in pod["spec"]["containers"]:
            self._events.tell("Pod", metadata, "Killing", f"Stopping container {container['name']}", "kubelet")
        self._store.remove("pods", pod)
        return None


def _accepts(node: Object, pod: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    if (node.get("spec") or {}).get("unschedulable"):
        return False
    return all(labels.get(key) == value for key, value in (pod["spec"].get("nodeSelector") or {}).items())


def _condition(kind: str, status: str) -> Object:
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": now()}


def _reason(phase: str) -> str:
    return {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "ContainersNotReady")


def _conditions(pod: Object, ready: bool, initialized: bool, reason: str = "ContainersNotReady") -> list[Object]:
    before = {entry["type"]: entry for entry in (pod.get("status") or {}).get("conditions") or ()}
    names = " ".join(container["name"] for container in pod["spec"]["containers"])
    generation = pod["metadata"].get("generation", 1)
    wanted = {
        "PodReadyToStartContainers": ready,
        "Initialized": initialized,
        "Ready": ready,
        "ContainersReady": ready,
        "PodScheduled": True,
    }
    result = []
    for kind, good in wanted.items():
        entry = _condition(kind, "True" if good else "False") | {"observedGeneration": generation}
        if not good and kind in ("Ready", "ContainersReady"):
            entry["reason"] = reason
            if reason == "ContainersNotReady":
                entry["message"] = f"containers with unready status: [{names}]"
        old = before.get(kind)
        if old is not None and old["status"] == entry["status"]:
            entry["lastTransitionTime"] = old["lastTransitionTime"]
        result.append(entry)
    return result


def _container_status(container: Object, state: Object, ready: bool, started: bool) -> Object:
    import hashlib

    image = container.get("image", "")
    digest = hashlib.sha256(image.encode()).hexdigest()
    entry: dict[str, Any] = {
        "name": container["name"],
        "state": state,
        "lastState": {},
        "ready": ready,
        "restartCount": 0,
        "image": image,
        "imageID": f"simulated://{image}@sha256:{digest}" if started else "",
        "started": started,
    }
    if started:
        entry["containerID"] = f"simulated://{hashlib.sha256(f'{container}{now()}'.encode()).hexdigest()}"
    return entry

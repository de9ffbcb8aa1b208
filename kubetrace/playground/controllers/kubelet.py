"""The kubelet, simulated: pods that have a node are started, probed, restarted and ended."""

from __future__ import annotations

import asyncio
import contextlib
import copy

from kubetrace.playground.containers.container import Container, StartFailure
from kubetrace.playground.containers.environment import ConfigFailure
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.containers.volumes import MountFailure
from kubetrace.playground.controllers.base import Controller, Enqueue, age_of
from kubetrace.playground.controllers.podstatus import (
    GROUPS,
    conditions,
    exit_of,
    fresh_status,
    initialized,
    is_sidecar,
    part_of,
    phase,
    restarts,
    started_status,
    terminated,
    waiting,
)
from kubetrace.playground.controllers.probes import Probes
from kubetrace.playground.controllers.pulls import Pulls
from kubetrace.playground.controllers.worker import (
    BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    RESTART_SECONDS,
    Worker,
)
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pods import is_done
from kubetrace.playground.verbs import Verbs

START_SECONDS = 0.7
STOP_SECONDS = 0.4
_RETRY_SECONDS = 2.0
_LOST = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}


class Kubelet(Controller):
    component = "kubelet"
    asks = False

    def __init__(self, verbs: Verbs, runtime: Runtime) -> None:
        super().__init__(verbs)
        self._runtime = runtime
        self._workers: dict[str, Worker] = {}
        self._uids: dict[tuple[str, str], str] = {}
        self._pulls = Pulls(self._tell)
        self.enqueue: Enqueue = lambda resource, namespace, name: None

    def reconcile(self, namespace: str, name: str) -> float | None:
        pod = self.store.get("pods", namespace, name)
        known = self._uids.get((namespace, name))
        if known is not None and (pod is None or pod["metadata"]["uid"] != known):
            self._forget(namespace, name, known)
        if pod is None or not pod["spec"].get("nodeName"):
            return self._unplaced(pod)
        if self.store.get("nodes", "", pod["spec"]["nodeName"]) is None:
            return None
        self._uids[(namespace, name)] = pod["metadata"]["uid"]
        worker = self._workers.setdefault(pod["metadata"]["uid"], Worker())
        worker.wakes = []
        if pod["metadata"].get("deletionTimestamp"):
            return self._stop(pod, worker)
        if is_done(pod):
            return None
        self._sync(pod, worker)
        return min(worker.wakes, default=None)

    def _unplaced(self, pod: Object | None) -> float | None:
        """A pod that is deleted before it had a node is gone at once."""
        if pod is not None and pod["metadata"].get("deletionTimestamp") and not pod["metadata"].get("finalizers"):
            self.store.remove("pods", pod)
        return None

    def _forget(self, namespace: str, name: str, uid: str) -> None:
        del self._uids[(namespace, name)]
        worker = self._workers.pop(uid, None)
        if worker is not None:
            for probes in worker.probes.values():
                probes.stop()
            for hook in worker.hooks.values():
                hook.cancel()
        self._runtime.forget(uid)

    def _tell(self, pod: Object, reason: str, text: str, field: str = "", bad: bool = False) -> None:
        tell = self.events.warning if bad else self.events.normal
        tell(pod, reason, text, field, pod["spec"]["nodeName"])

    def _sync(self, pod: Object, worker: Worker) -> None:
        status: Object = copy.deepcopy(pod.get("status") or {})
        before = copy.deepcopy(status)
        node = self.store.get("nodes", "", pod["spec"]["nodeName"]) or {}
        addresses = (node.get("status") or {}).get("addresses") or ()
        host = next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), "")
        status |= {"hostIP": host, "hostIPs": [{"ip": host}]} if host else {}
        status.setdefault("startTime", now())
        if self._expired(pod, status):
            self._fail(pod, status, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        elif self._sandbox(pod, status, worker):
            pod = pod | {"status": status}
            self._run(pod, status, worker)
        self._summarize(pod, status)
        if status != before:
            self.put_status("pods", pod, status)

    def _summarize(self, pod: Object, status: Object) -> None:
        entries = {e["name"]: e for e in status.get("containerStatuses") or ()}
        init = {e["name"]: e for e in status.get("initContainerStatuses") or ()}
        if status.get("phase") != "Failed" or not status.get("reason"):
            status["phase"] = phase(pod, entries, init)
        status["observedGeneration"] = pod["metadata"].get("generation", 1)
        status["conditions"] = conditions(pod, status, sandbox=bool(status.get("podIP")))
        if status["phase"] in ("Succeeded", "Failed"):
            for container in self._runtime.of(pod):
                container.stop(143)

    def _expired(self, pod: Object, status: Object) -> bool:
        limit = pod["spec"].get("activeDeadlineSeconds")
        if limit is None:
            return False
        left = limit - age_of(status["startTime"])
        if left > 0:
            self._workers[pod["metadata"]["uid"]].wakes.append(left + 0.1)
        return bool(left <= 0)

    def _fail(self, pod: Object, status: Object, reason: str, message: str) -> None:
        status |= {"phase": "Failed", "reason": reason, "message": message}
        for container in self._runtime.of(pod):
            container.stop(137)
        for group in GROUPS.values():
            for entry in status.get(group) or ():
                running = entry["state"].get("running")
                if running:
                    entry["state"] = terminated(137, running["startedAt"], now(), entry.get("containerID", ""))
                    entry |= {"ready": False, "started": False}

    def _sandbox(self, pod: Object, status: Object, worker: Worker) -> bool:
        """Volumes and an address; False while the pod still waits for them."""
        if status.get("podIP"):
            return True
        reason = "PodInitializing" if pod["spec"].get("initContainers") else "ContainerCreating"
        for part, group in GROUPS.items():
            found = {entry["name"]: entry for entry in status.get(group) or ()}
            specs = pod["spec"].get(part) or ()
            entries = [found.get(container["name"]) or fresh_status(container, reason) for container in specs]
            if entries:
                status[group] = entries
        try:
            self._runtime.volumes.check(pod)
        except MountFailure as failure:
            if not worker.wait("mount", 0.0 if worker.once(str(failure)) else 8.0):
                self._tell(pod, "FailedMount", str(failure), bad=True)
            worker.wakes.append(_RETRY_SECONDS)
            return False
        if worker.wait("sandbox", START_SECONDS):
            return False
        status["podIP"] = (pod["spec"].get("hostNetwork") and status.get("hostIP")) or self._address(pod)
        status["podIPs"] = [{"ip": status["podIP"]}]
        return True

    def _address(self, pod: Object) -> str:
        """From the node's range of pod addresses."""
        node = self.store.get("nodes", "", pod["spec"]["nodeName"]) or {"spec": {}}
        start = (node["spec"].get("podCIDR") or "10.244.0.0/24").rpartition(".")[0]
        taken = {(other.get("status") or {}).get("podIP") for other in self.store.select("pods")}
        last = int(self.store.fact(f"last pod address {start}") or 1)
        for step in range(1, 254):
            number = (last + step - 2) % 253 + 2
            address = f"{start}.{number}"
            if address not in taken:
                self.store.remember(f"last pod address {start}", str(number))
                return address
        return f"{start}.254"

    def _run(self, pod: Object, status: Object, worker: Worker) -> None:
        spec = pod["spec"]
        init = {entry["name"]: entry for entry in status.get("initContainerStatuses") or ()}
        for container in spec.get("initContainers") or ():
            entry = init[container["name"]]
            self._step(pod, container, entry, worker, init=True)
            done = entry.get("started") if is_sidecar(container) else exit_of(entry) == 0
            if not done and not initialized(pod, init):
                return
        entries = status.setdefault("containerStatuses", [])
        known = {entry["name"]: entry for entry in entries}
        for container in spec["containers"]:
            if container["name"] not in known:
                known[container["name"]] = fresh_status(container, "ContainerCreating")
                entries.append(known[container["name"]])
            self._step(pod, container, known[container["name"]], worker, init=False)
        extra = status.get("ephemeralContainerStatuses") or []
        known = {entry["name"]: entry for entry in extra}
        for container in spec.get("ephemeralContainers") or ():
            if container["name"] not in known:
                known[container["name"]] = fresh_status(container, "ContainerCreating")
                extra.append(known[container["name"]])
            self._step(pod, container, known[container["name"]], worker, init=False, once=True)
        if extra:
            status["ephemeralContainerStatuses"] = extra

    def _step(
        self, pod: Object, container: Object, entry: Object, worker: Worker, init: bool, once: bool = False
    ) -> None:
        """Brings one container's entry up to what is, and starts what is due."""
        name = container["name"]
        if "running" in entry["state"] and not self._running(pod, container, entry, worker, init):
            return
        if "running" in entry["state"]:
            return
        code = exit_of(entry)
        if code is None:
            self._begin(pod, container, entry, worker, init)
            return
        if once or not restarts(pod, container, code, init):
            return
        ended = entry["state"].get("terminated") or entry["lastState"]["terminated"]
        count = entry["restartCount"]
        if "terminated" in entry["state"] and count == 0:
            if worker.wait(f"restart {name}", RESTART_SECONDS):
                return
        elif count:
            pause = min(BACKOFF_SECONDS * 2 ** (count - 1), MAX_BACKOFF_SECONDS)
            left = pause - age_of(ended["finishedAt"])
            if left > 0:
                self._back_off(pod, container, entry, ended, pause)
                worker.wakes.append(min(left + 0.05, BACKOFF_SECONDS))
                return
        entry["lastState"] = {"terminated": ended}
        entry["restartCount"] = count + 1
        self._begin(pod, container, entry, worker, init)
        if "waiting" in entry["state"] and entry["restartCount"] == count + 1:
            entry["restartCount"] = count

    def _running(self, pod: Object, container: Object, entry: Object, worker: Worker, init: bool) -> bool:
        """Looks at a run that was going on; True where it is over (or was lost with an earlier playground)."""
        name = container["name"]
        found = self._runtime.find(pod, name)
        if found is None:
            self._resume(pod, container, entry, worker)
            return False
        if found.exit_code is not None:
            message = found.message
            entry["state"] = terminated(found.exit_code, found.started_at, found.finished_at, found.id, message)
            entry |= {"ready": False, "started": False}
            if init and not is_sidecar(container) and found.exit_code == 0:
                entry["ready"] = True
            self._end_probes(worker, name)
            return True
        probes = worker.probes.get(name)
        plain_init = init and not is_sidecar(container)
        hooked = name in worker.hooks and not worker.hooks[name].done()
        entry["started"] = not plain_init and (probes is None or probes.started) and not hooked
        entry["ready"] = not plain_init and (probes is None or probes.ready) and not hooked
        return False

    def _end_probes(self, worker: Worker, name: str) -> None:
        probes = worker.probes.pop(name, None)
        if probes is not None:
            probes.stop()

    def _resume(self, pod: Object, container: Object, entry: Object, worker: Worker) -> None:
        """A container that ran under an earlier process of the playground goes on, with new files."""
        try:
            made = self._runtime.make(pod, container)
            made.id, made.started_at = entry.get("containerID", made.id), entry["state"]["running"]["startedAt"]
            self._launch(pod, container, made, worker)
        except (ConfigFailure, MountFailure, StartFailure):
            entry["state"] = terminated(137, entry["state"]["running"]["startedAt"], now(), entry["containerID"])
            entry |= {"ready": False, "started": False}

    def _back_off(self, pod: Object, container: Object, entry: Object, ended: Object, pause: float) -> None:
        metadata, name = pod["metadata"], container["name"]
        where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        seconds = int(pause)
        text = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
        told = f"back-off {text} restarting failed container={name} pod={where}"
        entry["lastState"], entry["state"] = {"terminated": ended}, waiting("CrashLoopBackOff", told)
        told = f"Back-off restarting failed container {name} in pod {where}"
        self._tell(pod, "BackOff", told, part_of(pod, name), bad=True)

    def _begin(self, pod: Object, container: Object, entry: Object, worker: Worker, init: bool) -> None:
        """Pulls, creates and starts; what hinders it is told in the entry's state."""
        if not self._pulls.pull(pod, container, entry, worker):
            return
        place = part_of(pod, container["name"])
        try:
            made = self._runtime.make(pod, container)
        except ConfigFailure as failure:
            entry["state"] = waiting("CreateContainerConfigError", str(failure))
            self._tell(pod, "Failed", f"Error: {failure}", place, bad=True)
            worker.wakes.append(_RETRY_SECONDS)
            return
        except MountFailure as failure:
            self._tell(pod, "FailedMount", str(failure), bad=True)
            worker.wakes.append(_RETRY_SECONDS)
            return
        self._tell(pod, "Created", "Container created", place)
        try:
            self._launch(pod, container, made, worker)
        except StartFailure as failure:
            told = (
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create "
            )
            told += "failed: unable to start container process: error during container init: "
            told += f'exec: "{failure}": executable file not found in $PATH'
            self._tell(pod, "Failed", f"Error: {told}", place, bad=True)
            entry.update(started_status(entry, container, made.id, now()))
            entry["state"] = terminated(128, "1970-01-01T00:00:00Z", now(), made.id, told)
            entry["state"]["terminated"]["reason"] = "StartError"
            worker.wakes.append(RESTART_SECONDS)
            return
        self._tell(pod, "Started", "Container started", place)
        entry.update(started_status(entry, container, made.id, made.started_at))
        self._running(pod, container, entry, worker, init)

    def _launch(self, pod: Object, container: Object, made: Container, worker: Worker) -> None:
        metadata, name = pod["metadata"], container["name"]

        def changed() -> None:
            self.enqueue("pods", metadata["namespace"], metadata["name"])

        self._runtime.start(made, changed)
        self._end_probes(worker, name)
        if any(part in container for part in ("startupProbe", "readinessProbe", "livenessProbe")):
            worker.probes[name] = Probes(self._runtime, self.store, self.events, made, changed)
        hook = ((container.get("lifecycle") or {}).get("postStart") or {}).get("exec")
        if hook:
            worker.hooks[name] = asyncio.create_task(self._post_start(pod, made, hook))

    async def _post_start(self, pod: Object, made: Container, hook: Object) -> None:
        code, _ = await made.check(hook.get("command") or ["true"], 3600.0)
        name = made.spec["name"]
        if code and made.running:
            self._tell(pod, "FailedPostStartHook", "PostStartHook failed", part_of(pod, name), bad=True)
            made.stop(137)
        self.enqueue("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])

    def _stop(self, pod: Object, worker: Worker) -> float | None:
        metadata, grace = pod["metadata"], pod["metadata"].get("deletionGracePeriodSeconds") or 0
        running = [container for container in self._runtime.of(pod) if container.running]
        if worker.once("stopping"):
            for container in running:
                name = container.spec["name"]
                self._end_probes(worker, name)
                self._tell(pod, "Killing", f"Stopping container {name}", part_of(pod, name))
                hook = ((container.spec.get("lifecycle") or {}).get("preStop")) or {}
                if hook and grace:
                    worker.hooks[f"stop {name}"] = asyncio.create_task(self._pre_stop(pod, container, hook, grace))
        hooks = [task for name, task in worker.hooks.items() if name.startswith("stop ") and not task.done()]
        if grace and hooks:
            return min(worker.wakes, default=0.2)
        busy = [container for container in running if container.terminate()]
        if grace and (
            (busy and worker.wait("grace", float(grace))) or worker.wait("stop", min(STOP_SECONDS, float(grace)))
        ):
            return min(worker.wakes, default=0.2)
        self._end_containers(pod)
        if metadata.get("finalizers"):
            if grace:
                fresh = self.store.get("pods", metadata["namespace"], metadata["name"]) or pod
                fresh["metadata"]["deletionGracePeriodSeconds"] = 0
                self.store.put("pods", fresh)
            return None
        self.store.remove("pods", self.store.get("pods", metadata["namespace"], metadata["name"]) or pod)
        return None

    def _end_containers(self, pod: Object) -> None:
        """The last status: everything has ended."""
        status: Object = copy.deepcopy(pod.get("status") or {})
        for group in GROUPS.values():
            for entry in status.get(group) or ():
                state = entry["state"].get("running")
                if not state:
                    if "waiting" in entry["state"]:
                        entry["state"] = {"terminated": dict((entry.get("lastState") or {}).get("terminated") or _LOST)}
                    continue
                found = self._runtime.find(pod, entry["name"])
                code = 0 if found is None or not found.words() else 137
                if found is not None:
                    code = code if found.exit_code is None else found.exit_code
                    found.stop(code)
                entry["state"] = terminated(code, state["startedAt"], now(), entry.get("containerID", ""))
                entry |= {"ready": False, "started": False}
        if status == pod.get("status"):
            return
        ended = [entry["state"].get("terminated") or _LOST for entry in status.get("containerStatuses") or ()]
        good = bool(ended) and not any(state["exitCode"] for state in ended)
        status["phase"] = "Succeeded" if good else "Failed"
        status["conditions"] = conditions(pod, status, sandbox=bool(status.get("podIP")))
        self.put_status("pods", pod, status)

    async def _pre_stop(self, pod: Object, container: Container, hook: Object, grace: int) -> None:
        with contextlib.suppress(TimeoutError):
            if "sleep" in hook:
                await asyncio.sleep(min(grace, hook["sleep"].get("seconds", 0)))
            elif "exec" in hook:
                code, _ = await container.check(hook["exec"].get("command") or ["true"], grace)
                if code:
                    name = container.spec["name"]
                    self._tell(pod, "FailedPreStopHook", "PreStopHook failed", part_of(pod, name), bad=True)
        self.enqueue("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])

"""Jobs: pods until enough of them have succeeded (pkg/controller/job)."""

from __future__ import annotations

import copy
import re

from kubetrace.playground.controllers.base import Controller, age_of, controller_of, is_active
from kubetrace.playground.objects import LONGEST_PREFIX, Object, now
from kubetrace.playground.pods import is_done, is_ready

_MANAGED_BY = "kubernetes.io/job-controller"
KEY = "jobs.batch"
_INDEX = "batch.kubernetes.io/job-completion-index"
_INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
_TRACKING = "batch.kubernetes.io/job-tracking"
_BACKOFF_SECONDS, _MAX_BACKOFF_SECONDS = 10.0, 600.0


def finished(item: Object) -> str:
    """ "Complete", "Failed", or "" while it goes on."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((c["type"] for c in conditions if c["type"] in ("Complete", "Failed") and c["status"] == "True"), "")


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _ended(pod: Object) -> str:
    """When a pod's last container ended."""
    entries = (pod.get("status") or {}).get("containerStatuses") or ()
    times = [e["state"]["terminated"]["finishedAt"] for e in entries if "terminated" in e["state"]]
    return str(max(times, default=pod["metadata"]["creationTimestamp"]))


class Jobs(Controller):
    component = "job-controller"
    asks = False

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(KEY, namespace, name)
        if item is None or item["spec"].get("managedBy", _MANAGED_BY) != _MANAGED_BY:
            return None
        if finished(item):
            return self._expire(item)
        pods = self.claimed_pods(item)
        status: Object = copy.deepcopy(item.get("status") or {})
        if item["spec"].get("suspend"):
            return self._suspend(item, status, pods)
        if _condition(status, "Suspended") == "True":
            self._set(status, "Suspended", "JobResumed", "Job resumed", "False")
            status["startTime"] = now()
            self.events.normal(item, "Resumed", "Job resumed")
        status.setdefault("startTime", now())
        again = self._advance(item, status, pods)
        self.put_status(KEY, item, status)
        return again

    def _advance(self, item: Object, status: Object, pods: list[Object]) -> float | None:
        spec = item["spec"]
        failing = next((c for c in status.get("conditions") or () if c["type"] == "FailureTarget"), None)
        self._track(item, status, pods)
        succeeded = status.get("succeeded", 0)
        wanted = spec.get("completions")
        verdict = (failing["reason"], failing["message"]) if failing else self._failure(item, status, pods)
        active = [pod for pod in pods if is_active(pod)]
        done = succeeded >= wanted if wanted is not None else bool(succeeded) and not active
        if verdict is not None:
            return self._fail(item, status, pods, verdict)
        if done:
            for pod in active:
                self.delete_pod(item, pod)
            self._complete(item, status)
            return 0.0 if "ttlSecondsAfterFinished" in spec else None
        again = self._fill(item, status, pods, succeeded)
        self._count(item, status)
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None:
            left = max(0.1, deadline - age_of(status["startTime"]) + 0.1)
            again = left if again is None else min(again, left)
        return again

    def _track(self, item: Object, status: Object, pods: list[Object]) -> None:
        """Counts each pod that has ended once, and lets it go (the finalizer says that it was not counted yet)."""
        done = _indexes(status.get("completedIndexes", ""))
        for pod in pods:
            finalizers = pod["metadata"].get("finalizers") or []
            if _TRACKING not in finalizers:
                continue
            phase = _phase(pod)
            lost = pod["metadata"].get("deletionTimestamp") and not pod["spec"].get("nodeName")
            if not is_done(pod) and not lost:
                continue
            if phase == "Succeeded":
                done |= {_index(pod)} - {""}
                status["succeeded"] = status.get("succeeded", 0) + 1
            elif self._policy(item, pod) != "Ignore":
                status["failed"] = status.get("failed", 0) + 1
            self._release(pod)
        if item["spec"].get("completionMode") == "Indexed" and done:
            status["completedIndexes"] = _ranges(sorted(map(int, done)))
            status["succeeded"] = len(done)

    def _release(self, pod: Object) -> None:
        metadata = pod["metadata"]
        metadata["finalizers"] = [entry for entry in metadata["finalizers"] if entry != _TRACKING]
        if metadata["finalizers"]:
            self.store.put("pods", pod)
            return
        del metadata["finalizers"]
        if metadata.get("deletionTimestamp") and not metadata.get("deletionGracePeriodSeconds"):
            self.store.remove("pods", pod)
        else:
            self.store.put("pods", pod)

    def pod_changed(self, namespace: str, name: str) -> float | None:
        """A pod whose Job is gone, or going, is nobody's to count."""
        pod = self.store.get("pods", namespace, name)
        if pod is None or _TRACKING not in (pod["metadata"].get("finalizers") or ()):
            return None
        owner = controller_of(pod)
        job = owner and self.store.get(KEY, namespace, owner["name"])
        if not job or job["metadata"]["uid"] != (owner or {})["uid"] or job["metadata"].get("deletionTimestamp"):
            self._release(pod)
        return None

    def _failures(self, item: Object, pods: list[Object]) -> list[Object]:
        """The failed pods that count, by the pod failure policy."""
        return [pod for pod in pods if _phase(pod) == "Failed" and self._policy(item, pod) != "Ignore"]

    @staticmethod
    def _policy(item: Object, pod: Object) -> str:
        """The action of the first rule that a failed pod meets ("Count" for none)."""
        for rule in (item["spec"].get("podFailurePolicy") or {}).get("rules") or ():
            codes = rule.get("onExitCodes")
            entries = (pod.get("status") or {}).get("containerStatuses") or ()
            for entry in entries if codes else ():
                ended = entry["state"].get("terminated")
                if ended is None or codes.get("containerName", entry["name"]) != entry["name"] or not ended["exitCode"]:
                    continue
                if (ended["exitCode"] in codes.get("values", ())) == (codes.get("operator") == "In"):
                    return str(rule["action"])
            for pattern in rule.get("onPodConditions") or ():
                for condition in (pod.get("status") or {}).get("conditions") or ():
                    if (condition["type"], condition["status"]) == (pattern["type"], pattern.get("status", "True")):
                        return str(rule["action"])
        return "Count"

    def _failure(self, item: Object, status: Object, pods: list[Object]) -> tuple[str, str] | None:
        spec = item["spec"]
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None and age_of(status["startTime"]) >= deadline:
            return "DeadlineExceeded", "Job was active longer than specified deadline"
        for pod in pods:
            if _phase(pod) == "Failed" and self._policy(item, pod) == "FailJob":
                name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                return "PodFailurePolicy", f"Pod {name} matching FailJob rule of the pod failure policy"
        failures = status.get("failed", 0)
        if spec["template"]["spec"].get("restartPolicy") == "OnFailure":
            counts = [e["restartCount"] for p in pods for e in (p.get("status") or {}).get("containerStatuses") or ()]
            failures += sum(counts)
        if failures > spec.get("backoffLimit", 6):
            return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        return None

    def _fail(self, item: Object, status: Object, pods: list[Object], verdict: tuple[str, str]) -> float | None:
        self._set(status, "FailureTarget", *verdict)
        for pod in pods:
            if is_active(pod):
                self.delete_pod(item, pod)
        self._count(item, status)
        if any(not is_done(pod) for pod in self.owned("pods", item)):
            return 0.3
        self._track(item, status, self.owned("pods", item))
        self._count(item, status)
        self._set(status, "Failed", *verdict)
        self.events.warning(item, *verdict)
        return 0.0 if "ttlSecondsAfterFinished" in item["spec"] else None

    def _complete(self, item: Object, status: Object) -> None:
        told = "Reached expected number of succeeded pods"
        self._count(item, status)
        self._set(status, "SuccessCriteriaMet", "CompletionsReached", told)
        self._set(status, "Complete", "CompletionsReached", told)
        status.pop("active", None)
        status["completionTime"] = now()
        self.events.normal(item, "Completed", "Job completed")

    def _fill(self, item: Object, status: Object, pods: list[Object], succeeded: int) -> float | None:
        """Makes the pods that are missing; the answer is when to come again."""
        spec = item["spec"]
        active = [pod for pod in pods if is_active(pod)]
        wanted, parallelism = spec.get("completions"), spec.get("parallelism", 1)
        limit = parallelism if wanted is None else min(parallelism, wanted - succeeded)
        if wanted is None and succeeded:
            limit = len(active)  # a work queue: after a first success no pod is added
        if len(active) > limit:
            for pod in sorted(active, key=is_ready)[: len(active) - limit]:
                self.delete_pod(item, pod)
            return None
        if spec.get("podReplacementPolicy") == "Failed":
            active += [p for p in pods if p["metadata"].get("deletionTimestamp") and not is_done(p)]
        missing = limit - len(active)
        if missing <= 0:
            return None
        pause = self._pause(item, pods)
        if pause > 0:
            return pause
        if spec.get("completionMode") == "Indexed":
            taken = _indexes(status.get("completedIndexes", "")) | {_index(pod) for pod in active}
            free = [str(index) for index in range(wanted or 0) if str(index) not in taken]
            made = [self._make(item, index) for index in free[:missing]]
        else:
            made = [self._make(item, "") for _ in range(missing)]
        return None if all(made) else 3.0

    def _pause(self, item: Object, pods: list[Object]) -> float:
        """Seconds that are left of the backoff after failed pods."""
        failed = sorted(self._failures(item, pods), key=_ended)
        last_good = max((_ended(pod) for pod in pods if _phase(pod) == "Succeeded"), default="")
        recent = [pod for pod in failed if _ended(pod) > last_good]
        if not recent:
            return 0.0
        pause = min(_BACKOFF_SECONDS * 2 ** (len(recent) - 1), _MAX_BACKOFF_SECONDS)
        return float(pause - age_of(_ended(recent[-1])))

    def _make(self, item: Object, index: str) -> bool:
        name = item["metadata"]["name"]

        def change(body: Object) -> None:
            body["metadata"]["finalizers"] = [_TRACKING]
            if not index:
                return
            body["metadata"]["generateName"] = f"{name[: LONGEST_PREFIX - len(index) - 2]}-{index}-"
            body["metadata"]["labels"] = dict(body["metadata"]["labels"]) | {_INDEX: index}
            marks = {_INDEX: index}
            if item["spec"].get("backoffLimitPerIndex") is not None:
                failed = self._failures(item, self.owned("pods", item))
                marks[_INDEX_FAILURES] = str(sum(_index(pod) == index for pod in failed))
            body["metadata"]["annotations"] = dict(body["metadata"].get("annotations") or {}) | marks
            body["spec"].setdefault("hostname", f"{name}-{index}")
            field = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{_INDEX}']"}}
            for container in [*body["spec"]["containers"], *(body["spec"].get("initContainers") or ())]:
                names = {entry["name"] for entry in container.get("env") or ()}
                if "JOB_COMPLETION_INDEX" not in names:
                    container.setdefault("env", []).append({"name": "JOB_COMPLETION_INDEX", "valueFrom": field})

        return self.make_pod(item, item["spec"]["template"], change=change) is not None

    def _count(self, item: Object, status: Object) -> None:
        pods = self.owned("pods", item)
        active = [pod for pod in pods if is_active(pod)]
        gone = [p for p in pods if p["metadata"].get("deletionTimestamp") and not is_done(p)]
        status.pop("active", None)
        if active:
            status["active"] = len(active)
        status |= {"ready": sum(map(is_ready, active)), "terminating": len(gone), "uncountedTerminatedPods": {}}

    def _suspend(self, item: Object, status: Object, pods: list[Object]) -> float | None:
        for pod in pods:
            if is_active(pod):
                self.delete_pod(item, pod)
        self._count(item, status)
        status.pop("startTime", None)
        if _condition(status, "Suspended") != "True":
            self._set(status, "Suspended", "JobSuspended", "Job suspended")
            self.events.normal(item, "Suspended", "Job suspended")
        self.put_status(KEY, item, status)
        return None

    @staticmethod
    def _set(status: Object, kind: str, reason: str, message: str, state: str = "True") -> None:
        entries = status.setdefault("conditions", [])
        if any(entry["type"] == kind and entry["status"] == state for entry in entries):
            return
        entries[:] = [entry for entry in entries if entry["type"] != kind]
        times = {"lastProbeTime": now(), "lastTransitionTime": now()}
        entries.append({"type": kind, "status": state, **times, "reason": reason, "message": message})

    def _expire(self, item: Object) -> float | None:
        """ttlSecondsAfterFinished."""
        seconds = item["spec"].get("ttlSecondsAfterFinished")
        if seconds is None:
            return None
        conditions = item["status"]["conditions"]
        ended = max(c["lastTransitionTime"] for c in conditions if c["type"] in ("Complete", "Failed"))
        left = seconds - age_of(ended)
        if left > 0:
            return float(left + 0.05)
        self.delete(KEY, item)
        return None


def _index(pod: Object) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(_INDEX, ""))


def _condition(status: Object, kind: str) -> str:
    return next((str(c["status"]) for c in status.get("conditions") or () if c["type"] == kind), "")


def _indexes(text: str) -> set[str]:
    """ "0-2,5" → {"0", "1", "2", "5"}."""
    found: set[str] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= {str(number) for number in range(int(first), int(last or first) + 1)}
    return found


def _ranges(numbers: list[int]) -> str:
    """[0, 1, 2, 5] → "0-2,5"."""
    text = ""
    for number in numbers:
        last = re.search(r"(\d+)$", text)
        if last and int(last.group(1)) == number - 1:
            start = re.search(r"(?:^|,)(\d+)(?:-\d+)?$", text)
            assert start is not None
            text = text[: start.start(1)] + f"{start.group(1)}-{number}"
        else:
            text += f"{',' if text else ''}{number}"
    return text

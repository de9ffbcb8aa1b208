"""The pods behind an object (a deployment, a job, a service …), and which of them is taken where a command wants one:
kubectl pkg/polymorphichelpers (helpers.go, attachablepodforobject.go) and pkg/util/podutils."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from kubetrace.api import status, verbs
from kubetrace.api.built import Asked
from kubetrace.api.containers import containers_in
from kubetrace.api.go_sort import go_sort
from kubetrace.api.labels import selector_text
from kubetrace.api.metadata import text
from kubetrace.api.objects import Objects
from kubetrace.api.typed_kinds import PODS
from kubetrace.api.watch import events
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value, replace
from kubetrace.wire.go_struct import go_type_of

Object = Mapping[str, Any]
Rank = Callable[[Object], tuple[Any, ...]]
"""How good a pod is for a purpose: the smallest is the best."""

WHICH_PODS = Purpose("pods-behind", "pods: which pods stand behind the object?")
UNTIL_A_POD = Purpose("pods-behind", "pods: there is none yet, does one come?")

_WITH_LABEL_SELECTOR = frozenset(
    {
        ("apps", "DaemonSet"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("batch", "Job"),
        ("extensions", "DaemonSet"),
        ("extensions", "Deployment"),
        ("extensions", "ReplicaSet"),
    }
)


class PodsBehind(Value):
    """The pods that one object's selector takes. `timeout` (seconds) is how long to wait for the first."""

    objects: Objects
    namespace: str
    selector: str
    timeout: float

    @classmethod
    def of(cls, objects: Objects, value: Object, timeout: float) -> PodsBehind:
        """Raises KubetraceError for an object that has no pods (SelectorsForObject)."""
        return cls(objects, text(value, "namespace"), pod_selector(value), timeout)

    def ranked(self, rank: Rank) -> list[dict[str, Any]]:
        """All of them, the best first; where there is none, the first that comes (GetPodList).

        Raises StatusError, TransportError, KubetraceError."""
        options = verbs.ListOptions(label_selector=self.selector)
        call = replace(verbs.list_(PODS, self.namespace, options, purpose=WHICH_PODS), operation="typed-list")
        try:
            page = self.objects.send(call, PODS)
        except status.StatusError as error:
            raise error.without_type() from None
        found: list[dict[str, Any]] = page.get("items") or []
        if not found:
            return [self._first_to_come(replace(options, resource_version=text(page, "resourceVersion")))]
        go_sort(found, lambda left, right: rank(left) < rank(right))
        return found

    def _first_to_come(self, options: verbs.ListOptions) -> dict[str, Any]:
        deadline = time.monotonic() + self.timeout
        call = verbs.watch(PODS, self.namespace, options, purpose=UNTIL_A_POD)
        call = replace(call, operation="typed-watch", timeout=self.timeout, log_request_body=True)
        answer = self.objects.sender.send(call)
        if not status.is_success(answer.status):
            raise status.failure(answer, events=self.objects.events).without_type()
        try:
            for event in events(answer.chunks()):
                if event.type in ("ADDED", "MODIFIED"):
                    return event.object
        finally:
            answer.close()
        if time.monotonic() >= deadline:
            raise KubetraceError("timed out waiting for the condition")
        raise KubetraceError("watch closed before UntilWithoutRetry timeout")


def attachable_pod(cluster: Asked, value: Object, timeout: float) -> Object:
    """The pod to attach to, to run a command in, to forward ports to: the object itself, or the best behind it
    (AttachablePodForObjectFn)."""
    if is_pod(value):
        return value
    cluster.make_client()
    try:
        behind = PodsBehind.of(cluster.objects, value, timeout)
    except KubetraceError as error:
        raise KubetraceError(f"cannot attach to {go_type_of(value)}: {error}") from None
    return behind.ranked(for_attaching)[0]


def is_pod(value: Object) -> bool:
    return value.get("kind") == "Pod" and value.get("apiVersion") == "v1"


def pod_selector(value: Object) -> str:
    """The label selector of the pods behind an object, as it is sent. Raises KubetraceError."""
    group, kind = str(value.get("apiVersion") or "").rpartition("/")[0], str(value.get("kind") or "")
    selector = (value.get("spec") or {}).get("selector")
    if (group, kind) in _WITH_LABEL_SELECTOR:
        return selector_text(selector)
    if (group, kind) == ("", "Service") and not selector:
        raise KubetraceError(f"invalid service '{text(value, 'name')}': Service is defined without a selector")
    if (group, kind) in (("", "Service"), ("", "ReplicationController")):
        return selector_text({"matchLabels": selector})
    raise KubetraceError(f"selector for {go_type_of(value)} not implemented")


# --- which pod is the best -------------------------------------------------------------------------------------------


def for_logs(pod: Object) -> tuple[Any, ...]:
    """Scheduled, running, ready, ready for long, restarted often, old (podutils.ByLogging)."""
    restarts, sidecars = _restarts(pod)
    phase = {"Running": 0, "Unknown": 1, "Pending": 2}.get(_phase(pod), 0)
    ready = _ready_since(pod)
    return (
        not _is_assigned(pod),
        phase,
        ready is None,
        _late(ready),
        -restarts,
        -sidecars,
        _late(text(pod, "creationTimestamp")),
    )


def for_attaching(pod: Object) -> tuple[Any, ...]:
    """The one that a controller would delete last (podutils.ActivePods, the other way round)."""
    restarts, sidecars = _restarts(pod)
    phase = {"Pending": 0, "Unknown": -1, "Running": -2}.get(_phase(pod), 0)
    ready, deleted = _ready_since(pod), text(pod, "deletionTimestamp")
    return (
        not _is_assigned(pod),
        phase,
        ready is None,
        bool(deleted),
        -_digits(deleted),
        _late(ready),
        restarts,
        sidecars,
        _late(text(pod, "creationTimestamp")),
    )


def _is_assigned(pod: Object) -> bool:
    return bool((pod.get("spec") or {}).get("nodeName"))


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def _ready_since(pod: Object) -> str | None:
    """When the pod became ready; None where it is not."""
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            return str(condition.get("lastTransitionTime") or "") if condition.get("status") == "True" else None
    return None


def _late(moment: str | None) -> tuple[bool, str]:
    """Sorts times of the API; none is later than any."""
    return not moment, moment or ""


def _digits(moment: str) -> int:
    return int("".join(filter(str.isdigit, moment)) or 0)


def _restarts(pod: Object) -> tuple[int, int]:
    """The most restarts of a container, and of a sidecar."""
    sidecars = {c.get("name") for c in containers_in(pod, "initContainers") if c.get("restartPolicy") == "Always"}
    reported = pod.get("status") or {}

    def most(field: str, names: set[Any] | None = None) -> int:
        counted = (c for c in reported.get(field) or () if names is None or c.get("name") in names)
        return max((int(c.get("restartCount") or 0) for c in counted), default=0)

    return most("containerStatuses"), most("initContainerStatuses", sidecars)

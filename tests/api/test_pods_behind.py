"""Which pods stand behind an object, which of them is the best, and which container of it is meant."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from kubetrace.api.cluster import Cluster
from kubetrace.api.containers import all_container_names, find_or_default_container
from kubetrace.api.objects import Objects
from kubetrace.api.pods_behind import PodsBehind, attachable_pod, for_attaching, for_logs, pod_selector
from kubetrace.errors import KubetraceError
from tests.api.fake import FakeAnswer, FakeServer, json_answer

Object = dict[str, Any]
PODS = "/api/v1/namespaces/ns/pods"


def pod(
    name: str, *, node: str = "n", phase: str = "Running", ready: str = "", restarts: int = 0, **meta: Any
) -> Object:
    conditions = [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": ready or "2026"}]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", **meta},
        "spec": {"nodeName": node, "containers": [{"name": "c"}]},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": [{"restartCount": restarts}]},
    }


# Best first, each for another rule of podutils.ByLogging and ActivePods.
FOR_LOGS = [
    pod("ready-longest", ready="2026-01-01T00:00:01Z"),
    pod("ready-longer", ready="2026-01-01T00:00:02Z"),
    pod("restarted-most", restarts=2),
    pod("restarted", restarts=1),
    pod("oldest", creationTimestamp="2025-01-01T00:00:00Z"),
    pod("old"),
    pod("unknown", phase="Unknown"),
    pod("pending", phase="Pending"),
    pod("nowhere", node="", phase="Running"),
]
FOR_ATTACHING = [
    pod("ready-longest", ready="2026-01-01T00:00:01Z"),
    pod("ready-longer", ready="2026-01-01T00:00:02Z"),
    pod("oldest", creationTimestamp="2025-01-01T00:00:00Z"),
    pod("old"),
    pod("restarted", restarts=1),
    pod("goes-late", deletionTimestamp="2026-01-01T00:00:09Z"),
    pod("goes-soon", deletionTimestamp="2026-01-01T00:00:01Z"),
    pod("unknown", phase="Unknown"),
    pod("pending", phase="Pending"),
    pod("nowhere", node="", phase="Running"),
]


def behind(server: FakeServer, timeout: float = 1.0) -> PodsBehind:
    return PodsBehind(Objects(server), "ns", "app=web", timeout)


@pytest.mark.parametrize("order, rank", [(FOR_LOGS, for_logs), (FOR_ATTACHING, for_attaching)])
def test_the_best_pod_comes_first(order: list[Object], rank: Any) -> None:
    mixed = list(order)
    random.Random(1).shuffle(mixed)
    server = FakeServer({PODS: json_answer({"kind": "PodList", "apiVersion": "v1", "items": mixed})})
    assert behind(server).ranked(rank) == order
    assert server.targets == [f"GET {PODS}?labelSelector=app%3Dweb"]


def test_the_first_pod_is_waited_for() -> None:
    empty = json_answer({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []})
    events = b"".join(
        json.dumps({"type": kind, "object": pod(name)}).encode() + b"\n"
        for kind, name in (("DELETED", "a"), ("ADDED", "b"))
    )
    streams = iter((FakeAnswer(200, events), FakeAnswer(200, b"")))
    server = FakeServer({PODS: lambda call: next(streams) if call.stream else empty})
    assert behind(server).ranked(for_logs) == [pod("b")]
    assert server.targets[1] == f"GET {PODS}?labelSelector=app%3Dweb&resourceVersion=7&watch=true"
    with pytest.raises(KubetraceError, match=r"^watch closed before UntilWithoutRetry timeout$"):
        behind(server).ranked(for_logs)


def test_selectors_of_all_kinds() -> None:
    expressions = [{"key": "tier", "operator": "In", "values": ["b", "a"]}, {"key": "old", "operator": "DoesNotExist"}]
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "w"}}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"selector": {"matchExpressions": expressions}}}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s"},
        "spec": {"selector": {"b": "1", "a": "2"}},
    }
    assert pod_selector(deployment) == "app=w"
    assert pod_selector(job) == "!old,tier in (a,b)"
    assert pod_selector(service) == "a=2,b=1"
    with pytest.raises(KubetraceError, match=r"^invalid service 's': Service is defined without a selector$"):
        pod_selector({**service, "spec": {}})
    nobody = Cluster(FakeServer(), Path("/nonexistent"))
    with pytest.raises(KubetraceError, match=r"^cannot attach to \*v1\.Node: selector for \*v1\.Node not implemented$"):
        attachable_pod(nobody, {"apiVersion": "v1", "kind": "Node"}, 1.0)


def test_the_container_that_is_meant() -> None:
    spec = {
        "containers": [{"name": "a"}, {"name": "b"}],
        "initContainers": [{"name": "i"}],
        "ephemeralContainers": [{"name": "e"}],
    }
    value = {"metadata": {"name": "p", "namespace": "ns"}, "spec": spec}
    annotated = {**value, "metadata": {"name": "p", "annotations": {"kubectl.kubernetes.io/default-container": "b"}}}
    told: list[str] = []
    assert all_container_names(value) == "a, b, e (ephem), i (init)"
    assert find_or_default_container(value, "i", told.append) == {"name": "i"}
    assert find_or_default_container(annotated, "", told.append) == {"name": "b"}
    assert told == []
    assert find_or_default_container(value, "", told.append) == {"name": "a"}
    assert told == ['Defaulted container "a" out of: a, b, e (ephem), i (init)\n']
    with pytest.raises(KubetraceError, match=r"^container z is not valid for pod p out of: a, b, e \(ephem"):
        find_or_default_container(value, "z", None)
    with pytest.raises(KubetraceError, match=r"^pod ns/p does not have any containers$"):
        find_or_default_container({**value, "spec": {}}, "", None)

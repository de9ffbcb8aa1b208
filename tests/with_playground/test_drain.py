"""`cordon`, `drain` and `taint` against nodes that have pods."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client

Run = Callable[..., Outcome]
_numbers = itertools.count(1)


def pod(name: str, node: str, **metadata: Any) -> dict[str, Any]:
    spec = {"nodeName": node, "terminationGracePeriodSeconds": 0, "containers": [{"name": "c", "image": "i"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec}


@pytest.fixture
def node(server: Client) -> Iterator[str]:
    """A node of the test's own, which the scheduler gives nothing to."""
    name = f"drained-{next(_numbers)}"
    taints = [{"key": "own", "effect": "NoSchedule"}]
    server.post(
        "/api/v1/nodes",
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"own": name}},
         "spec": {"taints": taints}},
    )  # fmt: skip
    yield name
    server.call("DELETE", f"/api/v1/nodes/{name}")


@pytest.fixture
def add(server: Client, namespace: str, node: str) -> Callable[..., None]:
    """Puts a pod on the node."""

    def add_pod(name: str, **metadata: Any) -> None:
        server.post(f"/api/v1/namespaces/{namespace}/pods", pod(name, node, **metadata))

    return add_pod


def names(server: Client, namespace: str) -> list[str]:
    return [item["metadata"]["name"] for item in server.get(f"/api/v1/namespaces/{namespace}/pods")["items"]]


def taints(server: Client, node: str) -> dict[tuple[str, str], str]:
    found = server.get(f"/api/v1/nodes/{node}")["spec"].get("taints") or ()
    own = [taint for taint in found if not taint["key"].startswith("node.kubernetes.io/")]
    return {(taint["key"], taint["effect"]): taint.get("value", "") for taint in own}


def test_a_node_is_cordoned_and_uncordoned_once(server: Client, run: Run, node: str) -> None:
    assert run("cordon", node) == Outcome(0, f"node/{node} cordoned\n", "")
    assert run("cordon", node).out == f"node/{node} already cordoned\n"
    assert server.get(f"/api/v1/nodes/{node}")["spec"]["unschedulable"] is True
    assert run("uncordon", "-l", f"own={node}").out == f"node/{node} uncordoned\n"
    assert "unschedulable" not in server.get(f"/api/v1/nodes/{node}")["spec"]


def test_what_nobody_would_bring_back_is_not_removed(
    server: Client, run: Run, namespace: str, node: str, add: Callable[..., None]
) -> None:
    add("alone")
    refused = run("drain", node)
    assert (refused.code, refused.out) == (1, f"node/{node} cordoned\n")
    why = f"cannot delete Pods that declare no controller (use --force to override): {namespace}/alone"
    assert refused.err == (
        f'error: unable to drain node "{node}" due to error: {why}, continuing command...\n'
        f"There are pending nodes to be drained:\n {node}\n{why}\n"
    )
    assert names(server, namespace) == ["alone"]


def test_pods_go_by_force_and_mirrors_stay(
    server: Client, run: Run, namespace: str, node: str, add: Callable[..., None]
) -> None:
    add("alone")
    add("mirror", annotations={"kubernetes.io/config.mirror": "x"})
    done = run("drain", node, "--force")
    assert done.out.splitlines() == [
        f"node/{node} cordoned",
        f"evicting pod {namespace}/alone",
        "pod/alone evicted",
        f"node/{node} drained",
    ]
    assert done.err == f"Warning: deleting Pods that declare no controller: {namespace}/alone\n"
    assert names(server, namespace) == ["mirror"]


@pytest.mark.parametrize("strategy", ["client", "server"])
def test_a_dry_run_removes_nothing(
    server: Client, run: Run, namespace: str, node: str, add: Callable[..., None], strategy: str
) -> None:
    add("alone")
    mark = "(dry run)" if strategy == "client" else "(server dry run)"
    assert run("drain", node, "--force", f"--dry-run={strategy}").out.splitlines() == [
        f"node/{node} cordoned {mark}",
        f"evicting pod {namespace}/alone {mark}",
        f"node/{node} drained {mark}",
    ]
    assert names(server, namespace) == ["alone"]
    assert "unschedulable" not in server.get(f"/api/v1/nodes/{node}")["spec"]


def test_a_budget_holds_its_pod_and_no_other(
    server: Client, run: Run, namespace: str, node: str, add: Callable[..., None]
) -> None:
    add("kept", labels={"app": "kept"})
    add("free")
    budget = {"selector": {"matchLabels": {"app": "kept"}}, "minAvailable": 1}
    where = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    server.post(where, {"metadata": {"name": "b"}, "spec": budget})
    server.until(f"{where}/b", lambda status, value: (value.get("status") or {}).get("currentHealthy") == 1)
    done = run("drain", node, "--force", "--timeout=1s")
    told = f'error when evicting pods/"kept" -n "{namespace}"'
    assert done.code == 1
    assert (
        f"{told} (will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget.\n" in done.err
    )
    assert done.err.endswith(f"\n{told}: global timeout reached: 1s\n")
    assert f'There are pending pods in node "{node}" when an error occurred: {told}' in done.err
    assert done.out.count(f"evicting pod {namespace}/kept\n") == 2
    assert names(server, namespace) == ["kept"]


def test_deleted_pods_that_stay_are_waited_for_until_time_is_up(
    run: Run, namespace: str, node: str, add: Callable[..., None], server: Client
) -> None:
    add("stays", finalizers=["example.com/stay"])
    done = run("drain", node, "--force", "--timeout=1s", "--disable-eviction")
    assert (done.code, done.err.splitlines()[-1]) == (1, "error: context deadline exceeded")
    patch = {"metadata": {"finalizers": None}}
    server.call(
        "PATCH", f"/api/v1/namespaces/{namespace}/pods/stays", patch, Content_Type="application/merge-patch+json"
    )
    assert run("drain", node).code == 0


def test_a_plan_evicts_nobody(server: Client, run: Run, namespace: str, node: str, add: Callable[..., None]) -> None:
    add("alone")
    plan = run("drain", node, "--force", "--plan").out
    assert f"POST /api/v1/namespaces/{namespace}/pods/alone/eviction" in plan or "pods/alone/eviction" in plan
    assert names(server, namespace) == ["alone"]


def test_taints_come_change_and_go(server: Client, run: Run, node: str) -> None:
    own = ("own", "NoSchedule")
    assert run("taint", "node", node, "a=1:NoExecute", "b:NoSchedule").out == f"node/{node} tainted\n"
    assert taints(server, node) == {own: "", ("a", "NoExecute"): "1", ("b", "NoSchedule"): ""}
    refused = run("taint", "node", node, "a=2:NoExecute")
    assert refused.err == f"error: node {node} already has a taint(s) with same effect(s) and --overwrite is false\n"
    assert run("taint", "node", node, "a=2:NoExecute", "b-", "--overwrite").out == f"node/{node} modified\n"
    assert taints(server, node) == {own: "", ("a", "NoExecute"): "2"}
    assert run("taint", "nodes", "-l", f"own={node}", "a-").out == f"node/{node} untainted\n"
    assert run("taint", "node", node, "a-").err == 'error: taint "a" not found\n'
    assert taints(server, node) == {own: ""}

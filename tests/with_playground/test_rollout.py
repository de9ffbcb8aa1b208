"""`rollout`: restart, pause, resume, and how far a rollout is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kubetrace.api.resources import GroupVersionKind
from kubetrace.commands.rollout.progress import progress_of
from kubetrace.errors import KubetraceError
from tests.conftest import Outcome

Run = Callable[..., Outcome]


def test_a_rollout_from_pause_to_done(run: Run, namespace: str) -> None:
    here = ("-n", namespace)
    assert run("create", "deployment", "web", "--image=nginx", *here).code == 0
    assert run("rollout", "pause", "deploy/web", *here) == Outcome(0, "deployment.apps/web paused\n", "")
    again = run("rollout", "pause", "deploy/web", *here)
    assert again == Outcome(1, "", 'error: deployments.apps "web" is already paused\n')
    told = run("rollout", "restart", "deploy/web", *here)
    assert told.err == ('error: deployments.apps "web" can\'t restart paused deployment (run rollout resume first)\n')
    assert run("rollout", "resume", "deploy/web", *here).out == "deployment.apps/web resumed\n"
    assert run("rollout", "restart", "deploy/web", *here).out == "deployment.apps/web restarted\n"
    template = run("get", "deploy", "web", "-o", "jsonpath={.spec.template.metadata.annotations}", *here).out
    assert template.startswith('{"kubectl.kubernetes.io/restartedAt":"20')
    done = run("rollout", "status", "deploy/web", "--timeout=60s", *here)
    assert done.code == 0
    assert done.out.endswith('deployment "web" successfully rolled out\n')


def test_what_can_not_be_rolled_out(run: Run, namespace: str) -> None:
    here = ("-n", namespace)
    run("create", "configmap", "c", *here)
    restarted = run("rollout", "restart", "cm/c", *here)
    assert restarted == Outcome(1, "", 'error: configmaps "c" restarting is not supported\n')
    assert run("rollout", "status", "cm/c", *here).err == "error: no status viewer has been implemented for ConfigMap\n"
    assert run("rollout", "restart", *here).err == "error: required resource not specified\n"
    none = run("rollout", "pause", "deployment", *here)
    assert none == Outcome(0, "", f"No resources found in {namespace} namespace.\n")


def _told(kind: str, value: dict[str, Any], revision: int = 0) -> tuple[str, bool]:
    told = progress_of(GroupVersionKind("apps", "v1", kind))({"metadata": {"name": "w"}, **value}, revision)
    return told.text, told.done


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"updatedReplicas": 1}, "1 out of 2 new replicas have been updated..."),
        ({"updatedReplicas": 2, "replicas": 3}, "1 old replicas are pending termination..."),
        ({"updatedReplicas": 2, "replicas": 2}, "0 of 2 updated replicas are available..."),
    ],
)
def test_a_deployment_on_its_way(status: dict[str, Any], text: str) -> None:
    told = _told("Deployment", {"spec": {"replicas": 2}, "status": status})
    assert told == (f'Waiting for deployment "w" rollout to finish: {text}\n', False)


def test_a_deployment_that_fails() -> None:
    late = {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}
    with pytest.raises(KubetraceError, match=r'^deployment "w" exceeded its progress deadline$'):
        _told("Deployment", {"status": late})
    with pytest.raises(KubetraceError, match=r"^desired revision \(3\) is different from the running revision \(0\)$"):
        _told("Deployment", {}, 3)


def test_partitions_and_revisions_of_a_stateful_set() -> None:
    rolling: dict[str, Any] = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
    status = {"observedGeneration": 1, "readyReplicas": 3}
    value = {"spec": {"replicas": 3, "updateStrategy": rolling}, "status": status}
    waiting = "Waiting for partitioned roll out to finish: 0 out of 2 new pods have been updated...\n"
    assert _told("StatefulSet", value) == (waiting, False)
    status["updatedReplicas"] = 2
    assert _told("StatefulSet", value) == ("partitioned roll out complete: 2 new pods have been updated...\n", True)
    with pytest.raises(KubetraceError, match="only available for RollingUpdate"):
        _told("StatefulSet", {"spec": {"updateStrategy": {"type": "OnDelete"}}})


def test_back_to_the_version_before(run: Run, namespace: str) -> None:
    here = ("-n", namespace)
    run("create", "deployment", "web", "--image=nginx:1", *here)
    run("rollout", "status", "deploy/web", "--timeout=60s", *here)
    patch = '{"spec":{"template":{"spec":{"containers":[{"name":"nginx","image":"nginx:2"}]}}}}'
    run("patch", "deploy", "web", "-p", patch, *here)
    run("rollout", "status", "deploy/web", "--timeout=60s", *here)
    told = run("rollout", "history", "deploy/web", *here)
    assert told.out == "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    assert "    Image:\tnginx:1\n" in run("rollout", "history", "deploy/web", "--revision=1", *here).out
    missing = run("rollout", "history", "deploy/web", "--revision=9", *here)
    assert missing == Outcome(1, "", "error: unable to find the specified revision\n")
    planned = run("rollout", "undo", "deploy/web", "--dry-run=client", *here)
    assert planned.out.startswith("deployment.apps/web Pod Template:\n") and planned.out.endswith("\n (dry run)\n")
    assert run("rollout", "undo", "deploy/web", *here).out == "deployment.apps/web rolled back\n"
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert run("get", "deploy", "web", "-o", image, *here).out == "nginx:1"

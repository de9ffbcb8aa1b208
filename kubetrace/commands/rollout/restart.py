"""`rollout restart`: new pods for the same version (kubectl pkg/cmd/rollout/rollout_restart.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.rollout.changing import Change, ChangingOptions, change_workloads
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError

_RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


def run(environment: Environment, options: ChangingOptions, arguments: Arguments) -> None:
    change_workloads(
        environment,
        options,
        arguments,
        Change(
            kinds=("Deployment", "DaemonSet", "StatefulSet"),
            done="restarted",
            unsupported="restarting is not supported",
            patch=_patch,
            nothing=_nothing,
        ),
    )


def _patch(spec: dict[str, Any]) -> dict[str, Any]:
    """The pods' annotation that makes them differ from those that run: the local time, to the second."""
    from datetime import datetime

    from kubetrace.api.metadata import string_map

    if spec.get("paused"):
        raise KubetraceError("can't restart paused deployment (run rollout resume first)")
    now = datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")
    if string_map(spec.get("template") or {}, "annotations").get(_RESTARTED_AT) == now:
        return {}
    return {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: now}}}}}


def _nothing(name: str) -> KubetraceError:
    return KubetraceError(
        f"failed to create patch for {name}: if restart has already been triggered within the past second, please wait "
        "before attempting to trigger another"
    )


COMMAND = Command(
    run=run,
    options=ChangingOptions,
    words="resources:deployment,daemonset,statefulset",
    usage="rollout restart RESOURCE",
    description="""
    Replace all pods of workloads with new ones of the same version, at the pace of a rollout.
    """,
    examples="""
    # All deployments of the namespace test
    kubetrace rollout restart deployment -n test

    # A deployment; a daemon set
    kubetrace rollout restart deployment/web
    kubetrace rollout restart daemonset/agent

    # Deployments with a label
    kubetrace rollout restart deployment --selector=app=web
    """,
)

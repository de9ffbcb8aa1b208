"""`rollout pause`: changes of a deployment wait (kubectl pkg/cmd/rollout/rollout_pause.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.rollout.changing import Change, ChangingOptions, change_workloads
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError


def run(environment: Environment, options: ChangingOptions, arguments: Arguments) -> None:
    change_workloads(
        environment,
        options,
        arguments,
        Change(
            kinds=("Deployment",),
            done="paused",
            unsupported="pausing is not supported",
            patch=_patch,
        ),
    )


def _patch(spec: dict[str, Any]) -> dict[str, Any]:
    if spec.get("paused"):
        raise KubetraceError("is already paused")
    return {"spec": {"paused": True}}


COMMAND = Command(
    run=run,
    options=ChangingOptions,
    words="resources:deployment",
    usage="rollout pause RESOURCE",
    description="""
    Pause deployments: what is changed from here on is rolled out when they are resumed.

    A rollout that is under way stops where it is. Only deployments can be paused.
    """,
    examples="""
    # The deployment web
    kubetrace rollout pause deployment/web
    """,
)

"""`rollout resume`: a paused deployment goes on (kubectl pkg/cmd/rollout/rollout_resume.go)."""

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
            done="resumed",
            unsupported="resuming is not supported",
            patch=_patch,
        ),
    )


def _patch(spec: dict[str, Any]) -> dict[str, Any]:
    if not spec.get("paused"):
        raise KubetraceError("is not paused")
    return {"spec": {"paused": None}}


COMMAND = Command(
    run=run,
    options=ChangingOptions,
    words="resources:deployment",
    usage="rollout resume RESOURCE",
    description="""
    Resume paused deployments: what was changed in the meantime is rolled out.

    Only deployments can be paused and resumed.
    """,
    examples="""
    # The deployment web
    kubetrace rollout resume deployment/web
    """,
)

"""`rollout status`: how far a rollout is, until it is done (kubectl pkg/cmd/rollout/rollout_status.go)."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import filename, kustomize, recursive, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.rollout.progress import Object, Progress
    from kubetrace.environment import Environment


class StatusOptions(Value):
    filename: tuple[str, ...] = filename()
    kustomize: str = kustomize()
    recursive: bool = recursive()
    revision: int = flag(0, help="The revision whose status it must be; 0 is the last one.")
    selector: str = selector()
    timeout: float = flag(0.0, help="How long to watch; 0 is without end. With a unit (1s, 2m, 3h).")
    watch: bool = flag(True, "w", help="Watch until the rollout is done.")


def run(environment: Environment, options: StatusOptions, arguments: Arguments) -> None:
    from kubetrace.commands.rollout.workloads import check_named, note_none, workloads

    _ = environment.namespace
    environment.make_client()
    check_named(options, arguments)
    if options.revision < 0:
        raise KubetraceError(f"revision must be a positive integer: {options.revision}")
    found = False

    def one(info: Info) -> None:
        nonlocal found
        found = True
        _watch(environment, options, info)

    workloads(environment, options, arguments).visit(one)
    if not found:
        note_none(environment)


def _watch(environment: Environment, options: StatusOptions, info: Info) -> None:
    """Prints the progress of one workload. Raises KubetraceError."""
    from kubetrace.commands.reflector import Reflector
    from kubetrace.commands.rollout.progress import progress_of
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None
    progress: Progress = progress_of(info.mapping.kind)

    def happened(event: str, value: Object) -> bool:
        if event == "DELETED":
            raise KubetraceError("object has been deleted")
        told = progress(value, options.revision)
        environment.stdout.write(told.text)
        environment.stdout.flush()
        return told.done or not options.watch

    purpose = Purpose("rollout", "rollout: watch the workload until it is done")
    reflector = Reflector(environment, info.mapping, info.namespace, info.name, purpose)
    if options.timeout < 0:
        environment.note("negative-timeout")
    deadline = time.monotonic() + options.timeout if options.timeout > 0 else math.inf
    reflector.until(lambda _: False, happened, deadline)


COMMAND = Command(
    run=run,
    options=StatusOptions,
    words="resource:deployment,daemonset,statefulset",
    usage="rollout status (TYPE NAME | TYPE/NAME) [flags]",
    description="""
    Show how far the rollout of a workload is, and watch it until it is done.

    --watch=false looks once. --revision=N makes it an error if another revision is rolled out in the meantime.
    """,
    examples="""
    # How the rollout of a deployment goes
    kubetrace rollout status deployment/web
    """,
)

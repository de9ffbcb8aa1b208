"""Which workloads a rollout command works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments
from kubetrace.commands.selecting import Files
from kubetrace.commands.shared_options import PrintOptions, filename, kustomize, recursive, selector
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from typing import Protocol

    from kubetrace.api.builder import Result
    from kubetrace.environment import Environment

    class Choosing(Files, Protocol):
        @property
        def selector(self) -> str: ...


GROUPS = ("apps", "extensions")
"""Groups whose deployments and daemon sets kubectl knows."""


class WorkloadOptions(PrintOptions):
    """What the rollout commands take that print the workloads."""

    filename: tuple[str, ...] = filename()
    kustomize: str = kustomize()
    recursive: bool = recursive()
    selector: str = selector()


def check_named(options: Files, arguments: Arguments) -> None:
    """Raises KubetraceError where neither argv nor a file names a workload."""
    from kubetrace.commands.selecting import names_files

    if not arguments.words and not names_files(options):
        raise KubetraceError("required resource not specified")


def workloads(environment: Environment, options: Choosing, arguments: Arguments) -> Result:
    """The workloads, not yet fetched. Raises KubetraceError."""
    from kubetrace.commands.selecting import Selecting, select
    from kubetrace.trace.exchange import Purpose

    how = Selecting(
        purpose=Purpose("rollout", "rollout: what does the workload look like now?"),
        labels=options.selector,
        everything=True,
        latest=True,
        typed=True,
    )
    return select(environment, options, arguments.words, how)


def note_none(environment: Environment) -> None:
    environment.stderr.write(f"No resources found in {environment.namespace} namespace.\n")

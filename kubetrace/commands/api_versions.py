"""`api-versions`: the groups and versions that the server serves (kubectl pkg/cmd/apiresources/apiversions.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    arguments.no_words()
    discovery = environment.cluster.discovery
    discovery.invalidate()
    try:
        groups = discovery.groups()
    except KubetraceError as error:
        raise KubetraceError(f"couldn't get available api versions from server: {error}") from error
    for version in sorted(str(version) for group in groups for version in group.versions):
        environment.stdout.write(version + "\n")


COMMAND = Command(
    run=run,
    usage="api-versions",
    description='List the API versions that the server serves, each as "group/version".',
    examples="""
    # All of them
    kubetrace api-versions
    """,
)

"""`create deployment` (kubectl pkg/cmd/create/create_deployment.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateDeploymentOptions(GeneratedOptions):
    image: tuple[str, ...] = flag((), help="Image to run; each one makes a container.", required=True)
    port: int = flag(-1, kind="int32", help="Port of the first container; negative: none.")
    replicas: int = flag(1, "r", kind="int32", help="How many pods to run.")


def run(environment: Environment, options: CreateDeploymentOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import DEPLOYMENTS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.workloads import deployment

    creation = prepare(environment, options, arguments)
    command = arguments.words[1:]
    if len(options.image) > 1 and command:
        raise KubetraceError("cannot specify multiple --image options and command")
    value = deployment(creation.name, creation.namespace, options.image, options.replicas, options.port, command)
    creation.create(value, DEPLOYMENTS, "failed to create deployment: ")


COMMAND = Command(
    run=run,
    options=CreateDeploymentOptions,
    usage="create deployment NAME --image=image -- [COMMAND] [args...] [options]",
    description="Create a deployment of that name.",
    examples="""
    # A deployment that runs nginx
    kubetrace create deployment web --image=nginx

    # With a command of its own
    kubetrace create deployment clock --image=busybox -- date

    # Three pods that listen on port 80
    kubetrace create deployment web --image=nginx --replicas=3 --port=80

    # Pods of several containers
    kubetrace create deployment web --image=nginx --image=busybox:1.36
    """,
)

"""`exec`: a command in a container (kubectl pkg/cmd/exec)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import pod_running_timeout
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.remote_command import RemoteCommand
    from kubetrace.commands.remote_session import UserStreams
    from kubetrace.environment import Environment


class ExecOptions(Value):
    container: str = flag("", "c", help="Run the command in this container.", completion="containers")
    filename: tuple[str, ...] = flag(
        (), "f", help="File, folder or URL that describes the pod.", completion="ext:json,yaml,yml"
    )
    pod_running_timeout: float = pod_running_timeout(60.0)
    quiet: bool = flag(False, "q", help="Say nothing but what the command says.")
    stdin: bool = flag(False, "i", help="Pass standard input on to the command.")
    tty: bool = flag(False, "t", help="Give the command a terminal. Needs -i.")


def run(environment: Environment, options: ExecOptions, arguments: Arguments) -> None:
    from kubetrace.api.pods_behind import attachable_pod
    from kubetrace.commands.pod_target import named_object
    from kubetrace.trace.exchange import Purpose

    words, dash = arguments.words, arguments.dash
    resource = words[0] if words and dash != 0 else ""
    command = words[dash:] if dash is not None else ()
    if dash is None and (len(words) > 1 or (words and options.filename)):
        raise arguments.usage_error(
            "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead"
        )
    _ = environment.namespace
    if options.pod_running_timeout <= 0:
        raise arguments.usage_error("--pod-running-timeout must be higher than zero")
    environment.rest_config()
    environment.make_client()
    if not resource and not options.filename:
        raise KubetraceError("pod, type/name or --filename must be specified")
    check_command(command)
    purpose = Purpose("exec", "exec: which pod is it, and which containers has it?")
    named = (resource,) if resource else ()
    value = named_object(environment, named, purpose, files=options.filename)
    pod = attachable_pod(environment.cluster, value, options.pod_running_timeout)
    execute(environment, options, dict(pod), command)


def check_command(command: tuple[str, ...]) -> None:
    if not command:
        raise KubetraceError("you must specify at least one command for the container")


def execute(environment: Environment, options: ExecOptions, pod: dict[str, Any], command: tuple[str, ...]) -> None:
    """Runs a command in a pod's container with the user's streams. Raises PlainError with the command's exit code."""
    from kubetrace.commands.pod_target import refuse_completed
    from kubetrace.commands.remote_session import UserStreams, run_session

    refuse_completed(pod, "exec into a container")
    tell = None if options.quiet else environment.stderr.write
    wanted = remote_command(environment, pod, options.container, command, tell)
    user = UserStreams.of(environment, options.stdin, options.tty, options.quiet)
    run_session(environment, with_streams(wanted, user), user, lambda size: [size])


def remote_command(
    environment: Environment, pod: dict[str, Any], container: str, command: tuple[str, ...], tell: Any
) -> RemoteCommand:
    """The command in the container that is meant. Raises KubetraceError where there is no such container."""
    from kubetrace.api.containers import find_container, find_or_default_container, no_such_container
    from kubetrace.api.metadata import text
    from kubetrace.api.remote_command import RemoteCommand
    from kubetrace.trace.exchange import Purpose

    if not container:
        container = str(find_or_default_container(pod, "", tell, environment.note).get("name") or "")
    elif find_container(pod, container) is None:
        raise no_such_container(pod, container)
    environment.stderr.flush()
    purpose = Purpose("exec", "exec: the command and its streams")
    return RemoteCommand("exec", text(pod, "namespace"), text(pod, "name"), container, purpose, command)


def with_streams(wanted: RemoteCommand, user: UserStreams) -> RemoteCommand:
    """The command with the streams that the user has for it; a terminal has but one for output."""
    from kubetrace.value import replace

    if user.raw:
        user.stderr = None
    return replace(
        wanted,
        stdin=user.stdin is not None,
        stdout=user.stdout is not None,
        stderr=user.stderr is not None,
        tty=user.raw,
    )


COMMAND = Command(
    run=run,
    options=ExecOptions,
    words="pods",
    usage="exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    description="""
    Run a command in a container of a pod, or of a pod behind a deployment, job, service …

    Everything behind '--' is the command. Its exit code is kubetrace's.
    """,
    examples="""
    # One command, in the pod's first container and in another one
    kubetrace exec web -- date
    kubetrace exec web -c sidecar -- date

    # A shell in a terminal
    kubetrace exec web -it -- sh

    # Something to read
    echo hello | kubetrace exec web -i -- cat

    # In a pod of a deployment, of a service
    kubetrace exec deploy/web -- date
    kubetrace exec svc/web -- date

    # The frames that carry it
    kubetrace exec web -v=9 -- date
    """,
)

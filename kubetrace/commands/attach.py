"""`attach`: to the process that runs in a container (kubectl pkg/cmd/attach)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import PROGRAM, Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import pod_running_timeout
from kubetrace.errors import KubetraceError, SilentExit
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubetrace.environment import Environment

DETACH_KEYS = "ctrl-p,ctrl-q"


class AttachOptions(Value):
    container: str = flag("", "c", help="Attach to this container.")
    detach_keys: str = flag(DETACH_KEYS, help="Keys that detach from the container.")
    pod_running_timeout: float = pod_running_timeout(60.0)
    quiet: bool = flag(False, "q", help="Say nothing but what the container says.")
    stdin: bool = flag(False, "i", help="Pass standard input on to the container.")
    tty: bool = flag(False, "t", help="Standard input is a terminal. Needs -i.")


def run(environment: Environment, options: AttachOptions, arguments: Arguments) -> None:
    from kubetrace.api.pods_behind import attachable_pod
    from kubetrace.commands.pod_target import named_object, refuse_completed
    from kubetrace.trace.exchange import Purpose

    words = arguments.words
    _ = environment.namespace
    if options.pod_running_timeout <= 0:
        raise arguments.usage_error("--pod-running-timeout must be higher than zero")
    environment.rest_config()
    if not words:
        raise KubetraceError("at least 1 argument is required for attach")
    if len(words) > 2:
        raise KubetraceError(
            f"expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {len(words)}: [{' '.join(words)}]"
        )
    purpose = Purpose("attach", "attach: which pod is it, and which containers has it?")
    value = named_object(environment, words, purpose, verb="attach")
    pod = dict(attachable_pod(environment.cluster, value, options.pod_running_timeout))
    refuse_completed(pod, "attach a container")
    attach(environment, pod, options, arguments.command_path)


def attach(environment: Environment, pod: dict[str, Any], options: AttachOptions, command_path: str) -> None:
    """Attaches to a container of the pod until it ends, or the user leaves it. `command_path` is the command that
    would attach again. Raises KubetraceError."""
    from kubetrace.api.containers import EPHEMERAL_CONTAINERS, find_container, find_or_default_container
    from kubetrace.api.metadata import text
    from kubetrace.api.remote_command import RemoteCommand
    from kubetrace.commands.remote_session import UserStreams, run_session
    from kubetrace.trace.exchange import Purpose

    say = None if options.quiet else environment.stderr.write
    try:
        container = find_or_default_container(pod, options.container, say, environment.note)
    except KubetraceError as error:
        raise KubetraceError(f"cannot attach to the container: {error}") from None
    name = str(container.get("name") or "")
    if options.tty and not container.get("tty") and say is not None:
        say(f"error: Unable to use a TTY - container {name} did not allocate one\n")
    user = UserStreams.of(environment, options.stdin, bool(container.get("tty")), options.quiet)
    if say is not None:
        say(
            "All commands and output from this session will be recorded in container logs, including credentials and "
            "sensitive information passed through the command prompt.\n"
        )
        say("If you don't see a command prompt, try pressing enter.\n")
        environment.stderr.flush()
    if user.raw:
        from kubetrace.commands.terminal import Detaching, detach_keys

        user.detaching = Detaching(detach_keys(options.detach_keys or DETACH_KEYS))
    purpose = Purpose("attach", "attach: the streams of the container's process")
    wanted = RemoteCommand(
        "attach",
        text(pod, "namespace"),
        text(pod, "name"),
        name,
        purpose,
        stdin=user.stdin is not None,
        stderr=not user.raw,
        tty=user.raw,
    )
    # One size more than there is, then the true one: whatever draws the screen draws it anew.
    run_session(environment, wanted, user, lambda size: [(size[0] + 1, size[1] + 1), size])
    if options.quiet or not options.stdin or not user.raw:
        return
    found = find_container(pod, name)
    again = f"'{command_path} {text(pod, 'name')} -c {name} -n {text(pod, 'namespace')} -i -t'"
    if found is not None and found[1] == EPHEMERAL_CONTAINERS:
        words = (
            f"the ephemeral container will not be restarted but may be reattached using {again} if it is still running"
        )
    else:
        words = f"resume using {again} command"
    environment.stdout.write(f"Session ended, {words}\n")


def attach_or_log(
    environment: Environment, pod: dict[str, Any], options: AttachOptions, print_log: Callable[[], object]
) -> None:
    """Attaches to a container that the command has made; where that does not work, its log is printed (run's and
    debug's handleAttachPod). Raises KubetraceError."""
    from kubetrace.api.metadata import text

    try:
        attach(environment, pod, options, f"{PROGRAM} attach")
    except SilentExit:
        raise
    except KubetraceError as error:
        environment.stderr.write(
            f"warning: couldn't attach to pod/{text(pod, 'name')}, falling back to streaming logs: {error}\n"
        )
        environment.stderr.flush()
        print_log()


COMMAND = Command(
    run=run,
    options=AttachOptions,
    words="pods",
    usage="attach (POD | TYPE/NAME) -c CONTAINER",
    description="""
    Attach to the process that runs in a container already: see what it writes, and with -i write what it reads.
    """,
    examples="""
    # What the pod's container writes from here on; of one of several containers
    kubetrace attach web
    kubetrace attach web -c sidecar

    # With the keyboard, where the container has a terminal
    kubetrace attach web -c shell -it

    # The first pod of a replica set
    kubetrace attach rs/web
    """,
)

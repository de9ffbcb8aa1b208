"""`run`: a Pod with one container (kubectl pkg/cmd/run)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.overrides import override_type, overrides
from kubetrace.commands.shared_options import RecordedOptions, cascade, field_manager, save_config
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.run_attached import AttachedRun
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment

_PART = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_HOST}(?:\.{_HOST})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
IMAGE = rf"(?:{_DOMAIN}/)?{_PART}(?:/{_PART})*(?::{_TAG})?(?:@{_DIGEST})?"
"""An image's name (distribution's ReferenceRegexp)."""


class RunOptions(RecordedOptions):
    annotations: tuple[str, ...] = flag((), help="Annotation KEY=VALUE of the pod. Any number of times.", kind="array")
    attach: bool = flag(False, help="Wait until the pod runs, and attach to it. Implied by -i.")
    cascade: str = cascade()
    command: bool = flag(False, help="Take the words behind '--' for the command, not for its arguments.")
    detach_keys: str = flag("ctrl-p,ctrl-q", help="Keys that detach from the container.")
    env: tuple[str, ...] = flag((), help="Environment variable NAME=VALUE. Any number of times.", kind="array")
    expose: bool = flag(False, help="Create a service for the pod, too. Needs --port.")
    field_manager: str = field_manager("kubectl-run")
    force: bool = flag(False, help="With --rm, remove the pod from the API at once.")
    grace_period: int = flag(-1, help="With --rm, seconds the pod has to end.")
    image: str = flag("", help="Image of the container. Must be given.", required=True)
    image_pull_policy: str = flag("", help="When the image is pulled (Always, IfNotPresent, Never).")
    labels: str = flag("", "l", help="Labels of the pod, separated by commas, instead of run=NAME.")
    leave_stdin_open: bool = flag(False, help="Leave standard input open after the first attach has ended.")
    override_type: str = override_type()
    overrides: str = overrides()
    pod_running_timeout: float = flag(60.0, help="How long to wait until the pod runs.")
    port: str = flag("", help="Port on which the container listens.")
    privileged: bool = flag(False, help="Run the container privileged.")
    quiet: bool = flag(False, "q", help="Say nothing but what the container says.")
    restart: str = flag("Always", help="When the container is started again (Always, OnFailure, Never).")
    rm: bool = flag(False, help="Delete the pod when it has ended. Only when attached.")
    save_config: bool = save_config()
    stdin: bool = flag(False, "i", help="Keep the container's standard input open, and attach to it.")
    timeout: float = flag(0.0, help="With --rm, how long to wait for the pod to go.")
    tty: bool = flag(False, "t", help="Give the container a terminal. Needs -i.")
    wait: bool = flag(False, help="With --rm, wait until the pod is gone.")


def run(environment: Environment, options: RunOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.deletion import propagation_policy
    from kubetrace.commands.run_attached import AttachedRun
    from kubetrace.commands.writing import DryRun

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    environment.make_client()
    attach = options.attach or (options.stdin and not arguments.changed("attach"))
    printer = writing.object_printer(environment, options, strategy.mark("created"))
    propagation = propagation_policy(environment, options.cascade)
    _check(options, arguments)
    _ = environment.namespace
    restart = _restart_policy(options, arguments)
    if not attach and options.rm:
        raise arguments.usage_error("--rm should only be used for attached containers")
    if attach and strategy is not DryRun.NONE:
        raise arguments.usage_error(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)"
        )
    if options.image_pull_policy not in ("", "Always", "IfNotPresent", "Never"):
        raise arguments.usage_error(f"invalid image pull policy: {options.image_pull_policy}")
    run_ = Run(environment, options, strategy, recorder)
    pod = run_.create(run_.pod(arguments.words, restart), overridable=True)
    failure, made = None, [pod]
    if options.expose:
        try:
            service = run_.create(run_.service(arguments.words[0]))
            made.append(service)
            printer.print(service, environment.stdout)
            if options.output == "yaml":
                environment.stdout.write("---\n")
        except KubetraceError as error:
            failure = error
    if attach:
        _stay(AttachedRun(environment, options, restart), made, propagation)
        return
    printer.print(pod, environment.stdout)
    if failure is not None:
        raise failure


def _stay(attached: AttachedRun, made: list[dict[str, Any]], propagation: str) -> None:
    """Stays with the pod; with --rm all that was made goes then, unless a signal ended the wait. Raises PlainError with
    the container's exit code, and KubetraceError."""
    import contextlib

    from kubetrace.errors import SilentExit

    failure = None
    try:
        attached.stay(made[0])
    except SilentExit:
        raise
    except KubetraceError as error:
        failure = error
    if attached.options.rm:
        with contextlib.suppress(KubetraceError):
            attached.remove(made, propagation)
    if failure is not None:
        raise failure


def _check(options: RunOptions, arguments: Arguments) -> None:
    """What kubectl refuses before it looks at the namespace."""
    import re

    from kubetrace.api.go_words import quoted

    if not arguments.words or arguments.dash == 0:
        raise arguments.usage_error("NAME is required for run")
    if options.pod_running_timeout <= 0:
        raise arguments.usage_error("--pod-running-timeout must be higher than zero")
    if not options.image:
        raise KubetraceError("--image is required")
    if not re.fullmatch(IMAGE, options.image):
        raise KubetraceError(f"Invalid image name {quoted(options.image)}: invalid reference format")
    if options.tty and not options.stdin:
        raise arguments.usage_error("-i/--stdin is required for containers with -t/--tty=true")
    if options.expose and not options.port:
        raise arguments.usage_error("--port must be set when exposing a service")


def _restart_policy(options: RunOptions, arguments: Arguments) -> str:
    if options.restart not in ("", "Always", "OnFailure", "Never"):
        raise arguments.usage_error(f"invalid restart policy: {options.restart}")
    return options.restart or ("OnFailure" if options.stdin else "Always")


class Run(Value):
    """One run's objects."""

    environment: Environment
    options: RunOptions
    strategy: DryRun
    recorder: Recorder

    def pod(self, words: tuple[str, ...], restart: str) -> dict[str, Any]:
        """The Pod that the flags describe. Raises KubetraceError."""
        from kubetrace.commands.generators import pods
        from kubetrace.commands.generators.metadata import parse_labels
        from kubetrace.commands.pairs import parse_pairs

        options, name = self.options, words[0]
        env = pods.environment_variables(options.env)
        annotations, _ = parse_pairs(options.annotations, "annotations")
        labels = parse_labels(options.labels) if options.labels else {"run": name}
        container = pods.container(
            name,
            options.image,
            words[1:],
            command=options.command,
            env=env,
            port=options.port,
            pull_policy=options.image_pull_policy,
            stdin=options.stdin,
            stdin_once=options.stdin and not options.leave_stdin_open,
            tty=options.tty,
            privileged=options.privileged,
        )
        return pods.pod(name, labels, annotations, container, restart)

    def service(self, name: str) -> dict[str, Any]:
        """--expose: the Service before the Pod."""
        from kubetrace.commands.generators.metadata import new_object, parse_labels
        from kubetrace.commands.generators.pods import whole

        labels = parse_labels(self.options.labels) if self.options.labels else {}
        port = whole(self.options.port)
        result = new_object("v1", "Service", name)
        if labels:
            result["metadata"]["labels"] = labels
        result["spec"] = {
            "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
            "selector": labels or {"run": name},
        }
        return result

    def create(self, value: dict[str, Any], overridable: bool = False) -> dict[str, Any]:
        """Creates the object, unless this is a dry run of the client's; the object then."""
        from kubetrace.api.last_applied import create_or_update, encode
        from kubetrace.api.resources import GroupKind
        from kubetrace.commands.overrides import overridden
        from kubetrace.commands.writing import DryRun, create_as_typed
        from kubetrace.wire.go_struct import typed

        mapping = self.environment.cluster.mapper.mapping(GroupKind("", str(value["kind"])), "v1")
        made = typed(value)
        if overridable:
            made = typed(overridden(made, self.options.overrides, self.options.override_type))
        self.recorder.record(made)
        if self.strategy is DryRun.CLIENT:
            if self.environment.namespace_given:
                made["metadata"]["namespace"] = self.environment.namespace
            return typed(made)
        create_or_update(made, self.options.save_config)
        dry = self.strategy is DryRun.SERVER
        return create_as_typed(self.environment, mapping, encode(typed(made)), self.options.field_manager, dry)


COMMAND = Command(
    run=run,
    options=RunOptions,
    usage=(
        'run NAME --image=image [--env="key=value"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] '
        "[--command] -- [COMMAND] [args...] [options]"
    ),
    description="""
    Create a pod that runs an image.
    """,
    examples="""
    # A pod with nginx
    kubetrace run nginx --image=nginx

    # With a port, variables and labels
    kubetrace run web --image=nginx --port=80 --env="A=1" --env="B=2" --labels="app=web"

    # Show what would be created
    kubetrace run nginx --image=nginx --dry-run=client -o yaml

    # With a field that no flag has
    kubetrace run nginx --image=nginx --overrides='{"spec":{"hostNetwork":true}}'

    # A shell that is gone when you leave it, and one command with its exit code
    kubetrace run shell --image=busybox -it --rm --restart=Never -- sh
    kubetrace run once --image=busybox --attach --rm --restart=Never -- sh -c 'exit 3'

    # Other arguments, and another command
    kubetrace run nginx --image=nginx -- one two
    kubetrace run nginx --image=nginx --command -- /bin/server one two
    """,
)

"""`logs`: what containers wrote (kubectl pkg/cmd/logs)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import pod_running_timeout, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.pod_logs import PodLogOptions
    from kubetrace.environment import Environment

_USAGE = "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]"
_WHAT = f"expected '{_USAGE}'.\nPOD or TYPE/NAME is a required argument for the logs command"
_ZERO_TIME = "0001-01-01T00:00:00Z"
_TAIL_OF_SELECTED = 10
"""Lines of each log where a selector chooses the pods and no --tail says more."""


class LogsOptions(Value):
    all_containers: bool = flag(False, help="The logs of every container of the pod.")
    all_pods: bool = flag(False, help="The logs of every pod behind the object, each line with its source (--prefix).")
    container: str = flag("", "c", help="The log of this container.")
    follow: bool = flag(False, "f", help="Go on with what is written from here on.")
    ignore_errors: bool = flag(False, help="A log that cannot be read is no reason to end.")
    insecure_skip_tls_verify_backend: bool = flag(
        False,
        help="Don't have the server check who the kubelet is that gives the logs: for kubelets whose certificate has "
        "run out. Somebody else could answer in its place.",
    )
    limit_bytes: int = flag(0, help="No more bytes of log than this; 0: all.")
    max_log_requests: int = flag(5, help="How many logs may be followed at the same time.")
    pod_running_timeout: float = pod_running_timeout(20.0)
    prefix: bool = flag(False, help="Each line with its source before it: the names of pod and container.")
    previous: bool = flag(False, "p", help="The log of the container that ran before this one, if there was one.")
    selector: str = selector()
    since: float = flag(0.0, help="Only what was written in this time, such as 5s, 2m or 3h. Not with --since-time.")
    since_time: str = flag("", help="Only what was written after this time (RFC 3339). Not with --since.")
    tail: int = flag(-1, help="Only this many lines from the end; -1: all, or 10 of each log with a selector.")
    timestamps: bool = flag(False, help="Each line with the time at which it was written.")


def run(environment: Environment, options: LogsOptions, arguments: Arguments) -> None:
    from kubetrace.api.pod_logs import Wanted
    from kubetrace.commands.interrupts import ending_quietly
    from kubetrace.commands.log_streams import LogStreams

    _check_words(options, arguments)
    environment.namespace  # noqa: B018 - what is wrong with the kubeconfig comes first
    if options.pod_running_timeout <= 0:
        raise KubetraceError("--pod-running-timeout must be higher than zero")
    wanted = _log_options(options, arguments)
    value = _object(environment, options, arguments)
    _check(options, arguments, wanted)
    tell = environment.stderr.write
    with ending_quietly():
        environment.make_client()
        requests = Wanted(
            environment.cluster.objects, options.pod_running_timeout, tell, options.all_containers, options.all_pods
        ).of(value, wanted)
        LogStreams(
            environment,
            options.follow,
            options.prefix or options.all_pods,
            options.ignore_errors,
            options.pod_running_timeout,
        ).copy(requests, options.max_log_requests)


def _check_words(options: LogsOptions, arguments: Arguments) -> None:
    words = arguments.words
    if len(words) > 2 or (not words and not options.selector):
        raise arguments.usage_error(_WHAT)
    if len(words) == 1 and options.selector:
        raise arguments.usage_error("only a selector (-l) or a POD name is allowed")


def _log_options(options: LogsOptions, arguments: Arguments) -> PodLogOptions:
    """What the flags ask for. Raises KubetraceError."""
    from kubetrace.api.pod_logs import PodLogOptions
    from kubetrace.wire.go_time import rfc3339_in_utc

    try:
        since_time = rfc3339_in_utc(options.since_time) if options.since_time else None
    except ValueError as error:
        raise KubetraceError(str(error)) from None
    tail = None if options.tail == -1 else options.tail
    if options.selector and options.tail == -1 and not arguments.changed("tail"):
        tail = _TAIL_OF_SELECTED
    return PodLogOptions(
        container=arguments.words[1] if len(arguments.words) == 2 else options.container,
        follow=options.follow,
        previous=options.previous,
        timestamps=options.timestamps,
        skip_backend_tls=options.insecure_skip_tls_verify_backend,
        since_seconds=_rounded(options.since) if options.since else None,
        since_time="" if since_time == _ZERO_TIME else since_time,
        tail_lines=tail,
        limit_bytes=options.limit_bytes or None,
    )


def _rounded(seconds: float) -> int:
    """Whole seconds, halves away from zero (time.Duration.Round)."""
    return int(math.copysign(math.floor(abs(seconds) + 0.5), seconds))


def _object(environment: Environment, options: LogsOptions, arguments: Arguments) -> dict[str, Any]:
    """The object that is named, or the list of pods that the selector takes. Raises KubetraceError."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.go_words import quoted
    from kubetrace.api.selection import Selection
    from kubetrace.api.status import is_not_found
    from kubetrace.trace.exchange import Purpose

    selection = Selection()
    if arguments.words and arguments.words[0]:
        selection.add_names("pods", arguments.words[:1])
    if options.selector:
        selection.add_selectors(options.selector, "")
        selection.types.append("pods")
    request = Request(
        selection=selection,
        namespace=environment.namespace,
        default_namespace=True,
        single_resource_type=True,
        purpose=Purpose("logs", "logs: which pod is it, and which containers has it?"),
    )
    try:
        infos = build(environment.cluster.typed, request).infos()
    except KubetraceError as error:
        if not is_not_found(error):
            raise
        where = quoted(environment.namespace)
        raise KubetraceError(f"error from server (NotFound): {error} in namespace {where}") from None
    value = infos[0].object
    assert value is not None
    if options.selector and not value.get("items"):
        environment.stderr.write(f"No resources found in {environment.namespace} namespace.\n")
    return value


def _check(options: LogsOptions, arguments: Arguments, wanted: PodLogOptions) -> None:
    """What kubectl refuses once it has the object."""
    if options.since_time and options.since:
        raise KubetraceError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if options.all_containers and wanted.container:
        raise KubetraceError(f"--all-containers=true should not be specified with container name {wanted.container}")
    if arguments.changed("container") and len(arguments.words) == 2:
        raise KubetraceError("only one of -c or an inline [CONTAINER] arg is allowed")
    if options.limit_bytes < 0:
        raise KubetraceError("--limit-bytes must be greater than 0")
    if wanted.since_seconds is not None and wanted.since_seconds < 0:
        raise KubetraceError("--since must be greater than 0")
    if wanted.tail_lines is not None and wanted.tail_lines < -1:
        raise KubetraceError("--tail must be greater than or equal to -1")


COMMAND = Command(
    run=run,
    options=LogsOptions,
    words="pods-containers",
    usage=f"{_USAGE} [options]",
    description="""
    Print what a container wrote: of the pod that is named, or of one behind the deployment, job, service … that is.

    Where a pod has several containers and none is named, the first is taken, or the one that the pod's annotation
    kubectl.kubernetes.io/default-container names.
    """,
    examples="""
    # A pod's only container; one of several; the run before this one
    kubetrace logs web
    kubetrace logs web -c sidecar
    kubetrace logs web -p

    # A pod of a deployment, all of its pods, the first container of a job
    kubetrace logs deployment/web
    kubetrace logs deployment/web --all-pods
    kubetrace logs job/backup

    # Pods by their labels, all their containers, followed
    kubetrace logs -l app=web --all-containers --prefix -f

    # The last 20 lines, the last hour, since a moment, 500 bytes
    kubetrace logs web --tail=20
    kubetrace logs web --since=1h
    kubetrace logs web --since-time=2026-01-01T06:00:00Z --timestamps
    kubetrace logs web --limit-bytes=500
    """,
)

"""`set resources`: what containers request, and what they may use (kubectl pkg/cmd/set/set_resources.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.set.pod_changes import PodChangeOptions, containers
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class ResourcesOptions(PodChangeOptions):
    containers: str = containers()
    limits: str = flag("", help="What a container may use at most ('cpu=100m,memory=256Mi').")
    requests: str = flag("", help="What a container needs at least ('cpu=100m,memory=256Mi').")


def run(environment: Environment, options: ResourcesOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.generators.metadata import resource_list
    from kubetrace.commands.selecting import check_all, load_namespace
    from kubetrace.commands.set.changes import Changes, infos
    from kubetrace.commands.set.pod_changes import matching, of_pods

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("resource requirements updated"))
    load_namespace(environment, options.local)
    found = infos(environment, options, arguments.words, options.selector)
    writing.check_local(options.local, strategy)
    check_all(options.all, options.selector)
    if not options.limits and not options.requests:
        raise KubetraceError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {"limits": resource_list(options.limits), "requests": resource_list(options.requests)}
    errors: list[KubetraceError] = []

    def change(spec: dict[str, Any]) -> bool:
        chosen = matching(spec, options.containers)
        if not chosen:
            errors.append(KubetraceError(f"error: unable to find container named {options.containers}"))
        for container in chosen:
            resources = container.setdefault("resources", {})
            for kind, amounts in wanted.items():
                if amounts:
                    resources[kind] = {**(resources.get(kind) or {}), **amounts}
        return bool(chosen)

    failure = "failed to patch resources update to pod template "
    Changes(environment, options, strategy, printer, failure).make(found, of_pods(change, recorder), errors)


COMMAND = Command(
    run=run,
    options=ResourcesOptions,
    usage="set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS] [options]",
    description="""
    Set what containers request, and what they may use at most.
    """,
    examples="""
    # One container of a deployment
    kubetrace set resources deployment web -c=server --limits=cpu=200m,memory=512Mi

    # All containers
    kubetrace set resources deployment web --limits=cpu=200m,memory=512Mi --requests=cpu=100m,memory=256Mi

    # Nothing is limited any more
    kubetrace set resources deployment web --limits=cpu=0,memory=0 --requests=cpu=0,memory=0
    """,
)

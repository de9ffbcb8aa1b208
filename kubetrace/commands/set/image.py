"""`set image`: other images for containers (kubectl pkg/cmd/set/set_image.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.set.pod_changes import PodChangeOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


def run(environment: Environment, options: PodChangeOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.pairs import parse_pairs, split_pairs
    from kubetrace.commands.selecting import load_namespace
    from kubetrace.commands.set.changes import Changes, infos
    from kubetrace.commands.set.pod_changes import of_pods

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("image updated"))
    load_namespace(environment, options.local)
    objects, pairs = split_pairs(arguments.words, "image")
    images, _ = parse_pairs(pairs, "image")
    found = infos(environment, options, objects, options.selector)
    _check(options, strategy, objects, images)
    errors: list[KubetraceError] = []

    def change(spec: dict[str, Any]) -> None:
        from kubetrace.api.go_words import quoted

        for name, image in images.items():
            if not _set_image(spec, name, image):
                errors.append(KubetraceError(f"error: unable to find container named {quoted(name)}"))

    failure = "failed to patch image update to pod template: "
    Changes(environment, options, strategy, printer, failure).make(found, of_pods(change, recorder), errors)


def _check(options: PodChangeOptions, strategy: DryRun, objects: Sequence[str], images: dict[str, str]) -> None:
    """The combinations that kubectl refuses, all at once (SetImageOptions.Validate)."""
    from kubetrace.api.aggregates import raise_all
    from kubetrace.commands.selecting import names_files
    from kubetrace.commands.writing import DryRun

    problems = []
    if options.all and options.selector:
        problems.append("cannot set --all and --selector at the same time")
    if not objects and not names_files(options):
        problems.append("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not images:
        problems.append("at least one image update is required")
    elif len(images) > 1 and "*" in images:
        problems.append(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
        )
    if options.local and strategy is DryRun.SERVER:
        problems.append("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")
    raise_all([KubetraceError(problem) for problem in problems])


def _set_image(spec: dict[str, Any], name: str, image: str) -> bool:
    """Sets a container's image, with "*" all of them; False where there is none of the name."""
    found = False
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        if name in ("*", container.get("name")):
            container["image"] = image
            found = True
    return found


COMMAND = Command(
    run=run,
    options=PodChangeOptions,
    words="resource:daemonsets,deployments,pods,cronjobs,replicasets,replicationcontrollers,statefulsets",
    usage=(
        "set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... "
        "CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]"
    ),
    description="""
    Set other images for containers of pods, and of objects that have a pod template.
    """,
    examples="""
    # The container "web" of a deployment
    kubetrace set image deployment/web busybox=busybox web=nginx:1.29

    # A container of all deployments and replication controllers
    kubetrace set image deployments,rc web=nginx:1.29 --all

    # All containers of a daemon set
    kubetrace set image daemonset abc *=nginx:1.29

    # Show what a file would become, without asking a server
    kubetrace set image -f path/to/file.yaml web=nginx:1.29 --local -o yaml
    """,
)

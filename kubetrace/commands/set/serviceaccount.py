"""`set serviceaccount`: the account that pods run as (kubectl pkg/cmd/set/set_serviceaccount.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.set.changes import SetOptions
from kubetrace.commands.shared_options import record
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class ServiceAccountOptions(SetOptions):
    record: bool = record()


def run(environment: Environment, options: ServiceAccountOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import load_namespace
    from kubetrace.commands.set.changes import Changes, infos
    from kubetrace.commands.set.pod_changes import of_pods

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    writing.check_local(options.local, strategy)
    printer = writing.object_printer(environment, options, strategy.mark("serviceaccount updated"))
    load_namespace(environment, options.local)
    if not arguments.words:
        raise KubetraceError("serviceaccount is required")
    *objects, name = arguments.words
    found = infos(environment, options, () if options.local else objects)

    def change(spec: dict[str, Any]) -> None:
        spec["serviceAccountName"] = name

    failure = "failed to patch ServiceAccountName "
    changes = Changes(environment, options, strategy, printer, failure, even_unchanged=True)
    changes.make(found, of_pods(change, recorder), [])


COMMAND = Command(
    run=run,
    options=ServiceAccountOptions,
    usage="set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]",
    description="""
    Set the service account of pods, and of objects that have a pod template.
    """,
    examples="""
    # A deployment's pods
    kubetrace set serviceaccount deployment web server

    # Show what a file would become, without asking a server
    kubetrace set sa -f web.yaml server --local --dry-run=client -o yaml
    """,
)

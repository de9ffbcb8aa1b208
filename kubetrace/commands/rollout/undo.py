"""`rollout undo`: back to an earlier revision (kubectl pkg/cmd/rollout/rollout_undo.go, with
pkg/polymorphichelpers/rollback.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.api.last_applied import ANNOTATION
from kubetrace.cmdline.command import PROGRAM, Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.rollout.progress import REVISION
from kubetrace.commands.rollout.workloads import WorkloadOptions
from kubetrace.commands.shared_options import dry_run
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.rollout.revisions import History, Revision
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment

_DONE, _SKIPPED = "rolled back", "skipped rollback"
_KEPT = frozenset(
    (
        ANNOTATION,
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    )
)
"""Annotations that stay as the deployment has them."""


class UndoOptions(WorkloadOptions):
    dry_run: str = dry_run()
    to_revision: int = flag(0, help="The revision to go back to; 0 is the one before.")


def run(environment: Environment, options: UndoOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.rollout.workloads import check_named, workloads
    from kubetrace.commands.selecting import load_namespace

    strategy = writing.dry_run(environment, options.dry_run)
    load_namespace(environment)
    check_named(options, arguments)

    def one(info: Info) -> None:
        assert info.object is not None
        done = _roll_back(environment, options, info, strategy)
        printer = writing.object_printer(environment, options, strategy.mark(done))
        printer.print(writing.as_typed(info.object), environment.stdout)

    workloads(environment, options, arguments).visit(one)


def _roll_back(environment: Environment, options: UndoOptions, info: Info, strategy: DryRun) -> str:
    """What has been done, in a few words. Raises KubetraceError."""
    from kubetrace.api.controllers import same_template
    from kubetrace.api.metadata import string_map
    from kubetrace.commands.rollout.revisions import check_kind, described, read_history
    from kubetrace.commands.writing import DryRun
    from kubetrace.wire import go_json

    assert info.mapping is not None
    if ANNOTATION in string_map(info.object, "annotations"):
        environment.stderr.write(
            f"Warning: resource {info.object_name} was previously managed with '{PROGRAM} apply'. Rolling back will "
            f"not update the {ANNOTATION} annotation, which may cause unexpected behavior on future '{PROGRAM} apply' "
            f"operations. Consider using '{PROGRAM} apply' with your previous configuration file instead.\n"
        )
    kind = info.mapping.kind
    environment.make_client()
    check_kind(kind, "rollbacker", "rollbacker")
    if options.to_revision < 0:
        raise _unknown(options.to_revision)
    history = read_history(environment, kind.kind, info.namespace, info.name, kind.kind)
    deployment = kind.kind == "Deployment"
    if options.to_revision:
        revision = _numbered(history, options.to_revision)
    else:
        revision = (_before_of_deployment if deployment else _before_of_others)(history)
    if strategy is DryRun.CLIENT:
        template = described(revision.template)
        return template if deployment else f"will roll back to {template}"
    if deployment and (history.workload.get("spec") or {}).get("paused"):
        raise KubetraceError(
            f"you cannot rollback a paused deployment; resume it first with '{PROGRAM} rollout resume' and try again"
        )
    if deployment:
        same = same_template(revision.template, (history.workload.get("spec") or {}).get("template"))
    else:
        same = _state(history) == go_json.dumps(revision.source.get("data"))
    if same:
        return f"{_SKIPPED} (current template already matches revision {options.to_revision})"
    _send(environment, options, info, history, revision, strategy)
    return _DONE


def _before_of_deployment(history: History) -> Revision:
    """The revision before the last. Raises KubetraceError."""
    from kubetrace.api.go_words import quoted
    from kubetrace.api.metadata import text

    newest_first = sorted(history.revisions, key=lambda one: -one.number)
    if len(newest_first) < 2:
        raise KubetraceError(f"no rollout history found for deployment {quoted(text(history.workload, 'name'))}")
    return newest_first[1]


def _before_of_others(history: History) -> Revision:
    if len(history.revisions) <= 1:
        raise KubetraceError("no last revision to roll back to")
    return sorted(history.revisions, key=lambda one: one.number)[-2]


def _numbered(history: History, wanted: int) -> Revision:
    found = next((one for one in history.revisions if one.number == wanted), None)
    if found is None:
        raise _unknown(wanted)
    return found


def _unknown(revision: int) -> KubetraceError:
    return KubetraceError(f"unable to find specified revision {revision} in history")


def _state(history: History) -> bytes:
    """What the workload's controller would keep of it now."""
    from kubetrace.wire import go_json

    template = (history.workload.get("spec") or {}).get("template") or {}
    return go_json.dumps({"spec": {"template": {**template, "$patch": "replace"}}})


def _send(
    environment: Environment,
    options: UndoOptions,
    info: Info,
    history: History,
    revision: Revision,
    strategy: DryRun,
) -> None:
    from kubetrace.api import verbs
    from kubetrace.commands.writing import DryRun
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace
    from kubetrace.wire import go_json

    if history.mapping.kind.kind == "Deployment":
        media_type, body = verbs.JSON_PATCH, _deployment_patch(history, revision)
    else:
        media_type, body = verbs.STRATEGIC_PATCH, go_json.dumps_in_order(revision.source.get("data"))
    call = verbs.patch(
        history.mapping,
        info.namespace,
        info.name,
        media_type,
        body,
        verbs.WriteOptions("", dry_run=strategy is DryRun.SERVER),
        purpose=Purpose("rollout", "rollout: back to an earlier revision"),
    )
    try:
        environment.cluster.objects.send(replace(call, operation="typed-patch"), history.mapping, info.name)
    except KubetraceError as error:
        raise KubetraceError(f"failed restoring revision {options.to_revision}: {error}") from None


def _deployment_patch(history: History, revision: Revision) -> bytes:
    from kubetrace.api.controllers import without_hash
    from kubetrace.api.metadata import string_map
    from kubetrace.wire import go_json

    now, then = string_map(history.workload, "annotations"), string_map(revision.source, "annotations")
    annotations = {key: text for key, text in now.items() if key in _KEPT}
    annotations.update({key: text for key, text in then.items() if key not in _KEPT})
    return go_json.dumps_in_order(
        [
            {"op": "replace", "path": "/spec/template", "value": without_hash(revision.template)},
            {"op": "replace", "path": "/metadata/annotations", "value": dict(sorted(annotations.items()))},
        ]
    )


COMMAND = Command(
    run=run,
    options=UndoOptions,
    words="resources:deployment,daemonset,statefulset",
    usage="rollout undo (TYPE NAME | TYPE/NAME) [flags]",
    description="""
    Give a workload the pod template of an earlier revision.
    """,
    examples="""
    # To the version before
    kubetrace rollout undo deployment/web

    # To the third revision of a daemon set
    kubetrace rollout undo daemonset/agent --to-revision=3

    # What the server says of it, without doing it
    kubetrace rollout undo --dry-run=server deployment/web
    """,
)

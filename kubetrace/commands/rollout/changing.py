"""What `restart`, `pause` and `resume` share: one field of every workload is changed by a patch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments
from kubetrace.commands.rollout.workloads import GROUPS, WorkloadOptions
from kubetrace.commands.shared_options import field_manager
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

Patch = dict[str, Any]


class ChangingOptions(WorkloadOptions):
    field_manager: str = field_manager("kubectl-rollout")


class Change(Value):
    """What is done to workloads of these kinds. `patch` gets a workload's spec; it raises KubetraceError where that
    can't be done, and returns {} where there is nothing to change, which `nothing` words for a workload's name."""

    kinds: tuple[str, ...]
    done: str
    unsupported: str
    patch: Callable[[dict[str, Any]], Patch]
    nothing: Callable[[str], KubetraceError] = KubetraceError


def change_workloads(environment: Environment, options: ChangingOptions, arguments: Arguments, change: Change) -> None:
    """Changes and prints each; what fails is told at the end. Raises KubetraceError."""
    from kubetrace.api.aggregates import AggregateError
    from kubetrace.commands.rollout.workloads import check_named, note_none, workloads
    from kubetrace.commands.selecting import load_namespace

    load_namespace(environment)
    check_named(options, arguments)
    infos: list[Info] = []
    errors: list[KubetraceError] = []
    result = workloads(environment, options, arguments)
    try:
        result.visit(infos.append)
    except KubetraceError as error:
        errors.append(error)
    if not infos and not errors:
        note_none(environment)
    # All patches are made before the first is sent, as kubectl does.
    for info, patch in [(info, _patch(info, change)) for info in infos]:
        try:
            if isinstance(patch, KubetraceError):
                raise patch
            _send(environment, options, info, patch, change.done)
        except KubetraceError as error:
            errors.append(error)
    if errors:
        raise AggregateError(errors)


def _patch(info: Info, change: Change) -> Patch | KubetraceError:
    from kubetrace.api.go_words import quoted
    from kubetrace.api.resources import GroupVersionKind

    assert info.mapping is not None and info.object is not None
    kind = GroupVersionKind.of_struct(info.object)
    try:
        if kind.group not in GROUPS or kind.kind not in change.kinds:
            raise KubetraceError(change.unsupported)
        patch = change.patch(info.object.get("spec") or {})
    except KubetraceError as error:
        return KubetraceError(f"error: {info.mapping.resource.group_resource} {quoted(info.name)} {error}")
    return patch or change.nothing(info.name)


def _send(environment: Environment, options: ChangingOptions, info: Info, patch: Patch, done: str) -> None:
    from kubetrace.api import verbs
    from kubetrace.commands.writing import as_typed, object_printer
    from kubetrace.trace.exchange import Purpose
    from kubetrace.wire import go_json

    assert info.mapping is not None
    call = verbs.patch(
        info.mapping,
        info.namespace,
        info.name,
        verbs.STRATEGIC_PATCH,
        go_json.dumps(patch),
        verbs.WriteOptions(options.field_manager),
        purpose=Purpose("rollout", "rollout: change only what differs"),
    )
    try:
        changed = environment.cluster.typed.objects.send(call, info.mapping, info.name)
    except KubetraceError as error:
        raise KubetraceError(f"failed to patch: {error}") from None
    object_printer(environment, options, done).print(as_typed(changed), environment.stdout)

"""`auth reconcile`: roles and bindings that allow what files say (kubectl pkg/cmd/auth/reconcile.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import ChangeOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from kubetrace.api.builder import Info, Result
    from kubetrace.commands.auth.reconciliation import Outcome
    from kubetrace.environment import Environment

_OPTED_OUT = ", but object opted out (rbac.authorization.kubernetes.io/autoupdate: false)"
_RULE = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
_SUBJECT = ("kind", "apiGroup", "name", "namespace")


class ReconcileOptions(ChangeOptions):
    remove_extra_permissions: bool = flag(False, help="Take away what a role allows and its file does not.")
    remove_extra_subjects: bool = flag(False, help="Take a role from those whom its binding's file does not name.")


def run(environment: Environment, options: ReconcileOptions, arguments: Arguments) -> None:
    from kubetrace.api.resources import GroupVersionKind
    from kubetrace.commands import writing
    from kubetrace.commands.auth.reconciliation import MAPPINGS, Reconciliation, expected_object
    from kubetrace.wire.go_struct import go_type

    dry_run = _dry_run(environment, options, arguments)
    result = _result(environment, options)
    environment.make_client()
    printer = writing.object_printer(environment, options, "reconciled (dry run)" if dry_run else "reconciled")
    reconciliation = Reconciliation(
        environment, dry_run, options.remove_extra_permissions, options.remove_extra_subjects
    )

    def one(info: Info) -> None:
        assert info.object is not None
        kind = GroupVersionKind.of_struct(info.object)
        mapping = MAPPINGS.get(kind.kind)
        if mapping is None or kind.group != mapping.kind.group:
            said = GroupVersionKind.of(info.object)
            words = f'&v1.TypeMeta{{Kind:"{said.kind}", APIVersion:"{said.api_version}"}}'
            environment.note("reconcile-skipped", kind=words)
            return
        if kind.version != "v1":
            found = go_type(kind.api_version, kind.kind)
            raise KubetraceError(f"only rbac.authorization.k8s.io/v1 is supported: not {found}")
        named = {**info.object, "apiVersion": kind.api_version, "kind": kind.kind}
        outcome = reconciliation.reconcile(expected_object(named))
        printer.print(outcome.object, environment.stdout)
        environment.stdout.flush()
        environment.stderr.write(_told(outcome, options))

    result.visit(one)


def _dry_run(environment: Environment, options: ReconcileOptions, arguments: Arguments) -> bool:
    """Raises KubetraceError for what this command does not take."""
    from kubetrace.commands import writing
    from kubetrace.commands.selecting import names_files

    if not names_files(options):
        raise KubetraceError("must specify one of -f and -k")
    if arguments.words:
        raise KubetraceError("no arguments are allowed")
    try:
        strategy = writing.dry_run(environment, options.dry_run)
    except KubetraceError as error:
        raise KubetraceError(f"error accessing --dry-run flag for command reconcile: {error}") from None
    if strategy is writing.DryRun.SERVER:
        raise KubetraceError("--dry-run=server for command reconcile is not supported yet")
    return strategy is writing.DryRun.CLIENT


def _result(environment: Environment, options: ReconcileOptions) -> Result:
    from kubetrace.commands.selecting import Selecting, select

    return select(environment, options, (), Selecting(local=True, typed=True))


def _told(outcome: Outcome, options: ReconcileOptions) -> str:
    """What had to be done, and what was missing or too much."""
    if not outcome.operation:
        return ""
    caveat = _OPTED_OUT if outcome.protected else ""
    told = f"\treconciliation required {outcome.operation}{caveat}\n"
    told += _listed("missing subjects added", outcome.missing_subjects, _SUBJECT)
    if options.remove_extra_subjects:
        told += _listed("extra subjects removed", outcome.extra_subjects, _SUBJECT)
    told += _listed("missing rules added", outcome.missing_rules, _RULE)
    if options.remove_extra_permissions:
        told += _listed("extra rules removed", outcome.extra_rules, _RULE)
    return told


def _listed(head: str, items: Sequence[dict[str, Any]], fields: Sequence[str]) -> str:
    """Each item as Go's %+v writes its struct."""
    if not items:
        return ""
    return f"\t{head}:\n" + "".join(f"\t\t{{{' '.join(_field(item, field) for field in fields)}}}\n" for item in items)


def _field(item: dict[str, Any], field: str) -> str:
    name = field[0].upper() + field[1:] if not field.startswith("api") else "API" + field[3:]
    value = item.get(field)
    if field in _RULE:
        return f"{name}:[{' '.join(value or ())}]"
    return f"{name}:{value or ''}"


COMMAND = Command(
    run=run,
    options=ReconcileOptions,
    usage="auth reconcile -f FILENAME [options]",
    description="""
    Bring roles, role bindings, cluster roles and cluster role bindings to what files say.

    What is missing is created, its namespace included. A role that is there gets the permissions that it lacks, a
    binding the subjects; what they have besides stays, unless --remove-extra-permissions and --remove-extra-subjects
    say otherwise. Rules are compared by what they allow, not by how they are written, which "apply" could not do.
    """,
    examples="""
    # What rbac.yaml describes
    kubetrace auth reconcile -f rbac.yaml

    # What would have to be done
    kubetrace auth reconcile -f rbac.yaml --dry-run=client
    """,
)

"""`set subject`: more users, groups and service accounts for role bindings (kubectl pkg/cmd/set/set_subject.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.set.changes import SetOptions
from kubetrace.commands.shared_options import selector
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

_RBAC = "rbac.authorization.k8s.io"
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")

Subject = dict[str, Any]


class SubjectOptions(SetOptions):
    group: tuple[str, ...] = flag((), kind="array", help="A group that gets the role.")
    selector: str = selector()
    serviceaccount: tuple[str, ...] = flag(
        (), kind="array", help="A service account that gets the role (NAMESPACE:NAME)."
    )
    user: tuple[str, ...] = flag((), kind="array", help="A user who gets the role.")


def run(environment: Environment, options: SubjectOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.selecting import check_all, load_namespace
    from kubetrace.commands.set.changes import Changes, infos

    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("subjects updated"))
    load_namespace(environment, options.local)
    found = infos(environment, options, arguments.words, options.selector)
    writing.check_local(options.local, strategy)
    check_all(options.all, options.selector)
    subjects = _subjects(environment, options, found)

    from kubetrace.wire.go_struct import struct_of

    def change(value: dict[str, Any]) -> bool:
        version, kind = struct_of(value)
        if kind not in _BINDINGS or version != f"{_RBAC}/v1":
            raise KubetraceError("setting subjects is only supported for RoleBinding/ClusterRoleBinding")
        known = value.get("subjects") or []
        new = [subject for subject in subjects if subject not in known]
        value["subjects"] = [*known, *new]
        return bool(new)

    failure = "failed to patch subjects to rolebinding: "
    Changes(environment, options, strategy, printer, failure).make(found, change, [])


def _subjects(environment: Environment, options: SubjectOptions, found: Sequence[Info]) -> list[Subject]:
    """What the flags name, each once. Raises KubetraceError (SubjectOptions.Validate)."""
    if not (options.user or options.group or options.serviceaccount):
        raise KubetraceError("you must specify at least one value of user, group or serviceaccount")
    for text in options.serviceaccount:
        namespace, _, name = text.partition(":")
        if not name or ":" in name:
            raise KubetraceError("serviceaccount must be <namespace>:<name>")
        if not namespace and any(_is_for_all_namespaces(info) for info in found):
            raise KubetraceError("serviceaccount must be <namespace>:<name>, namespace must be specified")
    accounts = (text.split(":") for text in sorted(set(options.serviceaccount)))
    return [
        *({"kind": "User", "apiGroup": _RBAC, "name": name} for name in sorted(set(options.user))),
        *({"kind": "Group", "apiGroup": _RBAC, "name": name} for name in sorted(set(options.group))),
        *(
            {"kind": "ServiceAccount", "name": name, "namespace": namespace or environment.namespace}
            for namespace, name in accounts
        ),
    ]


def _is_for_all_namespaces(info: Info) -> bool:
    from kubetrace.wire.go_struct import struct_of

    return info.object is not None and struct_of(info.object)[1] == "ClusterRoleBinding"


COMMAND = Command(
    run=run,
    options=SubjectOptions,
    usage=(
        "set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] "
        "[--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]"
    ),
    description="""
    Give the role of a role binding or cluster role binding to more users, groups or service accounts.
    """,
    examples="""
    # To a service account
    kubetrace set subject clusterrolebinding admin --serviceaccount=ci:builder

    # To two users and a group
    kubetrace set subject rolebinding admin --user=ann --user=ben --group=operators

    # Show what a file would become, without asking a server
    kubetrace create rolebinding admin --role=admin --user=ann -o yaml --dry-run=client | \\
      kubetrace set subject --local -f - --user=ben -o yaml
    """,
)

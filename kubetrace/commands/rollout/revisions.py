"""The revisions of a workload: a deployment's replica sets, the controller revisions of daemon sets and stateful sets
(kubectl pkg/polymorphichelpers/history.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.api.controllers import is_controlled_by
from kubetrace.api.labels import selector_text
from kubetrace.api.metadata import string_map
from kubetrace.api.related import Related
from kubetrace.api.resources import GroupVersionKind
from kubetrace.api.resources import Mapping as ResourceMapping
from kubetrace.api.typed_kinds import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
)
from kubetrace.commands.change_cause import ANNOTATION as CHANGE_CAUSE
from kubetrace.commands.rollout.progress import revision_of
from kubetrace.commands.rollout.workloads import GROUPS
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.pods import describe_template
from kubetrace.printing.describe.writer import Writer
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value
from kubetrace.wire import go_json

Object = dict[str, Any]

PURPOSE = Purpose("rollout", "rollout: which revisions are there?")

_WORKLOADS = {mapping.kind.kind: mapping for mapping in (DEPLOYMENTS, DAEMON_SETS, STATEFUL_SETS)}
_OTHERS = (("batch", "Job"), ("", "Pod"), ("", "ReplicationController"), ("batch", "CronJob"))


class Revision(Value):
    """One revision: `source` is what the server keeps of it, `workload` what it is printed as, `template` its pods."""

    number: int
    source: Object
    workload: Object
    template: Object
    change_cause: str


class History(Value):
    """A workload, as kubectl's typed client reads it, and its revisions in the order of the server."""

    mapping: ResourceMapping
    workload: Object
    revisions: list[Revision]

    def by_number(self) -> dict[int, Revision]:
        return {one.number: one for one in sorted(self.revisions, key=lambda one: one.number)}


def check_kind(kind: GroupVersionKind, retrieving: str, missing: str) -> None:
    """Raises KubetraceError, in kubectl's words, for a kind without revisions (pkg/apps/kind_visitor.go)."""
    if kind.group in GROUPS and kind.kind in _WORKLOADS and (kind.group == "apps" or kind.kind != "StatefulSet"):
        return
    known = (kind.group, kind.kind) in _OTHERS or (kind.group in GROUPS and kind.kind == "ReplicaSet")
    if known:
        raise KubetraceError(f'no {missing} has been implemented for "{kind.group_kind}"')
    seen = f"{{{kind.group} {kind.kind}}}"
    raise KubetraceError(f'error retrieving {retrieving} for "{kind.group_kind}", no visitor method exists for {seen}')


def read_history(environment: Environment, kind: str, namespace: str, name: str, label: str) -> History:
    """The history of a workload; `label` is what errors call its kind. Raises KubetraceError."""
    related = Related(environment.cluster.objects, chunk_size=0)
    mapping = _WORKLOADS[kind]
    try:
        workload = related.one(mapping, namespace, name, purpose=PURPOSE)
    except KubetraceError as error:
        raise KubetraceError(f"failed to retrieve {label} {name}: {error}") from None
    for claim in (workload.get("spec") or {}).get("volumeClaimTemplates") or ():
        claim.pop("apiVersion", None)  # protobuf, which kubectl reads this as, has no types within objects
        claim.pop("kind", None)
    of_deployment = kind == "Deployment"
    selector = selector_text((workload.get("spec") or {}).get("selector"))
    listed = REPLICA_SETS if of_deployment else CONTROLLER_REVISIONS
    try:
        found = related.many(listed, namespace, labels=selector, paged=False)
    except KubetraceError as error:
        what = (
            f"failed to retrieve replica sets from {label.lower()}"
            if of_deployment
            else (f"unable to find history controlled by {kind}")
        )
        raise KubetraceError(f"{what} {name}: {error}") from None
    owned = [
        {"kind": listed.kind.kind, "apiVersion": "apps/v1", **one} for one in found if is_controlled_by(one, workload)
    ]
    make = _of_replica_set if of_deployment else _of_controller_revision
    return History(mapping, workload, [made for one in owned if (made := make(workload, one)) is not None])


def _of_replica_set(workload: Object, replica_set: Object) -> Revision | None:
    """None where the replica set does not say which revision it is."""
    try:
        number = revision_of(replica_set)
    except KubetraceError:
        return None
    template: Object = (replica_set.get("spec") or {}).get("template") or {}
    cause = string_map(replica_set, "annotations").get(CHANGE_CAUSE) or string_map(template, "annotations").get(
        CHANGE_CAUSE, ""
    )
    return Revision(number, replica_set, replica_set, template, cause)


def _of_controller_revision(workload: Object, revision: Object) -> Revision:
    from kubetrace.api import verbs
    from kubetrace.api.local_patch import patched

    then = patched(workload, verbs.STRATEGIC_PATCH, go_json.dumps(revision.get("data") or {}))
    template: Object = (then.get("spec") or {}).get("template") or {}
    cause = string_map(revision, "annotations").get(CHANGE_CAUSE, "")
    return Revision(int(revision.get("revision") or 0), revision, then, template, cause)


def described(template: Object) -> str:
    """A revision's pod template."""
    writer = Writer(0, aligned=False)
    describe_template(writer, template)
    return writer.text

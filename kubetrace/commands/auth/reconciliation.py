"""What a role or binding must become so that it allows what a manifest says, and the calls that make it so
(component-helpers' auth/rbac/reconciliation)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from kubetrace.api import last_applied, verbs
from kubetrace.api.metadata import text
from kubetrace.api.resources import Mapping as ResourceMapping
from kubetrace.api.status import is_already_exists, is_conflict, is_forbidden, is_not_found
from kubetrace.api.typed_kinds import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, ROLE_BINDINGS, ROLES
from kubetrace.commands.auth.coverage import uncovered
from kubetrace.commands.writing import as_typed, send_typed
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Operation, Purpose
from kubetrace.transport.call import Call
from kubetrace.value import Mutable, Value, fresh, replace
from kubetrace.wire import go_json

Object = dict[str, Any]

MAPPINGS = {mapping.kind.kind: mapping for mapping in (ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS)}
_AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_ON_CONFLICT = 3
"""How often the whole is tried where somebody else changes the object."""
_ROLE_RUNS, _BINDING_RUNS = 3, 4
"""How often it begins anew where an object appears or goes meanwhile."""

_NOW = Purpose("auth", "auth: what do the role or binding look like now?")
_CREATE = Purpose("auth", "auth: a role or binding that was missing")
_UPDATE = Purpose("auth", "auth: what was missing is added")
_DELETE = Purpose("auth", "auth: a binding's role can't be changed, so it is made anew")
_NAMESPACE = Purpose("auth", "auth: is the namespace there?")
_NEW_NAMESPACE = Purpose("auth", "auth: the namespace for the role or binding")


class Outcome(Mutable):
    """What was done, or, in a dry run, would be: `operation` is "create", "update", "recreate" or "". A `protected`
    object is left as it is."""

    object: Object
    operation: str = ""
    protected: bool = False
    missing_rules: Sequence[Object] = ()
    extra_rules: Sequence[Object] = ()
    missing_subjects: Sequence[Object] = ()
    extra_subjects: Sequence[Object] = ()
    replaced: Object = fresh(dict)
    """What a recreation deletes."""


class Reconciliation(Value):
    """How objects are reconciled: what is too much goes only where that is said; nothing is sent in a dry run."""

    environment: Environment
    dry_run: bool
    remove_extra_permissions: bool
    remove_extra_subjects: bool

    def reconcile(self, expected: Object) -> Outcome:
        """Brings the object to what is expected of it. Raises KubetraceError."""
        for _ in range(_ON_CONFLICT - 1):
            try:
                return self._run(expected)
            except KubetraceError as error:
                if not is_conflict(error):
                    raise
        return self._run(expected)

    def _run(self, expected: Object) -> Outcome:
        binding = str(expected.get("kind")).endswith("Binding")
        for _ in range(_BINDING_RUNS if binding else _ROLE_RUNS):
            outcome = self._wanted(expected, self._binding if binding else self._role)
            if outcome.protected or self.dry_run or not outcome.operation or self._done(outcome):
                return outcome
        raise KubetraceError("exceeded maximum attempts")

    def _wanted(self, expected: Object, compare: Callable[[Object, Object], Outcome]) -> Outcome:
        mapping = _mapping(expected)
        namespace, name = text(expected, "namespace"), text(expected, "name")
        try:
            existing = self._send(verbs.get(mapping, namespace, name, purpose=_NOW), "typed-get", mapping, name)
        except KubetraceError as error:
            if not is_not_found(error):
                raise
            return Outcome(
                expected,
                "create",
                missing_rules=expected.get("rules") or (),
                missing_subjects=expected.get("subjects") or (),
            )
        outcome = compare(existing, expected)
        annotations = (existing.get("metadata") or {}).get("annotations") or {}
        outcome.protected = annotations.get(_AUTO_UPDATE) == "false"
        return outcome

    # --- what differs --------------------------------------------------------------------------------------------

    def _role(self, existing: Object, expected: Object) -> Outcome:
        """computeReconciledRole."""
        result = deepcopy(existing)
        outcome = Outcome(result, _merge_metadata(result, expected))
        rules, wanted = existing.get("rules") or [], expected.get("rules") or []
        if not (expected.get("aggregationRule") and existing.get("aggregationRule")):
            outcome.extra_rules = uncovered(wanted, rules)
        outcome.missing_rules = uncovered(rules, wanted)
        remove = self.remove_extra_permissions
        if not remove and outcome.missing_rules:
            result["rules"], outcome.operation = [*rules, *outcome.missing_rules], "update"
        elif remove and (outcome.missing_rules or outcome.extra_rules):
            result["rules"], outcome.operation = wanted, "update"
        if expected.get("kind") == "ClusterRole" and _aggregate(result, expected, remove):
            outcome.operation = "update"
        return outcome

    def _binding(self, existing: Object, expected: Object) -> Outcome:
        """computeReconciledRoleBinding."""
        if expected.get("roleRef") != existing.get("roleRef"):
            return Outcome(expected, "recreate", replaced=existing)
        result = deepcopy(existing)
        outcome = Outcome(result, _merge_metadata(result, expected))
        subjects, wanted = existing.get("subjects") or [], expected.get("subjects") or []
        missing, extra = _only_in(wanted, subjects), _only_in(subjects, wanted)
        outcome.missing_subjects, outcome.extra_subjects = missing, extra
        if not self.remove_extra_subjects and missing:
            result["subjects"], outcome.operation = [*subjects, *missing], "update"
        elif self.remove_extra_subjects and (missing or extra):
            result["subjects"], outcome.operation = wanted, "update"
        return outcome

    # --- calls ---------------------------------------------------------------------------------------------------

    def _done(self, outcome: Outcome) -> bool:
        """Makes it so; False where the object has come or gone meanwhile, so that all begins anew. Raises
        KubetraceError."""
        value = outcome.object
        mapping = _mapping(value)
        namespace, name = text(value, "namespace"), text(value, "name")
        if outcome.operation == "update":
            call = verbs.replace_(mapping, namespace, name, last_applied.encode_typed(value), purpose=_UPDATE)
            return self._sent(outcome, call, "typed-update", is_not_found)
        if outcome.operation == "recreate" and not self._deleted(outcome.replaced):
            return False
        if mapping.namespaced:
            self._ensure_namespace(namespace)
        call = verbs.create(mapping, namespace, last_applied.encode_typed(value), purpose=_CREATE)
        return self._sent(outcome, call, "typed-create", is_already_exists)

    def _sent(
        self, outcome: Outcome, call: Call, operation: Operation, means_again: Callable[[BaseException], bool]
    ) -> bool:
        value = outcome.object
        try:
            outcome.object = self._send(call, operation, _mapping(value), text(value, "name"))
        except KubetraceError as error:
            if means_again(error):
                return False
            raise
        return True

    def _deleted(self, value: Object) -> bool:
        """Deletes this very object; False where another one of its name is there."""
        mapping, name = _mapping(value), text(value, "name")
        body = go_json.dumps_in_order({"preconditions": {"uid": text(value, "uid")}}) + b"\n"
        call = verbs.delete(mapping, text(value, "namespace"), name, body, purpose=_DELETE)
        try:
            call = replace(call, operation="typed-delete", client=str(mapping.resource.group_version))
            self.environment.cluster.objects.send(call, mapping, name)
        except KubetraceError as error:
            if is_conflict(error):
                return False
            if not is_not_found(error):
                raise
        return True

    def _ensure_namespace(self, namespace: str) -> None:
        """Makes the namespace if it is missing, and if that is allowed (tryEnsureNamespace)."""
        try:
            self._send(verbs.get(NAMESPACES, "", namespace, purpose=_NAMESPACE), "typed-get", NAMESPACES, namespace)
        except KubetraceError as error:
            if not is_not_found(error) and not is_forbidden(error):
                raise
        else:
            return
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        call = verbs.create(NAMESPACES, "", last_applied.encode_typed(made), purpose=_NEW_NAMESPACE)
        try:
            self._send(call, "typed-create", NAMESPACES, namespace)
        except KubetraceError as error:
            if not is_already_exists(error) and not is_forbidden(error):
                raise

    def _send(self, call: Call, operation: Operation, mapping: ResourceMapping, name: str) -> Object:
        return send_typed(self.environment, replace(call, operation=operation), mapping, name)


def _mapping(value: Object) -> ResourceMapping:
    return MAPPINGS[str(value.get("kind"))]


def _merge_metadata(value: Object, expected: Object) -> str:
    """Adds the labels and annotations that are expected; what is there stays. "update" where that made a difference."""
    metadata = value.setdefault("metadata", {})
    operation = ""
    for field in ("annotations", "labels"):
        old, new = metadata.get(field), (expected.get("metadata") or {}).get(field)
        merged = None if old is None and new is None else {**(new or {}), **(old or {})}
        if merged != old:
            metadata[field], operation = merged, "update"
    return operation


def _aggregate(value: Object, expected: Object, remove_extra: bool) -> bool:
    """Brings the rule for aggregation to what is expected; whether that made a difference."""
    old, new = value.get("aggregationRule"), expected.get("aggregationRule")
    if new is None:
        return value.pop("aggregationRule", None) is not None
    owned = (old or {}).get("clusterRoleSelectors") or []
    wanted = new.get("clusterRoleSelectors") or []
    missing = [selector for selector in wanted if selector not in owned]
    extra = [selector for selector in owned if selector not in wanted]
    if remove_extra and (missing or extra):
        value["aggregationRule"] = new
        return True
    if missing:
        value["aggregationRule"] = {"clusterRoleSelectors": [*owned, *missing]}
    return bool(missing)


def _only_in(subjects: Sequence[Object], others: Sequence[Object]) -> list[Object]:
    found: list[Object] = []
    for subject in subjects:
        if subject not in others and subject not in found:
            found.append(subject)
    return found


def expected_object(value: Object) -> Object:
    """A manifest's role or binding as kubectl's struct has it; empty labels and annotations stay."""
    result = as_typed(value)
    given = value.get("metadata")
    for field in ("annotations", "labels"):
        if isinstance(given, dict) and given.get(field) == {}:
            result["metadata"][field] = {}
    return result

"""`apply --prune --applyset`: a parent object remembers which kinds and namespaces the set has members in, and labels
say which objects are its members (kubectl pkg/cmd/apply: applyset.go, applyset_pruner.go)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace import KUBECTL_VERSION
from kubetrace.api import verbs
from kubetrace.api.aggregates import raise_all
from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import set_field, string_map, text
from kubetrace.api.resources import GroupKind, GroupResource, GroupVersionResource
from kubetrace.api.status import is_conflict, is_not_found
from kubetrace.api.typed_kinds import CUSTOM_RESOURCE_DEFINITIONS
from kubetrace.commands.apply.prune import Left, listed
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.api.resources import Mapping as KindMapping
    from kubetrace.environment import Environment

Object = dict[str, Any]

ID = "applyset.kubernetes.io/id"
PART_OF = "applyset.kubernetes.io/part-of"
TOOLING = "applyset.kubernetes.io/tooling"
KINDS = "applyset.kubernetes.io/contains-group-kinds"
RESOURCES = "applyset.kubernetes.io/contains-group-resources"
"""The older form of KINDS."""
NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
PARENT_TYPE = "applyset.kubernetes.io/is-parent-type"

_TOOL = "kubectl"
_MANAGER = f"{_TOOL}-applyset"
_BUILT_IN_PARENTS = (GroupVersionResource("", "v1", "secrets"), GroupVersionResource("", "v1", "configmaps"))

_WHICH_PARENTS = Purpose("applyset", "applyset: which custom kinds may be parents?")
_PARENT = Purpose("applyset", "applyset: what does the parent remember?")
_REMEMBER = Purpose("applyset", "applyset: have the parent remember kinds and namespaces")


def enabled(environ: Mapping[str, str]) -> bool:
    """Is kubectl's alpha feature switched on?"""
    return environ.get("KUBECTL_APPLYSET", "").lower() == "true"


class Parent(Value):
    """The object that remembers the set."""

    mapping: KindMapping
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        resource = self.mapping.resource
        return f"{resource.resource}.{resource.group}/{self.name}"

    @property
    def id(self) -> str:
        kind = self.mapping.kind
        digest = hashlib.sha256(".".join((self.name, self.namespace, kind.kind, kind.group)).encode()).digest()
        return f"applyset-{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}-v1"

    @property
    def built_in(self) -> bool:
        return self.mapping.resource in _BUILT_IN_PARENTS


def parse_parent(environment: Environment, reference: str) -> Parent:
    """[RESOURCE][.GROUP]/NAME; a Secret where only a name is given. Only --namespace, not the kubeconfig, says where a
    parent in namespaces is. Raises KubetraceError."""
    resource, slash, name = reference.partition("/")
    wanted = GroupVersionResource("", "v1", "secrets")
    if slash:
        resource, _, group = resource.partition(".")
        wanted = GroupVersionResource(group, "", resource)
    else:
        name = reference
    mapper = environment.cluster.mapper
    try:
        if not name:
            raise KubetraceError("name cannot be blank")
        mapping = mapper.mapping(mapper.kind_for(wanted).group_kind)
    except KubetraceError as error:
        raise KubetraceError(f"invalid parent reference {quoted(reference)}: {error}") from None
    given = environment.namespace_given and mapping.namespaced
    return Parent(mapping, name, environment.namespace if given else "")


class ApplySet:
    """One set during one run of apply."""

    def __init__(self, environment: Environment, parent: Parent, write: verbs.WriteOptions, *, sends: bool) -> None:
        """`sends` is False for a dry run of the client's."""
        self._environment = environment
        self._parent = parent
        self._write = replace(write, field_manager=_MANAGER, force=False)
        self._sends = sends
        self._before: dict[GroupKind, KindMapping] = {}
        self._after: dict[GroupKind, KindMapping] = {}
        self._namespaces_before: set[str] = set()
        self._namespaces_after: set[str] = set()

    # --- before anything is applied --------------------------------------------------------------------------------

    def validate(self) -> None:
        """Refuses an object that cannot be a parent. Raises KubetraceError."""
        errors: list[KubetraceError] = []
        parent = self._parent
        if parent.mapping.namespaced and not parent.namespace:
            errors.append(KubetraceError("namespace is required to use namespace-scoped ApplySet"))
        if not parent.built_in:
            allowed: set[GroupResource] = set()
            try:
                allowed = self._custom_parents()
            except KubetraceError as error:
                errors.append(KubetraceError(f"identifying allowed custom resource parent types: {error}"))
            if parent.mapping.resource.group_resource not in allowed:
                shown = quoted(str(parent.mapping.resource))
                errors.append(KubetraceError(f"resource {shown} is not permitted as an ApplySet parent"))
        raise_all(errors)

    def _custom_parents(self) -> set[GroupResource]:
        """The custom resources whose definitions allow that."""
        options = verbs.ListOptions(PARENT_TYPE)
        call = verbs.list_(CUSTOM_RESOURCE_DEFINITIONS, "", options, purpose=_WHICH_PARENTS)
        objects = self._environment.cluster.objects
        found = objects.send(replace(call, operation="dynamic-list"), CUSTOM_RESOURCE_DEFINITIONS)
        names = (text(item, "name").partition(".") for item in found.get("items") or ())
        return {GroupResource(group, resource) for resource, _, group in names}

    def label(self, infos: Iterable[Info]) -> None:
        """Makes objects members. Raises KubetraceError where one says itself whose member it is."""
        for info in infos:
            labels = string_map(info.object, "labels")
            if PART_OF in labels:
                raise KubetraceError(f"ApplySet label {quoted(PART_OF)} already set in input data")
            assert info.object is not None
            set_field(info.object, "labels", {**labels, PART_OF: self._parent.id})

    def before_apply(self, infos: Iterable[Info]) -> None:
        """Has the parent remember old and new kinds, so that nothing is forgotten when the run is interrupted. Raises
        KubetraceError."""
        self._fetch_parent()
        for info in infos:
            assert info.mapping is not None
            self._after.setdefault(info.mapping.kind.group_kind, info.mapping)
            if info.mapping.namespaced and info.namespace:
                self._namespaces_after.add(info.namespace)
        self._remember({**self._before, **self._after}, self._namespaces_before | self._namespaces_after)

    def _fetch_parent(self) -> None:
        parent = self._parent
        shown = quoted(str(parent))
        try:
            live = self._environment.cluster.objects.get(parent.mapping, parent.namespace, parent.name, purpose=_PARENT)
        except KubetraceError as error:
            if not is_not_found(error):
                raise _wrapped(f"failed to fetch ApplySet parent object {shown}", error) from None
            if not parent.built_in:
                raise KubetraceError("custom resource ApplySet parents cannot be created automatically") from None
            return
        self._check_owner(shown, string_map(live, "labels"), string_map(live, "annotations"))
        annotations = string_map(live, "annotations")
        try:
            self._before = self._remembered_kinds(annotations)
        except KubetraceError as error:
            raise KubetraceError(f"parsing ApplySet annotation on {shown}: {error}") from None
        self._namespaces_before = {name for name in annotations.get(NAMESPACES, "").split(",") if name}
        if parent.mapping.namespaced:
            self._namespaces_before.add(parent.namespace)

    def _check_owner(self, shown: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> None:
        """Refuses an object that is no parent, or another tool's."""
        if TOOLING not in annotations:
            raise KubetraceError(
                f"ApplySet parent object {shown} already exists and is missing required annotation {quoted(TOOLING)}"
            )
        tool = annotations[TOOLING].rpartition("/")[0] or annotations[TOOLING]
        if tool != _TOOL:
            raise KubetraceError(
                f"ApplySet parent object {shown} already exists and is managed by tooling {quoted(tool)} "
                f"instead of {quoted(_TOOL)}"
            )
        if ID not in labels:
            raise KubetraceError(f"ApplySet parent object {shown} exists and does not have required label {ID}")
        if labels[ID] != self._parent.id:
            raise KubetraceError(
                f"ApplySet parent object {shown} exists and has incorrect value for label {quoted(ID)} "
                f"(got: {labels[ID]}, want: {self._parent.id})"
            )

    def _remembered_kinds(self, annotations: Mapping[str, str]) -> dict[GroupKind, KindMapping]:
        mapper = self._environment.cluster.mapper
        if KINDS in annotations:
            names = (name.partition(".") for name in annotations[KINDS].split(",") if annotations[KINDS])
            kinds = [GroupKind(group, kind) for kind, _, group in names]
            return {kind: _mapping(mapper.mapping, kind, "could not find mapping for kind in", KINDS) for kind in kinds}
        if not annotations.get(RESOURCES):
            raise KubetraceError(
                f"kubectl requires the {quoted(KINDS)} annotation to be set on all ApplySet parent objects"
            )
        found = {}
        for name in annotations[RESOURCES].split(","):
            resource, _, group = name.partition(".")
            wanted = GroupVersionResource(group, "", resource)
            kind = _mapping(mapper.kind_for, wanted, "invalid group resource in", RESOURCES).group_kind
            found[kind] = _mapping(mapper.mapping, kind, "could not find kind for resource in", RESOURCES)
        return found

    def _remember(self, kinds: Iterable[GroupKind], namespaces: set[str]) -> None:
        """Applies what the parent is to remember. Raises KubetraceError."""
        if not self._sends:
            return
        body = self._patch(kinds, namespaces)
        try:
            try:
                self._send(body, self._write)
            except KubetraceError as error:
                if not is_conflict(error):
                    raise
                self._environment.note("applyset-conflict", error=str(error), manager=_MANAGER)
                self._send(body, replace(self._write, force=True))
        except KubetraceError as error:
            raise _wrapped("failed to update ApplySet", error) from None

    def _patch(self, kinds: Iterable[GroupKind], namespaces: set[str]) -> bytes:
        from kubetrace.api.go_words import struct_json

        parent = self._parent
        annotations = {
            NAMESPACES: ",".join(sorted(namespaces - {parent.namespace})),
            KINDS: ",".join(sorted(map(str, kinds))),
            TOOLING: f"{_TOOL}/v{KUBECTL_VERSION}",
        }
        place = {"namespace": parent.namespace} if parent.namespace else {}
        metadata = {"name": parent.name, **place, "labels": {ID: parent.id}, "annotations": annotations}
        kind = parent.mapping.kind
        return struct_json({"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata})

    def _send(self, body: bytes, write: verbs.WriteOptions) -> None:
        parent = self._parent
        call = verbs.patch(
            parent.mapping, parent.namespace, parent.name, verbs.APPLY_PATCH, body, write, purpose=_REMEMBER
        )
        self._environment.cluster.objects.send(call, parent.mapping, parent.name)

    # --- after everything is applied -------------------------------------------------------------------------------

    def prune(self, uids: Iterable[str], delete: Callable[[Left], object], say: Callable[[Left], object]) -> None:
        """Deletes members that were not applied, then has the parent forget what it need not know any more. Raises
        KubetraceError."""
        for one in self._left(frozenset(uids)):
            try:
                delete(one)
            except KubetraceError as error:
                place = f"{one.namespace}/" if one.namespace else ""
                shown = f"{one.mapping.kind.group_kind} {place}{one.name}"
                raise _wrapped(f"pruning {shown}", error) from None
            say(one)
        try:
            self._remember(self._after, self._namespaces_after)
        except KubetraceError as error:
            raise _wrapped("apply and prune succeeded, but ApplySet update failed", error) from None

    def _left(self, uids: frozenset[str]) -> Sequence[Left]:
        """All members that were not applied; kubectl asks for the kinds in no particular order."""
        found: list[Left] = []
        for kind in sorted(self._before):
            mapping = self._before[kind]
            for namespace in sorted(self._namespaces_before) if mapping.namespaced else ("",):
                self._environment.note("applyset-listing", namespace=quoted(namespace), resource=mapping.resource)
                try:
                    members = listed(self._environment, mapping, namespace, f"{PART_OF}={self._parent.id}")
                except KubetraceError as error:
                    raise _wrapped(f"listing {mapping.kind} objects for pruning", error) from None
                found += [Left(mapping, namespace, value) for value in members if text(value, "uid") not in uids]
        return found


def _mapping(find: Callable[[Any], Any], wanted: Any, words: str, annotation: str) -> Any:
    try:
        return find(wanted)
    except KubetraceError as error:
        raise KubetraceError(f"{words} {quoted(annotation)} annotation: {error}") from None


def _wrapped(words: str, error: KubetraceError) -> KubetraceError:
    return KubetraceError(f"{words}: {error}")

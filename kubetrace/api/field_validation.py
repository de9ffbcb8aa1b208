"""--validate: the checks that kubectl makes before it sends an object, and the calls it makes for them.

The server validates fields itself (the fieldValidation parameter); what is done here is to ask its OpenAPI whether it
can (cli-runtime resource/query_param_verifier_v3.go, kubectl pkg/validation). What it can't validate (a List, for one)
is held to its OpenAPI v2 here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from kubetrace.api.manifest_objects import kind_problems, validation_error
from kubetrace.api.objects import Objects
from kubetrace.api.openapi import GroupVersionNotFoundError, OpenAPI
from kubetrace.api.resources import GroupKind, GroupVersion, GroupVersionKind
from kubetrace.api.verbs import ListOptions
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Note, Purpose
from kubetrace.value import replace

STRICT, WARN, IGNORE = "Strict", "Warn", "Ignore"

_NAMESPACE = GroupVersionKind("", "v1", "Namespace")
_LIST = GroupVersionKind("", "v1", "List")
_SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
"""The one kind that is patched at paths of other groups only: the v2 document, which has all of them, knows it."""
_WHICH_CUSTOM_KINDS = Purpose("custom-kinds", "validation: is this kind a custom resource?")


class FieldValidation:
    """Validates documents. Call it with a value and its source; it raises KubetraceError to refuse them. `directive` is
    --validate's."""

    def __init__(self, openapi: OpenAPI, objects: Objects, directive: str = STRICT) -> None:
        self._openapi = openapi
        self._directive = directive
        self._dynamic = replace(objects, transform=lambda call: replace(call, operation="dynamic-list"))
        self._asked: dict[GroupVersionKind, KubetraceError | bool] = {}
        self._custom_kinds: dict[str, set[GroupKind]] = {}

    def __call__(self, value: Any, source: str) -> None:
        problems = self.problems(value)
        if problems:
            raise validation_error(source, problems)

    def problems(self, value: Any) -> list[str]:
        """What is wrong with a document; nothing where it may be sent."""
        if problems := kind_problems(value):
            return problems
        kind = GroupVersionKind.of(value)
        try:
            if not self._supported(kind):
                if self._directive != STRICT:
                    self._note("validation-skipped")
                    return []
                from kubetrace.api.schema_validation import schema_problems

                return schema_problems(value, self._openapi.definitions)
        except KubetraceError as error:
            return [str(error)]
        return []

    def _note(self, name: str, **values: object) -> None:
        if self._dynamic.events is not None:
            self._dynamic.events.emit(Note(name, values))

    def _supported(self, kind: GroupVersionKind) -> bool:
        """Does the server validate fields of this kind? Raises KubetraceError where neither v3 nor v2 can be had."""
        if kind not in self._asked:
            try:
                self._asked[kind] = self._supported_by_v3(kind)
            except KubetraceError as error:
                self._asked[kind] = error
        answer = self._asked[kind]
        if isinstance(answer, KubetraceError):
            self._note("openapi-v3-fallback", error=str(answer))
            try:
                self._openapi.fetch_v2()
            except KubetraceError as error:
                raise KubetraceError(f"failed to download openapi: {error}") from None
            if not isinstance(answer, _UnknownKindError) or kind == _SCALE:
                return True
            return kind.group_kind in self._known_custom_kinds("v2")
        return answer

    def _supported_by_v3(self, kind: GroupVersionKind) -> bool:
        if kind == _LIST:
            return False
        try:
            return _takes_parameter(self._openapi.group_version(kind.group_version), kind)
        except GroupVersionNotFoundError:
            if kind.group_kind not in self._known_custom_kinds("v3"):
                return False
            return _takes_parameter(self._openapi.group_version(GroupVersion("", "v1")), _NAMESPACE)

    def _known_custom_kinds(self, asker: str) -> set[GroupKind]:
        """The kinds that CustomResourceDefinitions define; each of kubectl's two verifiers asks for itself."""
        if asker not in self._custom_kinds:
            from kubetrace.api.typed_kinds import CUSTOM_RESOURCE_DEFINITIONS

            found: set[GroupKind] = set()
            with contextlib.suppress(KubetraceError):
                for page in self._dynamic.pages(
                    CUSTOM_RESOURCE_DEFINITIONS, "", ListOptions(), purpose=_WHICH_CUSTOM_KINDS
                ):
                    found |= {_defined_kind(item) for item in page.get("items") or ()}
            self._custom_kinds[asker] = found
        return self._custom_kinds[asker]


class _UnknownKindError(KubetraceError):
    """The server's OpenAPI has the group and version, but not the kind."""


def _defined_kind(definition: dict[str, Any]) -> GroupKind:
    spec = definition.get("spec") or {}
    return GroupKind(str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", "")))


def _takes_parameter(document: Mapping[str, Any], kind: GroupVersionKind) -> bool:
    """Has PATCH of this kind a fieldValidation parameter?"""
    wanted = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    for path in (document.get("paths") or {}).values():
        patch = path.get("patch") or {}
        if patch.get("x-kubernetes-group-version-kind") == wanted:
            return any(
                parameter.get("name") == "fieldValidation" and parameter.get("in") == "query"
                for parameter in patch.get("parameters") or ()
            )
    raise _UnknownKindError(f"Path not found for GVK ({kind}) in OpenAPI V3 doc")

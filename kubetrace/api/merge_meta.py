"""How the fields of a kind merge: from the built-in table, or from a server's OpenAPI v3 document.

Both answer one question, `field(name, list)`: which strategies and merge key has this field, and how do its own fields
merge (strategicpatch.LookupPatchMeta; meta.go)?
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from kubetrace.api.go_words import quoted
from kubetrace.api.merge_values import RETAIN_KEYS_STRATEGY, MergeError, go_text
from kubetrace.value import Value
from kubetrace.wire.schema import Type, built_in

_REFERENCE = "#/components/schemas/"


class FieldMeta(Value):
    """One field: its merge key, its strategy beside retainKeys ("merge", "replace", ""), and its fields' meta."""

    inner: PatchMeta
    merge_key: str
    strategy: str
    retain_keys: bool


class PatchMeta(Protocol):
    """How an object's fields merge. `field` raises MergeError for a field that is not known."""

    @property
    def name(self) -> str: ...

    def field(self, name: str, is_list: bool) -> FieldMeta: ...


def _field_meta(inner: PatchMeta, merge_key: str, strategies: list[str]) -> FieldMeta:
    """extractRetainKeysPatchStrategy."""
    others = [strategy for strategy in strategies if strategy != RETAIN_KEYS_STRATEGY]
    if len(strategies) > 2 or len(others) > 1:
        raise MergeError(f"unexpected patch strategy: {go_text(strategies)}")
    return FieldMeta(inner, merge_key, others[0] if others else "", RETAIN_KEYS_STRATEGY in strategies)


Words = Literal["struct", "openapi-v2", "openapi-v3"]
"""Which of apimachinery's three sources words what is wrong: kubectl's structs, OpenAPI v2, OpenAPI v3."""


class NoFields(Value):
    """A value without declared fields (a map, a scalar)."""

    name: str = "object"
    words: Words = "openapi-v3"

    def field(self, name: str, is_list: bool) -> FieldMeta:
        if self.words == "struct":
            raise MergeError(f"merging an object in json but data type is not struct, instead is: {self.name}")
        raise MergeError(f"unable to find api field {quoted(name)}")


class BuiltInMeta(Value):
    """A type of the built-in table."""

    type: Type
    words: Words = "struct"

    @property
    def name(self) -> str:
        return "object"

    def field(self, name: str, is_list: bool) -> FieldMeta:
        found = self.type.field(name)
        if found is None:
            raise self._unknown(name)
        inner = self.type.descend(name)
        opaque = inner is None or found.map or found.list != is_list
        kind = "map" if found.map else "string"
        meta: PatchMeta = NoFields(kind, self.words) if opaque or inner is None else BuiltInMeta(inner, self.words)
        return _field_meta(meta, found.merge_key, list(found.merge_strategies))

    def _unknown(self, name: str) -> MergeError:
        if self.words == "struct":
            struct = self.type.name.rpartition(".")[2]
            return MergeError(f"unable to find api field in struct {struct} for the json field {quoted(name)}")
        return MergeError(f"unable to find api field {quoted(name)} in {self.type.name}")


def built_in_meta(api_version: str, kind: str, words: Words = "struct") -> PatchMeta | None:
    """The meta of a built-in kind; None for any other."""
    found = built_in().for_kind(api_version, kind)
    return None if found is None else BuiltInMeta(found, words)


def struct_meta(api_version: str, kind: str) -> PatchMeta | None:
    """The meta of a kind that kubectl has a struct for (its scheme knows no CustomResourceDefinition, for one); None
    for any other. A version that is gone merges as v1 does."""
    from kubetrace.wire.go_struct import is_registered

    if not is_registered(api_version, kind):
        return None
    group = api_version.rpartition("/")[0]
    return built_in_meta(api_version, kind) or built_in_meta(f"{group}/v1" if group else "v1", kind)


class OpenAPIMeta(Value):
    """A schema of an OpenAPI v3 document (PatchMetaFromOpenAPIV3). `schemas` are the document's components."""

    schemas: Mapping[str, Any]
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.schema.get("type") or "Struct")

    def field(self, name: str, is_list: bool) -> FieldMeta:
        found = self.schema.get("properties", {}).get(name)
        if found is None:
            raise MergeError(f'unable to find api field "{name}"')
        inner = found
        if is_list and isinstance(found.get("items"), dict):
            inner = found["items"]
        strategies = found.get("x-kubernetes-patch-strategy")
        return _field_meta(
            OpenAPIMeta(self.schemas, self._resolved(inner)),
            str(found.get("x-kubernetes-patch-merge-key", "")),
            strategies.split(",") if strategies else [],
        )

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if schema.get("allOf"):
            schema = schema["allOf"][0]
        reference = schema.get("$ref")
        if not reference:
            return schema
        found = self.schemas.get(str(reference).removeprefix(_REFERENCE))
        if found is None:
            raise MergeError(f"unable to resolve {reference} in OpenAPI V3")
        resolved: Mapping[str, Any] = found
        return resolved


def _matches(entry: Any, group: str, version: str, kind: str) -> bool:
    return isinstance(entry, dict) and (entry.get("group"), entry.get("version"), entry.get("kind")) == (
        group, version, kind)  # fmt: skip


def openapi_meta(document: Mapping[str, Any], group: str, version: str, kind: str) -> PatchMeta | None:
    """The meta of a kind in a group version's OpenAPI v3 document; None where it holds no such schema."""
    schemas = document.get("components", {}).get("schemas")
    if schemas is None:
        raise MergeError("OpenAPI V3 Components is nil")
    for schema in schemas.values():
        kinds = schema.get("x-kubernetes-group-version-kind")
        if isinstance(kinds, list) and any(_matches(entry, group, version, kind) for entry in kinds):
            return OpenAPIMeta(schemas, schema)
    return None


def supports_strategic_merge(document: Mapping[str, Any], group: str, version: str, kind: str) -> bool:
    """Does the server take strategic merge patches of this kind (gvkSupportsPatchOpenAPIV3)?"""
    for path in document.get("paths", {}).values():
        patch = path.get("patch")
        if patch and _matches(patch.get("x-kubernetes-group-version-kind"), group, version, kind):
            return "application/strategic-merge-patch+json" in (patch.get("requestBody") or {}).get("content", {})
    return False

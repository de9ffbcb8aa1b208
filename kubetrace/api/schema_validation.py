"""Documents held to the server's OpenAPI v2 by kubectl itself, where the server does not validate them: whole Lists,
and everything on servers before 1.25 (kubectl pkg/validation, kube-openapi util/proto/validation)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.api.manifest_objects import INVALID_OBJECT, kind_problems
from kubetrace.api.resources import GroupVersionKind
from kubetrace.errors import KubetraceError
from kubetrace.wire.openapi_v2 import Definitions, Schema

_LIST = GroupVersionKind("", "v1", "List")


def schema_problems(value: dict[str, Any], definitions: Callable[[], Definitions]) -> list[str]:
    """What is wrong with a document of a known kind, or with the items of a List; kinds that the server does not
    describe are right. `definitions` are asked for when there is something to hold to them (schemaValidation)."""
    if GroupVersionKind.of(value) != _LIST:
        return list(_model_problems(value, definitions))
    items = value.get("items")
    if not isinstance(items, list):
        return [INVALID_OBJECT]
    return [problem for item in items for problem in kind_problems(item) or _model_problems(item, definitions)]


def _model_problems(value: dict[str, Any], definitions: Callable[[], Definitions]) -> Iterator[str]:
    kind = GroupVersionKind.of(value)
    try:
        known = definitions()
    except KubetraceError as error:
        yield str(error)
        return
    name = known.name_of_kind(kind.group, kind.version, kind.kind)
    if name is not None:
        yield from _Validation(known).problems(value, known.schema(name), kind.kind, name)


class _Validation:
    """One walk over a value and its schema. `place` is where the value is ("Pod.spec"), `path` the schema's name."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def problems(self, value: Any, schema: Schema, place: str, path: str) -> Iterator[str]:
        if reference := schema.get("$ref"):
            path = str(reference).removeprefix("#/definitions/")
            schema = self._definitions.referred(reference)
        types = schema.get("type") or []
        if "properties" in schema and types in ([], ["object"]):
            yield from self._object(value, schema, place, path)
        elif types == ["object"]:
            yield from self._map(value, schema, place, path)
        elif types == ["array"]:
            yield from self._array(value, schema, place, path)
        elif types and not _fits(value, types[0]):
            yield _wrong_type(value, types[0], place, path)

    def _object(self, value: Any, schema: Schema, place: str, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _wrong_type(value, "map", place, path)
            return
        properties = schema["properties"]
        for key in sorted(value):
            if value[key] is None:
                continue
            if key not in properties:
                yield f"ValidationError({place}): unknown field {quoted(key)} in {path}"
                continue
            yield from self.problems(value[key], properties[key], f"{place}.{key}", f"{path}.{key}")
        for key in schema.get("required") or ():
            if value.get(key) is None:
                yield f"ValidationError({place}): missing required field {quoted(key)} in {path}"

    def _map(self, value: Any, schema: Schema, place: str, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield _wrong_type(value, "map", place, path)
            return
        inner = schema.get("additionalProperties")
        for key in sorted(value):
            if value[key] is None:
                yield f'unknown object type "nil" in {place}.{key}'
            elif isinstance(inner, dict):
                yield from self.problems(value[key], inner, f"{place}.{key}", path)

    def _array(self, value: Any, schema: Schema, place: str, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield _wrong_type(value, "array", place, path)
            return
        for number, item in enumerate(value):
            where = f"{place}[{number}]"
            if item is None:
                yield f'ValidationError({place}): unknown object type "nil" in {where}'
            else:
                yield from self.problems(item, schema["items"][0], where, path)


def _fits(value: Any, kind: str) -> bool:
    """Anything but a list or a map may be a text (primitiveItem.VisitPrimitive)."""
    if isinstance(value, dict | list):
        return False
    if kind == "string":
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong_type(value: Any, expected: str, place: str, path: str) -> str:
    return f"ValidationError({place}): invalid type for {path}: got {quoted(_kind(value))}, expected {quoted(expected)}"


def _kind(value: Any) -> str:
    """What kube-openapi calls a value's type; encoding/json reads every number as a float."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, dict):
        return "map"
    return "array" if isinstance(value, list) else "string"

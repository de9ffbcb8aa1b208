"""Lists are validated by the client, against OpenAPI v2: against a table that looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.api.schema_validation import schema_problems
from kubetrace.wire.openapi_v2 import Schema

POD = "io.k8s.api.core.v1.Pod"
SCHEMAS: dict[str, Schema] = {
    POD: {
        "type": ["object"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": ["string"]},
            "kind": {"type": ["string"]},
            "labels": {"type": ["object"], "additionalProperties": {"type": ["string"]}},
            "spec": {"$ref": "#/definitions/Spec"},
            "any": {},
        },
    },
    "Spec": {
        "type": ["object"],
        "properties": {
            "count": {"type": ["integer"]},
            "on": {"type": ["boolean"]},
            "names": {"type": ["array"], "items": [{"type": ["string"]}]},
        },
    },
}


class Definitions:
    """What the validation asks a document's definitions."""

    def schema(self, name: str) -> Schema:
        return SCHEMAS[name]

    def referred(self, reference: str) -> Schema:
        return self.schema(reference.removeprefix("#/definitions/"))

    def name_of_kind(self, group: str, version: str, kind: str) -> str | None:
        return POD if (group, version, kind) == ("", "v1", "Pod") else None


def problems(*items: Any) -> list[str]:
    return schema_problems({"apiVersion": "v1", "kind": "List", "items": list(items)}, Definitions)  # type: ignore[arg-type]


def pod(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "spec": {}, **more}


def test_a_list_without_items_is_none() -> None:
    assert schema_problems({"apiVersion": "v1", "kind": "List"}, Definitions) == ["invalid object to validate"]  # type: ignore[arg-type]


def test_what_is_wrong_with_one_item_is_told_with_what_is_wrong_with_the_next() -> None:
    unknown = f'ValidationError(Pod): unknown field "more" in {POD}'
    assert problems({"kind": "X"}, [], pod(more=1)) == ["apiVersion not set", "invalid object to validate", unknown]


def test_where_there_is_nothing_to_validate_no_schemas_are_asked_for() -> None:
    def never() -> Definitions:
        raise AssertionError

    assert schema_problems({"apiVersion": "v1", "kind": "List", "items": []}, never) == []  # type: ignore[arg-type]


def test_what_is_right() -> None:
    spec = {"count": 1.5, "on": True, "names": [1, "a", False]}
    assert problems(pod(spec=spec, labels={"a": "b"}, any=[{}]), {"apiVersion": "x/v1", "kind": "Custom"}) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (pod(more=1), f'ValidationError(Pod): unknown field "more" in {POD}'),
        (pod(more=None), ""),
        (pod(spec=None), f'ValidationError(Pod): missing required field "spec" in {POD}'),
        (pod(spec=[]), 'ValidationError(Pod.spec): invalid type for Spec: got "array", expected "map"'),
        (pod(labels="a"), f'ValidationError(Pod.labels): invalid type for {POD}.labels: got "string", expected "map"'),
        (
            pod(labels={"a": {}}),
            f'ValidationError(Pod.labels.a): invalid type for {POD}.labels: got "map", expected "string"',
        ),
        (pod(labels={"a": None}), 'unknown object type "nil" in Pod.labels.a'),
        (
            pod(spec={"count": "1"}),
            'ValidationError(Pod.spec.count): invalid type for Spec.count: got "string", expected "integer"',
        ),
        (
            pod(spec={"on": 1}),
            'ValidationError(Pod.spec.on): invalid type for Spec.on: got "number", expected "boolean"',
        ),
        (
            pod(spec={"names": ["a", []]}),
            'ValidationError(Pod.spec.names[1]): invalid type for Spec.names: got "array", expected "string"',
        ),
        (
            pod(spec={"names": ["a", None]}),
            'ValidationError(Pod.spec.names): unknown object type "nil" in Pod.spec.names[1]',
        ),
        ({"kind": "Pod"}, "apiVersion not set"),
    ],
)
def test_what_is_wrong(value: dict[str, Any], words: str) -> None:
    assert problems(value) == ([words] if words else [])

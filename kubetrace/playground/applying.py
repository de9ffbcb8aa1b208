"""What a server-side apply applies: a body as it was sent, where it fits, and the object that comes of it
(apimachinery util/managedfields/internal/structuredmerge.go)."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import Any

from kubetrace.playground import fieldsets, managed, patch_errors, status, typed_values
from kubetrace.playground.bodies import check_body, place
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import Check, Mistyped, Object, type_of
from kubetrace.playground.status import ApiError
from kubetrace.playground.write import Write


def applied_object(catalog: Catalog, resource: Resource, body: Any, namespace: str, name: str, write: Write) -> Object:
    """The body as an object, with its nulls and empty fields, which an apply may own, too. Raises 400 and 500."""
    told = body if isinstance(body, dict) else {}
    version, kind = told.get("apiVersion") or "", told.get("kind") or ""
    if (version, kind) != (resource.api_version, resource.kind):
        raise ApiError(400, f"invalid object type: {version if '/' in version else f'/{version}'}, Kind={kind}")
    metadata = told.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise ApiError(400, "metadata.managedFields must be nil")
    item = (
        _custom(catalog, resource, told, namespace, write)
        if resource.custom is not None
        else _built_in(resource, told, namespace)
    )
    if item["metadata"].get("name") and item["metadata"]["name"] != name:
        raise status.misnamed(item["metadata"]["name"], name)
    return item


def _built_in(resource: Resource, body: Object, namespace: str) -> Object:
    type = type_of(resource)
    if type is not None and (wrong := typed_values.problems(body, type)):
        raise patch_errors.untyped(resource, body, wrong)
    item = copy.deepcopy(body)
    item["metadata"] = item.get("metadata") or {}
    place(resource, item["metadata"], namespace)
    return item


def _custom(catalog: Catalog, resource: Resource, body: Object, namespace: str, write: Write) -> Object:
    unknown: list[str] = []
    loose = replace(write, field_validation="Warn", warnings=unknown)
    try:
        item = check_body(catalog, resource, body, namespace, loose, keep_empty=True)
    except Mistyped as error:
        raise patch_errors.untyped(resource, body, [error.decoding]) from None
    wrong = [re.sub(r'unknown field "(.*)"', r".\1: field not declared in schema", text) for text in unknown]
    wrong = wrong or fieldsets.duplicates(item, managed.shape_of(resource))
    if wrong:
        raise patch_errors.untyped(resource, body, wrong)
    return item


def converted(resource: Resource, merged: Object, body: Object) -> Object:
    """A merged object as one of its kind. Raises 500 for values that no object of it can have."""
    type = type_of(resource)
    if type is None:
        return merged
    try:
        return Check(resource).clean(merged, type)
    except Mistyped as error:
        raise patch_errors.unconverted(resource, body, error.decoding) from None
    except ApiError as error:
        raise patch_errors.unconverted(resource, body, str(error).partition(": ")[2]) from None

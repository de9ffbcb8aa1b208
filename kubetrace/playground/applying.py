"""What a server-side apply applies: a body as it was sent, where it fits, and the object that comes of it
(apimachinery util/managedfields/internal/structuredmerge.go)."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from kubetrace.playground import patch_errors, status, typed_values
from kubetrace.playground.bodies import check_body, place
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import Check, Mistyped, Object, type_of
from kubetrace.playground.schemas import schema_of
from kubetrace.playground.status import ApiError
from kubetrace.playground.write import Write


def applied_object(catalog: Catalog, resource: Resource, body: Any, namespace: str, name: str, write: Write) -> Object:
    """The body as an object, with its nulls and empty fields, which an apply may own, too. Raises 400 and 500."""
    patch_errors.check_applied_kind(body, (resource.api_version, resource.kind))
    if wrong := typed_values.problems(body, type_of(resource), schema_of(resource.custom or {})):
        raise patch_errors.untyped(resource, body, wrong)
    metadata = body.get("metadata") or {}
    if metadata.get("managedFields") is not None:
        raise ApiError(400, "metadata.managedFields must be nil")
    if "name" in metadata and not metadata["name"]:
        raise status.unnamed(name)
    if metadata.get("name", name) != name:
        raise status.misnamed(metadata["name"], name)
    if resource.custom is not None:  # what its schema does not know is pruned
        loose = replace(write, field_validation="Ignore")
        return check_body(catalog, resource, body, namespace, loose, keep_empty=True)
    item: Object = copy.deepcopy(body)
    item["metadata"] = item.get("metadata") or {}
    place(resource, item["metadata"], namespace)
    return item


def converted(resource: Resource, merged: Object, body: Object) -> Object:
    """A merged object as one of its kind. Raises 500 for values that no object of it can have."""
    type = type_of(resource)
    if type is None:
        return merged
    try:
        return Check(resource).clean(merged, type)
    except Mistyped as error:
        raise patch_errors.unconverted(resource, body, error.conversion) from None

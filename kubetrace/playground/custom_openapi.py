"""Custom resources in OpenAPI v3 and v2 (apiextensions-apiserver pkg/controller/openapi): their kinds and their paths.

The paths are those of Deployments with another kind in them, without what only built-in kinds have.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

from kubetrace.playground.catalog import Resource

Document = dict[str, Any]
Sentences = dict[str, Any]
"""Definitions with descriptions, by name."""

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PATTERN = "/apis/apps/v1/namespaces/{namespace}/deployments"
_PATTERN_KIND = "io.k8s.api.apps.v1.Deployment"
_MEDIA_TYPES = ["application/json", "application/yaml"]
_PATCHES = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
_GROUP_VERSION_KIND = "x-kubernetes-group-version-kind"
_OPEN, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_INT_OR_STRING = "x-kubernetes-int-or-string"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a version of OpenAPI writes what differs."""

    version: int
    references: str

    def meta(self, name: str) -> dict[str, Any]:
        """A property whose type is one of meta/v1's."""
        reference = {"$ref": f"{self.references}{_META}{name}"}
        return reference if self.version == 2 else {"allOf": [reference]}


V2, V3 = Dialect(2, "#/definitions/"), Dialect(3, "#/components/schemas/")


def definition_name(resource: Resource) -> str:
    """ "com.example.v1.Thing" """
    return ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])


def definitions(resource: Resource, dialect: Dialect, told: Sentences) -> dict[str, Any]:
    """The schemas of a custom resource's kind and of its list."""
    name = definition_name(resource)
    about = (told.get("io.k8s.api.core.v1.ConfigMapList") or {}).get("properties") or {}
    listed = _common(dialect, "ListMeta", about) | {
        "items": {"type": "array", "items": {"$ref": dialect.references + name}}
    }
    many = {"type": "object", "required": ["items"], "properties": listed}
    about = (told.get("io.k8s.api.core.v1.ConfigMap") or {}).get("properties") or {}
    found = {name: _kind(resource, dialect, about), f"{name}List": many}
    for schema, kind in zip(found.values(), (resource.kind, f"{resource.kind}List"), strict=True):
        schema[_GROUP_VERSION_KIND] = [{"group": resource.group, "kind": kind, "version": resource.version}]
        if fields := (resource.custom or {}).get("selectableFields"):
            paths = [{"fieldPath": field["jsonPath"].removeprefix(".")} for field in fields]
            schema["x-kubernetes-selectable-fields"] = paths
    return found


def _common(dialect: Dialect, metadata: str, about: dict[str, Any]) -> dict[str, Any]:
    """apiVersion, kind and metadata."""
    parts: dict[str, dict[str, Any]] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": dialect.meta(metadata),
    }
    for name, part in parts.items():
        if sentence := (about.get(name) or {}).get("description"):
            part["description"] = sentence
    return parts


def _kind(resource: Resource, dialect: Dialect, about: dict[str, Any]) -> dict[str, Any]:
    schema = ((resource.custom or {}).get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
    common = _common(dialect, "ObjectMeta", about)
    if dialect.version == 2:
        if schema.get(_OPEN):
            return {"type": "object"}  # kubectl would take every property that is not named for unknown
        schema = _for_version_2(schema)
    else:
        schema = _unfolded(schema)
    schema = _embedded(copy.deepcopy(schema), dialect, common)
    schema["properties"] = (schema.get("properties") or {}) | common
    return schema


def _parts(schema: dict[str, Any], change: Any) -> dict[str, Any]:
    """A schema whose properties, items and additionalProperties are changed."""
    schema = dict(schema)
    if "properties" in schema:
        schema["properties"] = {name: change(part) for name, part in schema["properties"].items()}
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            schema[name] = change(schema[name])
    return schema


def _unfolded(schema: dict[str, Any]) -> dict[str, Any]:
    """With the two types that int-or-string stands for (pkg/apiserver/schema/unfolding.go)."""
    if schema.get(_INT_OR_STRING):
        types, more = [{"type": "integer"}, {"type": "string"}], schema.get("allOf") or []
        if "anyOf" not in schema and not (more and more[0].get("anyOf") == types):
            schema = schema | {"anyOf": types}
        elif schema.get("anyOf", types) != types:
            schema = schema | {"allOf": [{"anyOf": types}, *more]}
    return _parts(schema, _unfolded)


def _embedded(schema: dict[str, Any], dialect: Dialect, common: dict[str, Any]) -> dict[str, Any]:
    schema = _parts(schema, lambda part: _embedded(part, dialect, common))
    if schema.get(_EMBEDDED) and not (dialect.version == 2 and schema.get(_OPEN)):
        schema["properties"] = (schema.get("properties") or {}) | copy.deepcopy(common)
        required = schema.get("required") or []
        schema["required"] = [*required, *(name for name in ("kind", "apiVersion") if name not in required)]
    return schema


def _for_version_2(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what kubectl's reader of v2 does not bear (pkg/controller/openapi/v2/conversion.go)."""
    dropped = {"allOf", "anyOf", "oneOf", "not", "nullable", "default"}
    if schema.get("nullable"):
        dropped |= {"type", "items", "properties"}
    if schema.get(_OPEN):
        dropped |= {"items", "properties"}
    kept = {name: value for name, value in schema.items() if name not in dropped}
    kind = kept.get("type")
    if (kind == "array" and "items" not in kept) or (kind == "object" and kept.get(_OPEN)):
        del kept["type"]
    nullable = {name for name, part in (kept.get("properties") or {}).items() if part.get("nullable")}
    values = kept.get("additionalProperties")
    if isinstance(values, dict) and values.get("nullable"):
        nullable |= set(kept.get("required") or ())
    if required := [name for name in kept.pop("required", ()) if name not in nullable]:
        kept["required"] = required
    return _parts(kept, _for_version_2)


def paths(resource: Resource, dialect: Dialect, pattern: Document) -> dict[str, Any]:
    """A custom resource's paths, after those of Deployments in `pattern`, a document of the same version."""
    place = f"{resource.prefix}/namespaces/{{namespace}}/{resource.name}"
    found = {place + part: pattern["paths"][_PATTERN + part] for part in ("", "/{name}")}
    found |= {
        f"{place}/{{name}}/{part}": pattern["paths"][f"{_PATTERN}/{{name}}/{part}"] for part in resource.subresources
    }
    if resource.namespaced:
        found[f"{resource.prefix}/{resource.name}"] = pattern["paths"]["/apis/apps/v1/deployments"]
    retargeted = {path: _path(resource, dialect, item) for path, item in found.items()}
    listing = retargeted[place]["get"]["parameters"]
    for item in retargeted.values():
        if item["get"]["x-kubernetes-action"] == "get":
            item["get"]["parameters"] = [part for part in listing if _is(part, "resourceVersion")]
    if not resource.namespaced:
        retargeted = {path.replace("/namespaces/{namespace}", ""): item for path, item in retargeted.items()}
    return dict(sorted(retargeted.items()))


def _path(resource: Resource, dialect: Dialect, item: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for method, operation in item.items():
        if method == "parameters":
            result[method] = [part for part in operation if resource.namespaced or not _is(part, "namespace")]
        else:
            result[method] = _operation(resource, dialect, operation)
    many = result.get("get", {})
    if "delete" in result and many.get("x-kubernetes-action") == "list":
        result["delete"]["parameters"] = many["parameters"]
        result["delete"].pop("requestBody", None)
    return result


def _is(parameter: dict[str, Any], name: str) -> bool:
    """Whether this is the parameter of that name, which v2 may refer to ("#/parameters/namespace-vgWSWtn3")."""
    return parameter.get("name") == name or parameter.get("$ref", "").startswith(f"#/parameters/{name}-")


def _operation(resource: Resource, dialect: Dialect, operation: dict[str, Any]) -> dict[str, Any]:
    result = {name: _retargeted(resource, dialect, value) for name, value in operation.items()}
    words = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", resource.group))
    version = resource.version[:1].upper() + resource.version[1:]
    called = operation["operationId"].replace("AppsV1", words + version).replace("Deployment", resource.kind)
    result["operationId"] = called if resource.namespaced else called.replace("Namespaced", "")
    result["tags"] = [f"{words[:1].lower()}{words[1:]}_{resource.version}"]
    result[_GROUP_VERSION_KIND] = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    patch = operation["x-kubernetes-action"] == "patch"
    if patch:
        result["responses"].pop("201", None)
    if "consumes" in operation:
        result["consumes"] = _PATCHES if patch else _MEDIA_TYPES
        result["produces"] = _MEDIA_TYPES
    if "requestBody" in operation:
        schema = next(iter(result["requestBody"]["content"].values()))
        result["requestBody"]["content"] = dict.fromkeys(_PATCHES if patch else _MEDIA_TYPES, schema)
    return result


def _retargeted(resource: Resource, dialect: Dialect, value: Any) -> Any:
    """`value` with this kind in the place of Deployment, and the media types that custom resources have."""
    if isinstance(value, list):
        return [_retargeted(resource, dialect, part) for part in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref", "").removeprefix(dialect.references)
    if reference in (_PATTERN_KIND, f"{_PATTERN_KIND}List"):
        ending = reference.removeprefix(_PATTERN_KIND)
        return value | {"$ref": f"{dialect.references}{definition_name(resource)}{ending}"}
    found = {name: _retargeted(resource, dialect, part) for name, part in value.items()}
    if "application/json" in found:
        found = {name: part for name, part in found.items() if name in _MEDIA_TYPES}
    return found

"""OpenAPI v2 and v3: the recorded documents of a fresh server, custom resources beside them, and the sentences of
the `kubernetes-validate` package where that is installed (extra `schemas`).
"""

from __future__ import annotations

import copy
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubetrace.playground.catalog import Catalog, Resource, recorded, recorded_bytes
from kubetrace.playground.http import Answer, Request, tagged

_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2"
_SENTENCES = "kubernetes-json-schema/v1.36.0-local/_definitions.json"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_REFERENCE = re.compile(rb"#/components/schemas/([\w.]+)")


@cache
def sentences() -> dict[str, Any]:
    """Definitions with their descriptions, by name; empty where the package is not installed."""
    try:
        data = (resources.files("kubernetes_validate") / _SENTENCES).read_bytes()
    except (ModuleNotFoundError, OSError):
        return {}
    found: dict[str, Any] = msgspec.json.decode(data)["$defs"]
    return found


def _described(schemas: dict[str, Any]) -> dict[str, Any]:
    """Schemas with the sentences that there are for them and their properties."""
    known = sentences()
    if not known:
        return schemas
    result = {}
    for name, schema in schemas.items():
        told = known.get(name) or {}
        result[name] = schema = dict(schema)
        if told.get("description"):
            schema = result[name] = {"description": told["description"], **schema}
        if "properties" in schema:
            schema["properties"] = {
                field: _with_sentence((told.get("properties") or {}).get(field), part)
                for field, part in schema["properties"].items()
            }
    return result


def _with_sentence(told: Any, schema: dict[str, Any]) -> dict[str, Any]:
    sentence = told.get("description") if isinstance(told, dict) else None
    return {"description": sentence, **schema} if sentence else schema


class OpenAPI:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._hashes: dict[str, str] = {}
        self._custom: tuple[int, dict[str, Any]] = (-1, {})

    def version_2(self, request: Request) -> Answer:
        accept = request.headers.get("accept", "")
        if _V2_PROTOBUF in accept:
            return tagged(request, recorded_bytes("openapi-v2-1.36.pb.gz"), f"{_V2_PROTOBUF}.v1.0+protobuf")
        body = recorded_bytes("openapi-v2-1.36.json.gz")
        if sentences():
            document = msgspec.json.decode(body)
            body = msgspec.json.encode(document | {"definitions": _described(document["definitions"])})
        return tagged(request, body, "application/json")

    def version_3(self, request: Request, path: str) -> Answer:
        documents, custom = recorded("openapi-1.36.json.gz"), self._custom_documents()
        name = path.removeprefix("/openapi/v3").strip("/")
        if not name:
            return self._index(documents, custom)
        document = custom.get(name) or documents.get(name)
        if document is None:
            return Answer(404, b"", "text/plain; charset=utf-8")
        answer = tagged(request, msgspec.json.encode(_with_sentences(document)), "application/json")
        if request.parameter("hash"):
            answer.headers += [("Cache-Control", "public, immutable"), ("Expires", "Thu, 31 Dec 2037 23:55:55 GMT")]
        return answer

    def _index(self, documents: dict[str, Any], custom: dict[str, Any]) -> Answer:
        if not self._hashes:
            self._hashes = {name: _hash(document) for name, document in documents.items()}
        hashes = self._hashes | {name: _hash(document) for name, document in custom.items()}
        paths = {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={hashed}"} for name, hashed in hashes.items()}
        return Answer(200, msgspec.json.encode({"paths": paths}) + b"\n")

    def _custom_documents(self) -> dict[str, Any]:
        if self._custom[0] != self._catalog.generation:
            documents: dict[str, Any] = {}
            for resource in self._catalog.all:
                if resource.custom is not None:
                    _add(documents.setdefault(resource.prefix.strip("/"), _empty()), resource)
            for document in documents.values():
                document["components"]["schemas"] |= _meta_schemas()
            self._custom = (self._catalog.generation, documents)
        return self._custom[1]


def _with_sentences(document: dict[str, Any]) -> dict[str, Any]:
    components = document.get("components") or {}
    return document | {"components": components | {"schemas": _described(components.get("schemas") or {})}}


def _hash(document: Any) -> str:
    """Of the document as it is served: with sentences it is another one."""
    told = b"described" if sentences() else b""
    return hashlib.sha512(msgspec.json.encode(document) + told).hexdigest().upper()


def _empty() -> dict[str, Any]:
    info = {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}
    return {"openapi": "3.0.0", "info": info, "paths": {}, "components": {"schemas": {}}}


@cache
def _meta_schemas() -> dict[str, Any]:
    """ObjectMeta and what it refers to."""
    known = recorded("openapi-1.36.json.gz")["api/v1"]["components"]["schemas"]
    found: dict[str, Any] = {}
    wanted = [_META]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = known[name]
            wanted += [part.decode() for part in _REFERENCE.findall(msgspec.json.encode(known[name]))]
    return found


def _add(document: dict[str, Any], resource: Resource) -> None:
    """A custom resource's kind and paths."""
    schema = copy.deepcopy(((resource.custom or {}).get("schema") or {}).get("openAPIV3Schema") or {"type": "object"})
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    told = (sentences().get("io.k8s.api.core.v1.ConfigMap") or {}).get("properties") or {}
    metadata = {"allOf": [{"$ref": f"#/components/schemas/{_META}"}]}
    common: dict[str, dict[str, Any]] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": metadata,
    }
    own = schema.get("properties") or {}
    schema["properties"] = own | {name: _with_sentence(told.get(name), part) for name, part in common.items()}
    schema["x-kubernetes-group-version-kind"] = [kind]
    name = ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    document["components"]["schemas"][name] = schema
    document["paths"] |= _paths(resource, kind, f"#/components/schemas/{name}")


def _paths(resource: Resource, kind: dict[str, str], reference: str) -> dict[str, Any]:
    place = (
        f"{resource.prefix}/namespaces/{{namespace}}/{resource.name}"
        if resource.namespaced
        else (f"{resource.prefix}/{resource.name}")
    )
    names = ("dryRun", "fieldManager", "fieldValidation")
    query = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
    content = {"content": {"application/json": {"schema": {"$ref": reference}}}}

    def action(name: str) -> dict[str, Any]:
        found = {"x-kubernetes-action": name, "x-kubernetes-group-version-kind": kind, "parameters": query}
        return found | {"responses": {"200": {"description": "OK", **content}}}

    one = {name: action(name) for name in ("get", "put", "patch", "delete")}
    many = {"get": action("list"), "post": action("post"), "delete": action("deletecollection")}
    return {place: many, f"{place}/{{name}}": one}

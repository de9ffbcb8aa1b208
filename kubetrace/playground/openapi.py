"""OpenAPI v2 and v3: the recorded documents of a fresh server, custom resources beside them, and the sentences of
the `kubernetes-validate` package where that is installed (extra `schemas`).
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from kubetrace.playground import custom_openapi
from kubetrace.playground.catalog import Catalog, Resource, recorded, recorded_bytes
from kubetrace.playground.http import Answer, Request, tagged
from kubetrace.playground.negotiation import JSON, clauses, preferred

_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2"
_V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3"
_SENTENCES = "kubernetes-json-schema/v1.36.0-local/_definitions.json"
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


def counted(answer: Answer) -> Answer:
    """As http.ServeContent writes it."""
    answer.counted = True
    return answer


class OpenAPI:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._hashes: dict[str, str] = {}
        self._custom: tuple[int, dict[str, Any]] = (-1, {})
        self._old: dict[bool, bytes] = {}
        """v2 in JSON and in protobuf, of the catalog's generation below."""
        self._old_generation = -1

    def version_2(self, request: Request) -> Answer:
        known = (JSON, *(f"{_V2_PROTOBUF}{mark}v1.0+protobuf" for mark in ".@"))
        chosen = preferred(request.headers.get("accept", ""), known)
        if not chosen:
            return Answer(406, b"", "", [("Vary", "Accept")])
        body = self._version_2(chosen != JSON)
        return counted(tagged(request, body, JSON if chosen == JSON else known[1]))

    def _version_2(self, protobuf: bool) -> bytes:
        if self._old_generation != self._catalog.generation:
            self._old.clear()
            self._old_generation = self._catalog.generation
        if protobuf not in self._old:
            self._old[protobuf] = self._encoded_2(protobuf)
        return self._old[protobuf]

    def _encoded_2(self, protobuf: bool) -> bytes:
        """v2 is one document: the recorded one with the custom resources in it."""
        resources = [resource for resource in self._catalog.all if resource.custom is not None]
        plain = recorded_bytes(f"openapi-v2-1.36.{'pb' if protobuf else 'json'}.gz")
        if not resources and not sentences():
            return plain
        document = msgspec.json.decode(recorded_bytes("openapi-v2-1.36.json.gz") if protobuf else plain)
        described = _described(document["definitions"])
        custom: dict[str, Any] = {}
        paths: dict[str, Any] = {}
        for resource in resources:
            custom |= custom_openapi.definitions(resource, custom_openapi.V2, sentences())
            paths |= custom_openapi.paths(resource, custom_openapi.V2, document)
        if not protobuf:
            whole = {"definitions": described | custom, "paths": document["paths"] | paths}
            return msgspec.json.encode(document | whole)
        from kubetrace.playground.openapi_protobuf import document_parts, without_definitions

        if not sentences():
            return plain + document_parts(paths, custom)
        return without_definitions(plain) + document_parts(paths, described | custom)

    def version_3(self, request: Request, path: str) -> Answer:
        documents, custom = recorded("openapi-1.36.json.gz"), self._custom_documents()
        name = path.removeprefix("/openapi/v3").strip("/")
        if not name:
            return self._index(documents, custom)
        document = custom.get(name) or documents.get(name)
        if document is None:
            return Answer(404, b"", "")
        if not clauses(request.headers.get("accept") or "*/*"):
            return Answer(200, b"", "")
        known = (JSON, *(f"{_V3_PROTOBUF}{mark}v1.0+protobuf" for mark in ".@"))
        if not preferred(request.headers.get("accept", ""), known):
            return Answer(406, b"", "", [("Vary", "Accept")])
        answer = counted(tagged(request, msgspec.json.encode(_with_sentences(document)), JSON))
        if (told := request.parameter("hash")) and told != (right := self._hash_of(name, document)):
            return Answer(301, b"", JSON, [("Location", f"{path}?hash={right}"), ("Vary", "Accept")])
        if told:
            answer.headers += [("Cache-Control", "public, immutable"), ("Expires", "Thu, 31 Dec 2037 23:55:55 GMT")]
        return answer

    def _hash_of(self, name: str, document: Any) -> str:
        """What the index says of a document."""
        return self._hashes.get(name) or _hash(document)

    def _index(self, documents: dict[str, Any], custom: dict[str, Any]) -> Answer:
        if not self._hashes:
            self._hashes = {name: _hash(document) for name, document in documents.items()}
        hashes = self._hashes | {name: _hash(document) for name, document in custom.items()}
        paths = {name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={hashed}"} for name, hashed in hashes.items()}
        return Answer(200, msgspec.json.encode({"paths": paths}) + b"\n", "text/plain; charset=utf-8", counted=True)

    def _custom_documents(self) -> dict[str, Any]:
        if self._custom[0] != self._catalog.generation:
            documents: dict[str, Any] = {}
            for resource in self._catalog.all:
                if resource.custom is not None:
                    _add(documents.setdefault(resource.prefix.strip("/"), _empty()), resource)
            for document in documents.values():
                document["components"]["schemas"] |= _referred(document)
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


def _referred(document: dict[str, Any]) -> dict[str, Any]:
    """The built-in schemas that a document refers to, and what these refer to."""
    known = _pattern()["components"]["schemas"]
    found: dict[str, Any] = {}
    wanted = _REFERENCE.findall(msgspec.json.encode(document))
    while wanted:
        name = wanted.pop().decode()
        if name in known and name not in found:
            found[name] = known[name]
            wanted += _REFERENCE.findall(msgspec.json.encode(known[name]))
    return found


def _pattern() -> dict[str, Any]:
    """The document that custom resources' documents are made after."""
    document: dict[str, Any] = recorded("openapi-1.36.json.gz")["apis/apps/v1"]
    return document


def _add(document: dict[str, Any], resource: Resource) -> None:
    """A custom resource's kinds and paths."""
    told = sentences()
    document["components"]["schemas"] |= custom_openapi.definitions(resource, custom_openapi.V3, told)
    document["paths"] |= custom_openapi.paths(resource, custom_openapi.V3, _pattern())

"""What a client reads to learn the API: discovery in its three forms, /version, health."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from kubetrace.playground.catalog import Catalog, server_facts
from kubetrace.playground.encoding import encode, raw
from kubetrace.playground.http import Answer, Request, tagged
from kubetrace.playground.negotiation import JSON, KNOWN, Kind, discovery_form, written
from kubetrace.playground.openapi import OpenAPI
from kubetrace.playground.tokens import ISSUER, Signer

_AGGREGATED: tuple[Kind, ...] = tuple(
    ("apidiscovery.k8s.io", version, "APIGroupDiscoveryList") for version in ("v2", "v2beta1")
)
_CACHED = [("Cache-Control", "public, max-age=3600")]
_JWKS = "application/jwk-set+json"
_ROUTES = {
    "/version": (JSON,),
    "/.well-known/openid-configuration": (JSON,),
    "/openid/v1/jwks": (_JWKS,),
    "/api": KNOWN,
    "/api/v1": KNOWN,
}
_HEALTH = ("/healthz", "/livez", "/readyz")
_SLASHLESS = (*_HEALTH, "/openapi")
"""Whose paths end without a slash."""


class Discovery:
    def __init__(self, catalog: Catalog, signer: Signer) -> None:
        self._catalog = catalog
        self._signer = signer
        self._openapi = OpenAPI(catalog)

    def produces(self, path: str) -> tuple[str, ...]:
        """The media types of a path that go-restful routes: only GET has a route there. Empty for all others."""
        path = path.rstrip("/")
        name, _, version = path.removeprefix("/apis/").partition("/")
        built_in = any(
            group["metadata"].get("name") == name and version in [each["version"] for each in group["versions"]]
            for group in server_facts()["discovery"]
        )
        return KNOWN if path.startswith("/apis/") and built_in else _ROUTES.get(path, ())

    def answer(self, request: Request) -> Answer | None:
        """The answer for a path that is not an object's, or None."""
        path = request.path.rstrip("/") or "/"
        if path.startswith("/apis//"):
            return None
        if path != request.path and path.startswith(_SLASHLESS):
            return Answer(404, b"", "") if path == "/openapi/v3" else None
        if path == "/version":
            return raw(server_facts()["version"])
        if path.startswith(_HEALTH):
            return self._health(path, request)
        if path in ("/", "/index.html"):
            return raw({"paths": self._paths()})
        if path == "/openapi/v2":
            return self._openapi.version_2(request)
        if path.startswith("/openapi/v3"):
            return self._openapi.version_3(request, path)
        if path in ("/api", "/apis"):
            return self._root(request, path)
        if path.startswith("/apis/") or path == "/api/v1":
            return self._group(request, path)
        if path == "/openid/v1/jwks":
            keys = json.dumps(self._signer.keys(), separators=(",", ":")).encode()
            return Answer(200, keys, _JWKS, [*_CACHED])
        if path == "/.well-known/openid-configuration":
            answer = encode(
                {
                    "issuer": ISSUER,
                    "jwks_uri": f"https://{request.headers.get('host', '127.0.0.1')}/openid/v1/jwks",
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256"],
                }
            )
            answer.headers += _CACHED
            return answer
        return None

    @staticmethod
    def _health(path: str, request: Request) -> Answer | None:
        """All checks (`verbose` names them, `exclude` leaves some out), or the one that the path names."""
        root = next(entry for entry in _HEALTH if path.startswith(entry))
        checks, one = server_facts()["health"][root], path[len(root) :].removeprefix("/")
        if one and one not in checks:
            return None
        plain, headers = "text/plain; charset=utf-8", [("X-Content-Type-Options", "nosniff")]
        if one or "verbose" not in request.query:
            return Answer(200, b"ok", plain, headers)
        left_out = request.query.get("exclude", [])
        lines = [f"[+]{name}{' excluded: ok' if name in left_out else ' ok'}" for name in checks]
        unknown = [name for name in left_out if name and name not in checks]
        if unknown:
            lines.append(f"warn: some health checks cannot be excluded: no matches for {_quoted(unknown)}")
        return Answer(200, ("\n".join([*lines, f"{root[1:]} check passed"]) + "\n").encode(), plain, headers)

    def _paths(self) -> list[str]:
        known = set(server_facts()["paths"])
        for resource in self._catalog.all:
            known |= {f"/apis/{resource.group}", resource.prefix} if resource.group else set()
        return sorted(known)

    def _root(self, request: Request, path: str) -> Answer:
        media, into = discovery_form(request.headers.get("accept", ""), _AGGREGATED)
        if into:
            return self._aggregated(request, path, media, into[1])
        if path == "/api":
            addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "127.0.0.1")}]
            found = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}
            return written(found, media)
        groups = [_api_group(group) for group in self._catalog.discovered if group["metadata"].get("name")]
        return written({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}, media)

    def _aggregated(self, request: Request, path: str, media: str, version: str) -> Answer:
        core = path == "/api"
        items = [group for group in self._catalog.discovered if (not group["metadata"].get("name")) is core]
        document = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}"}
        kind = f"{media};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        answer = tagged(request, written(document | {"metadata": {}, "items": items}, media).body, kind)
        answer.headers.append(("Cache-Control", "public"))
        return answer

    def _group(self, request: Request, path: str) -> Answer | None:
        parts = path.split("/")[2:]
        name, version = ("", parts[0]) if path == "/api/v1" else (parts[0], parts[1] if len(parts) > 1 else "")
        group = next((g for g in self._catalog.discovered if g["metadata"].get("name", "") == name), None)
        if group is None or len(parts) > 2:
            return None
        entry = next((v for v in group["versions"] if v["version"] == version), None)
        if version and entry is None:
            return None
        media, _ = discovery_form(request.headers.get("accept", ""), ())
        if entry is None:
            return written({"kind": "APIGroup", "apiVersion": "v1"} | _api_group(group), media)
        return written(_resource_list(name, entry, self._catalog.storing(name)), media)


def _quoted(names: list[str]) -> str:
    return ",".join(f'"{name}"' for name in names)


def _api_group(group: dict[str, Any]) -> dict[str, Any]:
    name = group["metadata"]["name"]
    versions = [{"groupVersion": f"{name}/{v['version']}", "version": v["version"]} for v in group["versions"]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(group: str, version: dict[str, Any], storing: dict[str, str]) -> dict[str, Any]:
    """`storing`: the versions in which custom resources are kept that are served in several."""
    group_version = f"{group}/{version['version']}" if group else version["version"]
    rows = []
    for entry in version["resources"]:
        namespaced = entry["scope"] == "Namespaced"
        if entry.get("verbs"):
            row = {"name": entry["resource"], "singularName": entry["singularResource"], "namespaced": namespaced}
            row |= {"kind": entry["responseKind"]["kind"], "verbs": entry["verbs"]}
            row |= {name: entry[name] for name in ("shortNames", "categories") if entry.get(name)}
            if "list" in entry["verbs"]:
                version_of = storing.get(entry["resource"], version["version"])
                row["storageVersionHash"] = _storage_hash(group, version_of, entry)
            rows.append(row)
        for part in entry.get("subresources", ()):
            kind = part.get("responseKind") or {}
            row = {"name": f"{entry['resource']}/{part['subresource']}", "singularName": "", "namespaced": namespaced}
            if (kind.get("group", ""), kind.get("version", "")) != (group, version["version"]):
                row |= {name: kind[name] for name in ("group", "version") if kind.get(name)}
            rows.append(row | {"kind": kind.get("kind", ""), "verbs": part["verbs"]})
    if group in {entry["metadata"].get("name", "") for entry in server_facts()["discovery"]}:
        rows.sort(key=lambda row: row["name"])
    kind = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
    return kind | {"groupVersion": group_version, "resources": rows}


def _storage_hash(group: str, version: str, entry: dict[str, Any]) -> str:
    """Recorded for what is built in; for custom resources apiserver discovery.StorageVersionHash's own rule."""
    known = server_facts()["storage_hashes"].get(f"{group}/{version}/{entry['resource']}")
    if known:
        return str(known)
    name = f"{group}/{version}/{entry['responseKind']['kind']}"
    return base64.b64encode(hashlib.sha256(name.encode()).digest()[:8]).decode()

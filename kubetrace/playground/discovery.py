"""What a client reads to learn the API: discovery in its three forms, /version, health."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from kubetrace.playground.catalog import Catalog, server_facts
from kubetrace.playground.encoding import html_safe, indented
from kubetrace.playground.http import Answer, Request, tagged
from kubetrace.playground.openapi import OpenAPI
from kubetrace.playground.tokens import ISSUER

_AGGREGATED = "g=apidiscovery.k8s.io"
_HEALTH = ("/healthz", "/livez", "/readyz")


def encode(value: Any, status: int = 200, content_type: str = "application/json") -> Answer:
    return Answer(status, html_safe(msgspec.json.encode(value)) + b"\n", content_type)


class Discovery:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._openapi = OpenAPI(catalog)

    def answer(self, request: Request) -> Answer | None:
        """The answer for a path that is not an object's, or None."""
        path = request.path.rstrip("/") or "/"
        if path == "/version":
            return Answer(200, indented(encode(server_facts()["version"]).body).rstrip(b"\n"))
        if path.startswith(_HEALTH):
            return self._health(path, request)
        if path == "/":
            return encode({"paths": self._paths()})
        if path == "/openapi/v2":
            return self._openapi.version_2(request)
        if path.startswith("/openapi/v3"):
            return self._openapi.version_3(request, path)
        if path in ("/api", "/apis"):
            return self._root(request, path)
        if path.startswith("/apis/") or path == "/api/v1":
            return self._group(path)
        if path == "/.well-known/openid-configuration":
            return encode(
                {
                    "issuer": ISSUER,
                    "jwks_uri": f"https://{request.headers.get('host', '127.0.0.1')}/openid/v1/jwks",
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["ES256"],
                }
            )
        return None

    @staticmethod
    def _health(path: str, request: Request) -> Answer | None:
        """All checks (`verbose` names them, `exclude` leaves some out), or the one that the path names."""
        root = next(entry for entry in _HEALTH if path.startswith(entry))
        checks, one = server_facts()["health"][root], path[len(root) :].removeprefix("/")
        if one and one not in checks:
            return None
        plain = "text/plain; charset=utf-8"
        if one or "verbose" not in request.query:
            return Answer(200, b"ok", plain, [("X-Content-Type-Options", "nosniff")])
        left_out = request.query.get("exclude", [])
        lines = [f"[+]{name}{' excluded: ok' if name in left_out else ' ok'}" for name in checks]
        unknown = [name for name in left_out if name and name not in checks]
        if unknown:
            lines.append(f"warn: some health checks cannot be excluded: no matches for {_quoted(unknown)}")
        return Answer(200, ("\n".join([*lines, f"{root[1:]} check passed"]) + "\n").encode(), plain)

    def _paths(self) -> list[str]:
        known = set(server_facts()["paths"])
        for resource in self._catalog.all:
            known |= {f"/apis/{resource.group}", resource.prefix} if resource.group else set()
        return sorted(known)

    def _root(self, request: Request, path: str) -> Answer:
        version = _aggregated_version(request.headers.get("accept", ""))
        if version:
            return self._aggregated(request, path, version)
        if path == "/api":
            addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": request.headers.get("host", "127.0.0.1")}]
            return encode({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})
        groups = [_api_group(group) for group in self._catalog.discovered if group["metadata"].get("name")]
        return encode({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})

    def _aggregated(self, request: Request, path: str, version: str) -> Answer:
        core = path == "/api"
        items = [group for group in self._catalog.discovered if (not group["metadata"].get("name")) is core]
        document = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}"}
        body = msgspec.json.encode(document | {"metadata": {}, "items": items}) + b"\n"
        kind = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
        return tagged(request, body, kind)

    def _group(self, path: str) -> Answer | None:
        parts = path.split("/")[2:]
        name, version = ("", parts[0]) if path == "/api/v1" else (parts[0], parts[1] if len(parts) > 1 else "")
        group = next((g for g in self._catalog.discovered if g["metadata"].get("name", "") == name), None)
        if group is None or len(parts) > 2:
            return None
        if not version:
            return encode({"kind": "APIGroup", "apiVersion": "v1"} | _api_group(group))
        entry = next((v for v in group["versions"] if v["version"] == version), None)
        return None if entry is None else encode(_resource_list(name, entry))


def _quoted(names: list[str]) -> str:
    return ",".join(f'"{name}"' for name in names)


def _aggregated_version(accept: str) -> str:
    for part in accept.split(","):
        if _AGGREGATED in part and "as=APIGroupDiscoveryList" in part:
            for version in ("v2", "v2beta1"):
                if f"v={version}" in [entry.strip() for entry in part.split(";")]:
                    return version
    return ""


def _api_group(group: dict[str, Any]) -> dict[str, Any]:
    name = group["metadata"]["name"]
    versions = [{"groupVersion": f"{name}/{v['version']}", "version": v["version"]} for v in group["versions"]]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resource_list(group: str, version: dict[str, Any]) -> dict[str, Any]:
    group_version = f"{group}/{version['version']}" if group else version["version"]
    rows = []
    for entry in version["resources"]:
        namespaced = entry["scope"] == "Namespaced"
        if entry.get("verbs"):
            row = {"name": entry["resource"], "singularName": entry["singularResource"], "namespaced": namespaced}
            row |= {"kind": entry["responseKind"]["kind"], "verbs": entry["verbs"]}
            row |= {name: entry[name] for name in ("shortNames", "categories") if entry.get(name)}
            if "list" in entry["verbs"]:
                row["storageVersionHash"] = _storage_hash(group, version["version"], entry)
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

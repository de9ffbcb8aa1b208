"""Plain discovery from what a trace tells: the aggregated documents that newer clients asked for, or, where the traced
command had it all from its cache, the resources that its requests named."""

from __future__ import annotations

from typing import Any

from kubetrace.trace.endpoint import endpoint
from kubetrace.trace.exchange import Request
from kubetrace.trace.loose_json import mapping, mappings
from kubetrace.trace.meaning import parsed

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_MOST = 2000
_SAYS_NOTHING = frozenset({"", "Status", "Table", "List"})

GroupVersion = tuple[str, str]


class Resources:
    """Resource lists by group and version. `told` is whether a server told them (else they are made up)."""

    def __init__(self) -> None:
        self.told = False
        self._lists: dict[GroupVersion, dict[str, dict[str, Any]]] = {}

    def see(self, request: Request, body: bytes | None) -> None:
        """Learns what a request tells of its resource."""
        where = endpoint(request)
        if self.told or not where.resource or where.subresource or len(self._lists) >= _MOST:
            return
        known = self._lists.setdefault((where.group, where.version), {}).setdefault(
            where.resource,
            {
                "name": where.resource,
                "singularName": _singular(where.resource),
                "namespaced": False,
                "kind": "",
                "verbs": _VERBS,
            },
        )
        known["namespaced"] |= bool(where.namespace) and where.resource != "namespaces"
        if not known["kind"] and body and len(body) < 1 << 20:
            value = parsed(body)
            kind = value.get("kind") if isinstance(value, dict) else None
            name = kind.removesuffix("List") if isinstance(kind, str) else ""
            if name not in _SAYS_NOTHING and not name.startswith("PartialObjectMetadata"):
                known["kind"] = name

    def learn(self, document: Any) -> None:
        """Takes an APIGroupDiscoveryList for what it is; guesses end with the first."""
        if not self.told:
            self.told = True
            self._lists.clear()
        for group in mappings(mapping(document).get("items")):
            name = str(mapping(group.get("metadata")).get("name") or "")
            for version in mappings(group.get("versions")):
                listed = self._lists.setdefault((name, str(version.get("version") or "")), {})
                for resource in mappings(version.get("resources")):
                    for one in _plain(resource):
                        listed[one["name"]] = one

    def discovery(self, path: str) -> dict[str, Any] | None:
        """What a discovery path answers; None for another path, and where nothing is known."""
        words = path.strip("/").split("/")
        if not self._lists or words[0] not in ("api", "apis"):
            return None
        if path.rstrip("/") == "/api":
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        if path.rstrip("/") == "/apis":
            groups = list(dict.fromkeys(group for group, _ in self._lists if group))
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [self._group(group) for group in groups]}
        if words[0] == "api" and len(words) == 2:
            return self._resources("", words[1])
        if words[0] == "apis" and len(words) == 2 and any(group == words[1] for group, _ in self._lists):
            return {"kind": "APIGroup", "apiVersion": "v1", **self._group(words[1])}
        return self._resources(words[1], words[2]) if words[0] == "apis" and len(words) == 3 else None

    def _group(self, group: str) -> dict[str, Any]:
        versions = [version for one, version in self._lists if one == group]
        listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
        return {"name": group, "versions": listed, "preferredVersion": listed[0]}

    def _resources(self, group: str, version: str) -> dict[str, Any] | None:
        known = self._lists.get((group, version))
        if known is None and (group, version) != ("", "v1"):
            return None
        found = [{**one, "kind": one["kind"] or one["singularName"].capitalize()} for one in (known or {}).values()]
        name = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": found}


def _plain(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """An aggregated resource and its subresources as a resource list has them."""
    name = str(resource.get("resource") or "")
    namespaced = resource.get("scope") == "Namespaced"
    more = {key: resource[key] for key in ("shortNames", "categories") if resource.get(key)}
    singular = str(resource.get("singularResource") or "")
    found = [{**_one(name, resource, namespaced), "singularName": singular, **more}]
    for sub in mappings(resource.get("subresources")):
        found.append({**_one(f"{name}/{sub.get('subresource')}", sub, namespaced), "singularName": ""})
    return found


def _one(name: str, resource: dict[str, Any], namespaced: bool) -> dict[str, Any]:
    kind = mapping(resource.get("responseKind"))
    own = {key: kind[key] for key in ("group", "version") if kind.get(key)}
    return {
        "name": name,
        "namespaced": namespaced,
        **own,
        "kind": str(kind.get("kind") or ""),
        "verbs": resource.get("verbs") or [],
    }


def _singular(resource: str) -> str:
    """English, near enough: kinds of which the trace holds no object are only named by it."""
    if resource.endswith("ies"):
        return resource[:-3] + "y"
    if resource.endswith(("sses", "xes", "ches", "shes")):
        return resource[:-2]
    return resource.removesuffix("s")

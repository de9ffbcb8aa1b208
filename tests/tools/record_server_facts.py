"""Writes kubetrace/playground/data/: what a real, fresh kube-apiserver says about its resources.

    python tests/tools/record_server_facts.py KUBECTL      (KUBECONFIG names a fresh server, all-mighty user)

server-1.36.json.gz: aggregated discovery, /version, each resource's printer columns and storage hash, what it warns
of, the names of health checks, the objects that a fresh server
has (default roles and bindings, priority classes …). openapi-1.36.json.gz: OpenAPI v3 without its sentences, and
openapi-v2-1.36.json.gz / .pb.gz: the same for v2, in both of its encodings.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[2] / "kubetrace" / "playground" / "data"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
FRESH = (
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
    "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
    "/apis/apiregistration.k8s.io/v1/apiservices",
    "/apis/networking.k8s.io/v1/servicecidrs",
)
# gnostic's OpenAPIv2 messages: message -> (number of its description, {field: message})
V2 = {
    "Document": (None, {8: "Paths", 9: "Definitions", 10: "ParameterDefinitions"}),
    "ParameterDefinitions": (None, {1: "NamedParameter"}),
    "NamedParameter": (None, {2: "Parameter"}),
    "Paths": (None, {2: "NamedPath"}),
    "NamedPath": (None, {2: "PathItem"}),
    "PathItem": (None, {2: "Op", 3: "Op", 4: "Op", 5: "Op", 6: "Op", 7: "Op", 8: "Op", 9: "Parameters"}),
    "Op": (3, {8: "Parameters", 9: "Responses"}),
    "Parameters": (None, {1: "Parameter"}),
    "Parameter": (None, {1: "Body", 2: "NonBody"}),
    "NonBody": (None, {1: "P3", 2: "P3", 3: "P3", 4: "P3"}),
    "P3": (3, {}),
    "Body": (1, {}),
    "Responses": (None, {}),
    "Definitions": (None, {1: "NamedSchema"}),
    "NamedSchema": (None, {2: "Schema"}),
    "Schema": (4, {21: "Extra", 23: "SchemaItem", 24: "Schema", 25: "Definitions"}),
    "SchemaItem": (None, {1: "Schema"}),
    "Extra": (None, {1: "Schema"}),
}


class Server:
    def __init__(self, kubectl: str) -> None:
        self._kubectl = kubectl
        config = json.loads(self._run("config", "view", "--raw", "--minify", "-o", "json"))
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._curl = ["curl", "-sf", "--cacert", self._authority(cluster)]
        self._curl += ["-H", f"Authorization: Bearer {user['token']}"]
        self._url = cluster["server"]

    @staticmethod
    def _authority(cluster: dict[str, str]) -> str:
        if "certificate-authority" in cluster:
            return cluster["certificate-authority"]
        with tempfile.NamedTemporaryFile(suffix=".crt", delete=False) as file:
            file.write(base64.b64decode(cluster["certificate-authority-data"]))
        return file.name

    def _run(self, *arguments: str) -> bytes:
        return subprocess.run([self._kubectl, *arguments], check=True, capture_output=True).stdout

    def get(self, path: str, accept: str = "application/json") -> bytes:
        command = [*self._curl, "-H", f"Accept: {accept}", self._url + path]
        return subprocess.run(command, check=True, capture_output=True).stdout

    def warning(self, path: str) -> str:
        """What the server warns of when that is read."""
        command = [self._kubectl, "get", "--raw", path]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        return told.strip().removeprefix("Warning: ")

    def json(self, path: str, accept: str = "application/json") -> Any:
        return json.loads(self.get(path, accept))


def without_sentences(value: Any, inside_properties: bool = False) -> Any:
    if isinstance(value, list):
        return [without_sentences(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_sentences(entry, name == "properties")
        for name, entry in value.items()
        if inside_properties or name != "description" or not isinstance(entry, str)
    }


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def encoded(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def strip_protobuf(data: bytes, message: str) -> bytes:
    sentence, parts = V2[message]
    out, at = bytearray(), 0
    while at < len(data):
        start = at
        key, at = varint(data, at)
        if key & 7 == 2:
            size, at = varint(data, at)
            body, at = data[at : at + size], at + size
            if key >> 3 == sentence:
                continue
            if key >> 3 in parts:
                body = strip_protobuf(body, parts[key >> 3])
            out += encoded(key) + encoded(len(body)) + body
        else:
            at = varint(data, at)[1] if key & 7 == 0 else at + (8 if key & 7 == 1 else 4)
            out += data[start:at]
    return bytes(out)


def without_history(item: dict[str, Any]) -> dict[str, Any]:
    metadata = item["metadata"]
    for name in ("uid", "resourceVersion", "creationTimestamp", "generation"):
        metadata.pop(name, None)
    for entry in metadata.get("managedFields", []):
        entry.pop("time", None)
    for condition in item.get("status", {}).get("conditions", []):
        condition.pop("lastTransitionTime", None)
    return item


def columns(server: Server, discovery: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for group in discovery:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            prefix = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for resource in version["resources"]:
                if "list" in resource["verbs"]:
                    table = server.json(f"{prefix}/{resource['resource']}?limit=1", TABLE)
                    found[f"{name}/{version['version']}/{resource['resource']}"] = table["columnDefinitions"]
    return found


def storage_hashes(server: Server, discovery: list[dict[str, Any]]) -> dict[str, str]:
    """storageVersionHash of each resource, "apps/v1/deployments" → hash."""
    found = {}
    for group in discovery:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            prefix = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for resource in server.json(prefix)["resources"]:
                if "storageVersionHash" in resource:
                    found[f"{name}/{version['version']}/{resource['name']}"] = resource["storageVersionHash"]
    return found


def warnings(server: Server, discovery: list[dict[str, Any]]) -> dict[str, str]:
    """What the server warns of on each deprecated resource."""
    found = {}
    for group in discovery:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            prefix = f"/apis/{name}/{version['version']}" if name else f"/api/{version['version']}"
            for resource in version["resources"]:
                if "list" in resource["verbs"]:
                    told = server.warning(f"{prefix}/{resource['resource']}?limit=1")
                    found |= {f"{name}/{version['version']}/{resource['resource']}": told} if told else {}
    return found


def health_checks(server: Server, path: str) -> list[str]:
    lines = server.get(f"{path}?verbose").decode().splitlines()
    return [line.removeprefix("[+]").removesuffix(" ok") for line in lines if line.startswith("[+]")]


def write(name: str, data: bytes) -> None:
    TARGET.mkdir(exist_ok=True)
    (TARGET / name).write_bytes(gzip.compress(data, 9, mtime=0))
    print(name, (TARGET / name).stat().st_size)


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def main() -> None:
    server = Server(sys.argv[1])
    discovery = [group for root in ("/api", "/apis") for group in server.json(root, DISCOVERY)["items"]]
    facts = {
        "version": server.json("/version"),
        "paths": server.json("/")["paths"],
        "discovery": discovery,
        "columns": columns(server, discovery),
        "health": {path: health_checks(server, path) for path in ("/healthz", "/livez", "/readyz")},
        "storage_hashes": storage_hashes(server, discovery),
        "warnings": warnings(server, discovery),
        "fresh": {path: [without_history(item) for item in server.json(path)["items"]] for path in FRESH},
    }
    write("server-1.36.json.gz", compact(facts))
    paths = server.json("/openapi/v3")["paths"]
    v3 = {name: without_sentences(server.json(entry["serverRelativeURL"])) for name, entry in paths.items()}
    write("openapi-1.36.json.gz", compact(v3))
    write("openapi-v2-1.36.json.gz", compact(without_sentences(server.json("/openapi/v2"))))
    binary = server.get("/openapi/v2", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    write("openapi-v2-1.36.pb.gz", strip_protobuf(binary, "Document"))


if __name__ == "__main__":
    main()

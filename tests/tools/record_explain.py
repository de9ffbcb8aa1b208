"""Records what kubectl's `explain` makes of OpenAPI documents: tests/commands/data/explain.json.

    KUBECTL=path/to/kubectl KUBECONFIG=path/to/kubeconfig python -m tests.tools.record_explain

The documents are a real server's, cut down to a few kinds; a server on this machine plays them to kubectl, as the test
plays them to kubetrace.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubetrace.api.verbs import DISCOVERY
from kubetrace.wire.protobuf import fields
from tests.tools.record_get import DATA, KUBECONFIG, Recorder, kubectl

GROUP = "explain.example.com"
KINDS = {"api/v1": ("configmaps", "services", "bindings"), f"apis/{GROUP}/v1": ("gears",)}
V2 = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

COMMANDS = """\
explain gears
explain gears --recursive
explain gr -R
explain gears.spec
explain gears.spec --recursive
explain gears.spec.teeth
explain gears.spec.ratio
explain gears.spec.sense
explain gears.spec.finish
explain gears.spec.level
explain gears.spec.free
explain gears.spec.free.x
explain gears.spec.any
explain gears.spec.wheels
explain gears.spec.wheels.name
explain gears.spec.wheels.spokes
explain gears.spec.tags
explain gears.spec.tags.x
explain gears.spec.lists
explain gears.spec.deep
explain gears.spec.deep.er
explain gears.status
explain gears.nope
explain gears.spec.nope.x
explain gears.explain.example.com
explain gears.explain.example.com.spec.teeth
explain gears.explain.example.com.
explain gears --api-version=explain.example.com/v1
explain gears.spec --api-version=explain.example.com/v1
explain gears --api-version=explain.example.com/v2
explain gears --api-version=v1
explain gears --api-version=a/b/c
explain configmaps
explain cm.data
explain cm.metadata
explain cm.metadata.managedFields
explain cm.metadata.ownerReferences.uid
explain cm --recursive
explain services.spec.type
explain services.spec.ports
explain services.spec.ports.targetPort
explain services.status -R
explain bindings
explain nope
explain nope.x
explain gears[0]
explain gears..spec
explain 'gears}{.x'
explain ''
explain '{'
explain gears/x
explain
explain gears configmaps
explain gears -o foo
explain gears -o plaintext
explain gears -o ''
explain gears -o plaintext-openapiv2
explain gears -o plaintext-openapiv2 -R
explain gears.spec -o plaintext-openapiv2
explain gears.spec.teeth -o plaintext-openapiv2
explain gears.spec.free -o plaintext-openapiv2
explain gears.spec.free.x -o plaintext-openapiv2
explain gears.spec.any -o plaintext-openapiv2
explain gears.spec.wheels -o plaintext-openapiv2
explain gears.spec.wheels.spokes -o plaintext-openapiv2
explain gears.spec.tags -o plaintext-openapiv2
explain gears.spec.lists -o plaintext-openapiv2
explain gears.spec.deep.er -o plaintext-openapiv2
explain gears.nope -o plaintext-openapiv2
explain gears.spec.nope.x -o plaintext-openapiv2
explain gears -o plaintext-openapiv2 --api-version=explain.example.com/v1
explain gears -o plaintext-openapiv2 --api-version=explain.example.com/v2
explain cm -o plaintext-openapiv2
explain cm.metadata -o plaintext-openapiv2
explain cm.metadata.managedFields.fieldsV1 -o plaintext-openapiv2
explain services.spec.ports -o plaintext-openapiv2
explain services --recursive -o plaintext-openapiv2
"""


class _Fetcher(Recorder):
    def raw(self, target: str, accept: str) -> bytes:
        headers = {"Accept": accept, "Authorization": f"Bearer {self.connection.token}"}
        request = urllib.request.Request(self.connection.server + target, headers=headers)
        with urllib.request.urlopen(request, context=self.context) as answer:
            data: bytes = answer.read()
        return data

    def json(self, target: str, accept: str = "application/json") -> Any:
        return json.loads(self.raw(target, accept))


class _Player(ThreadingHTTPServer):
    def __init__(self, documents: dict[str, tuple[str, bytes]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.documents = documents


class _Handler(BaseHTTPRequestHandler):
    server: _Player

    def do_GET(self) -> None:
        media, body = self.server.documents[self.path.partition("?")[0]]
        self.send_response(200)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _referred(value: Any, found: set[str]) -> set[str]:
    """Names of the schemas that a document refers to."""
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            found.add(reference.rpartition("/")[2])
        for inner in value.values():
            _referred(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _referred(inner, found)
    return found


def _trimmed(document: dict[str, Any], kinds: tuple[str, ...]) -> dict[str, Any]:
    """An OpenAPI v3 document with a few kinds' paths (their kinds only) and the schemas of what these kinds are."""
    paths = {}
    wanted: list[dict[str, Any]] = []
    for path, operations in document["paths"].items():
        if path.split("/")[-1] in kinds or (path.split("/")[-2] in kinds and path.endswith("{name}")):
            key = "x-kubernetes-group-version-kind"
            paths[path] = {m: {key: o[key]} for m, o in operations.items() if isinstance(o, dict) and key in o}
            wanted += [operation[key] for operation in paths[path].values()]
    schemas = document["components"]["schemas"]
    kept = {n for n, s in schemas.items() if any(k in s.get("x-kubernetes-group-version-kind", ()) for k in wanted)}
    kept = {name for name in kept if not name.endswith("DeleteOptions")}
    while more := {n for name in kept for n in _referred(schemas[name], set())} - kept:
        kept |= more
    return {
        "openapi": "3.0.0",
        "paths": paths,
        "components": {"schemas": {name: schemas[name] for name in sorted(kept)}},
    }


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _trimmed_v2(document: bytes, names: set[str]) -> bytes:
    """An OpenAPI v2 document with only these definitions."""
    entries = b""
    for number, value in fields(document):
        if number != 9 or not isinstance(value, bytes):
            continue
        for _, entry in fields(value):
            assert isinstance(entry, bytes)
            name = dict(fields(entry))[1]
            assert isinstance(name, bytes)
            if name.decode() in names:
                entries += b"\x0a" + _varint(len(entry)) + entry
    return b"\x0a\x032.0" + b"\x4a" + _varint(len(entries)) + entries


def documents_of(server: _Fetcher) -> dict[str, tuple[str, bytes]]:
    """Media type and text of discovery's and OpenAPI's documents, by path."""
    documents: dict[str, tuple[str, bytes]] = {}
    for path in ("/api", "/apis"):
        found = server.json(path, DISCOVERY)
        found["items"] = [item for item in found["items"] if item["metadata"].get("name", "") in ("", GROUP)]
        for item in found["items"]:
            for version in item["versions"]:
                prefix = f"apis/{GROUP}" if item["metadata"].get("name") else "api"
                kinds = KINDS[f"{prefix}/{version['version']}"]
                version["resources"] = [one for one in version["resources"] if one["resource"] in kinds]
        media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        documents[path] = (media, json.dumps(found).encode())
    index = server.json("/openapi/v3")["paths"]
    documents["/openapi/v3"] = ("application/json", json.dumps({"paths": {p: index[p] for p in KINDS}}).encode())
    names: set[str] = set()
    for path, kinds in KINDS.items():
        document = _trimmed(server.json(index[path]["serverRelativeURL"]), kinds)
        names |= set(document["components"]["schemas"])
        documents[f"/openapi/v3/{path}"] = ("application/json", json.dumps(document).encode())
    media = V2.replace("@v1.0", ".v1.0")
    documents["/openapi/v2"] = (media, _trimmed_v2(server.raw("/openapi/v2", V2), names))
    return documents


def _answer(media: str, body: bytes) -> dict[str, Any]:
    text = {"base64": base64.b64encode(body).decode()} if "protobuf" in media else {"body": body.decode()}
    return {"status": 200, "type": media, **text}


def main() -> None:
    from kubetrace.environment import Environment
    from kubetrace.streams import Streams

    real = os.environ["KUBECONFIG"]
    with tempfile.TemporaryDirectory() as home:
        kubectl(["apply", "-f", str(DATA / "explain_kinds.yaml")], home, real)
        time.sleep(10)
        connection = Environment(Streams.standard(), {**os.environ, "HOME": home}).connection
        documents = documents_of(_Fetcher(connection))
        kubectl(["delete", "-f", str(DATA / "explain_kinds.yaml")], home, real)
        program = kubectl(["version", "--client"], home, real).stdout.splitlines()
        with _Player(documents) as player:
            threading.Thread(target=player.serve_forever, daemon=True).start()
            played = Path(home) / "played"
            played.write_text(KUBECONFIG.replace("SERVER", f"http://127.0.0.1:{player.server_port}"))
            commands = [_recorded(shlex.split(line), home, str(played)) for line in COMMANDS.splitlines()]
            player.shutdown()
    answers = {path: _answer(media, body) for path, (media, body) in documents.items()}
    facts = {"program": program, "documents": answers, "commands": commands}
    (DATA / "explain.json").write_text(json.dumps(facts, indent=1) + "\n")


def _recorded(words: list[str], home: str, kubeconfig: str) -> dict[str, Any]:
    done: subprocess.CompletedProcess[str] = kubectl(words, home, kubeconfig)
    stderr = re.sub(r"(?m)^[IWEF]\d{4} .*\n", "", done.stderr)
    return {"words": words, "stdout": done.stdout, "stderr": stderr, "code": done.returncode}


if __name__ == "__main__":
    main()

"""Records what the real kubectl sends and says for `write_cases` into tests/commands/golden/writes.json.

    python -m tests.tools.record_writes KUBECTL SERVER CA_FILE TOKEN

KUBECTL talks plain http to a recorder in this process, which passes everything on to the real API server, token added.
Discovery and OpenAPI are not kept call by call: discovery is the one that `record_discovery` records, the OpenAPI
documents are kept once, cut down to what patches need.
"""

from __future__ import annotations

import http.client
import http.server
import json
import re
import shlex
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.tools.write_cases import CASES, FILES

GOLDEN = Path(__file__).parents[1] / "commands" / "golden" / "writes.json"
NAMESPACE = "recorded"
_KINDS = {"ConfigMap", "Service", "Namespace", "Deployment"}
_KEPT = ("x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy", "x-kubernetes-group-version-kind", "$ref")


def cut_down(document: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI v3 document with nothing but what patches need."""
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        patch = operations.get("patch") or {}
        if patch.get("x-kubernetes-group-version-kind", {}).get("kind") in _KINDS and not path.endswith("status"):
            paths[path] = {
                "patch": {
                    "x-kubernetes-group-version-kind": patch["x-kubernetes-group-version-kind"],
                    "parameters": [{"name": one.get("name"), "in": one.get("in")} for one in patch["parameters"]],
                    "requestBody": {"content": {name: {} for name in patch["requestBody"]["content"]}},
                }
            }
    schemas = document["components"]["schemas"]
    wanted = [name for name, one in schemas.items() if _is_wanted(one)]
    for name in wanted:
        wanted += [one for one in re.findall(r'#/components/schemas/([^"]+)"', json.dumps(schemas[name]))
                   if one not in wanted]  # fmt: skip
    return {"paths": paths, "components": {"schemas": {name: _schema(schemas[name]) for name in wanted}}}


def _is_wanted(schema: dict[str, Any]) -> bool:
    return any(one["kind"] in _KINDS for one in schema.get("x-kubernetes-group-version-kind", ()))


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if "allOf" in schema:
        kept["allOf"] = [_schema(one) for one in schema["allOf"]]
    if isinstance(schema.get("items"), dict):
        kept["items"] = _schema(schema["items"])
    if "properties" in schema:
        kept["properties"] = {name: _schema(one) for name, one in schema["properties"].items()}
    return kept


class Recorder(http.server.ThreadingHTTPServer):
    """Passes calls on and keeps them."""

    daemon_threads = True

    def __init__(self, server: str, ca_file: str, token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = urlsplit(server).netloc
        self.context = ssl.create_default_context(cafile=ca_file)
        self.token = token
        self.kept: list[dict[str, Any]] = []
        self.openapi: dict[str, Any] = {}

    def take(self) -> list[dict[str, Any]]:
        """The calls since the last time, as they are now."""
        kept, self.kept = self.kept, []
        return [dict(record) for record in kept]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Recorder

    def log_message(self, *arguments: object) -> None: ...

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPSConnection(self.server.host, context=self.server.context)
        dropped = ("host", "connection", "accept-encoding", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection.request(
            self.command, self.path, body or None, {**headers, "Authorization": "Bearer " + self.server.token}
        )
        response = connection.getresponse()
        record = {
            "method": self.command,
            "target": self.path,
            "accept": self.headers.get("Accept"),
            "contentType": self.headers.get("Content-Type"),
            "body": body.decode("utf-8", "replace"),
            "status": response.status,
            "answerType": response.getheader("Content-Type"),
        }
        kept = self._kept(record)
        self.send_response(response.status)
        self.send_header("Content-Type", record["answerType"] or "")
        for warning in response.headers.get_all("Warning") or ():
            self.send_header("Warning", warning)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        text = self._pass_on(response, kept)
        connection.close()
        self._keep_openapi(record["target"], text)

    def _kept(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record, kept from the call's start, so that a watch belongs to the command that made it; its answer grows
        until kubectl goes."""
        path = record["target"].partition("?")[0]
        record["answer"] = ""
        if path not in ("/api", "/apis", "/openapi/v2") and not path.startswith("/openapi/v3"):
            self.server.kept.append(record)
        return record

    def _pass_on(self, response: http.client.HTTPResponse, kept: dict[str, Any]) -> bytes:
        text = b""
        try:
            while chunk := response.read1(65536):
                text += chunk
                kept["answer"] = text.decode("utf-8", "replace")
                self.wfile.write(chunk)
                self.wfile.flush()
        except OSError:
            pass
        return text

    def _keep_openapi(self, target: str, text: bytes) -> None:
        path = target.partition("?")[0]
        if path == "/openapi/v3":
            self.server.openapi[path] = json.loads(text)
        elif path.startswith("/openapi/v3/"):
            self.server.openapi[target] = cut_down(json.loads(text))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer


def record(kubectl: str, server: str, ca_file: str, token: str) -> dict[str, Any]:
    recorder = Recorder(server, ca_file, token)
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    cases = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

        def run(arguments: str) -> subprocess.CompletedProcess[str]:
            common = [f"--server=http://127.0.0.1:{recorder.server_port}", f"--cache-dir={folder}/cache"]
            given = [] if "-n " in arguments else ["-n", NAMESPACE]
            environ = {"HOME": folder, "KUBECONFIG": f"{folder}/kubeconfig"}
            _write_kubeconfig(Path(folder, "kubeconfig"))
            words = [kubectl, *common, *shlex.split(arguments), *(given if "create ns" in arguments else ())]
            return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)

        for name, steps in CASES.items():
            run(f"create ns {NAMESPACE}")
            recorder.take()
            recorded = []
            for arguments in steps:
                done = run(arguments)
                recorded.append(
                    {
                        "arguments": arguments,
                        "exit": done.returncode,
                        "stdout": done.stdout,
                        "stderr": done.stderr,
                        "calls": recorder.take(),
                    }
                )
            cases[name] = recorded
            for arguments in ("delete cm --all --wait=false", "delete svc,deploy --all --wait=false"):
                run(arguments)
            subprocess.run(
                [kubectl, f"--server=http://127.0.0.1:{recorder.server_port}", "-n", NAMESPACE, "patch", "cm", "h",
                 "--type=merge", "-p", '{"metadata":{"finalizers":null}}'],
                capture_output=True,
            )  # fmt: skip
    _use_only_documents_asked_for(recorder)
    return {"version": version.splitlines()[0], "openapi": recorder.openapi, "cases": cases}


def _use_only_documents_asked_for(recorder: Recorder) -> None:
    index = recorder.openapi["/openapi/v3"]["paths"]
    asked = {target.partition("?")[0] for target in recorder.openapi}
    kept = {name: one for name, one in index.items() if one["serverRelativeURL"].partition("?")[0] in asked}
    recorder.openapi["/openapi/v3"] = {"paths": kept}


def _write_kubeconfig(path: Path) -> None:
    context = {"name": "x", "context": {"cluster": "", "user": "", "namespace": NAMESPACE}}
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "x", "contexts": [context]}
    path.write_text(json.dumps(config))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(record(*sys.argv[1:5]), indent=1, ensure_ascii=False) + "\n")

"""Records what kubectl's `get` does against a real API server: tests/commands/data/get.json.

    KUBECTL=path/to/kubectl KUBECONFIG=path/to/kubeconfig python -m tests.tools.record_get

The server must hold the objects of tests/commands/data/get_objects.yaml (the script applies them) and few others. Each
command's stdout, stderr and exit code are recorded, and its calls with their answers, so that the test can play the
server. Discovery is cut down to a few groups.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kubetrace.api.verbs import DISCOVERY
from kubetrace.environment import Environment
from kubetrace.kubeconfig.connection import Connection
from kubetrace.streams import Streams

DATA = Path(__file__).parent.parent / "commands" / "data"
GROUPS = {"", "apps", "autoscaling", "batch", "rbac.authorization.k8s.io", "example.com"}
LOG_LINE = re.compile(r"[IWEF]\d{4} ")
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "SERVER"}}]
contexts: [{name: x, context: {cluster: c}}]
current-context: x
"""

COMMANDS = """\
get pods -n shop
get pods -n shop -o wide
get pods,cm -n shop
get pods,nodes -A
get nodes,pods -A
get all -n shop
get pods -A
get pods -A -o wide --show-labels
get pods -n shop nope
get pods -n shop nope --ignore-not-found
get foo
get pods,foo -n shop
get cm settings -n shop -o yaml
get cm settings -n shop -o json
get cm settings -n shop -o yaml --show-managed-fields
get cm/settings secret/key -n shop -o json
get cm settings nope -n shop
get cm settings nope -n shop -o name
get cm settings nope -n shop -o json --ignore-not-found
get pods -n shop -o name
get pods -n shop -o json -l app=nope
get pods -n shop -l app=nope
get nodes -l app=nope
get pods -A -l app=nope
get pods -n shop --show-labels
get pods -n shop -L app,tier/x --no-headers
get pods -n shop --show-kind
get pods -n shop -l app=web
get pods -n shop --field-selector status.phase=Running
get pods -n shop --field-selector bad.field=1
get widgets -n shop
get wd -n shop -o wide
get widgets small -n shop -o yaml
get widgets.v1.example.com -n shop --sort-by=.spec.size
get widgets -n shop --sort-by=.spec.nope
get widgets -n shop -o name --sort-by=.spec.nope
get widgets,pods -n shop --sort-by=.metadata.name
get widgets -n shop -o json --sort-by=.spec.size
get --raw /healthz
get --raw /api/v1/namespaces/shop/configmaps/settings
get --raw /nope
get --raw nope
get --raw /version -o json
get --raw /version pods
get pods -n shop -o foo
get pods nope -n shop -o foo
get pods -n shop -o jsonpath={.items[*].metadata.name}
get pods -n shop -o jsonpath={.x
get pods -n shop -o jsonpath
get pods -n shop -o jsonpath={.nope} --allow-missing-template-keys=false -l app=nope
get widgets -n shop -o jsonpath-as-json={.items[*].spec}
get widgets -n shop -o custom-columns=N:.metadata.name,S:.spec.size,X:.spec.nope
get widgets -n shop -o custom-columns=N:.metadata.name --no-headers
get widgets -n shop -o custom-columns=N
get pods pods/nope -n shop
get pod/nope cm/settings -n shop
get pods -A web
get deploy web -n shop --subresource=scale
get deploy web -n shop --subresource=nope
get pods -n shop --show-labels -o json
get pods -n shop --output-watch-events
get pods,widgets -n shop --chunk-size=1
get widgets -n shop --chunk-size=1 -o name
get secret key -n shop -o yaml
get deployments.apps -n shop -o name
get deployments.v1.apps web -n shop -o name
get pods/ -n shop
get pods/a/b -n shop
"""


class Recorder(ThreadingHTTPServer):
    """Passes calls on to the API server, adding the credentials, and keeps the answers."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connection = connection
        self.context = ssl.create_default_context(cafile=connection.certificate_authority or None)
        if connection.certificate_authority_data:
            self.context.load_verify_locations(cadata=connection.certificate_authority_data.decode())
        self.answers: dict[str, dict[str, Any]] = {}

    def fetch(self, target: str, accept: str) -> dict[str, Any]:
        headers = {"Accept": accept, "Authorization": f"Bearer {self.connection.token}"}
        request = urllib.request.Request(self.connection.server + target, headers=headers)
        try:
            with urllib.request.urlopen(request, context=self.context) as answer:
                return {"status": answer.status, "type": answer.headers["Content-Type"], "body": answer.read().decode()}
        except urllib.error.HTTPError as error:
            with error:
                return {"status": error.code, "type": error.headers["Content-Type"], "body": error.read().decode()}


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        accept = self.headers["Accept"]
        answer = self.server.fetch(self.path, accept)
        self.server.answers[f"{accept} {self.path}"] = answer
        body = answer["body"].encode()
        self.send_response(answer["status"])
        self.send_header("Content-Type", answer["type"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def kubectl(words: list[str], home: str, kubeconfig: str) -> subprocess.CompletedProcess[str]:
    variables = {"HOME": home, "KUBECONFIG": kubeconfig, "PATH": os.environ["PATH"]}
    return subprocess.run([os.environ["KUBECTL"], *words], capture_output=True, text=True, env=variables, check=False)


def trimmed(answer: dict[str, Any]) -> dict[str, Any]:
    """Discovery with a few groups only."""
    document = json.loads(answer["body"])
    document["items"] = [item for item in document["items"] if item["metadata"].get("name", "") in GROUPS]
    return {**answer, "body": json.dumps(document)}


def main() -> None:
    real = os.environ["KUBECONFIG"]
    with tempfile.TemporaryDirectory() as home:
        for _ in range(2):  # the second time for what needed the new kind
            kubectl(["apply", "-f", str(DATA / "get_objects.yaml")], home, real)
            time.sleep(5)
        connection = Environment(Streams.standard(), {**os.environ, "HOME": home}).connection
        with Recorder(connection) as recorder:
            threading.Thread(target=recorder.serve_forever, daemon=True).start()
            played = Path(home) / "played"
            played.write_text(KUBECONFIG.replace("SERVER", f"http://127.0.0.1:{recorder.server_port}"))
            facts = {
                "program": kubectl(["version"], home, real).stdout.splitlines(),
                "discovery": {path: trimmed(recorder.fetch(path, DISCOVERY)) for path in ("/api", "/apis")},
                "commands": list(record_all(recorder, home, str(played))),
            }
            recorder.shutdown()
    (DATA / "get.json").write_text(json.dumps(facts, indent=1) + "\n")


def record_all(recorder: Recorder, home: str, kubeconfig: str) -> Iterator[dict[str, Any]]:
    kubectl(["get", "pods"], home, kubeconfig)  # fills the discovery cache
    for line in COMMANDS.splitlines():
        words = shlex.split(line)
        recorder.answers = {}
        done = kubectl(words, home, kubeconfig)
        stderr = "".join(line for line in done.stderr.splitlines(True) if not LOG_LINE.match(line))
        answers = {key: value for key, value in recorder.answers.items() if "apidiscovery" not in key}
        yield {"words": words, "stdout": done.stdout, "stderr": stderr, "code": done.returncode, "answers": answers}


if __name__ == "__main__":
    main()

"""Writes what a real kube-apiserver answers to tests/playground/cases.py (golden/answers-1.36.json) and misfits.py.

python -m tests.tools.record_answers KUBECONFIG answers|misfits       (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kubetrace.wire import yaml_reader
from tests.playground import cases, misfits
from tests.playground.answers import brief, plain

GOLDEN = Path(__file__).parents[1] / "playground" / "golden"
SETS = {"answers": (cases.CASES, plain), "misfits": (misfits.CASES, brief)}


def server_of(kubeconfig: str) -> tuple[str, ssl.SSLContext, str]:
    """(host and port, what it is trusted by, a token) of a kubeconfig's first cluster and user."""
    config = yaml_reader.loads(Path(kubeconfig).read_bytes())
    cluster, token = config["clusters"][0]["cluster"], config["users"][0]["user"]["token"]
    authority = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
    tls = ssl.create_default_context(cafile=cluster.get("certificate-authority"), cadata=authority or None)
    return urlsplit(cluster["server"]).netloc, tls, token


def caller(kubeconfig: str) -> Callable[..., tuple[int, Any]]:
    """Makes one call (method, path, body, content type) to a kubeconfig's server: (status, answer)."""
    host, tls, token = server_of(kubeconfig)

    def call(method: str, path: str, body: Any, kind: str) -> tuple[int, Any]:
        connection = http.client.HTTPSConnection(host, context=tls)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind, "Accept": "application/json"}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return response.status, json.loads(text) if is_json else text.decode()

    return call


def main() -> None:
    call, name = caller(sys.argv[1]), sys.argv[2]
    namespace = f"record-{uuid.uuid4().hex[:8]}"

    version = call("GET", "/version", None, "application/json")[1]["gitVersion"]
    call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}, "application/json")
    requests, shown = SETS[name]
    answers = [
        shown(*call(method, path.replace("NS", namespace), *rest), namespace) for method, path, *rest in requests
    ]
    call("DELETE", f"/api/v1/namespaces/{namespace}", None, "application/json")
    golden = {
        "server": f"kube-apiserver {version}",
        "command": f"tests/tools/record_answers.py {name}",
        "answers": answers,
    }
    (GOLDEN / f"{name}-1.36.json").write_text(json.dumps(golden, indent=1) + "\n")
    print(name, len(answers))


if __name__ == "__main__":
    main()

"""Writes tests/playground/golden/access-1.36.json: what a real kube-apiserver answers to access_steps.jsonl.

python -m tests.tools.record_access KUBECONFIG     (of a playground with the envtest engine, started anew for this)
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from kubetrace.wire import yaml_reader
from tests.playground.access_steps import answers
from tests.tools.record_answers import server_of

TARGET = Path(__file__).parents[1] / "playground" / "golden" / "access-1.36.json"
_SETTLE_SECONDS = 11.0
"""A token that was good is believed for ten seconds more."""


def main() -> None:
    host, tls, _ = server_of(sys.argv[1])
    users = yaml_reader.loads(Path(sys.argv[1]).read_bytes())["users"]
    tokens = {user["name"]: user["user"].get("token", "") for user in users}

    def call(who: str, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        sent = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "test"}
        sent |= {"Authorization": f"Bearer {tokens[who]}"} if who in tokens else {}
        connection = http.client.HTTPSConnection(host, context=tls, timeout=20)
        connection.request(method, path, None if body is None else json.dumps(body), sent | headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text.decode()

    namespace = f"access-{uuid.uuid4().hex[:8]}"
    version = call("admin", "GET", "/version", None, {})[1]["gitVersion"]
    call("admin", "POST", "/api/v1/namespaces", {"metadata": {"name": namespace}}, {})
    time.sleep(_SETTLE_SECONDS)
    told = answers(call, namespace, lambda: time.sleep(_SETTLE_SECONDS))
    call("admin", "DELETE", f"/api/v1/namespaces/{namespace}", None, {})
    for kind in ("clusterrolebindings", "clusterroles"):
        call("admin", "DELETE", f"/apis/rbac.authorization.k8s.io/v1/{kind}/imp-{namespace}", None, {})
    head = json.dumps({"server": f"kube-apiserver {version}", "command": "tests/tools/record_access.py"})[:-1]
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(said, sort_keys=True)}" for name, said in told.items())
    TARGET.write_text(f'{head}, "answers": {{\n{lines}\n}}}}\n')
    print(TARGET.name, len(told))


if __name__ == "__main__":
    main()

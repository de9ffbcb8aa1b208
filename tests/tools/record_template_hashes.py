"""Writes tests/playground/golden/template-hashes-1.36.json: how a real kube-controller-manager names what it makes of
tests/playground/templates.jsonl.

python -m tests.tools.record_template_hashes KUBECONFIG        (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from tests.playground.templates import GOLDEN, names
from tests.tools.record_answers import caller


def main() -> None:
    ask = caller(sys.argv[1])

    def call(method: str, path: str, body: Any) -> tuple[int, Any]:
        return ask(method, path, None if body is None else json.dumps(body).encode(), "application/json")

    version = call("GET", "/version", None)[1]["gitVersion"]
    namespace = f"record-{uuid.uuid4().hex[:8]}"
    call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    head = {"server": f"kube-controller-manager {version}", "command": "tests/tools/record_template_hashes.py"}
    GOLDEN.write_text(json.dumps(head | {"names": names(call, namespace)}, indent=1) + "\n")
    call("DELETE", f"/api/v1/namespaces/{namespace}", None)


if __name__ == "__main__":
    main()

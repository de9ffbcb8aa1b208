"""Writes tests/playground/golden/sequences-1.36.json: what a real kube-apiserver says to tests/playground/sequences.

python -m tests.tools.record_sequences KUBECONFIG [NAME…]    (a server's own, with a token and a CA file)

With names: of these sequences only, the others' answers stay.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from typing import Any

from tests.playground.sequences import GOLDEN, NAMES, answers
from tests.tools.record_answers import caller

_DEFINED_SECONDS = 3
"""Until a changed definition counts."""


def main() -> None:
    ask = caller(sys.argv[1])

    def call(method: str, path: str, body: Any, kind: str) -> tuple[int, Any]:
        answer = ask(method, path, body, kind)
        if "/customresourcedefinitions" in path and method != "GET":
            time.sleep(_DEFINED_SECONDS)
        return answer

    version = call("GET", "/version", None, "application/json")[1]["gitVersion"]
    only = sys.argv[2:]
    found = json.loads(GOLDEN.read_text())["answers"] if only else {}
    for name in only or NAMES:
        namespace = f"record-{uuid.uuid4().hex[:8]}"
        body = json.dumps({"metadata": {"name": namespace}}).encode()
        call("POST", "/api/v1/namespaces", body, "application/json")
        found[name] = answers(name, namespace, call)
        call("DELETE", f"/api/v1/namespaces/{namespace}", None, "application/json")
        print(name, len(found[name]))
    head = json.dumps({"server": f"kube-apiserver {version}", "command": "tests/tools/record_sequences.py"})[:-1]
    lists = [f"{json.dumps(n)}: [\n" + ",\n".join(map(json.dumps, each)) + "\n]" for n, each in found.items()]
    GOLDEN.write_text(head + ', "answers": {\n' + ",\n".join(lists) + "\n}}\n")


if __name__ == "__main__":
    main()

"""Writes tests/playground/golden/sequences-1.36.json: what a real kube-apiserver says to tests/playground/sequences.

python -m tests.tools.record_sequences KUBECONFIG        (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import json
import sys
import uuid

from tests.playground.sequences import GOLDEN, NAMES, answers
from tests.tools.record_answers import caller


def main() -> None:
    call = caller(sys.argv[1])
    version = call("GET", "/version", None, "application/json")[1]["gitVersion"]
    found = {}
    for name in NAMES:
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

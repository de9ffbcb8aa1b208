"""Writes tests/playground/golden/warnings-1.36.json: what a real kube-apiserver warns the writers of warned.yaml of.

python -m tests.tools.record_warnings KUBECONFIG        (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import http.client
import json
import sys
from pathlib import Path

from tests.playground.warned import requests
from tests.tools.record_answers import server_of

TARGET = Path(__file__).parents[1] / "playground" / "golden" / "warnings-1.36.json"


def main() -> None:
    host, tls, token = server_of(sys.argv[1])
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPSConnection(host, context=tls)
    connection.request("GET", "/version", None, headers)
    version = json.loads(connection.getresponse().read())["gitVersion"]
    answers = []
    for path, body in requests("default"):
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        warnings = response.headers.get_all("Warning") or []
        entry = {
            "object": f"{body['kind']}/{body['metadata']['name']}",
            "status": response.status,
            "warnings": warnings,
        }
        answers.append(entry if response.status == 201 else entry | {"message": answer["message"]})
    connection.close()
    golden = {"server": f"kube-apiserver {version}", "command": "tests/tools/record_warnings.py", "answers": answers}
    TARGET.write_text(json.dumps(golden, indent=1) + "\n")
    print(TARGET.name, len(answers))


if __name__ == "__main__":
    main()

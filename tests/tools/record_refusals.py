"""Writes tests/playground/golden/refusals-1.36.json: what a real kube-apiserver says to tests/playground/refusals.py.

python -m tests.tools.record_refusals KUBECONFIG        (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import http.client
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from tests.playground.refusals import cases, plain
from tests.tools.record_answers import server_of

_MUCH_THE_SAME = (" as ''", " as 'other'", " as 0", " as 70000")
"""Of these the status is kept; the words are much those of the same place's other cases."""
TARGET = Path(__file__).parents[1] / "playground" / "golden" / "refusals-1.36.json"


def main() -> None:
    host, tls, token = server_of(sys.argv[1])
    namespace = f"record-{uuid.uuid4().hex[:8]}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}

    def call(method: str, path: str, body: Any) -> tuple[int, Any]:
        connection = http.client.HTTPSConnection(host, context=tls)
        text = json.dumps(body).replace('"NS"', json.dumps(namespace))
        connection.request(method, path.replace("NS", namespace), text, headers)
        try:
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except http.client.RemoteDisconnected:  # 1.36.3 falls over an indexed Job without completions
            return 0, None
        finally:
            connection.close()

    version = call("GET", "/version", None)[1]["gitVersion"]
    call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    answers = {}
    for name, path, item in cases():
        status, answer = call("POST", path, item)
        if status:
            said = json.loads(json.dumps(plain(status, answer)).replace(namespace, "NS"))
            answers[name] = said[:1] if name.endswith(_MUCH_THE_SAME) else said
    call("DELETE", f"/api/v1/namespaces/{namespace}", None)
    golden = {"server": f"kube-apiserver {version}", "command": "tests/tools/record_refusals.py", "answers": answers}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(said, ensure_ascii=False)}" for name, said in answers.items())
    head = json.dumps({name: value for name, value in golden.items() if name != "answers"})[:-1]
    TARGET.write_text(f'{head}, "answers": {{\n{lines}\n}}}}\n')
    print(TARGET.name, len(answers))


if __name__ == "__main__":
    main()

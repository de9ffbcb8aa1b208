"""Writes tests/playground/golden/wire-1.36.json: what a real kube-apiserver answers to tests/playground/wire_cases.py
and socket_cases.py.

python -m tests.tools.record_wire KUBECONFIG        (a server's own, with a token and its CA)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.playground import socket_cases
from tests.playground.wire_cases import Place, answers
from tests.tools.record_answers import server_of

TARGET = Path(__file__).parents[1] / "playground" / "golden" / "wire-1.36.json"


def main() -> None:
    host, tls, token = server_of(sys.argv[1])
    place = Place(host, tls, token)
    version = json.loads(place.call("GET", "/version", {}, None)[2])["gitVersion"]
    recorded = answers(place)
    facts = {"server": f"kube-apiserver {version}", "command": "tests/tools/record_wire.py"}
    head = json.dumps(facts | {"sockets": socket_cases.answers(host, tls, token)}, indent=1)[:-2]
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(told, sort_keys=True)}" for name, told in recorded.items())
    TARGET.write_text(f'{head}, "answers": {{\n{lines}\n}}}}\n')
    print(TARGET.name, len(recorded))


if __name__ == "__main__":
    main()

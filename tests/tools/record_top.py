"""Records what kubectl's `top` does against a real API server: tests/commands/data/top.json.

    KUBECTL=path/to/kubectl KUBECONFIG=path/to/kubeconfig python -m tests.tools.record_top

The server has no metrics API: the script gives it one that answers with fixed figures, made of custom resources, and
takes it away at the end.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import threading
import time
from pathlib import Path

from kubetrace.environment import Environment
from kubetrace.streams import Streams
from tests.tools.record_describe import JSONRecorder, recorded
from tests.tools.record_get import KUBECONFIG, kubectl

DATA = Path(__file__).parent.parent / "commands" / "data"

COMMANDS = """\
top node
top nodes --show-swap
top node node-0
top no gone
top no nope
top no node-0 -l a=b
top no a b
top no --sort-by=x
top no --sort-by=cpu
top no --sort-by memory --show-capacity --no-headers
top no -l a=b
top no -l a==b,,c
top pod -n measured
top po -n measured --containers --sum
top po -n measured --containers --sort-by=cpu
top pods -A --sum --show-swap
top pods -A --containers --sum --no-headers
top pod -n measured --sort-by=memory --sum
top pod -n measured -l app=web
top pod -n measured web
top pod -n measured nope
top pod -n measured nope -l a=b
top pod -n kube-system
top pod -n measured -l 'app in (web,b), app'
"""


def main() -> None:
    real = os.environ["KUBECONFIG"]
    with tempfile.TemporaryDirectory() as home:
        kubectl(["create", "namespace", "measured"], home, real)
        kubectl(["create", "-f", str(DATA / "metrics_api.yaml")], home, real)
        time.sleep(3)
        kubectl(["create", "-f", str(DATA / "metrics.yaml")], home, real)
        connection = Environment(Streams.standard(), {**os.environ, "HOME": home}).connection
        with JSONRecorder(connection) as recorder:
            threading.Thread(target=recorder.serve_forever, daemon=True).start()
            played = Path(home) / "played"
            played.write_text(KUBECONFIG.replace("SERVER", f"http://127.0.0.1:{recorder.server_port}"))
            groups = {path: recorder.fetch(path, "application/json") for path in ("/api", "/apis")}
            commands = [recorded(recorder, shlex.split(line), home, str(played)) for line in COMMANDS.splitlines()]
            facts = {
                "program": kubectl(["version"], home, real).stdout.splitlines(),
                "discovery": groups,
                "commands": commands,
            }
            recorder.shutdown()
        for file in ("metrics.yaml", "metrics_api.yaml"):
            kubectl(["delete", "-f", str(DATA / file)], home, real)
        kubectl(["delete", "namespace", "measured", "--wait=false"], home, real)
    (DATA / "top.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

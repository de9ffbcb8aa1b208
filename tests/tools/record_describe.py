"""Records what kubectl's `describe` does against a real API server: tests/commands/data/describe.json.

    KUBECTL=path/to/kubectl KUBECONFIG=path/to/kubeconfig python -m tests.tools.record_describe

In a namespace of its own (which it deletes at the end) the script makes the objects of
tests/conformance/manifests/described. Stdout, stderr and exit code of each command are recorded, and the calls with
their answers, in JSON, so that the test can play the server.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from kubetrace.api.verbs import DISCOVERY
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from tests.tools.record_get import KUBECONFIG, LOG_LINE, Recorder, kubectl

DATA = Path(__file__).parent.parent / "commands" / "data" / "describe.json"
MANIFESTS = Path(__file__).parent.parent / "conformance" / "manifests" / "described"
NAMESPACE = "described"

NAMES = """\
pods/full pods/plain pods
deploy/rolling deploy/recreated sts/state ds/agents job/indexed cj/nightly rc/old rs hpa/scaled hpa/simple
pdb/least pdb/most svc/main svc/outside svc/headless endpointslice/main-x ing/main ing/bare netpol/strict netpol/open
pvc/data cm/config secret/hidden sa/builder limits role/reader rolebinding/readers lease/held ns/described
pods/ghost clusterrole/view clusterrolebinding/cluster-admin pc/system-node-critical flowschema/exempt
"""


class JSONRecorder(Recorder):
    """Asks for JSON where kubectl would rather have protobuf; keeps answers by URL."""

    def fetch(self, target: str, accept: str) -> dict[str, Any]:
        return super().fetch(target, "application/json" if "protobuf" in accept else accept)


def main() -> None:
    real = os.environ["KUBECONFIG"]
    with tempfile.TemporaryDirectory() as home:
        kubectl(["create", "namespace", NAMESPACE], home, real)
        for file in ("workloads", "others", "pods"):
            kubectl(["create", "-n", NAMESPACE, "-f", str(MANIFESTS / f"{file}.yaml")], home, real)
        time.sleep(10)  # the controllers' turn
        connection = Environment(Streams.standard(), {**os.environ, "HOME": home}).connection
        with JSONRecorder(connection) as recorder:
            threading.Thread(target=recorder.serve_forever, daemon=True).start()
            played = Path(home) / "played"
            played.write_text(KUBECONFIG.replace("SERVER", f"http://127.0.0.1:{recorder.server_port}"))
            kubectl(["get", "pods"], home, str(played))  # fills the discovery cache
            facts = {
                "program": kubectl(["version"], home, real).stdout.splitlines(),
                "discovery": {path: recorder.fetch(path, DISCOVERY) for path in ("/api", "/apis")},
                "commands": [
                    recorded(recorder, ["describe", name, "-n", NAMESPACE], home, str(played)) for name in NAMES.split()
                ],
            }
            recorder.shutdown()
        kubectl(["delete", "namespace", NAMESPACE, "--wait=false"], home, real)
    DATA.write_text(json.dumps(facts, indent=1) + "\n")


def recorded(recorder: Recorder, words: list[str], home: str, kubeconfig: str) -> dict[str, Any]:
    """One command: what it printed, and its calls (without discovery's) with their answers."""
    recorder.answers = {}
    now = time.time()
    done = kubectl(words, home, kubeconfig)
    stderr = "".join(line for line in done.stderr.splitlines(True) if not LOG_LINE.match(line))
    answers = {key.rpartition(" ")[2]: answer for key, answer in recorder.answers.items() if "apidiscovery" not in key}
    found = {"stdout": done.stdout, "stderr": stderr, "code": done.returncode, "answers": answers}
    return {"words": words, "now": now, **found}


if __name__ == "__main__":
    main()

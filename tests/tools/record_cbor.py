"""Records the events of a watch in CBOR, as apimachinery writes them: tests/trace/data/watch-cbor.json.

    python -m tests.tools.record_cbor VERSION     (of k8s.io/api and k8s.io/apimachinery, v0.36.3; needs Go)

API servers write CBOR behind a feature gate only (CBORServingAndStorage), to clients that ask for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("cbor_events.go")
GOLDEN = Path(__file__).parents[1] / "trace" / "data" / "watch-cbor.json"
_META = {"name": "web", "namespace": "shop", "resourceVersion": "7", "labels": {"app": "wéb"}}
_SPEC = {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}], "priority": -70000}
EVENTS: list[dict[str, Any]] = [
    {"type": "ADDED", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": _META, "spec": _SPEC}},
    {
        "type": "MODIFIED",
        "object": {"kind": "Secret", "apiVersion": "v1", "metadata": _META, "data": {"k": "c2VjcmV0"}},
    },
    {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "8"}}},
    {"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {}, "message": "gone", "code": 410}},
]


def main() -> None:
    version = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(SOURCE, Path(folder, "main.go"))
        Path(folder, "go.mod").write_text(
            f"module cbor\n\ngo 1.25\n\nrequire (\n\tk8s.io/api {version}\n\tk8s.io/apimachinery {version}\n)\n"
        )
        environ = {**os.environ, "GOFLAGS": "-mod=mod"}
        done = subprocess.run(
            ["go", "run", "."], cwd=folder, env=environ, input=json.dumps(EVENTS), stdout=subprocess.PIPE, text=True
        )
        done.check_returncode()
    recorded = f"k8s.io/apimachinery {version} (tests/tools/record_cbor.py)"
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({"recorded": recorded, "events": json.loads(done.stdout)}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Records the events of a watch in CBOR, as apimachinery writes them: tests/trace/data/watch-cbor.json.

    python -m tests.tools.record_cbor VERSION     (of k8s.io/api and k8s.io/apimachinery, v0.36.3; needs Go)

API servers write CBOR behind a feature gate only (CBORServingAndStorage), to clients that ask for it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.tools.go_program import outcome

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
    events = outcome(SOURCE, {"k8s.io/api": version, "k8s.io/apimachinery": version}, EVENTS)
    recorded = f"k8s.io/apimachinery {version} (tests/tools/record_cbor.py)"
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({"recorded": recorded, "events": events}, indent=1) + "\n")


if __name__ == "__main__":
    main()

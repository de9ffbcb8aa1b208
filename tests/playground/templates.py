"""Pods' templates (templates.jsonl, a spec a line), and how a cluster names what is made of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPECS = [json.loads(line) for line in Path(__file__).with_name("templates.jsonl").read_text().splitlines()]
GOLDEN = Path(__file__).parent / "golden" / "template-hashes-1.36.json"
_MADE = (
    ("deployments", "Deployment", "replicasets", {"replicas": 0}),
    ("daemonsets", "DaemonSet", "controllerrevisions", {}),
    ("statefulsets", "StatefulSet", "controllerrevisions", {"replicas": 0, "serviceName": "s"}),
)
Call = Callable[[str, str, Any], tuple[int, Any]]
"""Method, path, body: status and answer."""


def names(call: Call, namespace: str) -> dict[str, str]:
    """By the owner ("daemonsets/t3"): the name of its ReplicaSet or revision."""
    path, wanted = f"/apis/apps/v1/namespaces/{namespace}", {}
    for number, pod in enumerate(SPECS):
        labels = {"case": f"t{number}"}
        metadata = {"labels": labels} | ({"annotations": {"b": "x y", "a": "<&>"}} if number % 2 else {})
        body = {"selector": {"matchLabels": labels}, "template": {"metadata": metadata, "spec": pod}}
        for resource, kind, made, more in _MADE:
            item = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": f"t{number}"}, "spec": body | more}
            if kind == "DaemonSet":  # none of its pods is to run
                item["spec"] = body | {"template": body["template"] | {"spec": pod | {"nodeSelector": {"no": "where"}}}}
            status, answer = call("POST", f"{path}/{resource}", item)
            assert status == 201, answer
            wanted[f"{resource}/t{number}"] = (kind, made)
    found: dict[str, str] = {}
    while len(found) < len(wanted):
        time.sleep(0.1)
        for made in {made for _, made in wanted.values()}:
            for item in call("GET", f"{path}/{made}", None)[1]["items"]:
                owner = item["metadata"]["ownerReferences"][0]
                found[f"{owner['kind'].lower()}s/{owner['name']}"] = item["metadata"]["name"]
    return dict(sorted(found.items()))

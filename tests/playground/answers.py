"""An answer without what differs from run to run: times, uids, versions, the namespace's name."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROLLERS = "kube-controller-manager"
_CHANGING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[0-9:]+Z|(?<=resourceVersion)[\\\":]+\d+"
)


def plain(status: int, value: Any, namespace: str) -> dict[str, Any]:
    text = _CHANGING.sub("*", json.dumps(value, sort_keys=True).replace(namespace, "NS"))
    return {"status": status, "answer": _without_versions(json.loads(text))}


def brief(status: int, value: Any, namespace: str) -> dict[str, Any]:
    """Of what goes well no more than who applied what."""
    told = plain(status, value, namespace)
    if isinstance(value, dict) and value.get("kind") != "Status":
        entries = told["answer"]["metadata"].get("managedFields") or ()
        told["answer"] = [entry["fieldsV1"] for entry in entries if entry["operation"] == "Apply"]
    return told


def _before_controllers(autoscaler: dict[str, Any]) -> dict[str, Any]:
    """Without the conditions, which its controller adds when it comes to it, and without managers: the real server
    follows fields from version to version."""
    status = {name: part for name, part in autoscaler["status"].items() if name != "conditions"}
    metadata = dict(autoscaler["metadata"])
    metadata.pop("managedFields", None)
    annotations = dict(metadata.pop("annotations", None) or {})
    annotations.pop("autoscaling.alpha.kubernetes.io/conditions", None)
    return autoscaler | {"status": status, "metadata": metadata | ({"annotations": annotations} if annotations else {})}


def _without_versions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_versions(entry) for entry in value]
    if isinstance(value, dict):
        if isinstance(value.get("managedFields"), list):  # in the order of the seconds in which they wrote
            entries = sorted(value["managedFields"], key=lambda entry: (entry["manager"], entry["operation"]))
            entries = [entry for entry in entries if entry["manager"] != _CONTROLLERS]
            value = value | {"managedFields": entries}
        if value.get("kind") == "HorizontalPodAutoscaler" and "status" in value:
            value = _before_controllers(value)
        return {name: _without_versions(entry) for name, entry in value.items() if name != "resourceVersion"}
    return value

"""An answer without what differs from run to run: times, uids, versions, the namespace's name."""

from __future__ import annotations

import json
import re
from typing import Any

_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[0-9:]+Z")


def plain(status: int, value: Any, namespace: str) -> dict[str, Any]:
    text = _CHANGING.sub("*", json.dumps(value, sort_keys=True).replace(namespace, "NS"))
    return {"status": status, "answer": _without_versions(json.loads(text))}


def _without_versions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_versions(entry) for entry in value]
    if isinstance(value, dict):
        if isinstance(value.get("managedFields"), list):  # in the order of the seconds in which they wrote
            entries = sorted(value["managedFields"], key=lambda entry: (entry["manager"], entry["operation"]))
            value = value | {"managedFields": entries}
        # "." in fieldsV1: the real server has it for structs that Go holds by pointer, which no table says.
        return {name: _without_versions(entry) for name, entry in value.items() if name not in ("resourceVersion", ".")}
    return value

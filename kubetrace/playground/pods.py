"""What a pod's status says, in one word."""

from __future__ import annotations

from kubetrace.playground.objects import Object


def is_done(pod: Object) -> bool:
    """It has run to its end, well or not."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

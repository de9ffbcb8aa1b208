"""What a pod's status says, and what is said in it."""

from __future__ import annotations

from kubetrace.playground.objects import Object, now


def is_done(pod: Object) -> bool:
    """It has run to its end, well or not."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def claim_name(pod: Object, volume: Object) -> str:
    """The claim behind a volume of a pod, "" where there is none; an ephemeral volume's has the pod's name and its own
    (component-helpers/storage/ephemeral)."""
    if "ephemeral" in volume:
        return f"{pod['metadata']['name']}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName", ""))


def with_condition(pod: Object, entry: Object) -> list[Object]:
    """A pod's conditions, with this one instead of the one of its type."""
    return [*(c for c in pod["status"].get("conditions") or () if c["type"] != entry["type"]), entry]


def disrupted(pod: Object, reason: str, message: str) -> list[Object]:
    """A pod's conditions, with why somebody takes it away."""
    entry = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
    return with_condition(pod, entry | {"reason": reason, "message": message})

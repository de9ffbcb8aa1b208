"""Why a patch or an apply is refused before it is looked at as an object (apiserver endpoints/handlers/patch.go)."""

from __future__ import annotations

import json
from typing import Any

from kubetrace.playground import patches, status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Mistyped, Object
from kubetrace.playground.status import ApiError


def untyped(resource: Resource, body: Object, problems: list[str]) -> ApiError:
    """An applied object that does not fit its kind's schema (structured-merge-diff)."""
    metadata = body.get("metadata") or {}
    told = problems[0] if len(problems) == 1 else "errors:\n" + "\n".join(f"  {text}" for text in problems)
    place = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    kind = f"{resource.group}/{resource.version}, Kind={resource.kind}"
    return ApiError(500, f"failed to create typed patch object ({place}; {kind}): {told}", "")


def misfit(kind: str, patch: Any, new: Object, error: Mistyped) -> ApiError:
    """A patch that makes an object of values of the wrong types (handlers/patch.go)."""
    if kind.startswith("application/strategic"):
        shown, why = patches.go_value(patch), error.conversion
    else:
        plain = {name: value for name, value in new.get("metadata", {}).items() if name != "managedFields"}
        shown = json.dumps(new | {"metadata": plain}, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        why = error.decoding
    cause = ("patch", "FieldValueInvalid", f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}")
    return status.invalid("", "", "", [cause])


def unsupported(kind: str, resource: Resource) -> ApiError:
    if kind not in patches.KINDS:
        return ApiError(415, "415: Unsupported Media Type", details={})
    known = ["application/json-patch+json", "application/merge-patch+json"]
    known.append(
        "application/strategic-merge-patch+json" if resource.custom is None else "application/apply-patch+yaml"
    )
    told = f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
    return ApiError(415, told)

"""Why a patch or an apply is refused before it is looked at as an object (apiserver endpoints/handlers/patch.go)."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from kubetrace.playground import patches, status
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Mistyped, Object
from kubetrace.playground.status import ApiError
from kubetrace.playground.strict import NotStrict


def check_applied_kind(body: Any, wanted: tuple[str, str]) -> None:
    """Raises 400 for an applied body that is not of that apiVersion and kind."""
    told = body if isinstance(body, dict) else {}
    version, kind = (value if isinstance(value := told.get(name), str) else "" for name in ("apiVersion", "kind"))
    if (version, kind) == wanted:
        return
    if version.count("/") > 1:
        version = kind = ""
    group, _, version = version.rpartition("/")
    raise ApiError(400, f"invalid object type: {group}/{version}, Kind={kind}")


def untyped(resource: Resource, body: Object, problems: list[str]) -> ApiError:
    """An applied object that does not fit its kind's schema."""
    told = problems[0] if len(problems) == 1 else "errors:\n" + "\n".join(f"  {text}" for text in problems)
    return ApiError(500, f"failed to create typed patch object ({_named(resource, body)}): {told}", "")


def unconverted(resource: Resource, body: Object, why: str) -> ApiError:
    """An applied object that fits its schema, but not its Go struct (managedfields/internal/structuredmerge.go)."""
    kind = f"{resource.group}/{resource.version}, Kind={resource.kind}"
    told = f"unable to convert unstructured object to {kind}: {why}"
    return ApiError(500, f"failed to convert new object ({_named(resource, body)}) to proper version: {told}", "")


def _named(resource: Resource, body: Object) -> str:
    metadata = body.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    namespace, name = (value if isinstance(value := found.get(key), str) else "" for key in ("namespace", "name"))
    return f"{namespace}/{name}; {resource.group}/{resource.version}, Kind={resource.kind}"


@contextlib.contextmanager
def of_patch(kind: str, patch: Any, new: Object) -> Iterator[None]:
    """What is wrong with the object that a patch has made is told of the patch. Raises 422."""
    try:
        yield
    except Mistyped as error:
        strategic = kind.startswith("application/strategic")
        raise _misfit(kind, patch, new, error.conversion if strategic else error.decoding) from None
    except NotStrict as error:
        raise _misfit(kind, patch, new, error.told) from None


def _misfit(kind: str, patch: Any, new: Object, why: str) -> ApiError:
    """A patch that makes an object of values of the wrong types, or of unknown fields (handlers/patch.go)."""
    if kind.startswith("application/strategic"):
        shown = patches.go_value(patch)
    else:
        shown = json.dumps(rewritten(new, patch), separators=(",", ":"), ensure_ascii=False)
    cause = ("patch", "FieldValueInvalid", f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}")
    return status.invalid("", "", "", [cause])


def rewritten(new: Object, patch: Any) -> Object:
    """What a merge patch or a JSON patch has made, with its keys as they stand then."""
    found: Object = _opened(new, _touched(patch))
    return found


def _touched(patch: Any) -> Object:
    """Which objects a merge patch or a JSON patch goes into."""
    if isinstance(patch, dict):
        return {name: _touched(value) for name, value in patch.items() if isinstance(value, dict)}
    found: Object = {}
    for operation in patch:
        inside = found
        for part in str(operation.get("path", "")).split("/")[1:-1]:
            inside = inside.setdefault(part, {})
    return found


def _opened(value: Any, touched: Object) -> Any:
    """What a patch goes into is written anew, in alphabetical order; all else stays as Go wrote it."""
    if not isinstance(value, dict):
        return value
    return {k: _opened(value[k], touched[k]) if k in touched else value[k] for k in sorted(value)}


def unsupported(kind: str, resource: Resource) -> ApiError:
    if kind not in patches.KINDS and resource.custom is None:
        return ApiError(415, "415: Unsupported Media Type", details={})
    known = ["application/json-patch+json", "application/merge-patch+json"]
    known.append(
        "application/strategic-merge-patch+json" if resource.custom is None else "application/apply-patch+yaml"
    )
    told = f"the body of the request was in an unknown format - accepted media types include: {', '.join(known)}"
    return ApiError(415, told)

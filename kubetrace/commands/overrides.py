"""--overrides: a patch of the object that flags have made (kubectl pkg/cmd/util/override_options.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError


def overrides() -> str:
    """--overrides"""
    return flag("", help="JSON to change the object with that the other flags have made.")


def override_type() -> str:
    """--override-type"""
    return flag("merge", help="How --overrides changes the object: json, merge, or strategic.")


def overridden(value: dict[str, Any], text: str, how: str) -> dict[str, Any]:
    """The object, changed. Raises KubetraceError."""
    from kubetrace.api.local_patch import PATCH_TYPES, patched_struct
    from kubetrace.wire.go_struct import typed

    if not text:
        return value
    media_type = PATCH_TYPES.get(how or "merge")
    if media_type is None:
        raise KubetraceError(f"invalid override type: {how}")
    return patched_struct(typed(value), media_type, text.encode("utf-8", "surrogateescape"))

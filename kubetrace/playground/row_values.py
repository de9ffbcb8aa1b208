"""Values that many table rows share: ages, selectors, lists of containers."""

from __future__ import annotations

import datetime
from typing import Any

from kubetrace.playground.objects import moment

Item = dict[str, Any]


NONE = "<none>"


def human_duration(seconds: float) -> str:
    """apimachinery util/duration HumanDuration."""
    seconds = int(seconds)
    if seconds < -1:
        return "<invalid>"
    seconds = max(seconds, 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years = days // 365
    return f"{years}y{days % 365}d" if days < 365 * 8 and days % 365 else f"{years}y"


def since(text: str | None) -> str:
    if not text:
        return "<unknown>"
    return human_duration((datetime.datetime.now(datetime.UTC) - moment(text)).total_seconds())


def age(item: Item) -> str:
    return since(item["metadata"].get("creationTimestamp"))


def get(item: Any, path: str, default: Any = None) -> Any:
    for name in path.split("."):
        item = item.get(name) if isinstance(item, dict) else None
    return default if item is None else item


def joined(labels: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Item | None) -> str:
    parts = [f"{key}={value}" for key, value in sorted((get(selector, "matchLabels") or {}).items())]
    for entry in get(selector, "matchExpressions") or ():
        key, operator, values = entry["key"], entry["operator"], ",".join(sorted(entry.get("values") or ()))
        words = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append(words[operator])
    return ",".join(parts) or NONE


def containers(spec: Item) -> tuple[str, str]:
    containers = spec.get("containers") or ()
    return ",".join(c["name"] for c in containers), ",".join(c.get("image", "") for c in containers)


def access_modes(modes: list[str] | None) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    return ",".join(text for mode, text in short.items() if mode in (modes or ()))

"""JSON that others wrote: what has another type than it should have counts as empty."""

from __future__ import annotations

import datetime
from typing import Any

from kubetrace.trace.exchange import LATEST


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects of an array."""
    return [one for one in listed(value) if isinstance(one, dict)]


def moment(value: Any) -> float:
    """An RFC 3339 time with any number of digits, in seconds since the epoch; 0 for what is none."""
    try:
        found = datetime.datetime.fromisoformat(string(value)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return found if 0 <= found < LATEST else 0.0

"""Label selectors of specs in words (apimachinery's LabelSelectorAsSelector and FormatLabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {"In": "in", "NotIn": "notin"}


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """As a query has it: "app=web,tier in (a,b),!old"; empty for everything and for nothing."""
    found: list[tuple[str, str]] = []
    for key, value in ((selector or {}).get("matchLabels") or {}).items():
        found.append((key, f"{key}={value}"))
    for requirement in (selector or {}).get("matchExpressions") or ():
        key, operator = str(requirement.get("key", "")), str(requirement.get("operator", ""))
        values = ",".join(sorted(map(str, requirement.get("values") or ())))
        if operator == "Exists":
            found.append((key, key))
        elif operator == "DoesNotExist":
            found.append((key, f"!{key}"))
        else:
            found.append((key, f"{key} {_WORDS.get(operator, operator.lower())} ({values})"))
    return ",".join(text for _, text in sorted(found, key=lambda pair: pair[0]))


def shown_selector(selector: Mapping[str, Any] | None) -> str:
    """The same for people: nothing is "<none>"."""
    return selector_text(selector) or "<none>"

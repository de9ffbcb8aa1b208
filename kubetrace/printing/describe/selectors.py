"""Label selectors of specs in words (apimachinery's FormatLabelSelector)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetrace.api.labels import selector_text


def shown_selector(selector: Mapping[str, Any] | None) -> str:
    """As a query has it, for people: nothing is "<none>"."""
    return selector_text(selector) or "<none>"

"""Amounts as Kubernetes writes them ("100m", "1Gi"): exact values, and the shortest form of a sum."""

from __future__ import annotations

import re
from fractions import Fraction

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FORM = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([-+]?\d+))?")


def amount(text: str) -> Fraction:
    """Raises ValueError for what is no quantity."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no quantity")
    value, suffix, exponent = Fraction(match.group(1)), match.group(2) or "", match.group(3)
    if exponent:
        return value * Fraction(10) ** int(exponent)
    return value * (2 ** _BINARY[suffix] if suffix in _BINARY else Fraction(10) ** _DECIMAL[suffix])


def written(value: Fraction, like: str = "") -> str:
    """As resource.Quantity prints it; `like` is a quantity whose family (binary or decimal) is kept."""
    if like.endswith("i") and value == int(value):
        whole = int(value)
        for suffix, bits in sorted(_BINARY.items(), key=lambda pair: -pair[1]):
            if whole and whole % 2**bits == 0:
                return f"{whole // 2**bits}{suffix}"
        return str(whole)
    for suffix, power in sorted(_DECIMAL.items(), key=lambda pair: -pair[1]):
        scaled = value / Fraction(10) ** power
        if value and scaled == int(scaled):
            return f"{int(scaled)}{suffix}"
    return "0" if not value else str(int(value) + 1)

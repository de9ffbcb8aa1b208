"""HorizontalPodAutoscalers in their two versions, and the targets they are given (kubectl
pkg/cmd/autoscale/autoscale.go)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubetrace.commands.generators.metadata import Object, new_object
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.resources import GroupVersionKind

_UNITS = {"cpu": "m", "memory": "Mi"}
"""What a bare number is in."""
_DIGITS, _HEX_DIGITS = "[0-9](?:_?[0-9])*", "_?[0-9a-f](?:_?[0-9a-f])*"
_NUMBER = (
    rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:e[+-]?{_DIGITS})?"
    rf"|[+-]?0x(?:{_HEX_DIGITS}\.?(?:{_HEX_DIGITS})?|\.{_HEX_DIGITS})p[+-]?{_DIGITS}|[+-]?(?:inf|infinity)|nan"
)
"""What strconv.ParseFloat reads, in lower case."""


def target(text: str, resource: str) -> Object:
    """A MetricTarget: a share of what is requested ("70%"), or an average amount ("500m", "200Mi", a bare number).
    Raises KubetraceError (parseResourceInput)."""
    from kubetrace.wire.quantity import InvalidQuantity, parse

    text = text.strip()
    if not text:
        raise KubetraceError("empty input")
    if text.endswith("%"):
        return {"type": "Utilization", "averageUtilization": _percentage(text[:-1])}
    number = re.fullmatch(_NUMBER, text, re.ASCII | re.IGNORECASE) is not None
    try:
        quantity = parse(f"{_general(text)}{_UNITS[resource]}" if number else text)
    except InvalidQuantity as error:
        raise KubetraceError(str(error) if number else f"invalid resource {resource} value: {text}") from None
    return {"type": "AverageValue", "averageValue": str(quantity)}


def _percentage(text: str) -> int:
    from kubetrace.wire.go_strconv import BadValue, parse_int

    try:
        share = parse_int(text, bits=32, base=10)
    except BadValue:
        share = -1
    if share < 0:
        raise KubetraceError(f"invalid percentage value: {text}")
    return share


def _general(text: str) -> str:
    """The number as Go's %g writes it."""
    from kubetrace.wire.go_numbers import general_float

    text = text.replace("_", "")
    return general_float(float.fromhex(text) if "x" in text.lower() else float(text))


def metric(resource: str, wanted: Object) -> Object:
    """One MetricSpec."""
    return {"type": "Resource", "resource": {"name": resource, "target": wanted}}


def autoscaler(name: str, namespace: str, scaled: GroupVersionKind, scaled_name: str, limits: Object) -> Object:
    """A HorizontalPodAutoscaler, autoscaling/v2; `limits` are its spec's other fields."""
    reference = {"apiVersion": scaled.api_version, "kind": scaled.kind, "name": scaled_name}
    made = new_object("autoscaling/v2", "HorizontalPodAutoscaler", name, namespace)
    return {**made, "spec": {"scaleTargetRef": reference, **limits}}

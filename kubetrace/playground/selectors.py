"""Label and field selectors as lists and watches take them (apimachinery labels/selector.go, fields/selector.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.playground import label_selectors
from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import ApiError

Matcher = Callable[[dict[str, Any]], bool]


def label_selector(text: str) -> Matcher:
    """A matcher over objects. Raises 400 where the text is no selector."""
    try:
        tests = label_selectors.parse(text)
    except label_selectors.InvalidSelector as error:
        raise ApiError(400, str(error)) from None

    def matches(item: dict[str, Any]) -> bool:
        labels = item.get("metadata", {}).get("labels") or {}
        return all(test(labels) for test in tests)

    return matches


_META = ("metadata.name", "metadata.namespace")
_REGARDING = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_CORE_EVENT = tuple(f"involvedObject.{name}" for name in _REGARDING)
_FIELDS: dict[str, tuple[str, ...]] = {
    "v1/pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
        "spec.host",
    ),
    "v1/events": (*_CORE_EVENT, "reason", "reportingComponent", "source", "type"),
    "events.k8s.io/v1/events": (
        *(f"regarding.{name}" for name in _REGARDING),
        *("reason", "reportingController", "type"),
    ),
    "v1/secrets": ("type",),
    "v1/namespaces": ("status.phase",),
    "v1/nodes": ("spec.unschedulable",),
    "v1/replicationcontrollers": ("status.replicas",),
    "batch/v1/jobs": ("status.successful",),
    "certificates.k8s.io/v1/certificatesigningrequests": ("spec.signerName",),
    "v1/services": ("spec.clusterIP", "spec.type"),
    "resource.k8s.io/v1/resourceslices": ("spec.nodeName", "spec.driver"),
}
"""What lists select by, beside name and namespace (AddFieldLabelConversionFunc in pkg/apis/*/*/conversion.go)."""
_OTHER_NAMES = {"spec.host": "spec.nodeName", "status.successful": "status.succeeded"}
_REFUSALS = {
    "batch/v1/jobs": 'field label "{}" not supported for Job',
    "resource.k8s.io/v1/resourceslices": "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}",
}


def field_selector(text: str, resource: Resource, custom: tuple[str, ...] | None = None) -> Matcher:
    """A matcher over objects of a resource. Raises 400 for fields that it does not select by.

    `custom`: the selectable fields of a custom resource, None for what is built in."""
    tests = [_field_test(*term, resource, custom) for term in field_terms(text)]
    return lambda item: all(test(item) for test in tests)


def field_terms(text: str) -> list[tuple[str, str, str]]:
    """(field, operator, value) of each part. Raises 400 where the text is no selector."""
    return [_term(part, text) for part in sorted(_PARTS.findall(text))]


def names_one(text: str) -> bool:
    """Whether a field selector names a single object, which is then all that is looked for (MatchesSingle)."""
    return any(field == "metadata.name" and sign in ("=", "==") for field, sign, _ in field_terms(text))


_PARTS = re.compile(r"(?:\\.|[^,\\]|\\$)+", re.S)
"""What is between commas; a backslash takes the meaning from the character behind it."""


def _term(part: str, text: str) -> tuple[str, str, str]:
    """(field, operator, value)"""
    match = re.match(r"(.*?)(!=|==|=)(.*)", part, re.S)
    if match is None:
        raise ApiError(400, f"invalid selector: '{text}'; can't understand '{part}'")
    return match[1], match[2], re.sub(r"\\(.?)|=", _unescaped, match[3], flags=re.S)


def _unescaped(match: re.Match[str]) -> str:
    """fields.UnescapeValue for one character."""
    if match[0] == "=":
        raise ApiError(400, f"invalid field selector: unescaped character in value: {ord('=')}")
    if match[1] not in ("\\", ",", "="):
        raise ApiError(400, f"invalid field selector: invalid escape sequence: {match[0]}")
    return match[1]


def _field_test(field: str, sign: str, value: str, resource: Resource, custom: tuple[str, ...] | None) -> Matcher:
    place = f"{resource.api_version}/{resource.name}"
    known = _FIELDS.get(place, ()) if custom is None else custom
    meta = _META if resource.namespaced or (custom is None and place not in _FIELDS) else _META[:1]
    if field not in (*meta, *known):
        if place in _FIELDS or custom is not None:
            raise ApiError(400, _REFUSALS.get(place, "field label not supported: {}").format(field))
        listed = '"metadata.name", "metadata.namespace"'
        raise ApiError(400, f'"{field}" is not a known field selector: only {listed}')
    wanted, stored = sign != "!=", _OTHER_NAMES.get(field, field)
    return lambda item: (_field_text(item, stored) == value) is wanted


def _field_text(item: dict[str, Any], field: str) -> str:
    if field == "source" and "source" in item:
        return str(item["source"].get("component") or item.get("reportingComponent") or "")
    if field == "status.podIPs":  # known, but nothing says what it is
        return ""
    value: Any = item
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if field in ("spec.unschedulable", "spec.hostNetwork"):
        return str(bool(value)).lower()
    if value is None:
        return "0" if field in ("status.replicas", "status.succeeded") else ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def matches_labels(selector: dict[str, Any] | None, labels: dict[str, str]) -> bool:
    """metav1.LabelSelector against labels; an absent selector matches nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(entry, labels) for entry in selector.get("matchExpressions") or ())


def _expression(entry: dict[str, Any], labels: dict[str, str]) -> bool:
    key, operator, values = entry["key"], entry["operator"], entry.get("values") or ()
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) is (operator == "Exists")

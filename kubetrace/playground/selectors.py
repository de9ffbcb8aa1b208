"""Label and field selectors as lists and watches take them (apimachinery labels/selector.go, fields/selector.go)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.playground import label_selectors
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
_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "events.events.k8s.io": (
        *(f"regarding.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")),
        *("regarding.fieldPath", "reason", "reportingController", "type"),
    ),
    "secrets": ("type",),
    "namespaces": ("status.phase", "name"),
    "nodes": ("spec.unschedulable",),
    "replicationcontrollers": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "certificatesigningrequests.certificates.k8s.io": ("spec.signerName",),
    "services": ("spec.clusterIP", "spec.type"),
}


def field_selector(text: str, resource: str, custom: tuple[str, ...] | None = None) -> Matcher:
    """A matcher over objects of a resource ("replicasets.apps"). Raises 400 for fields that it does not select by.

    `custom`: the selectable fields of a custom resource, None for what is built in."""
    tests = [_field_test(part, resource, custom) for part in text.split(",") if part.strip()]
    return lambda item: all(test(item) for test in tests)


def _field_test(part: str, resource: str, custom: tuple[str, ...] | None) -> Matcher:
    match = re.match(r"^(.*?)(!=|==|=)(.*)$", part)
    if match is None:
        raise ApiError(400, f"invalid selector: '{part}'; can't understand '{part}'")
    field, sign, value = match.groups()
    if field not in (*_META, *_FIELDS.get(resource, ()), *(custom or ())):
        if resource in _FIELDS or custom is not None:
            raise ApiError(400, f"field label not supported: {field}")
        known = '"metadata.name", "metadata.namespace"'
        raise ApiError(400, f'"{field}" is not a known field selector: only {known}')
    wanted = sign != "!="
    return lambda item: (_field_text(item, field) == value) is wanted


def _field_text(item: dict[str, Any], field: str) -> str:
    if field == "name":
        field = "metadata.name"
    if field == "status.successful":
        field = "status.succeeded"
    if field == "source" and "source" in item:
        return str(item["source"].get("component") or item.get("reportingComponent") or "")
    value: Any = item
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if field in ("spec.unschedulable", "spec.hostNetwork"):
        return str(bool(value)).lower()
    if value is None:
        return "0" if field in ("status.replicas", "status.succeeded") else ""
    return str(value)


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

"""What a question about access must be, and which of its selectors can't be read (pkg/apis/authorization/validation,
pkg/registry/authorization/util)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground import label_selectors
from kubetrace.playground.catalog import Resource
from kubetrace.playground.selectors import field_terms
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.validation.causes import (
    Cause,
    bad,
    label_value,
    qualified_name,
    required,
    selector_operator,
)

_ATTRIBUTES = "spec.resourceAttributes"
_SELECTORS = ("fieldSelector", "labelSelector")


def check(resource: Resource, spec: dict[str, Any], metadata: dict[str, Any], namespace: str) -> None:
    """Raises 422 for a question that makes no sense."""
    causes: list[Cause] = []
    asked, plain = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    local = resource.kind == "LocalSubjectAccessReview"
    if asked is not None and plain is not None:
        why = "cannot be specified in combination with resourceAttributes"
        causes.append(bad("spec.nonResourceAttributes", _plain(plain), why))
    if asked is None and plain is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        causes.append(bad(_ATTRIBUTES, None, why))
    if resource.kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        causes.append(bad("spec.user", "", "at least one of user or group must be specified"))
    for name in _SELECTORS:
        causes += _selector(f"{_ATTRIBUTES}.{name}", (asked or {}).get(name), name == "labelSelector")
    extra = {name: value for name, value in metadata.items() if name not in ("namespace", "managedFields")}
    if extra:
        causes.append(bad("metadata", metadata, "must be empty" + (" except for namespace" if local else "")))
    if local and asked is not None and asked.get("namespace", "") != namespace:
        causes.append(bad(f"{_ATTRIBUTES}.namespace", asked.get("namespace", ""), "must match metadata.namespace"))
    if local and plain is not None:
        causes.append(bad("spec.nonResourceAttributes", _plain(plain), "disallowed on this kind of request"))
    if causes:
        raise invalid("", resource.group, "", [*causes])


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """As Go shows the internal type, whose fields have no names in JSON."""
    return {"Path": attributes.get("path", ""), "Verb": attributes.get("verb", "")}


def _selector(field: str, selector: dict[str, Any] | None, labels: bool) -> list[Cause]:
    if selector is None:
        return []
    causes: list[Cause] = []
    raw, requirements = selector.get("rawSelector"), selector.get("requirements")
    if raw and requirements:
        causes.append(bad(f"{field}.rawSelector", raw, "may not specified at the same time as requirements"))
    if not raw and not requirements:
        why = f"when {field} is specified, requirements or rawSelector is required"
        causes.append(required(f"{field}.requirements", why))
    for index, entry in enumerate(requirements or ()):
        where, key, values = f"{field}.requirements[{index}]", entry.get("key", ""), entry.get("values") or []
        if not labels and not key:
            causes.append(required(f"{where}.key", "must be specified"))
        if entry.get("operator") in ("In", "NotIn", "Exists", "DoesNotExist"):  # others a newer client may know
            causes += selector_operator(where, entry["operator"], values)
        if labels:
            causes += qualified_name(f"{where}.key", key)
            for number, value in enumerate(values):
                causes += label_value(f"{where}.values[{number}]", value)
    return causes


def unread(asked: dict[str, Any]) -> str:
    """What was ignored of a question's selectors, because it can't be read."""
    told = []
    for name in _SELECTORS:
        selector = asked.get(name) or {}
        readable = [_readable(name, entry) for entry in selector.get("requirements") or ()]
        if selector.get("rawSelector") and not readable:
            readable = [_parses(name, selector["rawSelector"])]
        if not all(readable):
            how = "partially ignored" if any(readable) else "ignored"
            told.append(f"{_ATTRIBUTES}.{name} {how} due to parse error")
    return "; ".join(told)


def _readable(name: str, entry: dict[str, Any]) -> bool:
    if name == "labelSelector":
        return entry.get("operator") in ("In", "NotIn", "Exists", "DoesNotExist")
    return entry.get("operator") in ("In", "NotIn") and len(entry.get("values") or ()) == 1


def _parses(name: str, text: str) -> bool:
    try:
        if name == "labelSelector":
            label_selectors.parse(text)
        else:
            field_terms(text)
    except (label_selectors.InvalidSelector, ApiError):
        return False
    return True

"""Nodes and RuntimeClasses (pkg/apis/core/validation, pkg/apis/node/validation)."""

from __future__ import annotations

import re

from kubetrace.playground.validation import scheduling as scheduling_of
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    cidr,
    duplicate,
    label_key,
    label_name,
    label_value,
    labels,
    one_of,
    required,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.requirements import of_container, resource_amount


def node(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate((item.get("spec") or {}).get("taints") or ()):
        at, effect = f"metadata.taints[{index}]", taint.get("effect", "")
        causes += label_key(f"{at}.key", taint.get("key", ""))
        causes += label_value(f"{at}.value", taint.get("value") or "")
        causes += one_of(f"{at}.effect", effect, scheduling_of.TAINT_EFFECTS)
        if (taint.get("key", ""), effect) in seen:
            _, reason, text = duplicate(at, internal("core.Taint", taint))
            causes.append((at, reason, f"{text}: taints must be unique by key and effect pair"))
        seen.add((taint.get("key", ""), effect))
    return node_status(item.get("status") or {}) + causes + _pod_networks(item.get("spec") or {})


_FEATURE_WORDS = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or "
    "MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)


def node_status(status: Object) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("capacity", "allocatable"):
        for name, quantity in sorted((status.get(part) or {}).items()):
            causes += resource_amount(f"status.{part}.{name}", name, quantity)
    features, at = status.get("declaredFeatures") or [], "status.declaredFeatures"
    for index, name in enumerate(features):
        if not re.fullmatch(r"[A-Z][a-zA-Z0-9]*(/[a-zA-Z0-9]+)*", name):
            causes.append(bad(f"{at}[{index}]", name, f'invalid feature name "{name}": {_FEATURE_WORDS}'))
        following = features[index + 1 : index + 2]
        if following == [name]:
            causes.append(duplicate(f"{at}[{index + 1}]", name))
        elif following and name > following[0]:
            causes.append(bad(f"{at}[{index + 1}]", following[0], "list must be sorted alphabetically"))
    addresses = status.get("addresses") or []
    for index, entry in enumerate(addresses):
        if entry in addresses[:index]:
            shown = {"Type": entry.get("type", ""), "Address": entry.get("address", "")}
            causes.append(duplicate(f"status.addresses[{index}]", shown))
    return causes


def _pod_networks(spec: Object) -> list[Cause]:
    found = spec.get("podCIDRs") or ([spec["podCIDR"]] if spec.get("podCIDR") else [])
    if spec.get("podCIDR") and found:
        found = [spec["podCIDR"], *found[1:]]
    causes = [cause for index, text in enumerate(found) for cause in cidr(f"spec.podCIDRs[{index}]", text)]
    if not causes and (len(found) > 2 or len({":" in text for text in found}) < len(found)):
        causes.append(bad("spec.podCIDRs", found, "may specify no more than one CIDR for each IP family"))
    return causes


def runtime_class(item: Object) -> list[Cause]:
    handler, scheduling = item.get("handler", ""), item.get("scheduling") or {}
    causes = label_name("handler", handler) if handler else [required("handler")]
    fixed = (item.get("overhead") or {}).get("podFixed")
    causes += of_container({"limits": fixed}, "overhead") if fixed else []
    causes += labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
    tolerations = scheduling.get("tolerations") or []
    causes += scheduling_of.tolerations(tolerations, "scheduling.tolerations")
    for index, entry in enumerate(tolerations):
        if entry in tolerations[:index]:
            names = ("key", "operator", "value", "effect", "tolerationSeconds")
            shown = {f"{name[0].upper()}{name[1:]}": entry.get(name, "" if len(name) < 10 else None) for name in names}
            causes.append(duplicate(f"scheduling.tolerations[{index}]", shown))
    return causes

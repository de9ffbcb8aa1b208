"""Devices that pods claim: classes, claims, templates, slices (pkg/apis/resource/validation), but for CEL."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kubetrace.playground.schemas import at_path
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    duplicate,
    label_key,
    label_name,
    label_value,
    one_of,
    required,
    subdomain,
    supported,
    too_many,
    unchanged,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.requirements import is_extended
from kubetrace.playground.validation.scheduling import node_selector
from kubetrace.playground.validation.volumes import driver_name

_MOST_REQUESTS = _MOST_CONSTRAINTS = _MOST_CONFIGS = _MOST_SELECTORS = 32
_MOST_ALTERNATIVES, _MOST_DEVICES = 8, 128
_KINDS = "exactly one of `exactly` or `firstAvailable` is required"
_PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
_NAMES = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

Names = dict[str, set[str]]
"""A claim's requests, each with its subrequests."""


def each(
    entries: Any, most: int, at: str, check: Callable[[Any, str], list[Cause]], key: Callable[[Any], Any] | None = None
) -> list[Cause]:
    """What is wrong in each entry of a list; `key`: what must be there only once."""
    entries = entries or []
    if len(entries) > most:
        return [too_many(at, len(entries), most)]
    causes = [cause for index, entry in enumerate(entries) for cause in check(entry, f"{at}[{index}]")]
    seen: list[Any] = []
    for index, entry in enumerate(entries if key else ()):
        value = key(entry) if key else None
        if value in seen:
            causes.append(duplicate(f"{at}[{index}]", value))
        seen.append(value)
    return causes


def _name_of(entry: Object) -> str:
    return str(entry.get("name", ""))


def device_class(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = each(spec.get("selectors"), _MOST_SELECTORS, "spec.selectors", _selector)
    causes += each(spec.get("config"), _MOST_CONFIGS, "spec.config", opaque_config)
    name = spec.get("extendedResourceName")
    if name is not None and not is_extended(name):
        causes.append(bad("spec.extendedResourceName", name, "must be a valid extended resource name"))
    return causes


def claim(item: Object) -> list[Cause]:
    return _claim_spec(item.get("spec") or {}, "spec")


def claim_template(item: Object) -> list[Cause]:
    return _claim_spec((item.get("spec") or {}).get("spec") or {}, "spec.spec")


def frozen_spec(old: Object, new: Object) -> list[Cause]:
    """Claims and their templates are never changed."""
    if old.get("spec") == new.get("spec"):
        return []
    spec = new.get("spec") or {}
    struct = "resource.ResourceClaimTemplateSpec" if "spec" in spec else "resource.ResourceClaimSpec"
    return [bad("spec", internal(struct, spec), "field is immutable")]


def _claim_spec(spec: Object, at: str) -> list[Cause]:
    devices, at = spec.get("devices") or {}, f"{at}.devices"
    requests, names = devices.get("requests") or [], request_names(devices)

    def named(name: str, where: str) -> list[Cause]:
        return request_reference(name, where, names)

    def constraint(entry: Object, where: str) -> list[Cause]:
        causes = each(entry.get("requests"), _MOST_REQUESTS, f"{where}.requests", named, str)
        given = [name for name in ("matchAttribute", "distinctAttribute") if entry.get(name) is not None]
        for name in given[:1]:
            causes += _attribute(f"{where}.{name}", entry[name])
        if not given:
            why = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
            causes.append(required(where, why))
        return causes

    def config(entry: Object, where: str) -> list[Cause]:
        causes = each(entry.get("requests"), _MOST_REQUESTS, f"{where}.requests", named, str)
        return causes + opaque_config(entry, where)

    causes = each(requests, _MOST_REQUESTS, f"{at}.requests", _request, _name_of)
    causes += each(devices.get("constraints"), _MOST_CONSTRAINTS, f"{at}.constraints", constraint)
    return causes + each(devices.get("config"), _MOST_CONFIGS, f"{at}.config", config)


def request_names(devices: Object) -> Names:
    """The requests of a claim's devices."""
    requests = devices.get("requests") or []
    return {_name_of(request): {_name_of(part) for part in request.get("firstAvailable") or ()} for request in requests}


def request_reference(name: str, at: str, names: Names) -> list[Cause]:
    request, slash, part = name.partition("/")
    if "/" in part:
        return [bad(at, name, _NAMES)]
    causes = label_name(at, request) + (label_name(at, part) if slash else [])
    if request not in names or (slash and part not in names[request]):
        causes.append(bad(at, name, _NAMES))
    return causes


_C_WORDS = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters "
    "or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)


def _attribute(at: str, name: str) -> list[Cause]:
    """A domain and a name (validateFullyQualifiedName)."""
    parts = name.split("/")
    causes: list[Cause] = []
    if len(parts) == 2:
        causes += driver_name(at, parts[0]) if parts[0] else [bad(at, "", "the domain must not be empty")]
        causes += [] if parts[1] else [bad(at, "", "the name must not be empty")]
    last = parts[-1] if len(parts) < 3 else ""
    if (last or len(parts) == 1) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", last):
        causes.append(bad(at, last, _C_WORDS))
    if "/" not in name:
        causes.append(bad(at, name, "a fully qualified name must be a domain and a name separated by a slash"))
    return causes


def _request(request: Object, at: str) -> list[Cause]:
    causes = label_name(f"{at}.name", _name_of(request))
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable")
    if exactly is None and not alternatives:
        causes.append(required(at, _KINDS))
    elif exactly is not None and alternatives:
        causes.append(bad(at, None, f"{_KINDS}, but multiple fields are set"))
    elif exactly is not None:
        causes += _wanted(exactly, f"{at}.exactly")
    else:
        causes += each(alternatives, _MOST_ALTERNATIVES, f"{at}.firstAvailable", _alternative, _name_of)
    return causes


def _alternative(request: Object, at: str) -> list[Cause]:
    return label_name(f"{at}.name", _name_of(request)) + _wanted(request, at)


def _wanted(request: Object, at: str) -> list[Cause]:
    title, mode, count = request.get("deviceClassName", ""), request.get("allocationMode"), request.get("count") or 0
    causes = subdomain(f"{at}.deviceClassName", title) if title else [required(f"{at}.deviceClassName")]
    causes += each(request.get("selectors"), _MOST_SELECTORS, f"{at}.selectors", _selector)
    if mode == "All" and count:
        causes.append(bad(f"{at}.count", count, "must not be specified when allocationMode is 'All'"))
    if mode == "ExactCount" and count <= 0:
        causes.append(bad(f"{at}.count", count, "must be greater than zero"))
    causes += supported(f"{at}.allocationMode", mode or "", ["All", "ExactCount"])
    for index, entry in enumerate(request.get("tolerations") or ()):
        causes += _toleration(entry, f"{at}.tolerations[{index}]")
    return causes


def _toleration(entry: Object, at: str) -> list[Cause]:
    key, operator, value, effect = (entry.get(name, "") for name in ("key", "operator", "value", "effect"))
    causes = label_key(f"{at}.key", key) if key else []
    if operator == "Exists" and value:
        causes.append(bad(f"{at}.value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        causes += label_value(f"{at}.value", value)
    causes += one_of(f"{at}.operator", operator, ["Equal", "Exists"], is_required=False)
    return causes + one_of(f"{at}.effect", effect, ["NoExecute", "NoSchedule", "None"], is_required=False)


def _selector(selector: Object, at: str) -> list[Cause]:
    return [required(f"{at}.cel")] if selector.get("cel") is None else []


def opaque_config(config: Object, at: str) -> list[Cause]:
    opaque, at = config.get("opaque"), f"{at}.opaque"
    if opaque is None:
        return [required(at)]
    parameters = opaque.get("parameters")
    causes = driver_name(f"{at}.driver", opaque.get("driver", ""))
    if parameters is None:
        causes.append(required(f"{at}.parameters"))
    elif not isinstance(parameters, dict):
        causes.append(bad(f"{at}.parameters", "<value omitted>", "must be a valid JSON object"))
    return causes


_SLICE_FIXED = ("spec.pool.name", "spec.driver", "spec.nodeName")


def resource_slice(item: Object, old: Object | None = None) -> list[Cause]:
    spec = item.get("spec") or {}
    pool = spec.get("pool") or {}
    name, slices, generation = pool.get("name", ""), pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    causes = driver_name("spec.driver", spec.get("driver", ""))
    for part in name.split("/") if name else ():
        causes += subdomain("spec.pool.name", part)
    if not name:
        causes.append(required("spec.pool.name"))
    if slices <= 0:
        causes.append(bad("spec.pool.resourceSliceCount", slices, "must be greater than zero"))
    if generation < 0:
        causes.append(bad("spec.pool.generation", generation, "must be greater than or equal to zero"))
    for field in _SLICE_FIXED if old is not None else ():
        causes += unchanged(field, at_path(old, f".{field}"), at_path(item, f".{field}"))
    causes += _places(spec)
    if spec.get("sharedCounters") is not None and spec.get("devices") is not None:
        causes.append(bad("spec", "", "only one of `sharedCounters` or `devices` is allowed"))

    def named(entry: Object, at: str) -> list[Cause]:
        return label_name(f"{at}.name", _name_of(entry))

    return causes + each(spec.get("devices"), _MOST_DEVICES, "spec.devices", named, _name_of)


def _places(spec: Object) -> list[Cause]:
    """Where its devices are, said in one way."""
    causes: list[Cause] = []
    node, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if node == "":
        causes.append(bad("spec.nodeName", node, "must be either unset or set to a non-empty string"))
    elif node is not None:
        causes += subdomain("spec.nodeName", node)
    if selector is not None:
        causes += node_selector(selector, "spec.nodeSelector")
        terms = selector.get("nodeSelectorTerms") or []
        if len(terms) != 1:
            why = "must have exactly one node selector term"
            causes.append(bad("spec.nodeSelector.nodeSelectorTerms", internal("core.NodeSelectorTerm", terms), why))
    for name in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(name) is False:
            causes.append(bad(f"spec.{name}", False, "must be either unset or set to true"))
    given = [f"`{name}`" for name in _PLACES if spec.get(name) not in (None, "", False)]
    why = f"exactly one of {', '.join(f'`{name}`' for name in _PLACES)} is required"
    if not given:
        causes.append(required("spec", why))
    elif len(given) > 1:
        causes.append(bad("spec", f"{{{', '.join(given)}}}", f"{why}, but multiple fields are set"))
    return causes


def resource_slice_update(old: Object, new: Object) -> list[Cause]:
    return resource_slice(new, old)

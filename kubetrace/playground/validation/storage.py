"""Volumes and claims, quotas and limits, StorageClasses (pkg/apis/core/validation, pkg/apis/storage/validation)."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Callable
from typing import Any

from kubetrace.playground.validation import network_volumes
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    annotation_keys,
    bad,
    duplicate,
    forbidden,
    label_key,
    label_name,
    label_selector,
    labels,
    one_of,
    qualified_name,
    required,
    subdomain,
    supported,
    unsupported,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.requirements import container_resource, resource_amount, resource_name
from kubetrace.playground.validation.scheduling import node_selector
from kubetrace.playground.validation.volumes import driver_name, host_path, nfs, no_backsteps

_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
_VOLUME_MODES = ["Block", "Filesystem"]
_SOURCES = (
    *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "cephfs", "iscsi"),
    *("cinder", "fc", "flocker", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("scaleIO", "local", "storageos", "csi", "flexVolume"),
)


def _access_modes(modes: list[str], path: str) -> list[Cause]:
    at = f"{path}.accessModes"
    causes = [unsupported(at, mode, _MODES) for mode in modes if mode not in _MODES]
    others = [mode for mode in modes if mode in _MODES and mode != "ReadWriteOncePod"]
    if "ReadWriteOncePod" in modes and others:
        causes.append(forbidden(at, "may not use ReadWriteOncePod with other access modes"))
    return causes


def _least(field: str, quantity: Any) -> list[Cause]:
    """No less than none (validateBasicResource)."""
    value = amount(quantity)
    if value is None or value >= 0:
        return []
    return [bad(field, math.ceil(value), "must be a valid resource quantity")]


def _positive(field: str, quantity: Any) -> list[Cause]:
    value = amount(quantity)
    return [bad(field, str(quantity), "must be greater than zero")] if value is not None and value <= 0 else []


def claim(item: Object) -> list[Cause]:
    return claim_spec(item.get("spec") or {}, "spec")


def claim_template(template: Object, path: str) -> list[Cause]:
    """A PersistentVolumeClaimTemplate, as an ephemeral volume has one."""
    metadata, at = template.get("metadata") or {}, f"{path}.metadata"
    causes = labels(f"{at}.labels", metadata.get("labels"))
    causes += annotation_keys(f"{at}.annotations", metadata.get("annotations") or ())
    return causes + claim_spec(template.get("spec") or {}, f"{path}.spec")


def claim_spec(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    modes = spec.get("accessModes") or []
    if not modes:
        causes.append(required(f"{path}.accessModes", "at least 1 access mode is required"))
    causes += label_selector(f"{path}.selector", spec.get("selector"))
    causes += _access_modes(modes, path)
    requests, at = (spec.get("resources") or {}).get("requests") or {}, f"{path}.resources[storage]"
    causes += _positive(at, requests["storage"]) if "storage" in requests else [required(at)]
    for name in ("storageClassName", "volumeAttributesClassName"):
        if spec.get(name):
            causes += subdomain(f"{path}.{name}", spec[name])
    causes += supported(f"{path}.volumeMode", spec.get("volumeMode"), _VOLUME_MODES)
    for name in ("dataSource", "dataSourceRef"):
        if spec.get(name):
            causes += _data_source(spec[name], f"{path}.{name}")
    given = {name: {"apiGroup": None} | (spec.get(name) or {}) for name in ("dataSource", "dataSourceRef")}
    if spec.get("dataSource") and spec.get("dataSourceRef") and given["dataSource"] != given["dataSourceRef"]:
        causes.append(bad(path, {}, "must match dataSourceRef"))
    return causes


def _data_source(source: Object, at: str) -> list[Cause]:
    kind, group = source.get("kind", ""), source.get("apiGroup") or ""
    causes = [required(f"{at}.{name}") for name in ("name", "kind") if not source.get(name)]
    if not group and kind != "PersistentVolumeClaim":
        why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        causes.append(bad(at, kind, why))
    return causes + (subdomain(f"{at}.apiGroup", group) if group else [])


def volume(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    modes = spec.get("accessModes") or []
    causes = _access_modes(modes, "spec") if modes else [required("spec.accessModes")]
    capacity = spec.get("capacity") or {}
    if not capacity:
        causes.append(required("spec.capacity"))
    if list(capacity) != ["storage"]:
        causes.append(unsupported("spec.capacity", capacity or None, ["storage"]))
    for name, quantity in capacity.items():
        at = f"spec.capacity[{name}]"
        causes += (_least(at, quantity) + _positive(at, quantity)) if name == "storage" else []
    policies = ["Delete", "Recycle", "Retain"]
    policy = spec.get("persistentVolumeReclaimPolicy")
    causes += one_of("spec.persistentVolumeReclaimPolicy", policy, policies, is_required=False)
    affinity = spec.get("nodeAffinity")
    if affinity is not None:
        at, wanted = "spec.nodeAffinity.required", affinity.get("required")
        missing = [required(at, "must specify required node constraints")]
        causes += missing if wanted is None else node_selector(wanted, at)
    kinds = [kind for kind in _SOURCES if spec.get(kind) is not None]
    for kind in kinds[:1]:
        check = _CHECKED.get(kind)
        causes += check(spec[kind], f"spec.{kind}") if check is not None else []
    if kinds[:1] == ["local"] and affinity is None:
        causes.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
    causes += [forbidden(f"spec.{kind}", "may not specify more than 1 volume type") for kind in kinds[1:]]
    if not kinds:
        causes.append(required("spec", "must specify a volume type"))
    if policy == "Recycle" and "hostPath" in kinds and posixpath.normpath(spec["hostPath"].get("path", "")) == "/":
        why = "may not be 'recycle' for a hostPath mount of '/'"
        causes.append(forbidden("spec.persistentVolumeReclaimPolicy", why))
    if spec.get("storageClassName"):
        causes += subdomain("spec.storageClassName", spec["storageClassName"])
    causes += supported("spec.volumeMode", spec.get("volumeMode"), _VOLUME_MODES)
    name, at = spec.get("volumeAttributesClassName"), "spec.volumeAttributesClassName"
    if name is not None:
        causes += subdomain(at, name) if name else [required(at, "an empty string is disallowed")]
        if "csi" not in kinds:
            causes.append(required("spec.csi", "has to be specified when using volumeAttributesClassName"))
    return causes


def _local(source: Object, at: str) -> list[Cause]:
    path = source.get("path", "")
    return no_backsteps(f"{at}.path", path) if path else [required(f"{at}.path")]


def _csi(source: Object, at: str) -> list[Cause]:
    causes = driver_name(f"{at}.driver", source.get("driver", ""))
    causes += [] if source.get("volumeHandle") else [required(f"{at}.volumeHandle")]
    for part in ("controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"):
        reference, where = source.get(f"{part}SecretRef"), f"{at}.{part}SecretRef"
        if reference is None:
            continue
        for name, check in (("name", subdomain), ("namespace", label_name)):
            value, field = reference.get(name, ""), f"{where}.{name}"
            causes += check(field, value) if value else [required(field)]
    return causes


_CHECKED: dict[str, Callable[[Object, str], list[Cause]]] = {
    **network_volumes.SOURCES,
    "hostPath": host_path,
    "nfs": nfs,
    "local": _local,
    "csi": _csi,
}


def storage_class(item: Object) -> list[Cause]:
    provisioner = item.get("provisioner", "")
    causes = qualified_name("provisioner", provisioner.lower()) if provisioner else [required("provisioner")]
    if "" in (item.get("parameters") or {}):
        causes.append(bad("parameters", "", "field can not be empty."))
    if item.get("reclaimPolicy") not in ("Delete", "Retain"):
        causes.append(unsupported("reclaimPolicy", item.get("reclaimPolicy"), ["Delete", "Retain"]))
    modes = ["Immediate", "WaitForFirstConsumer"]
    if item.get("volumeBindingMode") not in modes:
        causes.append(unsupported("volumeBindingMode", item.get("volumeBindingMode"), modes))
    seen: list[Any] = []
    for index, term in enumerate(item.get("allowedTopologies") or ()):
        causes += _topology(term, f"allowedTopologies[{index}]")
        terms = {
            entry.get("key"): sorted(entry.get("values") or ()) for entry in term.get("matchLabelExpressions") or ()
        }
        if terms in seen or not terms:
            causes.append(duplicate(f"allowedTopologies[{index}].matchLabelExpressions", ""))
        seen.append(terms)
    return causes


def _topology(term: Object, at: str) -> list[Cause]:
    """A TopologySelectorTerm."""
    causes: list[Cause] = []
    keys: set[str] = set()
    for index, entry in enumerate(term.get("matchLabelExpressions") or ()):
        where, key, values = f"{at}.matchLabelExpressions[{index}]", entry.get("key", ""), entry.get("values") or []
        causes += [] if values else [required(f"{where}.values")]
        for number, value in enumerate(values):
            if value in values[:number]:
                causes.append(duplicate(f"{where}.values[{number}]", value))
        causes += label_key(f"{where}.key", key)
        causes += [duplicate(f"{where}.key", key)] if key in keys else []
        keys.add(key)
    return causes


_QUOTA_NAMES = frozenset(
    (
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage"),
        *("requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods"),
        *("resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims", "configmaps"),
        *("services.nodeports", "services.loadbalancers"),
    )
)


def quota(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    return quota_amounts(spec.get("hard"), "spec.hard") + _scopes(spec)


def quota_amounts(found: Object | None, path: str) -> list[Cause]:
    """What a quota grants or has granted, by resource."""
    causes: list[Cause] = []
    for name, quantity in sorted((found or {}).items()):
        at = f"{path}[{name}]"
        causes += resource_name(at, name)
        if "/" not in name and name not in _QUOTA_NAMES and not name.startswith(("hugepages-", "requests.hugepages-")):
            causes.append(bad(at, name, "must be a standard resource for quota"))
        causes += resource_amount(at, name, quantity)
    return causes


_SCOPES = frozenset(("Terminating", "NotTerminating", "BestEffort", "NotBestEffort"))
_SELECTED = _SCOPES | {"PriorityClass", "CrossNamespacePodAffinity", "VolumeAttributesClass"}
_OF_PODS = frozenset(
    (
        *("cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods"),
    )
)


def _scopes(spec: Object) -> list[Cause]:
    """What a quota narrows itself to (validateResourceQuotaScopes, validateScopeSelector)."""
    causes: list[Cause] = []
    scopes, at = spec.get("scopes") or [], "spec.scopes"
    hard = sorted(_QUOTA_NAMES.intersection(spec.get("hard") or ()))
    for scope in scopes:
        if scope not in _SELECTED:
            causes.append(bad(at, scopes, "unsupported scope"))
            continue
        causes += [bad(at, scopes, _NOT_FOR_SCOPE) for name in hard if not _applies(scope, name)]
    causes += _opposites(at, scopes, scopes)
    expressions = (spec.get("scopeSelector") or {}).get("matchExpressions") or []
    at = "spec.scopeSelector.matchExpressions"
    for entry in expressions:
        scope, operator, values = entry.get("scopeName", ""), entry.get("operator", ""), entry.get("values") or []
        if scope not in _SELECTED:
            causes.append(bad(f"{at}.scopeName", scope, "unsupported scope"))
        else:
            shown = internal("core.ScopeSelector", spec["scopeSelector"])
            causes += [bad(at, shown, _NOT_FOR_SCOPE) for name in hard if not _applies(scope, name)]
        if scope in (*_SCOPES, "CrossNamespacePodAffinity") and operator != "Exists":
            first = "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
            rest = "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
            why = f"must be 'Exists' when scope is any of {first}{rest}"
            causes.append(bad(f"{at}.operator", operator, why))
        if operator in ("In", "NotIn") and not values:
            why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            causes.append(required(f"{at}.values", why))
        elif operator in ("Exists", "DoesNotExist") and values:
            why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            causes.append(bad(f"{at}.values", values, why))
        elif operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
            causes.append(bad(f"{at}.operator", operator, "not a valid selector operator"))
    named = [entry.get("scopeName", "") for entry in expressions]
    return causes + _opposites("spec.scopeSelector.matchExpressions", named, spec.get("scopes"))


_NOT_FOR_SCOPE = "unsupported scope applied to resource"


def _applies(scope: str, resource: str) -> bool:
    if scope == "BestEffort":
        return resource == "pods"
    return scope == "VolumeAttributesClass" or resource in _OF_PODS


def _opposites(at: str, scopes: list[str], shown: Any) -> list[Cause]:
    pairs = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
    return [bad(at, shown, "conflicting scopes") for pair in pairs if set(pair) <= set(scopes)]


def limit_range(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, limit in enumerate((item.get("spec") or {}).get("limits") or ()):
        at, kind = f"spec.limits[{index}]", limit.get("type", "")
        causes += qualified_name(f"{at}.type", kind)
        if (
            kind
            and "/" not in kind
            and not qualified_name("", kind)
            and kind not in ("Pod", "Container", "PersistentVolumeClaim")
        ):
            causes.append(bad(f"{at}.type", kind, "must be a standard limit type or fully qualified"))
        if kind in seen:
            causes.append(duplicate(f"{at}.type", kind))
        seen.add(kind)
        causes += _limited(limit, at, "max", "min")
        if kind == "Pod":
            why = "may not be specified when `type` is 'Pod'"
            causes += [forbidden(f"{at}.{name}", why) for name in ("default", "defaultRequest") if limit.get(name)]
        else:
            causes += _limited(limit, at, "default", "defaultRequest")
        if kind == "PersistentVolumeClaim" and not any("storage" in (limit.get(part) or {}) for part in ("min", "max")):
            why = "either minimum or maximum storage value is required, but neither was provided"
            causes.append(required(f"{at}.limits", why))
        causes += _limited(limit, at, "maxLimitRequestRatio") + _bounds(limit, at)
    return causes


def _limited(limit: Object, at: str, *parts: str) -> list[Cause]:
    """The names of what is limited (validateLimitRangeResourceName)."""
    check = container_resource if limit.get("type") in ("Pod", "Container") else resource_name
    names = [(part, name) for part in parts for name in sorted(limit.get(part) or ())]
    return [cause for part, name in names for cause in check(f"{at}.{part}[{name}]", name)]


def _bounds(limit: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    parts = ("min", "max", "default", "defaultRequest")
    for name in sorted({name for part in parts for name in limit.get(part) or ()}):
        least, most, usual, asked = ((limit.get(part) or {}).get(name) for part in parts)
        for low, high, where, words in (
            (least, most, "min", "min value {0} is greater than max value {1}"),
            (least, asked, "defaultRequest", "min value {0} is greater than default request value {1}"),
            (asked, most, "defaultRequest", "default request value {0} is greater than max value {1}"),
            (asked, usual, "defaultRequest", "default request value {0} is greater than default limit value {1}"),
            (least, usual, "default", "min value {0} is greater than default value {1}"),
            (usual, most, "default", "default value {0} is greater than max value {1}"),
        ):
            left, right = amount(low), amount(high)
            if low is not None and high is not None and left is not None and right is not None and left > right:
                shown = high if words.startswith("min value {0} is greater than default request") else low
                if words == "default value {0} is greater than max value {1}":
                    shown = high
                causes.append(bad(f"{at}.{where}[{name}]", str(shown), words.format(low, high)))
    return causes + _ratios(limit, at)


def _ratios(limit: Object, at: str) -> list[Cause]:
    """How much a limit may exceed its request."""
    causes: list[Cause] = []
    for name, ratio in (limit.get("maxLimitRequestRatio") or {}).items():
        field, value = f"{at}.maxLimitRequestRatio[{name}]", amount(ratio)
        least, most = (amount((limit.get(part) or {}).get(name, "")) for part in ("min", "max"))
        if value is None:
            continue
        if value < 1:
            causes.append(bad(field, str(ratio), f"ratio {ratio} is less than 1"))
        elif least and most is not None and value > most / least:
            told = f"ratio {ratio} is greater than max/min = {float(most / least):f}"
            causes.append(bad(field, str(ratio), told))
    return causes

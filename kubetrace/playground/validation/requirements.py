"""How much of what containers, pods and quotas ask for (pkg/apis/core/validation validateResourceRequirements)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from kubetrace.playground import pod_resources
from kubetrace.playground.pod_resources import PAGES
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_name,
    missing,
    qualified_name,
    required,
    subdomain,
    unsupported,
)
from kubetrace.playground.validation.hosts import is_windows
from kubetrace.playground.validation.internal import internal

_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_OTHER_RESOURCES = frozenset(
    (
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage", "limits.cpu"),
        *("limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "secrets", "configmaps"),
        *("replicationcontrollers", "persistentvolumeclaims", "storage", "services.nodeports"),
        "services.loadbalancers",
    )
)


def pod_claims(found: list[Object], path: str, mirror: bool) -> tuple[frozenset[str], list[Cause]]:
    """(the names of a pod's resource claims; what is wrong with them). `mirror`: the pod stands for one that only its
    node knows."""
    names = frozenset(claim["name"] for claim in found if claim.get("name"))
    if mirror:
        return names, [forbidden("", "static pods do not support resource claims") for _ in found]
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, claim in enumerate(found):
        at, name = f"{path}[{index}]", claim.get("name", "")
        if not name:
            causes.append(required(f"{at}.name"))
        else:
            causes += [duplicate(f"{at}.name", name)] if name in seen else label_name(f"{at}.name", name)
            seen.add(name)
        given = [field for field in _CLAIM_SOURCES if claim.get(field) is not None]
        if len(given) > 1:
            fields = " or ".join(f"`{field}`" for field in _CLAIM_SOURCES)
            causes.append(
                bad(at, internal("core.PodResourceClaim", claim), f"at most one of {fields} may be specified")
            )
        if not given:
            fields = ", ".join(f"`{field}`" for field in _CLAIM_SOURCES)
            causes.append(bad(at, internal("core.PodResourceClaim", claim), f"must specify one of: {fields}"))
        for field in given:
            causes += subdomain(f"{at}.{field}", claim[field])
    return names, causes


_CLAIM_SOURCES = ("resourceClaimName", "resourceClaimTemplateName")

Names = Callable[[str, str], list[Cause]]
"""A check of a resource's name: where it stands, the name."""


def of_container(value: Object, path: str, claims: Collection[str] = ()) -> list[Cause]:
    """ResourceRequirements of a container; `claims`: the names of the pod's resource claims."""
    return _requirements(value, path, container_resource, claims)


def _requirements(value: Object, path: str, named: Names, claims: Collection[str]) -> list[Cause]:
    causes: list[Cause] = []
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for name in sorted(limits):
        causes += _resource(name, limits[name], f"{path}.limits[{name}]", named)
    for name in sorted(requests):
        at = f"{path}.requests[{name}]"
        causes += named(at, name) + resource_amount(at, name, requests[name])
        wanted, most = amount(requests[name]), amount(limits[name]) if name in limits else None
        firm = is_extended(name) or PAGES in name
        if most is not None and wanted is not None and wanted > most and not firm:
            told = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(bad(f"{path}.requests", str(requests[name]), told))
        elif firm and most is None:
            why = "Limit must be set for non overcommitable resources"
            causes.append(required(f"{path}.limits", why))
        elif firm and most != wanted:
            told = f"must be equal to {name} limit of {limits[name]}"
            causes.append(bad(f"{path}.requests", str(requests[name]), told))
        causes += _pages(at, name, requests[name])
    both = {*limits, *requests}
    if any(name.startswith(PAGES) for name in both) and both.isdisjoint(("cpu", "memory")):
        causes.append(forbidden(path, "HugePages require cpu or memory"))
    return causes + _claimed(value.get("claims") or [], f"{path}.claims", claims)


def _pages(at: str, name: str, quantity: Any) -> list[Cause]:
    """Huge pages come whole."""
    size = amount(name.removeprefix(PAGES)) if name.startswith(PAGES) else None
    found = amount(quantity)
    if not size or found is None or (found / size).denominator == 1:
        return []
    return [bad(at, str(quantity), f"{quantity} is not positive integer multiple of {name}")]


def _claimed(found: list[Object], path: str, known: Collection[str]) -> list[Cause]:
    """The pod's resource claims that a container names (validateResourceClaimNames)."""
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, claim in enumerate(found):
        at, name, request = f"{path}[{index}]", claim.get("name", ""), claim.get("request", "")
        if not name:
            causes.append(required(at))
            continue
        key = f"{name}/{request}" if request else name
        if name in seen:
            causes.append(duplicate(at, name))
        else:
            causes += label_name(f"{at}.request", request) if request else []
            if key in seen:
                causes.append(duplicate(at, key))
            elif not request:
                causes += [duplicate(at, name) for other in seen if other.partition("/")[0] == name]
            seen.add(key)
        if name not in known:
            names = f": {', '.join(sorted(known))}" if known else " which is empty"
            field, reason, text = missing(at, name)
            causes.append((field, reason, f"{text}: must be one of the names in pod.spec.resourceClaims{names}"))
    return causes


def _pod_resource(where: str, name: str) -> list[Cause]:
    """The name of a resource that a pod as a whole can have (validatePodResourceName)."""
    causes = resource_name(where, name)
    return causes if causes or pod_resources.of_pod(name) else [unsupported(where, name, ["cpu", PAGES, "memory"])]


def of_pod(spec: Object, path: str, claims: Collection[str]) -> list[Cause]:
    """What a pod as a whole asks for, beside what its containers do (validatePodResources)."""
    value, at = spec.get("resources"), f"{path}.resources"
    if value is None:
        return []
    if is_windows(spec):
        return [forbidden(at, "may not be set for a windows pod")]
    causes: list[Cause] = []
    if value.get("claims") is not None:
        causes.append(forbidden(f"{at}.claims", "claims may not be set for Resources at pod-level"))
    causes += _requirements(value, at, _pod_resource, claims)
    for part in ("requests", "limits"):
        causes += _at_least_the_sum(spec, part, f"{at}.{part}")
    limits = value.get("limits") or {}
    for index, container in enumerate(spec.get("containers") or ()):
        for name, most in sorted(((container.get("resources") or {}).get("limits") or {}).items()):
            if name in limits and _more(most, limits[name]):
                where = f"{at}.containers[{index}][{name}].limits"
                causes.append(bad(where, str(most), f"must be less than or equal to pod limits of {limits[name]}"))
    return causes


def _more(one: Any, other: Any) -> bool:
    left, right = amount(one), amount(other)
    return left is not None and right is not None and left > right


def _at_least_the_sum(spec: Object, part: str, at: str) -> list[Cause]:
    own = spec["resources"].get(part) or {}
    causes: list[Cause] = []
    for name, total in sorted(pod_resources.aggregated(spec, part).items()):
        if name in own and _more(total, own[name]) and (part == "requests" or name.startswith(PAGES)):
            why = f"must be greater than or equal to aggregate container {part} of {total}"
            causes.append(bad(f"{at}[{name}]", str(own[name]), why))
    return causes


def is_standard(name: str) -> bool:
    """A resource that needs no prefix."""
    return name in _STANDARD_RESOURCES or name in _OTHER_RESOURCES or PAGES in name


def resource_name(where: str, name: str) -> list[Cause]:
    """validateResourceName."""
    causes = qualified_name(where, name)
    if causes or "/" in name or is_standard(name):
        return causes
    return [bad(where, name, "must be a standard resource type or fully qualified")]


def container_resource(where: str, name: str) -> list[Cause]:
    """The name of a resource that a container can have."""
    causes = resource_name(where, name)
    if "/" not in name:
        if name not in _STANDARD_RESOURCES and not name.startswith(PAGES):
            causes.append(bad(where, name, "must be a standard resource for containers"))
    elif "kubernetes.io/" not in name and not is_extended(name):
        causes.append(bad(where, name, "doesn't follow extended resource name standard"))
    return causes


def is_extended(name: str) -> bool:
    """Whether it is a resource of somebody else than Kubernetes (pkg/apis/core/helper IsExtendedResourceName)."""
    if "/" not in name or "kubernetes.io/" in name or name.startswith("requests."):
        return False
    return not qualified_name("", f"requests.{name}")


def _resource(name: str, quantity: Any, where: str, named: Names) -> list[Cause]:
    return named(where, name) + resource_amount(where, name, quantity) + _pages(where, name, quantity)


_COUNTED = frozenset(
    (
        *("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    )
)


def resource_amount(where: str, name: str, quantity: Any) -> list[Cause]:
    """How much of a resource there is (ValidateResourceQuantityValue)."""
    causes, value = [], amount(quantity)
    if value is not None and value < 0:
        causes.append(bad(where, str(quantity), "must be greater than or equal to 0"))
    if value is not None and (name in _COUNTED or is_extended(name)) and value.denominator != 1:
        causes.append(bad(where, str(quantity), "must be an integer"))
    return causes

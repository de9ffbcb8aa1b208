"""What a pod asks for as a whole: of itself, or by its containers (k8s.io/component-helpers/resource/helpers.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubetrace.playground.quantities import amount, written

Amounts = dict[str, str]
Object = dict[str, Any]

_OF_PODS = ("cpu", "memory")
PAGES = "hugepages-"
"""How the names of huge pages begin, before their size."""


def of_pod(name: str) -> bool:
    """Whether a pod as a whole can have it (IsSupportedPodLevelResource)."""
    return name in _OF_PODS or name.startswith(PAGES)


def added(lists: Iterable[Object]) -> Amounts:
    """Their sum; the first one says how an amount is written."""
    total: Amounts = {}
    for amounts in lists:
        for name, value in amounts.items():
            text = str(value)
            total[name] = written(amount(total[name]) + amount(text), total[name]) if name in total else text
    return total


def _most(*lists: Amounts) -> Amounts:
    found: Amounts = {}
    for amounts in lists:
        for name, value in amounts.items():
            if name not in found or amount(value) > amount(found[name]):
                found[name] = value
    return found


def aggregated(spec: Object, part: str) -> Amounts:
    """ "requests" or "limits" of all containers: their sum with the sidecars, or the most that an init container needs
    beside the sidecars before it (AggregateContainerRequests)."""
    total = added((each.get("resources") or {}).get(part) or {} for each in spec.get("containers") or ())
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = (container.get("resources") or {}).get(part) or {}
        if container.get("restartPolicy") == "Always":
            total, sidecars = added((total, own)), added((sidecars, own))
            starting = _most(starting, sidecars)
        else:
            starting = _most(starting, added((own, sidecars)))
    return _most(total, starting)


def requested(spec: Object) -> Amounts:
    """What a node must have left, with what running a pod costs (PodRequests)."""
    return added((_whole(spec, "requests"), spec.get("overhead") or {}))


def limited(spec: Object) -> Amounts:
    """The most that a pod uses, with what running it costs where there is a limit (PodLimits)."""
    found = _whole(spec, "limits")
    cost = {name: value for name, value in (spec.get("overhead") or {}).items() if name in found}
    return added((found, cost))


def says_some(spec: Object) -> bool:
    """Whether a pod as a whole asks for something (IsPodLevelResourcesSet)."""
    own = spec.get("resources") or {}
    return any(of_pod(name) for part in ("requests", "limits") for name in own.get(part) or ())


def _whole(spec: Object, part: str) -> Amounts:
    """With what the pod says itself instead of what its containers say."""
    found = aggregated(spec, part)
    own = (spec.get("resources") or {}).get(part) or {}
    return found | {name: str(value) for name, value in own.items() if of_pod(name)}


def fill(spec: Object) -> None:
    """A pod's own requests and limits, where it says some (defaultHugePagePodLimits, defaultPodRequests)."""
    own = spec.get("resources")
    if not own or not (own.get("limits") or own.get("requests")):
        return
    limits, requests = dict(own.get("limits") or {}), dict(own.get("requests") or {})
    for name, value in aggregated(spec, "limits").items():
        if name.startswith(PAGES) and name not in requests:
            limits.setdefault(name, value)
    if limits:
        own["limits"] = limits
        for name, value in aggregated(spec, "requests").items():
            if name in _OF_PODS:
                requests.setdefault(name, value)
        for name, value in limits.items():
            if of_pod(name):
                requests.setdefault(name, value)
    if requests:
        own["requests"] = requests

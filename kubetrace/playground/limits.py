"""LimitRanges at creation: defaults for containers, least and most amounts (plugin/pkg/admission/limitranger)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.quantities import amount, written
from kubetrace.playground.status import forbidden
from kubetrace.playground.storage import Store

_KEY = "limitranges"


def fill(store: Store, pod: Object) -> None:
    """Gives a pod's containers what they do not say themselves."""
    for entry in store.select(_KEY, pod["metadata"].get("namespace", "")):
        _default(pod, entry)


def check(store: Store, resource: Resource, item: Object) -> None:
    """Raises 403 where an amount is out of bounds."""
    if resource.key not in ("pods", "persistentvolumeclaims"):
        return
    ranges = store.select(_KEY, item["metadata"].get("namespace", ""))
    problems = next(filter(None, (_problems(resource, item, entry) for entry in ranges)), [])
    if problems:  # of the first one that has any
        told = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden(resource.name, resource.group, item["metadata"].get("name", ""), told)


def _default(pod: Object, entry: Object) -> None:
    limits: Object = {}
    requests: Object = {}
    for rule in entry["spec"].get("limits") or ():
        if rule["type"] == "Container":
            limits |= rule.get("default") or {}
            requests |= rule.get("defaultRequest") or {}
    told = []
    for group, title in (("containers", "container"), ("initContainers", "init container")):
        for container in pod["spec"].get(group) or ():
            found = container.setdefault("resources", {})
            for part, defaults in (("requests", requests), ("limits", limits)):
                missing = {k: v for k, v in defaults.items() if k not in (found.get(part) or {})}
                if missing:
                    found[part] = dict(found.get(part) or {}) | missing
                    told.append((part, f"{', '.join(sorted(missing))} {part[:-1]} for {title} {container['name']}"))
    if told:
        told.sort(key=lambda pair: pair[0] == "limits")
        text = f"LimitRanger plugin set: {'; '.join(text for _, text in told)}"
        pod["metadata"].setdefault("annotations", {})["kubernetes.io/limit-ranger"] = text


def _problems(resource: Resource, item: Object, entry: Object) -> list[str]:
    found = []
    for rule in entry["spec"].get("limits") or ():
        kind = rule["type"]
        if kind == "Container" and resource.key == "pods":
            spec = item["spec"]
            for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
                found += _bounds(rule, container.get("resources") or {}, kind)
        elif kind == "Pod" and resource.key == "pods":
            found += _bounds(rule, _total(item), kind)
        elif kind == "PersistentVolumeClaim" and resource.key == "persistentvolumeclaims":
            wanted = (item["spec"].get("resources") or {}).get("requests") or {}
            found += _bounds(rule, {"requests": wanted}, kind)
    return found


def _total(pod: Object) -> Object:
    total: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    for container in pod["spec"].get("containers") or ():
        for part in total:
            for name, value in ((container.get("resources") or {}).get(part) or {}).items():
                before = amount(total[part].get(name, "0"))
                total[part][name] = written(before + amount(str(value)), str(value))
    return total


def _bounds(rule: Object, resources: Object, kind: str) -> list[str]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    found = []
    for name, least in (rule.get("min") or {}).items():
        start = f"minimum {name} usage per {kind} is {least}"
        if name in requests and amount(str(requests[name])) < amount(str(least)):
            found.append(f"{start}, but request is {requests[name]}")
        elif name not in requests:
            found.append(f"{start}.  No request is specified")
        elif name in limits and amount(str(limits[name])) < amount(str(least)):
            found.append(f"{start}, but limit is {limits[name]}")
    for name, most in (rule.get("max") or {}).items():
        start = f"maximum {name} usage per {kind} is {most}"
        if kind == "PersistentVolumeClaim":
            if name in requests and amount(str(requests[name])) > amount(str(most)):
                found.append(f"{start}, but request is {requests[name]}")
            continue
        if name not in limits:
            found.append(f"{start}.  No limit is specified")
        elif amount(str(limits[name])) > amount(str(most)):
            found.append(f"{start}, but limit is {limits[name]}")
        elif name in requests and amount(str(requests[name])) > amount(str(most)):
            found.append(f"{start}, but request is {requests[name]}")
    for name, ratio in (rule.get("maxLimitRequestRatio") or {}).items():
        start = f"{name} max limit to request ratio per {kind} is {ratio}"
        if name not in limits or name not in requests:
            found.append(f"{start}, but no {'limit' if name not in limits else 'request'} is specified or is 0")
        elif amount(str(limits[name])) > amount(str(ratio)) * amount(str(requests[name])):
            real = float(amount(str(limits[name])) / amount(str(requests[name])))
            found.append(f"{start}, but provided ratio is {real:f}")
    return found

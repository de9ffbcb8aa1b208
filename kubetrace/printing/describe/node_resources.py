"""What the pods of a node ask for, added up (kubectl's describeNodeResource, component-helpers' resource package)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from kubetrace.printing.describe.writer import Writer
from kubetrace.wire.quantity import Quantity, added, parse

Object = Mapping[str, Any]
Amounts = dict[str, Quantity]

_ZERO = parse("0")
_SHARE_OF_NOTHING = -(1 << 63)
"""What Go's int64 makes of a division by zero: a node that has not said yet what it can give."""
_STANDARD = ("cpu", "memory", "ephemeral-storage")


def describe_pods_on_node(w: Writer, pods: Sequence[Object], node_status: Object) -> None:
    allocatable = _amounts(node_status.get("allocatable") or node_status.get("capacity"))
    w.line(f"Non-terminated Pods:\t({len(pods)} in total)")
    w.line("Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge", 1)
    w.line("---------\t----\t\t------------\t----------\t---------------\t-------------\t---", 1)
    for pod in pods:
        requests, limits = pod_amounts(pod, "requests", True), pod_amounts(pod, "limits", True)
        cells = [
            _share(amounts.get(name, _ZERO), allocatable.get(name, _ZERO), name, _SHARE_OF_NOTHING)
            for name in ("cpu", "memory")
            for amounts in (requests, limits)
        ]
        metadata = pod.get("metadata") or {}
        name = f"{metadata.get('namespace', '')}\t{metadata.get('name', '')}"
        w.line(f"{name}\t\t" + "\t".join(cells) + f"\t{w.since(metadata.get('creationTimestamp'))}", 1)
    _totals(w, pods, allocatable)


def _totals(w: Writer, pods: Sequence[Object], allocatable: Amounts) -> None:
    w.line("Allocated resources:")
    w.line("(Total limits may be over 100 percent, i.e., overcommitted.)", 1)
    w.line("Resource\tRequests\tLimits", 1)
    w.line("--------\t--------\t------", 1)
    requests = _sum(pod_amounts(pod, "requests", False) for pod in pods)
    limits = _sum(pod_amounts(pod, "limits", False) for pod in pods)
    huge = sorted(name for name in allocatable if name.startswith("hugepages-"))
    for name in (*_STANDARD, *huge):
        whole = allocatable.get(name, _ZERO)
        cells = (_share(amounts.get(name, _ZERO), whole, name) for amounts in (requests, limits))
        w.line(f"{name}\t" + "\t".join(cells), 1)
    for name in sorted(name for name in allocatable if name not in (*_STANDARD, "pods", *huge)):
        w.line(f"{name}\t{requests.get(name, _ZERO)}\t{limits.get(name, _ZERO)}", 1)


def _share(amount: Quantity, whole: Quantity, name: str, of_nothing: int = 0) -> str:
    """ "250m (6%)": the percentage is cut, not rounded, and reckoned in whole units (thousandths of a cpu)."""
    scale = 1000 if name == "cpu" else 1
    part, all_ = ceil(amount.value * scale), ceil(whole.value * scale)
    return f"{amount} ({int(part / all_ * 100) if all_ else of_nothing}%)"


def _amounts(found: Object | None) -> Amounts:
    return {name: parse(str(text)) for name, text in (found or {}).items()}


def _sum(many: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for amounts in many:
        _add(total, amounts)
    return total


def _add(total: Amounts, amounts: Amounts) -> None:
    for name, amount in amounts.items():
        total[name] = added(total[name], amount) if name in total else amount


def _raise_to(total: Amounts, amounts: Amounts) -> None:
    for name, amount in amounts.items():
        if name not in total or amount.value > total[name].value:
            total[name] = amount


def pod_amounts(pod: Object, which: str, use_status: bool) -> Amounts:
    """A pod's effective requests or limits (PodRequests, PodLimits): its containers' sum, or what its init containers
    need at the most, sidecars running on; the pod's own level replaces that; overhead comes on top. `use_status`: what
    the kubelet has granted counts, too."""
    spec = pod.get("spec") or {}
    effective = _effective(pod, which, use_status)
    total = _sum(effective(container) for container in spec.get("containers") or ())
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            needed = effective(container)
            _add(total, needed)
            _add(sidecars, needed)
            needed = sidecars
        else:
            needed = _amounts((container.get("resources") or {}).get(which))
            _add(needed, sidecars)
        _raise_to(most, needed)
    _raise_to(total, most)
    own = (spec.get("resources") or {}).get(which) or {}
    total.update({name: parse(str(text)) for name, text in own.items() if _is_pod_level(name)})
    _add_overhead(total, _amounts(spec.get("overhead")), which)
    return total


def _is_pod_level(name: str) -> bool:
    return name in ("cpu", "memory") or name.startswith("hugepages-")


def _add_overhead(total: Amounts, overhead: Amounts, which: str) -> None:
    if which == "requests":
        _add(total, overhead)
    else:
        _add(total, {name: amount for name, amount in overhead.items() if total.get(name, _ZERO).value != Fraction(0)})


def _effective(pod: Object, which: str, use_status: bool) -> Callable[[Object], Amounts]:
    status = pod.get("status") or {}
    statuses = {
        one.get("name"): one
        for field in ("containerStatuses", "initContainerStatuses")
        for one in status.get(field) or ()
    }
    infeasible = next(
        (
            one.get("reason") == "Infeasible"
            for one in status.get("conditions") or ()
            if one.get("type") == "PodResizePending"
        ),
        False,
    )

    def effective(container: Object) -> Amounts:
        asked = _amounts((container.get("resources") or {}).get(which))
        granted = (statuses.get(container.get("name")) or {}) if use_status else {}
        if granted.get("resources") is None:
            return asked
        found: Amounts = {} if infeasible else dict(asked)
        _raise_to(found, _amounts(granted["resources"].get(which)))
        if which == "requests":
            _raise_to(found, _amounts(granted.get("allocatedResources")))
        return found

    return effective

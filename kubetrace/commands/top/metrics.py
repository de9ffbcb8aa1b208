"""What both commands share: the metrics API, its resources, and how usage is written (kubectl pkg/metricsutil)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from kubetrace.errors import KubetraceError
from kubetrace.wire.quantity import Quantity, added, parse

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.api.verbs import ListOptions
    from kubetrace.environment import Environment

Usage = dict[str, Quantity]

ZERO = parse("0")
_MEBI = 1024 * 1024


def measured(show_swap: bool) -> tuple[str, ...]:
    return ("cpu", "memory", "swap") if show_swap else ("cpu", "memory")


def check_sort_by(sort_by: str) -> None:
    """Raises KubetraceError for what metrics cannot be sorted by."""
    if sort_by not in ("", "cpu", "memory"):
        raise KubetraceError("--sort-by accepts only cpu or memory")


def require_api(environment: Environment) -> None:
    """Raises KubetraceError where the server has no metrics API. It is asked anew, as kubectl does."""
    groups = environment.cluster.discovery.groups_now()
    versions = {str(version) for group in groups for version in group.versions}
    if "metrics.k8s.io/v1beta1" not in versions:
        raise KubetraceError("Metrics API not available")


def fetch(
    environment: Environment, mapping: Mapping, namespace: str, name: str, options: ListOptions, tag: str = "metrics"
) -> list[dict[str, Any]]:
    """One object, or those that meet the selectors, as kubectl's typed clients ask. Raises StatusError,
    TransportError, KubetraceError."""
    from kubetrace.api import verbs
    from kubetrace.api.status import StatusError
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    sentence = "top: what is used right now?" if tag == "metrics" else "top: of how much, and since when?"
    purpose = Purpose(tag, sentence)
    accept = verbs.TYPED if tag == "metrics" else verbs.JSON
    if name:
        call = replace(verbs.get(mapping, namespace, name, purpose=purpose, accept=accept), operation="typed-get")
    else:
        call = replace(verbs.list_(mapping, namespace, options, purpose=purpose, accept=accept), operation="typed-list")
    try:
        found = environment.cluster.objects.send(call, mapping, name)
    except StatusError as error:
        raise error.without_type() from None
    return [found] if name else list(found.get("items") or ())


def usage_of(amounts: dict[str, Any] | None) -> Usage:
    return {resource: parse(str(text)) for resource, text in (amounts or {}).items()}


def total(usages: Iterable[Usage], resources: Sequence[str]) -> Usage:
    sum_: Usage = dict.fromkeys(resources, ZERO)
    for usage in usages:
        for resource in resources:
            sum_[resource] = added(sum_[resource], usage.get(resource, ZERO))
    return sum_


def milli(amount: Quantity) -> int:
    """Thousandths, rounded up (Quantity.MilliValue)."""
    return ceil(amount.value * 1000)


def whole(amount: Quantity) -> int:
    """Units, rounded up (Quantity.Value)."""
    return ceil(amount.value)


def shown(resource: str, amount: Quantity) -> str:
    """ "250m" of a cpu, "100Mi" of memory."""
    if resource == "cpu":
        return f"{milli(amount)}m"
    return f"{int(whole(amount) / _MEBI)}Mi"


def sort_key(sort_by: str, usage: Usage) -> int:
    """What comes first where usage is sorted by: the most."""
    return -milli(usage.get("cpu", ZERO)) if sort_by == "cpu" else -whole(usage.get("memory", ZERO))


def print_rows(environment: Environment, rows: Iterable[Sequence[str]]) -> None:
    """The table; a tab ends each cell, the last one's, too."""
    from kubetrace.printing.tabwriter import TabWriter

    writer = TabWriter(environment.stdout)
    writer.write_rows([[*row, ""] for row in rows])
    writer.flush()

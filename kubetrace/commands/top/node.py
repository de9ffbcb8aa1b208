"""`top node` (kubectl pkg/cmd/top/top_node.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.top.options import TopOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.commands.top.metrics import Usage
    from kubetrace.environment import Environment

_UNKNOWN = "<unknown>"


class TopNodeOptions(TopOptions):
    selector: str = flag("", "l", help="Only nodes whose labels match, with '=', '==', '!=', 'in' and 'notin'.")
    show_capacity: bool = flag(False, help="Reckon percentages of the capacity, not of what can be allocated.")


def run(environment: Environment, options: TopNodeOptions, arguments: Arguments) -> None:
    from kubetrace.api.labels import canonical
    from kubetrace.api.typed_kinds import NODE_METRICS, NODES
    from kubetrace.api.verbs import ListOptions
    from kubetrace.commands.top.metrics import check_sort_by, fetch, require_api

    if len(arguments.words) > 1:
        raise arguments.usage_error("node [NAME | -l label]")
    name = arguments.words[0] if arguments.words else ""
    environment.make_client()
    _ = environment.cluster.discovery
    check_sort_by(options.sort_by)
    if name and options.selector:
        raise KubetraceError("only one of NAME or --selector can be provided")
    query = ListOptions(label_selector=canonical(options.selector))
    require_api(environment)
    found = fetch(environment, NODE_METRICS, "", name, query)
    if not found:
        raise KubetraceError("metrics not available yet")
    nodes = fetch(environment, NODES, "", name, query, "nodes")
    _print(environment, options, found, {_name(node): node.get("status") or {} for node in nodes})


def _name(value: dict[str, Any]) -> str:
    return str((value.get("metadata") or {}).get("name") or "")


def _print(
    environment: Environment,
    options: TopNodeOptions,
    metrics: list[dict[str, Any]],
    nodes: dict[str, dict[str, Any]],
) -> None:
    from kubetrace.api.go_sort import go_sort
    from kubetrace.commands.top.metrics import measured, print_rows, sort_key, usage_of

    resources = measured(options.show_swap)

    def key(one: dict[str, Any]) -> Any:
        return sort_key(options.sort_by, usage_of(one.get("usage"))) if options.sort_by else _name(one)

    go_sort(metrics, lambda left, right: bool(key(left) < key(right)))
    columns = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]
    columns += ["SWAP(bytes)", "SWAP(%)"] if options.show_swap else []
    rows = [] if options.no_headers else [columns]
    for one in metrics:
        name = _name(one)
        status = nodes.pop(name, None)
        rows.append([name, *_cells(usage_of(one.get("usage")), status, resources, options)])
    rows += [[name, *[_UNKNOWN] * 2 * len(resources)] for name in nodes]
    print_rows(environment, rows)


def _cells(
    usage: Usage, status: dict[str, Any] | None, resources: tuple[str, ...], options: TopNodeOptions
) -> list[str]:
    """Usage and its share of what there is; no share, and no cell for it, where nobody knows what there is."""
    from kubetrace.commands.top.metrics import ZERO, milli, shown

    available = _available(status, options)
    cells = []
    for resource in resources:
        if resource == "swap" and status is not None and resource not in available:
            cells += [_UNKNOWN, _UNKNOWN]
            continue
        amount = usage.get(resource, ZERO)
        cells.append(shown(resource, amount))
        if resource in available:
            all_ = milli(available[resource])
            cells.append(f"{int(milli(amount) / all_ * 100) if all_ else 0}%")
    return cells


def _available(status: dict[str, Any] | None, options: TopNodeOptions) -> Usage:
    from kubetrace.commands.top.metrics import usage_of

    if status is None:
        return {}
    found = usage_of(status.get("capacity" if options.show_capacity else "allocatable"))
    swap = ((status.get("nodeInfo") or {}).get("swap") or {}).get("capacity")
    return found if swap is None else {**found, **usage_of({"swap": swap})}


COMMAND = Command(
    run=run,
    options=TopNodeOptions,
    may_take_long=True,
    words="names:node",
    usage="top node [NAME | -l label] [options]",
    description="Show how much cpu and memory nodes use, as the cluster's metrics API tells.",
    examples="""
    # All nodes, one node
    kubetrace top node
    kubetrace top node worker-1
    """,
)

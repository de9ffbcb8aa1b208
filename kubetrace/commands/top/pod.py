"""`top pod` (kubectl pkg/cmd/top/top_pod.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.top.options import TopOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.verbs import ListOptions
    from kubetrace.environment import Environment

Metrics = dict[str, Any]

_DELAY = 120
"""Seconds that metrics may be late for a new pod."""


class TopPodOptions(TopOptions):
    all_namespaces: bool = flag(
        False, "A", help="Pods of every namespace; the current one and --namespace count for nothing."
    )
    containers: bool = flag(False, help="Show the containers of each pod.")
    field_selector: str = flag("", help="Only pods whose fields match, with '=', '==' and '!='.")
    selector: str = flag("", "l", help="Only pods whose labels match, with '=', '==', '!=', 'in' and 'notin'.")
    sum: bool = flag(False, help="Add a line with the sum.")


def run(environment: Environment, options: TopPodOptions, arguments: Arguments) -> None:
    from kubetrace.api.labels import canonical
    from kubetrace.api.typed_kinds import POD_METRICS
    from kubetrace.api.verbs import ListOptions
    from kubetrace.commands.top.metrics import check_sort_by, fetch, require_api

    if len(arguments.words) > 1:
        raise arguments.usage_error("pod [NAME | -l label]")
    name = arguments.words[0] if arguments.words else ""
    namespace = environment.namespace
    environment.make_client()
    _ = environment.cluster.discovery
    check_sort_by(options.sort_by)
    if name and (options.selector or options.field_selector):
        raise KubetraceError("only one of NAME or selector can be provided")
    query = ListOptions(label_selector=canonical(options.selector), field_selector=options.field_selector)
    require_api(environment)
    found = fetch(environment, POD_METRICS, "" if options.all_namespaces else namespace, name, query)
    if not found:
        _explain_nothing(environment, options, namespace, query)
    _print(environment, options, found)


def _explain_nothing(environment: Environment, options: TopPodOptions, namespace: str, query: ListOptions) -> None:
    """No metrics: are there no pods, are they too new, or is something wrong?"""
    import time

    from kubetrace.api.typed_kinds import PODS
    from kubetrace.api.verbs import go_duration
    from kubetrace.commands.top.metrics import fetch
    from kubetrace.printing.describe.writer import epoch

    pods = fetch(environment, PODS, namespace, "", query, "pods")
    for pod in pods:
        metadata = pod.get("metadata") or {}
        age = time.time() - epoch(metadata.get("creationTimestamp")).timestamp()
        where = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
        if age > _DELAY:
            raise KubetraceError(f"Metrics not available for pod {where}, age: {go_duration(age)}")
    if pods:
        raise KubetraceError("metrics not available yet")
    where = "" if options.all_namespaces else f" in {namespace} namespace."
    environment.stderr.write(f"No resources found{where}\n")


def _print(environment: Environment, options: TopPodOptions, pods: list[Metrics]) -> None:
    from kubetrace.commands.top.metrics import measured, print_rows, shown, total, usage_of

    if not pods:
        return
    resources = measured(options.show_swap)
    columns = ["NAME", "CPU(cores)", "MEMORY(bytes)", *(["SWAP(bytes)"] if options.show_swap else [])]
    before = (["NAMESPACE"] if options.all_namespaces else []) + (["POD"] if options.containers else [])
    width = len(columns) + (0 if options.no_headers else len(before))
    rows = [] if options.no_headers else [[*before, *columns]]
    for pod in _sorted(options, pods):
        metadata, containers = pod.get("metadata") or {}, pod.get("containers") or []
        name = str(metadata.get("name") or "")
        namespace = [str(metadata.get("namespace") or "")] if options.all_namespaces else []
        if options.containers:
            for container in _sorted_containers(options, containers):
                usage = total([usage_of(container.get("usage"))], resources)
                cells = [shown(resource, usage[resource]) for resource in resources]
                rows.append([*namespace, name, str(container.get("name") or ""), *cells])
        else:
            usage = total([usage_of(one.get("usage")) for one in containers], resources)
            rows.append([*namespace, name, *(shown(resource, usage[resource]) for resource in resources)])
    if options.sum:
        usages = [usage_of(one.get("usage")) for pod in pods for one in pod.get("containers") or ()]
        usage = total(usages, resources)
        rows.append([*[""] * (width - 2), "________", "________"])
        rows.append([*[""] * (width - 2), *(shown(resource, usage[resource]) for resource in resources)])
    print_rows(environment, rows)


def _sorted(options: TopPodOptions, pods: list[Metrics]) -> list[Metrics]:
    from kubetrace.api.go_sort import go_sort
    from kubetrace.commands.top.metrics import measured, sort_key, total, usage_of

    def key(pod: Metrics) -> Any:
        metadata = pod.get("metadata") or {}
        if options.sort_by:
            usages = [usage_of(one.get("usage")) for one in pod.get("containers") or ()]
            return sort_key(options.sort_by, total(usages, measured(options.show_swap)))
        return (metadata.get("namespace") or "" if options.all_namespaces else "", metadata.get("name") or "")

    go_sort(pods, lambda left, right: bool(key(left) < key(right)))
    return pods


def _sorted_containers(options: TopPodOptions, containers: list[Metrics]) -> list[Metrics]:
    from kubetrace.api.go_sort import go_sort
    from kubetrace.commands.top.metrics import sort_key, usage_of

    def key(container: Metrics) -> Any:
        if options.sort_by:
            return sort_key(options.sort_by, usage_of(container.get("usage")))
        return container.get("name") or ""

    ordered = list(containers)
    go_sort(ordered, lambda left, right: bool(key(left) < key(right)))
    return ordered


COMMAND = Command(
    run=run,
    options=TopPodOptions,
    may_take_long=True,
    words="names:pod",
    usage="top pod [NAME | -l label] [options]",
    description="""
    Show how much cpu and memory pods use, as the cluster's metrics API tells.

    Metrics of a new pod may be late by some minutes.
    """,
    examples="""
    # All pods of the current namespace, of another one
    kubetrace top pod
    kubetrace top pod --namespace=ci

    # One pod and its containers
    kubetrace top pod web-0 --containers

    # By label
    kubetrace top pod -l name=web
    """,
)

"""`get --watch`: what is there, then every change, until the server ends the watch (kubectl pkg/cmd/get, watch)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments
from kubetrace.errors import KubetraceError
from kubetrace.printing.printers import WatchEvent, is_list
from kubetrace.printing.table import is_table
from kubetrace.printing.tabwriter import TabWriter

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Request, Result
    from kubetrace.api.verbs import ListOptions
    from kubetrace.commands.get import GetOptions
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call

Show = Callable[[str, dict[str, Any], bool], None]
"""Prints an object with its event type ("" for none); with False only its columns are taken note of."""


def watch(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    """Prints, watches, and returns when the server closes the stream."""
    from kubetrace.api.status import is_not_found
    from kubetrace.commands.get import build_result

    result = build_result(environment, options, arguments, _for_watching(options))
    try:
        infos = result.infos()
    except KubetraceError as error:
        if options.ignore_not_found and is_not_found(error):
            return
        raise
    show = _shower(environment, options, infos[0])
    whole = _whole(result, infos)
    listed = is_list(whole)
    existing = whole["items"] if listed else [whole]
    initial = "ADDED" if options.output_watch_events else ""
    for value in existing:
        show(initial, value, not options.watch_only)
    environment.stdout.flush()
    version = str((whole.get("metadata") or {}).get("resourceVersion") or "") if listed else "0"
    _follow(environment, options, _watch_call(result, infos, version), show, shown=listed)


def _for_watching(options: GetOptions) -> Callable[[Request], Request]:
    """Watches list one type, flatten nothing, and stop at the first error."""

    def change(request: Request) -> Request:
        return replace(
            request,
            chunk_size=options.chunk_size,
            subresource="",
            flatten=False,
            continue_on_error=False,
            single_resource_type=True,
        )

    return change


def _whole(result: Result, infos: list[Info]) -> dict[str, Any]:
    """The objects as one value (Result.Object)."""
    from kubetrace.commands.get_objects import as_list

    objects = [info.object for info in infos if info.object is not None]
    if len(objects) == 1 and (result.single_item or is_list(objects[0])):
        return objects[0]
    versions = {info.resource_version for info in infos}
    return as_list(objects, versions.pop() if len(versions) == 1 else "")


def _shower(environment: Environment, options: GetOptions, info: Info) -> Show:
    out = environment.stdout
    if options.is_table:
        from kubetrace.commands.get_table import table_printer

        table = table_printer(options, info.mapping, options.all_namespaces, False)
        writer = TabWriter(out)

        def show_row(event: str, value: dict[str, Any], visible: bool) -> None:
            if not visible and not is_table(value):
                return
            table.print(value if visible else {**value, "rows": []}, writer, event)
            writer.flush()

        return show_row
    from kubetrace.commands.get_objects import object_printer

    printer = object_printer(environment, options)

    def show_object(event: str, value: dict[str, Any], visible: bool) -> None:
        if visible:
            printer.print(WatchEvent(event, value) if event else value, out)

    return show_object


def _watch_call(result: Result, infos: list[Info], version: str) -> Call:
    from kubetrace.api import verbs
    from kubetrace.api.builder import list_options
    from kubetrace.trace.exchange import Purpose

    if len(result.sources) != 1:
        raise KubetraceError("you may only watch a single resource or type of resource at a time")
    purpose = Purpose("watch", "watch: what changes from here on?")
    info = infos[0]
    assert info.mapping is not None
    if result.targets_single_items:
        if len(infos) != 1:
            raise KubetraceError(
                "watch is only supported on individual resources and resource collections - "
                f"{len(infos)} resources were found"
            )
        options = verbs.ListOptions(field_selector=f"metadata.name={info.name}", resource_version=version)
        call = verbs.watch(info.mapping, info.namespace, options, purpose=purpose)
    else:
        options = _watch_options(list_options(result.request), version)
        namespace = result.request.namespace if info.mapping.namespaced else ""
        call = verbs.watch(info.mapping, namespace, options, purpose=purpose)
    transform = result.cluster.objects.transform
    return transform(call) if transform else call


def _watch_options(options: ListOptions, version: str) -> ListOptions:
    return replace(options, limit=0, resource_version=version)


def _follow(environment: Environment, options: GetOptions, call: Call, show: Show, shown: bool) -> None:
    """Prints each event. The first one of a single object is the object again, and not shown."""
    from kubetrace.api import status

    answer = environment.client.send(call)
    if not status.is_success(answer.status):
        raise status.failure(answer, events=environment.events)
    try:
        for event in read_events(answer.chunks()):
            value = event.get("object")
            if not isinstance(value, dict):
                continue
            show(str(event.get("type") or "") if options.output_watch_events else "", value, shown)
            environment.stdout.flush()
            shown = True
    except KubetraceError:
        return  # kubectl ends quietly when a watch breaks
    finally:
        answer.close()


def read_events(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON values of a watch stream, a line each."""
    from kubetrace.wire.go_json import InvalidJSON, loads

    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.strip():
                continue
            try:
                value = loads(line)
            except InvalidJSON:
                return
            if isinstance(value, dict):
                yield value

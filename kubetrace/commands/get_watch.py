"""`get --watch`: what is there, then every change, until the server ends the watch (kubectl pkg/cmd/get, watch)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments
from kubetrace.commands.colored import table_out
from kubetrace.commands.interrupts import ending_quietly
from kubetrace.errors import KubetraceError
from kubetrace.printing.printers import WatchEvent, is_list
from kubetrace.printing.table import is_table
from kubetrace.printing.tabwriter import TabWriter
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Request, Result
    from kubetrace.api.verbs import ListOptions
    from kubetrace.commands.get import GetOptions
    from kubetrace.environment import Environment
    from kubetrace.transport.answer import ClientAnswer
    from kubetrace.transport.call import Call

Show = Callable[[str, dict[str, Any], bool], None]
"""Prints an object with its event type ("" for none); with False only its columns are taken note of."""


def watch(environment: Environment, options: GetOptions, arguments: Arguments) -> None:
    """Prints, watches, and returns when the server closes the stream."""
    from kubetrace.api.builder import items_of
    from kubetrace.api.metadata import text
    from kubetrace.api.status import is_not_found
    from kubetrace.api.watch import events
    from kubetrace.commands.get import build_result

    result = build_result(environment, options, arguments, _for_watching(options))
    try:
        infos = result.infos()
    except KubetraceError as error:
        if options.ignore_not_found and is_not_found(error):
            return
        raise
    writer = TabWriter(table_out(environment) if options.is_table else environment.stdout)
    show = _shower(environment, options, infos[0], writer)
    whole = _whole(result, infos)
    listed = is_list(whole)
    initial = "ADDED" if options.output_watch_events else ""
    for value in items_of(whole) if listed else (whole,):
        try:
            show(initial, value, not options.watch_only)
        except KubetraceError as error:
            raise KubetraceError(f"unable to output the provided object: {error}") from None
    _flush(environment, writer)
    version = text(whole, "resourceVersion") if listed else "0"
    answer = _opened(environment, _watch_call(result, infos, version))
    with ending_quietly(), contextlib.closing(answer):
        shown = listed  # the first event of a single object is the object again
        for event in events(answer.chunks(), environment.events):
            try:
                show(event.type if options.output_watch_events else "", event.object, shown)
            except KubetraceError:
                return  # kubectl ends here without a word, exit code 0
            _flush(environment, writer)
            shown = True


def _flush(environment: Environment, writer: TabWriter) -> None:
    writer.flush()
    environment.stdout.flush()


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


def _shower(environment: Environment, options: GetOptions, info: Info, writer: TabWriter) -> Show:
    """How each object is shown. All of it goes through one tab writer, whatever the format, as in kubectl."""
    if options.is_table:
        from kubetrace.commands.get_table import table_printer

        table = table_printer(options, info.mapping, options.all_namespaces, False)

        def show_row(event: str, value: dict[str, Any], visible: bool) -> None:
            if visible or is_table(value):
                table.print(value if visible else {**value, "rows": []}, writer, event)

        return show_row
    from kubetrace.commands.get_objects import note_no_table, object_printer

    printer = object_printer(environment, options)

    def show_object(event: str, value: dict[str, Any], visible: bool) -> None:
        note_no_table(environment, options)
        if visible:
            printer.print(WatchEvent(event, value) if event else value, writer)

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
        call = replace(verbs.watch(info.mapping, info.namespace, options, purpose=purpose), operation="watch-one")
    else:
        options = _watch_options(list_options(result.request), version)
        namespace = result.request.namespace if info.mapping.namespaced else ""
        call = verbs.watch(info.mapping, namespace, options, purpose=purpose)
    call = replace(call, log_request_body=True)
    transform = result.cluster.objects.transform
    return transform(call) if transform else call


def _watch_options(options: ListOptions, version: str) -> ListOptions:
    return replace(options, limit=0, resource_version=version)


def _opened(environment: Environment, call: Call) -> ClientAnswer:
    """The watch's answer, its events still to come: they end without a word where the stream breaks, as kubectl's."""
    from kubetrace.api import status

    answer = environment.client.send(call)
    if not status.is_success(answer.status):
        raise status.failure(answer, events=environment.events)
    return answer

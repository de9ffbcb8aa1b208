"""`events`: what happened lately (kubectl pkg/cmd/events)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.resources import GroupVersionKind
    from kubetrace.api.verbs import ListOptions
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.wire.go_struct import TypedObject

Event = dict[str, Any]

_TYPES = ("normal", "warning")
_CHUNK = 500
"""Events a page. kubectl has a flag for it and does not look at it."""


class EventsOptions(PrintOptions):
    all_namespaces: bool = flag(
        False, "A", help="Events of every namespace; the current one and --namespace count for nothing."
    )
    chunk_size: int = flag(500, help="Has no effect: long lists are fetched in pages of 500.")
    about: str = flag("", name="for", help="Only events about this object: TYPE/NAME.")
    no_headers: bool = flag(False, help="Leave out the heading of the table.")
    types: tuple[str, ...] = flag((), help="Only events of these types: Normal, Warning.")
    watch: bool = flag(False, "w", help="Go on with every new event after the listed ones.")


def run(environment: Environment, options: EventsOptions, arguments: Arguments) -> None:
    namespace = "" if options.all_namespaces else environment.namespace
    selector = _selector(environment, options.about) if options.about else ""
    environment.make_client()
    show = _Show(environment, options)
    for name in options.types:
        if name.lower() not in _TYPES:
            raise KubetraceError("valid --types are Normal or Warning")
    from kubetrace.api.verbs import ListOptions

    query = ListOptions(field_selector=selector, limit=_CHUNK)
    if options.watch:
        _watch(environment, namespace, query, show)
        return
    found = [event for event in _list(environment, namespace, query) if show.wants(event)]
    if not found:
        where = "" if options.all_namespaces else f" in {environment.namespace} namespace"
        environment.stderr.write(f"No events found{where}.\n")
        return
    _sort(found)
    show.all(found)


def _selector(environment: Environment, text: str) -> str:
    """The field selector for the events of one object; of all where its name is empty ("pod/")."""
    _ = environment.cluster.mapper
    parts = text.split("/")
    if len(parts) == 1:
        raise KubetraceError("--for must be in resource/name form")
    if len(parts) > 2:
        raise KubetraceError("arguments in resource/name form may not have more than one slash")
    kind = _kind(environment, parts[0].lower())
    if not parts[1]:
        return ""
    terms = (("kind", kind.kind), ("apiVersion", kind.api_version), ("name", parts[1]))
    return ",".join(f"involvedObject.{field}={value}" for field, value in terms)


def _kind(environment: Environment, word: str) -> GroupVersionKind:
    from kubetrace.api.resources import GroupVersionResource, parse_resource_argument

    mapper = environment.cluster.mapper
    versioned, resource = parse_resource_argument(word)
    if versioned is not None:
        try:
            return mapper.kind_for(mapper.resource_for(versioned))
        except KubetraceError:
            pass
    return mapper.kind_for(mapper.resource_for(GroupVersionResource(resource.group, "", resource.resource)))


def _list(environment: Environment, namespace: str, query: ListOptions) -> Iterator[Event]:
    from kubetrace.api.status import StatusError
    from kubetrace.api.typed_kinds import EVENTS
    from kubetrace.trace.exchange import Purpose

    purpose = Purpose("events", "events: what happened lately?")
    try:
        for page in environment.cluster.objects.pages(
            EVENTS, namespace, query, purpose=purpose, operation="typed-list"
        ):
            yield from page.get("items") or ()
    except StatusError as error:
        raise error.without_type() from None


def _watch(environment: Environment, namespace: str, query: ListOptions, show: _Show) -> None:
    """Every event as it comes, the ones that are there first. The end of the stream is the end, without a word."""
    from kubetrace.api import status, verbs
    from kubetrace.api.typed_kinds import EVENTS
    from kubetrace.api.watch import events
    from kubetrace.errors import SilentExit
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    purpose = Purpose("watch", "watch: what changes from here on?")
    call = replace(verbs.watch(EVENTS, namespace, query, purpose=purpose), operation="typed-watch")
    answer = environment.client.send(call)
    if not status.is_success(answer.status):
        raise status.failure(answer, events=environment.events)
    try:
        for change in events(answer.chunks(), environment.events):
            if change.type == "ERROR":
                return
            if change.type in ("ADDED", "MODIFIED") and show.wants(change.object):
                show.one(change.object)
    except KeyboardInterrupt:
        raise SilentExit(1) from None
    finally:
        answer.close()


def _sort(found: list[Event]) -> None:
    """By the time each was seen last, in the order that Go's unstable sort leaves equal ones in."""
    from kubetrace.api.go_sort import go_sort
    from kubetrace.printing.describe.writer import epoch

    def moment(event: Event) -> Any:
        series = event.get("series")
        if series is not None:
            return epoch(series.get("lastObservedTime"))
        return epoch(event.get("lastTimestamp") or event.get("eventTime"))

    go_sort(found, lambda left, right: bool(moment(left) < moment(right)))


class _Show:
    """How events are printed: a table whose columns grow, or each format of -o. What a printer does not like is not
    told, as in kubectl."""

    def __init__(self, environment: Environment, options: EventsOptions) -> None:
        from kubetrace.commands.colored import table_out
        from kubetrace.printing.tabwriter import TabWriter

        self._environment = environment
        self._options = options
        self._types = {name.lower() for name in options.types}
        self._headed = options.no_headers
        self._printer: Printer | None = None
        if options.output:
            from kubetrace.commands.writing import object_printer

            self._printer = object_printer(environment, options, "")
        self._writer = TabWriter(environment.stdout if self._printer else table_out(environment))

    def wants(self, event: Event) -> bool:
        return not self._types or str(event.get("type") or "").lower() in self._types

    def all(self, events: list[Event]) -> None:
        if self._printer is None:
            self._rows(events)
            self._writer.flush()
        elif self._options.output != "name":  # kubectl's name printer takes no typed lists
            from kubetrace.wire.go_struct import TypedObject

            items = [_typed(event) for event in events]
            self._print(TypedObject({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items}))

    def one(self, event: Event) -> None:
        if self._printer is None:
            self._rows([event])
        else:
            self._print(_typed(event))
        self._writer.flush()
        self._environment.stdout.flush()

    def _print(self, value: TypedObject) -> None:
        import contextlib

        assert self._printer is not None
        with contextlib.suppress(KubetraceError):
            self._printer.print(value, self._writer)
        self._writer.flush()

    def _rows(self, events: list[Event]) -> None:
        every = self._options.all_namespaces
        rows = []
        if not self._headed:
            rows.append([*(["NAMESPACE"] if every else []), "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"])
            self._headed = True
        for event in events:
            namespace = [str((event.get("metadata") or {}).get("namespace") or "")] if every else []
            rows.append([*namespace, *_cells(event)])
        for row in rows:
            self._writer.write("\t".join(row) + "\n")


def _typed(event: Event) -> TypedObject:
    from kubetrace.commands.writing import as_typed

    return as_typed({**event, "apiVersion": "v1", "kind": "Event"})


def _cells(event: Event) -> list[str]:
    import time

    from kubetrace.printing.describe.events import interval
    from kubetrace.printing.tabwriter import escape_terminal

    involved = event.get("involvedObject") or {}
    texts = (
        str(event.get("type") or ""),
        str(event.get("reason") or ""),
        f"{involved.get('kind') or ''}/{involved.get('name') or ''}",
        str(event.get("message") or "").strip(),
    )
    return [interval(event, time.time()), *map(escape_terminal, texts)]


COMMAND = Command(
    run=run,
    options=EventsOptions,
    may_take_long=True,
    usage=(
        "events [(-o|--output=)json|yaml|kyaml|name|go-template|go-template-file|template|templatefile|jsonpath|"
        "jsonpath-as-json|jsonpath-file] [--for TYPE/NAME] [--watch] [--types=Normal,Warning] [options]"
    ),
    description="""
    List events: of the current namespace, of all, or those about one object, the latest last.
    """,
    examples="""
    # The current namespace's, every namespace's
    kubetrace events
    kubetrace events --all-namespaces

    # Those about one pod, then every new one
    kubetrace events --for pod/web-0 --watch

    # As YAML
    kubetrace events -o yaml

    # Only warnings
    kubetrace events --types=Warning
    """,
)

"""One object, watched until something holds: what kubectl's UntilWithSync does (client-go tools/watch/until.go with
tools/cache/reflector.go).

The object's first state comes first: streamed where the server can do that (WatchList, 1.32), listed where not. Then
`precondition` looks at it (None: the object is not there), then every event goes to `condition`. Whatever the server
refuses is logged, and everything begins anew a little later, for as long as there is time.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.built import items_of
from kubetrace.api.metadata import string_map, text
from kubetrace.api.status import (
    check,
    is_expired,
    is_gone,
    is_success,
    is_too_large_version,
    is_too_many_requests,
)
from kubetrace.api.watch import WatchEvent, events
from kubetrace.commands.interrupts import ending_quietly
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.errors import TransportError
from kubetrace.value import Mutable, Value, fresh, replace

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.environment import Environment
    from kubetrace.trace.exchange import Operation
    from kubetrace.transport.call import Answer

Object = dict[str, Any]
Change = tuple[str, Object]
Precondition = Callable[[Object | None], bool]
Condition = Callable[[str, Object], bool]
"""Gets the type (ADDED, MODIFIED, DELETED) and the object of an event; True ends the wait."""

_LOG_NAME = "k8s.io/client-go/tools/watch/informerwatcher.go:162"
_UNSTRUCTURED = "*unstructured.Unstructured"
_BACK_OFF = 0.8
_LONGEST_BACK_OFF = 30.0
_BACK_OFF_FORGOTTEN = 120.0
"""Seconds of the pauses: the first, the longest, and how long after one the next is a first one again."""
_SHORT = 1.0
"""Seconds: a watch that ends sooner without an event is no watch, and everything begins anew."""


class TimedOut(KubetraceError):
    """Time was up before anything held."""

    def __init__(self) -> None:
        super().__init__("timed out waiting for the condition")


class Reflector(Value):
    """Watches one object by its name. `go_type` is what kubectl's log calls the objects' type."""

    environment: Environment
    mapping: Mapping
    namespace: str
    name: str
    purpose: Purpose
    go_type: str = _UNSTRUCTURED

    def until(self, precondition: Precondition, condition: Condition, deadline: float) -> None:
        """Returns when either says so. `deadline` is on time.monotonic's clock (math.inf: none). Raises TimedOut, and
        what the two functions raise. A signal ends the program quietly, as in everything that kubectl waits for so."""
        with ending_quietly():
            self.tell("reflector-started", resync="0s")
            run = _Run(self, precondition, condition, deadline)
            try:
                while not run.lists_and_watches():
                    run.pause()
            finally:
                self.tell("reflector-stopped", resync="0s")

    def tell(self, name: str, **values: Any) -> None:
        self.environment.note(name, type=self.go_type, reflector=_LOG_NAME, **values)

    @property
    def _typed(self) -> bool:
        """Does kubectl ask with a typed client?"""
        return self.go_type != _UNSTRUCTURED

    def watch(self, options: verbs.ListOptions, deadline: float) -> _Watch:
        """Raises KubetraceError where the server refuses, or is not there."""
        seconds = random.randint(300, 599)
        options = replace(options, field_selector=self._selector, allow_bookmarks=True, timeout_seconds=seconds)
        call = verbs.watch(self.mapping, self.namespace, options, purpose=self.purpose)
        if self._typed:  # typed clients bound the request by the same time
            call = replace(call, query=(*call.query, ("timeout", verbs.go_duration(seconds))))
        started = time.monotonic()
        remaining = max(deadline - started, 0.001)
        request = self.environment.request_timeout or math.inf
        bound = min(remaining, request)
        answer = self.environment.client.send(
            replace(
                call,
                operation=self._operation(options),
                timeout=None if bound == math.inf else bound,
                log_request_body=True,
            )
        )
        if not is_success(answer.status):
            try:
                check(answer, self.mapping.resource.group_resource)
            finally:
                answer.close()
        return _Watch(answer, started, self.environment.events if request < remaining else None)

    def _operation(self, options: verbs.ListOptions) -> Operation:
        if options.send_initial_events:
            return "typed-watch-list" if self._typed else "dynamic-watch-list"
        return "typed-watch" if self._typed else "dynamic-watch"

    def list(self, version: str) -> Object:
        """A list at that version or a later one: from the server's cache in one piece where a version is known, else in
        pages, of which one object needs one. Raises KubetraceError."""
        limit = 500 if version in ("", "0") else 0
        options = verbs.ListOptions(field_selector=self._selector, limit=limit, resource_version=version)
        call = verbs.list_(self.mapping, self.namespace, options, purpose=self.purpose)
        call = replace(call, operation="typed-list" if self._typed else "dynamic-list")
        page: Object = self.environment.cluster.objects.send(call, self.mapping)
        return page

    @property
    def _selector(self) -> str:
        return f"metadata.name={self.name}"


class _Watch:
    """One watch: its events up to its end or its first error, which is `failure` then. `observers` are told where the
    request's own time runs out."""

    def __init__(self, answer: Answer, started: float, observers: Events | None) -> None:
        self._answer = answer
        self._started = started
        self._observers = observers
        self._events = self._read()
        self.count = 0
        self.failure: KubetraceError | None = None

    def __iter__(self) -> Iterator[WatchEvent]:
        return self._events

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def begin_again(self) -> None:
        """What has come so far was the first state: the watch counts from here."""
        self.count, self._started = 0, time.monotonic()

    def _read(self) -> Iterator[WatchEvent]:
        for event in events(self._answer.chunks(), self._observers):
            if event.type == "ERROR":
                self.failure = event.error()
                return
            self.count += 1
            yield event
        if not self.count and self.seconds < _SHORT:
            self.failure = KubetraceError(
                f"very short watch: {_LOG_NAME}: Unexpected watch close - watch lasted less than a second and no items "
                "received"
            )

    def close(self) -> None:
        self._answer.close()


class _Run(Mutable):
    """One wait: what is known of the object, and how far its watches have come. `unavailable`: the server does not know
    that version any more; `looked`: the precondition has seen the first state."""

    reflector: Reflector
    precondition: Precondition
    condition: Condition
    deadline: float
    known: Object | None = None
    version: str = ""
    unavailable: bool = False
    looked: bool = False
    back_off: float = _BACK_OFF
    paused: float = -math.inf
    changes: list[Change] = fresh(list)
    """What the latest state has brought and nobody has looked at yet."""

    @property
    def _late(self) -> bool:
        return time.monotonic() >= self.deadline

    def pause(self) -> None:
        """The reflector's back-off. Raises TimedOut."""
        if time.monotonic() - self.paused > _BACK_OFF_FORGOTTEN:
            self.back_off = _BACK_OFF
        seconds, self.back_off = self.back_off, min(2 * self.back_off, _LONGEST_BACK_OFF)
        remaining = self.deadline - time.monotonic()
        time.sleep(max(min(seconds * (1 + random.random()), remaining), 0.0))
        self.paused = time.monotonic()
        if self._late:
            raise TimedOut

    def lists_and_watches(self) -> bool:
        """Reflector.ListAndWatch. Does it hold? False where everything has to begin anew."""
        tell = self.reflector.tell
        tell("reflector-listing")
        watch = self._streamed()
        if watch is None:
            if self._late:
                return False
            try:
                self._list()
            except KubetraceError as error:
                self._tell_failed(error, f"failed to list {self.reflector.go_type}: {error}")
                return False
        tell("reflector-populated")
        return self._watches(watch)

    def _tell_failed(self, error: KubetraceError, words: str) -> None:
        """DefaultWatchErrorHandler; nobody is told of what fails because time is up."""
        if not self._late:
            self.reflector.tell("reflector-expired" if _is_expired(error) else "reflector-failed", error=words)

    # --- the first state ----------------------------------------------------------------------------------------------

    def _streamed(self) -> _Watch | None:
        """A watch that has brought it (Reflector.watchList); None where it has to be listed, or time is up."""
        while not self._late:
            version = "" if self.unavailable else self.version
            options = verbs.ListOptions(
                resource_version=version, send_initial_events=True, resource_version_match="NotOlderThan"
            )
            try:
                watch = self.reflector.watch(options, self.deadline)
            except KubetraceError as error:
                failure: KubetraceError | None = error
            else:
                if self._takes_first(watch):
                    return watch
                watch.close()
                failure = watch.failure
            if failure is not None and not self._may_stream_again(failure):
                if not self._late:
                    self.reflector.environment.note("watch-list-refused", error=str(failure))
                return None
        return None

    def _may_stream_again(self, failure: KubetraceError) -> bool:
        if _may_be_repeated(failure):
            self.reflector.tell("watch-list-backing-off", error=str(failure))
            self.pause()
            return True
        if _is_expired(failure) or is_too_large_version(failure):
            self.unavailable = True
            return True
        return False

    def _takes_first(self, watch: _Watch) -> bool:
        """Events up to the bookmark that ends the first state are that state."""
        first: dict[str, Object] = {}
        for event in watch:
            value = event.object
            if event.type == "DELETED":
                first.pop(text(value, "name"), None)
            elif event.type != "BOOKMARK":
                first[text(value, "name")] = value
            elif string_map(value, "annotations").get("k8s.io/initial-events-end") == "true":
                self.reflector.tell("watch-list-bookmark", items=watch.count, seconds=watch.seconds)
                watch.begin_again()
                self._replace(list(first.values()), event.resource_version)
                return True
        self._tell_closed(watch)
        return False

    def _tell_closed(self, watch: _Watch) -> None:
        """Nobody is told of a watch that was cut off because time is up."""
        if watch.failure is None and not self._late:
            self.reflector.tell("watch-closed", items=watch.count)

    def _list(self) -> None:
        """Raises KubetraceError."""
        try:
            page = self.reflector.list("" if self.unavailable else self.version or "0")
        except KubetraceError as error:
            if not (_is_expired(error) or is_too_large_version(error)):
                raise
            self.unavailable = True
            page = self.reflector.list("")
        self._replace(list(items_of(page)), text(page, "resourceVersion"))

    def _replace(self, items: list[Object], version: str) -> None:
        known, self.known = self.known, items[0] if items else None
        self.version, self.unavailable = version, False
        if self.known is not None:
            self.changes.append(("ADDED" if known is None else "MODIFIED", self.known))
        elif known is not None:
            self.changes.append(("DELETED", known))

    # --- what happens then --------------------------------------------------------------------------------------------

    def _watches(self, watch: _Watch | None) -> bool:
        """Watch after watch from the last version that was seen (Reflector.watch)."""
        while not self._late:
            if watch is None:
                # UntilWithSync looks every 100 ms whether the first state is there: by then there is a watch, or none.
                try:
                    watch = self.reflector.watch(verbs.ListOptions(resource_version=self.version), self.deadline)
                except KubetraceError as error:
                    if self._holds():
                        return True
                    if not _may_be_repeated(error):
                        self._tell_failed(error, str(error))
                        return False
                    self.reflector.tell("watch-backing-off", error=str(error))
                    self.pause()
                    continue
            try:
                if self._holds() or any(self._takes(event) for event in watch):
                    return True
            finally:
                watch.close()
            self._tell_closed(watch)
            if watch.failure is not None and not self._may_go_on_after(watch.failure):
                return False
            watch = None
        return False

    def _may_go_on_after(self, failure: KubetraceError) -> bool:
        if self._late:
            return False
        if _is_expired(failure):
            self.reflector.tell("watch-expired", error=str(failure))
            return False
        if is_too_many_requests(failure):
            self.reflector.tell("watch-throttled")
            self.pause()
            return True
        self.reflector.tell("watch-ended-with-error", error=str(failure))
        return False

    def _holds(self) -> bool:
        """Looks at what the latest state has brought."""
        changes, self.changes = self.changes, []
        if not self.looked:
            self.looked = True
            if self.precondition(self.known):
                return True
        return any(self.condition(kind, value) for kind, value in changes)

    def _takes(self, event: WatchEvent) -> bool:
        """An event, as the informer's store knows it."""
        self.version = event.resource_version or self.version
        if event.type == "BOOKMARK":
            return False
        known, self.known = self.known, None if event.type == "DELETED" else event.object
        if event.type != "DELETED":
            return self.condition("ADDED" if known is None else "MODIFIED", event.object)
        return known is not None and self.condition("DELETED", event.object)


def _is_expired(error: KubetraceError) -> bool:
    return is_expired(error) or is_gone(error)


def _may_be_repeated(error: KubetraceError) -> bool:
    """isWatchErrorRetriable."""
    if isinstance(error, TransportError):
        return "connection refused" in error.reason
    return is_too_many_requests(error)

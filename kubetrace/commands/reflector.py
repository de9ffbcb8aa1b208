"""One object, watched until something holds: what kubectl's UntilWithSync does (client-go tools/watch/until.go with
tools/cache/reflector.go).

The object's first state comes first: streamed where the server can do that (WatchList, 1.32), listed where not. Then
`precondition` looks at it (None: the object is not there), then every event goes to `condition`.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.built import items_of
from kubetrace.api.metadata import string_map, text
from kubetrace.api.status import check, is_invalid, is_success
from kubetrace.api.watch import WatchEvent, events
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Answer

Object = dict[str, Any]
Precondition = Callable[[Object | None], bool]
Condition = Callable[[str, Object], bool]
"""Gets the type (ADDED, MODIFIED, DELETED) and the object of an event; True ends the wait."""

_LOG_NAME = "k8s.io/client-go/tools/watch/informerwatcher.go:162"


_UNSTRUCTURED = "*unstructured.Unstructured"
_BACK_OFF = 0.8
"""Seconds before a watch that ended is begun anew (the reflector's first back-off)."""


class TimedOut(KubetraceError):
    """Time was up before anything held."""


class Reflector(Value):
    """Watches one object by its name. `go_type` is what kubectl's log calls the objects' type."""

    environment: Environment
    mapping: Mapping
    namespace: str
    name: str
    purpose: Purpose
    go_type: str = _UNSTRUCTURED

    @property
    def _typed(self) -> bool:
        """Does kubectl ask with a typed client?"""
        return self.go_type != _UNSTRUCTURED

    def until(self, precondition: Precondition, condition: Condition, deadline: float) -> None:
        """Returns when either says so. `deadline` is on time.monotonic's clock (math.inf: none). Raises TimedOut, and
        what the calls and the two functions raise."""
        self._tell("reflector-started", resync="0s")
        try:
            while not self._round(precondition, condition, deadline):
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimedOut("timed out waiting for the condition")
                time.sleep(min(_BACK_OFF, remaining))
        finally:
            self._tell("reflector-stopped", resync="0s")

    def _tell(self, name: str, **values: Any) -> None:
        self.environment.note(name, type=self.go_type, reflector=_LOG_NAME, **values)

    def _round(self, precondition: Precondition, condition: Condition, deadline: float) -> bool:
        """The first state and the events after it; False when the stream ended and nothing had held."""
        self._tell("reflector-listing")
        if time.monotonic() >= deadline:
            return False
        selector = f"metadata.name={self.name}"
        streamed = verbs.ListOptions(
            field_selector=selector,
            allow_bookmarks=True,
            send_initial_events=True,
            resource_version_match="NotOlderThan",
        )
        try:
            return self._streamed(streamed, precondition, condition, deadline)
        except KubetraceError as error:
            if not is_invalid(error):
                raise
            self._note_refusal(error)
        first = verbs.ListOptions(field_selector=selector, limit=500, resource_version="0")
        call = verbs.list_(self.mapping, self.namespace, first, purpose=self.purpose)
        call = replace(call, operation="typed-list" if self._typed else "dynamic-list")
        page = self.environment.cluster.objects.send(call, self.mapping)
        self._tell("reflector-populated")
        items = list(items_of(page))
        options = verbs.ListOptions(
            field_selector=selector, allow_bookmarks=True, resource_version=text(page, "resourceVersion")
        )
        # UntilWithSync looks every 100 ms whether the first state is there: by then the reflector has its watch.
        answer = self._open(options, deadline)
        try:
            if precondition(items[0] if items else None) or any(condition("ADDED", item) for item in items):
                return True
            return any(_holds(event, condition) for event in _sent(answer))
        finally:
            answer.close()

    def _note_refusal(self, error: KubetraceError) -> None:
        self.environment.note("watch-list-refused", error=str(error))

    def _streamed(
        self, options: verbs.ListOptions, precondition: Precondition, condition: Condition, deadline: float
    ) -> bool:
        answer = self._open(options, deadline)
        try:
            return self._read(answer, precondition, condition)
        finally:
            answer.close()

    def _open(self, options: verbs.ListOptions, deadline: float) -> Answer:
        seconds = random.randint(300, 599)
        options = replace(options, timeout_seconds=seconds)
        call = verbs.watch(self.mapping, self.namespace, options, purpose=self.purpose)
        if self._typed:  # typed clients bound the request by the same time
            call = replace(call, query=(*call.query, ("timeout", verbs.go_duration(seconds))))
        remaining = None if deadline == math.inf else max(deadline - time.monotonic(), 0.001)
        answer = self.environment.client.send(
            replace(
                call,
                operation="typed-watch" if self._typed else "dynamic-watch",
                timeout=remaining,
                log_request_body=True,
            )
        )
        if not is_success(answer.status):
            try:
                check(answer, self.mapping.resource.group_resource)
            finally:
                answer.close()
        return answer

    def _read(self, answer: Answer, precondition: Precondition, condition: Condition) -> bool:
        """Events up to the bookmark that ends the first state are that state."""
        first: dict[str, Object] = {}
        synced = False
        started = time.monotonic()
        for count, event in enumerate(_sent(answer), 1):
            kind, value = event.type, event.object
            if synced:
                if _holds(event, condition):
                    return True
            elif kind == "BOOKMARK":
                if string_map(value, "annotations").get("k8s.io/initial-events-end") != "true":
                    continue
                self._tell("watch-list-bookmark", items=count, seconds=time.monotonic() - started)
                self._tell("reflector-populated")
                synced = True
                if precondition(next(iter(first.values()), None)):
                    return True
                if any(condition("ADDED", item) for item in first.values()):
                    return True
            elif kind == "DELETED":
                first.pop(text(value, "name"), None)
            else:
                first[text(value, "name")] = value
        return False


def _sent(answer: Answer) -> Iterator[WatchEvent]:
    """A watch's events up to the first error: kubectl's reflector begins anew after one and tells nobody."""
    return takewhile(lambda event: event.type != "ERROR", events(answer.chunks()))


def _holds(event: WatchEvent, condition: Condition) -> bool:
    return event.type != "BOOKMARK" and condition(event.type, event.object)

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
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.built import items_of
from kubetrace.api.metadata import string_map, text
from kubetrace.api.status import StatusError, check, is_expired, is_gone, is_invalid, is_success
from kubetrace.api.watch import WatchEvent, events
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.errors import TransportError
from kubetrace.value import Mutable, Value, replace

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


_LONGEST_BACK_OFF = 30.0
_SHORT = 1.0
"""Seconds: a watch that ends sooner without an event is no watch, and everything begins anew."""


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
        seen = _Seen()
        try:
            while not self._lasting_round(seen, precondition, condition, deadline):
                self._pause(seen, deadline)
        finally:
            self._tell("reflector-stopped", resync="0s")

    def _lasting_round(self, seen: _Seen, precondition: Precondition, condition: Condition, deadline: float) -> bool:
        """A round; once there has been a first state, a server out of reach is waited for."""
        had_synced = seen.synced
        seen.synced = seen.failed = False
        try:
            return self._round(seen, precondition, condition, deadline)
        except TransportError as error:
            seen.synced = seen.synced or had_synced
            if not seen.synced or time.monotonic() >= deadline:
                raise
            self._tell("reflector-failed", error=str(error))
            return False

    @staticmethod
    def _pause(seen: _Seen, deadline: float) -> None:
        """The reflector's back-off. Raises TimedOut."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimedOut("timed out waiting for the condition")
        time.sleep(min(seen.back_off, remaining))
        seen.back_off = min(2 * seen.back_off, _LONGEST_BACK_OFF)

    def _tell(self, name: str, **values: Any) -> None:
        self.environment.note(name, type=self.go_type, reflector=_LOG_NAME, **values)

    def _round(self, seen: _Seen, precondition: Precondition, condition: Condition, deadline: float) -> bool:
        """The first state and the events after it, in as many watches as it takes; False when they ended in a way that
        everything has to begin anew."""
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
            if self._streamed(streamed, seen, precondition, condition, deadline):
                return True
            return seen.synced and self._watched_on(seen, condition, deadline)
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
        seen.begun(text(page, "resourceVersion"))
        try:
            if precondition(items[0] if items else None) or any(condition("ADDED", item) for item in items):
                return True
            if any(_holds(event, condition) for event in seen.sent(answer)):
                return True
        finally:
            answer.close()
        return self._watched_on(seen, condition, deadline)

    def _watched_on(self, seen: _Seen, condition: Condition, deadline: float) -> bool:
        """Watch after watch from the last version that was seen (Reflector.watch); a server that does not listen or
        has too much to do is asked again later. False where everything has to begin anew."""
        selector = f"metadata.name={self.name}"
        while not seen.failed and time.monotonic() < deadline:
            options = verbs.ListOptions(field_selector=selector, allow_bookmarks=True, resource_version=seen.version)
            try:
                answer = self._open(options, deadline)
            except KubetraceError as error:
                if is_expired(error) or is_gone(error):
                    return False
                if not _may_be_repeated(error):
                    raise
                self._tell("watch-backing-off", error=str(error))
                self._pause(seen, deadline)
                continue
            seen.watch_begun()
            try:
                if any(_holds(event, condition) for event in seen.sent(answer)):
                    return True
            finally:
                answer.close()
        return False

    def _note_refusal(self, error: KubetraceError) -> None:
        self.environment.note("watch-list-refused", error=str(error))

    def _streamed(
        self,
        options: verbs.ListOptions,
        seen: _Seen,
        precondition: Precondition,
        condition: Condition,
        deadline: float,
    ) -> bool:
        answer = self._open(options, deadline)
        seen.watch_begun()
        try:
            return self._read(answer, seen, precondition, condition)
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

    def _read(self, answer: Answer, seen: _Seen, precondition: Precondition, condition: Condition) -> bool:
        """Events up to the bookmark that ends the first state are that state."""
        first: dict[str, Object] = {}
        started = time.monotonic()
        for count, event in enumerate(seen.sent(answer), 1):
            kind, value = event.type, event.object
            if seen.synced:
                if _holds(event, condition):
                    return True
            elif kind == "BOOKMARK":
                if string_map(value, "annotations").get("k8s.io/initial-events-end") != "true":
                    continue
                self._tell("watch-list-bookmark", items=count, seconds=time.monotonic() - started)
                self._tell("reflector-populated")
                seen.begun(event.resource_version)
                if precondition(next(iter(first.values()), None)):
                    return True
                if any(condition("ADDED", item) for item in first.values()):
                    return True
            elif kind == "DELETED":
                first.pop(text(value, "name"), None)
            else:
                first[text(value, "name")] = value
        return False


class _Seen(Mutable):
    """How far the watches of one object have come: the version after which the next one begins, and `synced` once the
    first state was there. `failed` says that they can't go on from there."""

    version: str = ""
    synced: bool = False
    failed: bool = False
    back_off: float = _BACK_OFF
    _since: float = 0.0

    def begun(self, version: str) -> None:
        """The first state is there."""
        self.version, self.synced, self.back_off = version, True, _BACK_OFF

    def watch_begun(self) -> None:
        self._since, self.back_off = time.monotonic(), _BACK_OFF

    def sent(self, answer: Answer) -> Iterator[WatchEvent]:
        """A watch's events up to the first error: kubectl's reflector begins anew after one and tells nobody."""
        count = 0
        for event in events(answer.chunks()):
            if event.type == "ERROR":
                self.failed = True
                return
            count += 1
            self.version = event.resource_version or self.version
            yield event
        self.failed = not count and time.monotonic() - self._since < _SHORT


def _may_be_repeated(error: KubetraceError) -> bool:
    """isWatchErrorRetriable (client-go tools/cache/reflector.go)."""
    if isinstance(error, TransportError):
        return "connection refused" in error.reason
    return isinstance(error, StatusError) and error.code == 429


def _holds(event: WatchEvent, condition: Condition) -> bool:
    return event.type != "BOOKMARK" and condition(event.type, event.object)

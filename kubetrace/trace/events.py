"""Who is told what happens while calls run: observers, and how events reach them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from kubetrace.trace.exchange import Event

Observer = Callable[[Event], None]
"""Anything callable with one event observes."""


class Events:
    """Hands every event to every observer, in order. A failing observer is dropped and reported once, and the command
    goes on: watching must not change what is watched. Safe to call from several threads (old discovery runs in
    parallel). With no observer `active` is False and emitters skip their work.

    Events that happen at one moment may be given at once. An observer with a method `together` gets them so (a file is
    written to once, then), every other one by one. One whose attribute `follows_frames` is False does without what
    passes within streams, frames and a watch's events, which are many."""

    def __init__(
        self, observers: Iterable[Observer] = (), on_failure: Callable[[Observer, Exception], None] | None = None
    ):
        self._observers = list(observers)
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self.contents = 0
        """How many bytes of each frame somebody wants to see."""
        self.streamed: int | None = 0
        """How many bytes of a body that is shown as it comes somebody wants to keep; None for all."""

    @property
    def active(self) -> bool:
        return bool(self._observers)

    @property
    def follows_frames(self) -> bool:
        """Does anybody want to be told of frames and of a watch's events?"""
        return any(getattr(observer, "follows_frames", True) for observer in self._observers)

    def add(self, observer: Observer) -> None:
        with self._lock:
            self._observers.append(observer)

    def remove(self, observer: Observer) -> None:
        with self._lock:
            if observer in self._observers:
                self._observers.remove(observer)

    def emit(self, *events: Event) -> None:
        for observer in tuple(self._observers):
            try:
                _tell(observer, events)
            except Exception as error:  # an observer's fault is never the command's
                self.remove(observer)
                if self._on_failure is not None:
                    self._on_failure(observer, error)


def _tell(observer: Observer, events: tuple[Event, ...]) -> None:
    together: Callable[[tuple[Event, ...]], None] | None = getattr(observer, "together", None)
    if together is not None and len(events) > 1:
        together(events)
        return
    for event in events:
        observer(event)

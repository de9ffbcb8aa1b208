"""The log of a run without -v: nearly nothing is ever written, so nothing is loaded until something is."""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.trace.events import Observer
from kubetrace.trace.exchange import Event, Note, Throttled, WarningReceived

AUDIBLE_NOTES = frozenset(
    {
        "applyset-conflict",
        "body-read-error",
        "config-not-found",
        "diff-without-lock",
        "diff-without-prune",
        "dry-run-bare",
        "dry-run-false",
        "dry-run-true",
        "forward-failed",
        "forward-no-error-stream",
        "forward-no-forwarding-stream",
        "forward-not-accepted",
        "forward-read-error",
        "forward-write-error",
        "group-list-failed",
        "negative-timeout",
        "proxy-bad-regexp",
        "proxy-error",
        "proxy-upgrade-error",
        "proxy-no-folder",
        "proxy-not-a-folder",
        "proxy-relaxed",
        "proxy-server-path",
        "proxy-unfiltered",
        "prune-beyond-namespace",
        "reflector-failed",
        "refreshing-credentials",
        "resource-list-failed",
        "resource-list-failed-again",
        "stderr-copy-failed",
        "stdin-wait-failed",
        "stdout-copy-failed",
        "unknown-stream",
        "unsortable-objects",
        "unsortable-rows",
        "validation-skipped",
        "watch-ended-with-error",
    }
)
"""Notes that some release writes at verbosity 0 (a test holds them against the dialects)."""
_LONG_THROTTLE = 1.0


class QuietLog:
    """Makes the real observer when the first event comes that it may write at verbosity 0, and hands it on."""

    follows_frames = False

    def __init__(self, make: Callable[[], Observer]) -> None:
        self._make = make
        self._observer: Observer | None = None

    def __call__(self, event: Event) -> None:
        if not is_audible(event):
            return
        if self._observer is None:
            self._observer = self._make()
        self._observer(event)


def is_audible(event: Event) -> bool:
    """May this event be written at verbosity 0?"""
    if isinstance(event, Note):
        return event.name in AUDIBLE_NOTES
    return isinstance(event, WarningReceived) or (isinstance(event, Throttled) and event.seconds > _LONG_THROTTLE)

"""Every view of a trace, one a file: a pure function from exchanges to pieces of text. A view is imported on use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from kubetrace.trace.exchanges import Recorded

View = Callable[[Iterable[Recorded]], Iterator[str]]

VIEWS = {
    "curl": "kubetrace.trace.views.curl",
    "har": "kubetrace.trace.views.har",
    "html": "kubetrace.trace.views.html",
    "lint": "kubetrace.trace.views.lint",
    "mermaid": "kubetrace.trace.views.mermaid",
    "rbac": "kubetrace.trace.views.rbac",
    "stats": "kubetrace.trace.views.stats",
}


def view(name: str) -> View:
    """A view by its name."""
    found: View = import_module(VIEWS[name]).render
    return found

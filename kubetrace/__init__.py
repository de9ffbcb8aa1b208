"""kubetrace: see exactly how Kubernetes commands become HTTP calls.

The library face is `kubetrace.transport.adapter.TracingAdapter`, also available as `kubetrace.TracingAdapter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubetrace.transport.adapter import TracingAdapter

__version__ = "0.1.0"

KUBECTL_VERSION = "1.36.4"
"""The kubectl release whose behaviour kubetrace follows."""

__all__ = ["KUBECTL_VERSION", "TracingAdapter", "__version__"]


def __getattr__(name: str) -> Any:
    """Imports the library face on use only: it needs requests, most commands do not."""
    if name == "TracingAdapter":
        from kubetrace.transport.adapter import TracingAdapter

        return TracingAdapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

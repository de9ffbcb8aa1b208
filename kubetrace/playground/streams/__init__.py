"""Subresources of pods, Services and nodes whose bodies are no objects: log, exec, attach, portforward, proxy."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubetrace.playground.containers.runtime import Runtime
    from kubetrace.playground.http import Answer, Request, Stream, Upgrade
    from kubetrace.playground.paths import Target
    from kubetrace.playground.storage import Store


def answer(
    runtime: Runtime, store: Store, request: Request, target: Target
) -> Answer | Stream | Upgrade | Awaitable[Answer]:
    """Raises 404 for a pod that is not there, and what each of them says."""
    from kubetrace.playground.status import not_found

    kind = target.subresource
    if kind == "proxy":
        from kubetrace.playground.streams.proxy import proxy

        return proxy(runtime.network, store, request, target)
    if kind == "log":
        from kubetrace.playground.streams.podlogs import Choice, read

        choice = Choice(request, target.name)  # which is looked at first
    pod = store.get("pods", target.namespace, target.name)
    if pod is None:
        raise not_found("pods", "", target.name)
    if kind == "log":
        return read(runtime, request, pod, choice)
    if kind == "portforward":
        from kubetrace.playground.streams.portforward import forward

        return forward(runtime.network, request, pod)
    from kubetrace.playground.streams import commands

    return commands.execute(runtime, request, pod) if kind == "exec" else commands.attach(runtime, request, pod)

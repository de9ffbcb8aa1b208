"""The container that `debug` has made: waited for, then attached to, or its log where that does not work (kubectl
pkg/cmd/debug/debug.go, handleAttachPod)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.commands.attach import AttachOptions
    from kubetrace.environment import Environment

Object = dict[str, Any]


class Attaching(Value):
    """How the container is attached to."""

    environment: Environment
    options: AttachOptions

    def run(self, namespace: str, pod_name: str) -> None:
        """Until the container ends, or the user leaves it. Raises KubetraceError."""
        from kubetrace.commands.attach import attach_or_log
        from kubetrace.commands.log_streams import print_log

        environment, options = self.environment, self.options
        pod, status = self._running(namespace, pod_name)
        if (status.get("state") or {}).get("terminated"):
            environment.note("debug-container-ended")
            print_log(environment, pod, options.container)
        else:
            attach_or_log(environment, pod, options, lambda: print_log(environment, pod, options.container))

    def _running(self, namespace: str, pod_name: str) -> tuple[Object, Object]:
        """The pod whose container runs, or has run, and the container's status."""
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.reflector import Reflector
        from kubetrace.trace.exchange import Purpose

        purpose = Purpose("debug", "debug: wait until the container runs")
        found: list[tuple[Object, Object]] = []

        def runs(kind: str, pod: Object) -> bool:
            status = self._status(kind, pod)
            state = (status or {}).get("state") or {}
            if status is None or not (state.get("running") or state.get("terminated")):
                return False
            found.append((pod, status))
            return True

        Reflector(self.environment, PODS, namespace, pod_name, purpose, "*v1.Pod").until(
            lambda pod: False, runs, math.inf
        )
        return found[0]

    def _status(self, kind: str, pod: Object) -> Object | None:
        """What an event says of the container. Raises KubetraceError where the pod is gone."""
        from kubetrace.api.resources import GroupResource
        from kubetrace.api.status import not_found
        from kubetrace.commands.debugging.go_text import shown_status

        environment, name = self.environment, self.options.container
        environment.note("debug-watch-event", type=kind)
        if kind == "DELETED":
            raise not_found(GroupResource("", "pods"), "")
        status = container_status(pod, name)
        if status is None:
            return None
        if environment.events.active and (words := shown_status(status)) is not None:
            environment.note("debug-container-status", text=words)
        state = status.get("state") or {}
        message = (state.get("waiting") or {}).get("message")
        if message and not (state.get("running") or state.get("terminated")) and not self.options.quiet:
            environment.warn(f"container {name}: {message}")
        return status


def container_status(pod: Object, name: str) -> Object | None:
    """The status of a container of any kind."""
    reported = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for status in reported.get(field) or ():
            if status.get("name") == name:
                found: Object = status
                return found
    return None

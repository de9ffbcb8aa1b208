"""The container that `debug` has made: waited for, then attached to, or its log where that does not work (kubectl
pkg/cmd/debug/debug.go, handleAttachPod)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kubetrace.api.metadata import text
from kubetrace.errors import KubetraceError, SilentExit
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.commands.attach import AttachOptions
    from kubetrace.environment import Environment

Object = dict[str, Any]


class Attaching(Value):
    """How the container is attached to; `command_path` is the command that would do it again."""

    environment: Environment
    options: AttachOptions
    command_path: str

    def run(self, namespace: str, pod_name: str) -> None:
        """Until the container ends, or the user leaves it. Raises KubetraceError."""
        from kubetrace.commands.attach import attach

        pod, status = self._running(namespace, pod_name)
        if (status.get("state") or {}).get("terminated"):
            self.environment.note("debug-container-ended")
            self._print_log(pod)
            return
        try:
            attach(self.environment, pod, self.options, self.command_path)
        except SilentExit:
            raise
        except KubetraceError as error:
            self.environment.stderr.write(
                f"warning: couldn't attach to pod/{pod_name}, falling back to streaming logs: {error}\n"
            )
            self._print_log(pod)

    def _running(self, namespace: str, pod_name: str) -> tuple[Object, Object]:
        """The pod whose container runs, or has run, and the container's status."""
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.interrupts import ending_quietly
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

        with ending_quietly():
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

    def _print_log(self, pod: Object) -> None:
        from kubetrace.api.pod_logs import LogRequest, PodLogOptions
        from kubetrace.commands.log_streams import LogStreams

        options = PodLogOptions(container=self.options.container)
        request = LogRequest(text(pod, "namespace"), text(pod, "name"), options)
        LogStreams(self.environment, follow=False, prefix=False, ignore_errors=False, timeout=0.0).copy([request], 1)


def container_status(pod: Object, name: str) -> Object | None:
    """The status of a container of any kind."""
    reported = pod.get("status") or {}
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for status in reported.get(field) or ():
            if status.get("name") == name:
                found: Object = status
                return found
    return None

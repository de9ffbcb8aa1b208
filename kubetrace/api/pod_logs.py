"""The logs of a pod's containers: whose are asked for, and with which options (kubectl
pkg/polymorphichelpers/logsforobject.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubetrace.api import status, verbs
from kubetrace.api.containers import (
    CONTAINERS,
    DEFAULT_CONTAINER,
    EPHEMERAL_CONTAINERS,
    INIT_CONTAINERS,
    container_names,
    containers_in,
    defaulted,
    find_container,
    is_ambiguous,
    no_such_container,
)
from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import string_map, text
from kubetrace.api.objects import Objects
from kubetrace.api.pods_behind import PodsBehind, for_logs, is_pod
from kubetrace.api.resources import GroupResource
from kubetrace.api.typed_kinds import PODS
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Operation, Purpose
from kubetrace.transport.call import Answer, Sender
from kubetrace.value import Value, replace
from kubetrace.wire.go_struct import go_type_of

Object = Mapping[str, Any]

WHAT_WAS_WRITTEN = Purpose("logs", "logs: what did the container write?")


class PodLogOptions(Value):
    """corev1.PodLogOptions: None and False are not sent. `since_time` is a time of the API; "" is the zero time."""

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    skip_backend_tls: bool = False
    since_seconds: int | None = None
    since_time: str | None = None
    tail_lines: int | None = None
    limit_bytes: int | None = None

    def query(self) -> tuple[tuple[str, str], ...]:
        def switch(on: bool) -> str | None:
            return "true" if on else None

        def number(value: int | None) -> str | None:
            return None if value is None else str(value)

        pairs = (
            ("container", self.container or None),
            ("follow", switch(self.follow)),
            ("insecureSkipTLSVerifyBackend", switch(self.skip_backend_tls)),
            ("limitBytes", number(self.limit_bytes)),
            ("previous", switch(self.previous)),
            ("sinceSeconds", number(self.since_seconds)),
            ("sinceTime", self.since_time),
            ("tailLines", number(self.tail_lines)),
            ("timestamps", switch(self.timestamps)),
        )
        return tuple((name, value) for name, value in pairs if value is not None)


class LogRequest(Value):
    """One container's log."""

    namespace: str
    pod: str
    options: PodLogOptions

    @property
    def container(self) -> str:
        return self.options.container

    def open(self, sender: Sender, *, again: bool = False) -> Answer:
        """The answer, its body still to come; `again` after a try that failed. Raises StatusError, TransportError."""
        operation: Operation = "logs-followed" if self.options.follow else "logs"
        call = verbs.get(PODS, self.namespace, self.pod, "log", purpose=WHAT_WAS_WRITTEN, accept=verbs.TYPED)
        answer = sender.send(
            replace(
                call, query=self.options.query(), operation="logs-followed-again" if again else operation, stream=True
            )
        )
        if not status.is_success(answer.status):
            raise status.failure(answer, GroupResource("", "pods"), self.pod).without_type()
        return answer


class Wanted(Value):
    """Whose logs are wanted of an object. `timeout` (seconds) is how long its first pod is waited for; `tell` gets the
    lines about what was chosen among several."""

    objects: Objects
    timeout: float
    tell: Callable[[str], object]
    all_containers: bool = False
    all_pods: bool = False

    def of(self, value: Object, options: PodLogOptions) -> list[LogRequest]:
        """The logs of a pod, of a list's pods, or of the pods behind anything else.

        Raises StatusError, TransportError, KubetraceError."""
        if isinstance(value.get("items"), list):
            return [request for pod in value["items"] for request in self._of_pod(pod, options)]
        if is_pod(value):
            return list(self._of_pod(value, options))
        try:
            behind = PodsBehind.of(self.objects, value, self.timeout)
        except KubetraceError as error:
            raise KubetraceError(f"cannot get the logs from {go_type_of(value)}: {error}") from None
        pods = behind.ranked(for_logs)
        if len(pods) == 1:
            return list(self._of_pod(pods[0], options))
        if self.all_pods:
            return [request for pod in behind.ranked(for_logs) for request in self._of_pod(pod, options)]
        self.tell(f"Found {len(pods)} pods, using pod/{text(pods[0], 'name')}\n")
        return list(self._of_pod(pods[0], options))

    def _of_pod(self, pod: Object, options: PodLogOptions) -> Iterator[LogRequest]:
        if self.all_containers:
            for name in container_names(pod, INIT_CONTAINERS, CONTAINERS, EPHEMERAL_CONTAINERS):
                yield _request(pod, replace(options, container=name))
            return
        name = options.container or self._default(pod)
        if find_container(pod, name) is None:
            raise no_such_container(pod, name)
        yield _request(pod, replace(options, container=name))

    def _default(self, pod: Object) -> str:
        """The annotation's container, or the first."""
        if annotated := string_map(pod, "annotations").get(DEFAULT_CONTAINER, ""):
            if find_container(pod, annotated) is not None:
                return annotated
            self.tell(f"Default container name {quoted(annotated)} not found in pod {text(pod, 'name')}\n")
        containers = containers_in(pod, CONTAINERS)
        first = str(containers[0].get("name") or "") if containers else ""
        if is_ambiguous(pod) and not self.all_pods:
            self.tell(defaulted(pod, first))
        return first


def _request(pod: Object, options: PodLogOptions) -> LogRequest:
    return LogRequest(text(pod, "namespace"), text(pod, "name"), options)

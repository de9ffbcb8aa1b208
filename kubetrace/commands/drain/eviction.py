"""Pods are evicted, all at the same time, or deleted, and waited for (kubectl pkg/drain/drain.go)."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

from kubetrace.api import last_applied, verbs
from kubetrace.api.aggregates import AggregateError
from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import text
from kubetrace.api.resources import GroupVersion
from kubetrace.api.status import StatusError, is_forbidden, is_not_found, is_too_many_requests
from kubetrace.api.typed_kinds import PODS
from kubetrace.commands.drain.nodes import tell
from kubetrace.commands.drain.pods import Pod, overdue
from kubetrace.commands.writing import DryRun
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.call import Call
from kubetrace.value import replace
from kubetrace.wire import go_json

POLL = 1.0
RETRY = 5.0
"""Seconds between two looks at a pod that is going, and between two tries to evict one."""
PARALLEL_CALLS = 25
"""How many calls are under way at a time; however many pods are waited for."""

_EVICT = Purpose("drain", "drain: the pod shall go, if its budget allows it")
_DELETE = Purpose("drain", "drain: the pod shall go")
_GONE = Purpose("drain", "drain: is the pod gone?")


class Removal:
    """How pods are removed: `grace_period` in seconds (negative: each pod's own), `timeout` in seconds for all of a
    node's pods together (0: none), `skip_after` as in `Filter`. Safe for use from several threads."""

    def __init__(
        self,
        environment: Environment,
        strategy: DryRun,
        *,
        grace_period: int = -1,
        timeout: float = 0.0,
        skip_after: int = 0,
        disable_eviction: bool = False,
    ) -> None:
        self._environment = environment
        self._objects = environment.cluster.objects
        self._strategy = strategy
        self._grace_period = grace_period
        self._timeout = timeout
        self._skip_after = skip_after
        self._disable_eviction = disable_eviction
        self._writing = threading.Lock()
        self._calling = threading.Semaphore(PARALLEL_CALLS)

    def remove(self, pods: Sequence[Pod]) -> None:
        """Returns when they are gone. Raises KubetraceError."""
        if not pods:
            return
        version = None if self._disable_eviction else self._eviction_version()
        if version is None:
            self._delete(pods)
        else:
            self._evict_all(pods, version)

    def _eviction_version(self) -> GroupVersion | None:
        """Whose Eviction the server takes; None where pods can't be evicted (CheckEvictionSupport)."""
        for one in self._environment.cluster.discovery.resources_now(GroupVersion("", "v1")):
            if one.name == "pods/eviction" and one.kind == "Eviction" and one.group and one.version:
                return GroupVersion(one.group, one.version)
        return None

    # --- eviction ------------------------------------------------------------------------------------------------

    def _evict_all(self, pods: Sequence[Pod], version: GroupVersion) -> None:
        """Each in a thread of its own: one that waits for its budget may need others to go."""
        deadline = time.monotonic() + self._timeout if self._timeout else None
        ended: SimpleQueue[BaseException | None] = SimpleQueue()

        def work(pod: Pod) -> None:
            try:
                self._evict(pod, version, deadline)
            except BaseException as error:
                ended.put(error)
            else:
                ended.put(None)

        for pod in pods:
            threading.Thread(target=work, args=(pod,), daemon=True).start()
        errors: list[KubetraceError] = []
        for _ in pods:
            error = ended.get()
            if isinstance(error, KubetraceError):
                errors.append(error)
            elif error is not None:
                raise error
        if errors:
            raise AggregateError(errors)

    def _evict(self, pod: Pod, version: GroupVersion, deadline: float | None) -> None:
        """Tries until the pod may go, and waits until it is gone. Raises KubetraceError."""
        name, namespace = quoted(text(pod, "name")), quoted(text(pod, "namespace"))
        active = pod
        while True:
            self._say_evicting(active)
            if _passed(deadline):
                raise KubetraceError(
                    f"error when evicting pods/{name} -n {namespace}: global timeout reached: "
                    f"{verbs.go_duration(self._timeout)}"
                )
            try:
                self._send(self._eviction(active, version), text(active, "name"))
                break
            except KubetraceError as error:
                if is_not_found(error):
                    return
                terminating = is_forbidden(error) and _namespace_is_terminating(error)
                if terminating and text(active, "deletionTimestamp"):
                    break
                retry = f"(will retry after {verbs.go_duration(RETRY)}): {error}"
                if is_too_many_requests(error):
                    self._complain(f"error when evicting pods/{name} -n {namespace} {retry}")
                elif terminating:
                    self._complain(f"error when evicting pod {name} from terminating namespace {namespace} {retry}")
                else:
                    raise KubetraceError(f"error when evicting pods/{name} -n {namespace}: {error}") from None
                time.sleep(RETRY)
            with contextlib.suppress(KubetraceError):
                active = self._look(active)
        if self._strategy is DryRun.SERVER:
            return
        try:
            self._wait([active], deadline, "evicted", "eviction failed")
        except KubetraceError as error:
            words = f"error when waiting for pod {name} in namespace {namespace} to terminate"
            raise KubetraceError(f"{words}: {error}") from None

    def _say_evicting(self, pod: Pod) -> None:
        mark = ""
        if self._strategy is DryRun.SERVER:
            mark = f" ({self._strategy.value})"
        else:
            self._say_started(pod, "eviction")
        with self._writing:
            self._environment.stdout.write(f"evicting pod {text(pod, 'namespace')}/{text(pod, 'name')}{mark}\n")
            self._environment.stdout.flush()

    def _eviction(self, pod: Pod, version: GroupVersion) -> Call:
        namespace, name = text(pod, "namespace"), text(pod, "name")
        eviction = {
            "apiVersion": str(version),
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": self._delete_options,
        }
        body = last_applied.encode_typed(eviction)
        return replace(verbs.create(PODS, namespace, body, None, name, "eviction", purpose=_EVICT), operation="evict")

    # --- deletion ------------------------------------------------------------------------------------------------

    def _delete(self, pods: Sequence[Pod]) -> None:
        body = go_json.dumps_in_order(self._delete_options) + b"\n"
        for pod in pods:
            call = verbs.delete(PODS, text(pod, "namespace"), text(pod, "name"), body, purpose=_DELETE)
            try:
                self._send(replace(call, operation="typed-delete"), text(pod, "name"))
            except KubetraceError as error:
                if not is_not_found(error):
                    raise
            self._say_started(pod, "deletion")
        deadline = time.monotonic() + self._timeout if self._timeout else None
        self._wait(pods, deadline, "deleted", "deletion failed")

    @property
    def _delete_options(self) -> dict[str, Any]:
        """metav1.DeleteOptions."""
        options: dict[str, Any] = {}
        if self._grace_period >= 0:
            options["gracePeriodSeconds"] = self._grace_period
        if self._strategy is DryRun.SERVER:
            options["dryRun"] = ["All"]
        return options

    # --- both ----------------------------------------------------------------------------------------------------

    def _wait(self, pods: Sequence[Pod], deadline: float | None, done: str, failed: str) -> None:
        """Looks each second until none of them is there, or is another pod by now (waitForDelete). Raises
        KubetraceError."""
        while True:
            begun = time.monotonic()
            pods = [pod for pod in pods if not self._is_gone(pod, done, failed)]
            if not pods:
                return
            pause = begun + POLL - time.monotonic()
            if deadline is not None:
                pause = min(pause, deadline - time.monotonic())
            if pause > 0:
                time.sleep(pause)
            if _passed(deadline):
                raise KubetraceError("context deadline exceeded")

    def _is_gone(self, pod: Pod, done: str, failed: str) -> bool:
        """Whether the pod is no longer waited for. Raises KubetraceError."""
        try:
            found = self._look(pod)
        except KubetraceError as error:
            self._tell(pod, done if is_not_found(error) else failed)
            if is_not_found(error):
                return True
            raise
        if text(found, "uid") != text(pod, "uid"):
            self._tell(pod, done)
            return True
        if not overdue(found, self._skip_after):
            return False
        with self._writing:
            words = f"has DeletionTimestamp older than {self._skip_after} seconds, skipping"
            self._environment.stdout.write(f"pod {quoted(text(pod, 'name'))} {words}\n")
        return True

    def _look(self, pod: Pod) -> dict[str, Any]:
        """The pod as it is now. Raises KubetraceError."""
        call = verbs.get(PODS, text(pod, "namespace"), text(pod, "name"), purpose=_GONE)
        return self._send(replace(call, operation="typed-get"), text(pod, "name"))

    def _send(self, call: Call, name: str) -> dict[str, Any]:
        is_eviction = call.operation == "evict"
        objects = replace(self._objects, typed=is_eviction)  # kubectl sends an eviction as JSON, other calls not
        call = replace(call, client="policy/v1" if is_eviction else "v1")
        with self._calling:
            found: dict[str, Any] = objects.send(call, PODS, name)
        return found

    def _say_started(self, pod: Pod, what: str) -> None:
        """kubectl tells it on standard output, from -v=2 on."""
        if self._environment.logs(2, "drain.go"):
            self._tell(pod, f"{what} started")

    def _tell(self, pod: Pod, done: str) -> None:
        with self._writing:
            tell(self._environment, {"apiVersion": "v1", "kind": "Pod", **pod}, done, self._strategy)

    def _complain(self, line: str) -> None:
        with self._writing:
            self._environment.stderr.write(f"{line}\n")
            self._environment.stderr.flush()


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _namespace_is_terminating(error: KubetraceError) -> bool:
    causes = error.details.get("causes") if isinstance(error, StatusError) else None
    return any(isinstance(cause, dict) and cause.get("reason") == "NamespaceTerminating" for cause in causes or ())

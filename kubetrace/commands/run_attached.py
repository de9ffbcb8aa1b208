"""What `run` does with its pod where it stays: waits until it runs, attaches, waits until it ends, removes what it has
made (kubectl pkg/cmd/run, handleAttachPod)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.metadata import text
from kubetrace.errors import KubetraceError, PlainError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.built import Info
    from kubetrace.commands.run import RunOptions
    from kubetrace.environment import Environment

Object = dict[str, Any]

_ENDED = ("Succeeded", "Failed")


class AttachedRun(Value):
    """One pod that was made, with its restart policy."""

    environment: Environment
    options: RunOptions
    restart: str

    def stay(self, pod: Object) -> None:
        """Until the pod has ended, where it can end. Raises PlainError with the exit code of a container that failed,
        and KubetraceError."""
        namespace, name = text(pod, "namespace"), text(pod, "name")
        purpose = Purpose("run", "run: wait until the pod runs")
        self._attach(self._wait(namespace, name, purpose, _runs_or_has_run))
        if self.options.leave_stdin_open or self.restart not in ("Never", "OnFailure"):
            return
        over = _has_ended if self.restart == "Never" else _has_succeeded
        _check_ended(self._wait(namespace, name, Purpose("run", "run: how did the pod end?"), over))

    def _wait(self, namespace: str, name: str, purpose: Purpose, holds: Callable[[Object], bool]) -> Object:
        """The pod, once that is so. Raises KubetraceError where it is gone, or time is up."""
        from kubetrace.api.resources import GroupResource
        from kubetrace.api.status import not_found
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.commands.reflector import Reflector

        found: list[Object] = []

        def look(kind: str, pod: Object) -> bool:
            if kind == "DELETED":
                raise not_found(GroupResource("", "pods"), "")
            if holds(pod):
                found.append(pod)
            return bool(found)

        deadline = time.monotonic() + self.options.pod_running_timeout
        Reflector(self.environment, PODS, namespace, name, purpose, "*v1.Pod").until(lambda pod: False, look, deadline)
        return found[0]

    def _attach(self, pod: Object) -> None:
        from kubetrace.commands.attach import AttachOptions, attach_or_log

        environment, options = self.environment, self.options
        if _has_ended(pod):
            self._print_log(pod)
            return
        try:
            self._print_log(pod)
        except KubetraceError as error:
            environment.stderr.write(f"warning: couldn't fetch pre-attach logs: {error}\n")
        how = AttachOptions(detach_keys=options.detach_keys, quiet=options.quiet, stdin=options.stdin, tty=options.tty)
        attach_or_log(environment, pod, how, lambda: self._print_log(pod))

    def _print_log(self, pod: Object) -> None:
        """What the container has written so far."""
        from kubetrace.api.containers import find_or_default_container
        from kubetrace.commands.log_streams import print_log

        environment = self.environment
        tell = None if self.options.quiet else environment.stderr.write
        container = find_or_default_container(pod, "", tell, environment.note)
        print_log(environment, pod, str(container.get("name") or ""))

    def remove(self, made: Sequence[Object], propagation: str) -> None:
        """Deletes what was made; what is gone already is no error. Raises KubetraceError."""
        from kubetrace.api.builder import Request, build
        from kubetrace.api.selection import Selection
        from kubetrace.api.status import is_not_found
        from kubetrace.commands.deletion import delete_options

        environment = self.environment
        body = delete_options(-1, propagation, with_type=True)
        objects = environment.cluster.typed.objects

        def delete(info: Info) -> None:
            assert info.mapping is not None
            purpose = Purpose("run", "run: what was made goes again")
            call = verbs.delete(info.mapping, info.namespace, info.name, body, purpose=purpose)
            objects.send(call, info.mapping, info.name)
            if not self.options.quiet:
                kind = str((info.object or {}).get("kind") or "").lower()
                environment.stdout.write(f'{kind} "{info.name}" deleted from {info.namespace} namespace\n')

        for value in made:
            selection = Selection()
            selection.add_names(f"{str(value.get('kind') or '').lower()}s.", (text(value, "name"),))
            request = Request(
                selection=selection,
                namespace=text(value, "namespace"),
                default_namespace=True,
                purpose=Purpose("run", "run: what was made goes again"),
            )
            try:
                build(environment.cluster.typed, request).visit(delete)
            except KubetraceError as error:
                if not is_not_found(error):
                    raise
        environment.stdout.flush()


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase") or "")


def _has_ended(pod: Object) -> bool:
    return _phase(pod) in _ENDED


def _has_succeeded(pod: Object) -> bool:
    return _phase(pod) == "Succeeded"


def _runs_or_has_run(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    ready = any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
    return _has_ended(pod) or (_phase(pod) == "Running" and ready)


def _check_ended(pod: Object) -> None:
    """Raises for a pod that failed: PlainError with its container's exit code, KubetraceError where nobody knows it."""
    if _phase(pod) == "Succeeded":
        return
    named = f"pod {text(pod, 'namespace')}/{text(pod, 'name')}"
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    ended = (statuses[0].get("state") or {}).get("terminated") or {}
    code = int(ended.get("exitCode") or 0)
    if not code:
        raise KubetraceError(f"{named} failed with unknown exit code")
    raise PlainError(f"{named} terminated ({ended.get('reason') or ''})\n{ended.get('message') or ''}", code)

"""Deleting an object and waiting until it is gone (kubectl pkg/cmd/delete and pkg/cmd/wait/delete.go)."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.metadata import text
from kubetrace.api.status import is_not_found
from kubetrace.commands.deadline import send_before
from kubetrace.commands.reflector import Reflector, TimedOut
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import replace
from kubetrace.wire import go_json
from kubetrace.wire.go_strconv import BadValue, parse_bool

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call

_DELETE = Purpose("delete", "delete: the object shall go")
_GONE = Purpose("delete-wait", "delete: is the object gone?")
_WATCH = Purpose("delete-wait", "delete: wait until the object is gone")
_POLL = 1.0
"""Seconds between two looks at an object that --force deleted."""
NO_PATIENCE = -math.inf
"""A deadline that has passed at once, though the first look takes its time: that of a negative timeout."""


def propagation_policy(environment: Environment, text: str) -> str:
    """--cascade's value as propagationPolicy (parseCascadingFlag). Raises KubetraceError."""
    try:
        flag = parse_bool(text)
    except BadValue:
        found = {"orphan": "Orphan", "foreground": "Foreground", "background": "Background"}.get(text)
        if found is None:
            raise KubetraceError(
                f'invalid cascade value ({text}). Must be "background", "foreground", or "orphan"'
            ) from None
        return found
    instead = "background" if flag else "orphan"
    environment.stderr.write(
        f"warning: --cascade={text} is deprecated (boolean value) and can be replaced with --cascade={instead}.\n"
    )
    return instead.capitalize()


def delete_options(grace_period: int, propagation: str, dry_run: bool = False, *, with_type: bool = False) -> bytes:
    """metav1.DeleteOptions as JSON; a negative `grace_period` (seconds) is the object's own. kubectl's dynamic client
    writes them with their type."""
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"} if with_type else {}
    if grace_period >= 0:
        options["gracePeriodSeconds"] = grace_period
    options["propagationPolicy"] = propagation
    if dry_run:
        options["dryRun"] = ["All"]
    pairs = (go_json.dumps(key) + b":" + go_json.dumps(value) for key, value in options.items())
    return b"{" + b",".join(pairs) + b"}\n"


def delete_object(environment: Environment, info: Info, body: bytes) -> dict[str, Any]:
    """DELETEs the object; the server's answer is a Status or the object."""
    assert info.mapping is not None
    call = verbs.delete(info.mapping, info.namespace, info.name, body, purpose=_DELETE)
    answer: dict[str, Any] = environment.cluster.objects.send(call, info.mapping, info.name)
    return answer


def deleted_uid(answer: dict[str, Any]) -> str:
    """The UID of what a DELETE was about, "" where the answer does not say."""
    if answer.get("kind") == "Status" and isinstance(answer.get("details"), dict):
        return str(answer["details"].get("uid") or "")
    return text(answer, "uid")


def wait_until_gone(environment: Environment, info: Info, uid: str | None, deadline: float) -> None:
    """Waits until the object is gone or another one of its name is there. `deadline` is on time.monotonic's clock;
    NO_PATIENCE looks once, for as long as that takes.

    Raises KubetraceError when time is up (wait.IsDeleted)."""
    assert info.mapping is not None
    try:
        live = _look(environment, info, deadline)
    except KubetraceError as error:
        if is_not_found(error):
            return
        raise
    if uid is not None and deleted_uid(live) != uid:
        return
    reflector = Reflector(environment, info.mapping, info.namespace, info.name, _WATCH)
    try:
        if deadline == NO_PATIENCE:
            raise TimedOut
        reflector.until(
            lambda value: value is None or _is_another(value, uid),
            lambda event, value: event == "DELETED" or _is_another(value, uid),
            deadline,
        )
    except TimedOut as error:
        raise KubetraceError(f"{error} on {info.mapping.resource.resource}/{info.name}") from None


def _look(environment: Environment, info: Info, deadline: float) -> dict[str, Any]:
    """The object as it is now. Raises KubetraceError, also where the deadline passes first."""
    mapping = info.mapping
    assert mapping is not None
    call = replace(verbs.get(mapping, info.namespace, info.name, purpose=_GONE), operation="dynamic-get")

    def send(call: Call) -> dict[str, Any]:
        live: dict[str, Any] = environment.cluster.objects.send(call, mapping, info.name)
        return live

    return send(call) if deadline == NO_PATIENCE else send_before(environment, deadline, call, send)


def _is_another(value: dict[str, Any], uid: str | None) -> bool:
    """An object of the same name that was made later."""
    return uid is not None and deleted_uid(value) != uid


def replace_by_force(
    environment: Environment,
    info: Info,
    modified: bytes,
    write: verbs.WriteOptions,
    propagation: str,
    grace_period: int,
    timeout: float,
) -> dict[str, Any]:
    """apply --force: deletes the live object and creates the manifest's; where that fails, the old one again."""
    from kubetrace.api.builder import Info as NewInfo
    from kubetrace.commands.writing import create_object

    assert info.mapping is not None and info.object is not None
    delete_object(environment, info, delete_options(grace_period, propagation))
    _poll_until_gone(environment, info, timeout)
    original = info.object

    def create(value: dict[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = create_object(
            environment, NewInfo(info.mapping, info.namespace, info.name, value), write
        )
        return made

    try:
        return create(go_json.loads(modified))
    except KubetraceError as error:
        try:
            create(original)
        except KubetraceError as second:
            raise KubetraceError(
                "An error occurred force-replacing the existing object with the newly provided one:\n\n"
                f"{error}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n{second}"
            ) from None
        raise


def _poll_until_gone(environment: Environment, info: Info, timeout: float) -> None:
    """Looks every second for `timeout` seconds whether the object is gone; without one, kubectl looks just once. Raises
    KubetraceError when it is still there (Patcher.deleteAndCreate)."""
    assert info.mapping is not None
    deadline = time.monotonic() + timeout
    while True:
        try:
            environment.cluster.objects.get(info.mapping, info.namespace, info.name, purpose=_GONE)
        except KubetraceError as error:
            if is_not_found(error):
                return
            raise
        left = deadline - time.monotonic()
        time.sleep(max(0.0, min(_POLL, left)))
        if left <= _POLL:
            raise KubetraceError("context deadline exceeded")

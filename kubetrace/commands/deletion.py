"""Deleting an object and waiting until it is gone (kubectl pkg/cmd/delete and pkg/cmd/wait/delete.go)."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.metadata import string_map, text
from kubetrace.api.status import check, is_invalid, is_not_found, is_success
from kubetrace.cmdline.flags import BadValue, parse_bool
from kubetrace.commands.interrupts import ending_quietly
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import replace
from kubetrace.wire import go_json

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

_DELETE = Purpose("delete", "delete: the object shall go")
_GONE = Purpose("delete-wait", "delete: is the object gone?")
_WATCH = Purpose("delete-wait", "delete: wait until the object is gone")
_REFLECTOR = {
    "type": "*unstructured.Unstructured",
    "reflector": "k8s.io/client-go/tools/watch/informerwatcher.go:162",
}
"""What waits in kubectl, as its log calls it."""
_POLL = 1.0
"""Seconds between two looks at an object that --force deleted."""


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


def delete_options(grace_period: int, propagation: str, dry_run: bool = False) -> bytes:
    """metav1.DeleteOptions as JSON; a negative `grace_period` (seconds) is the object's own."""
    options: dict[str, Any] = {}
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


def wait_until_gone(environment: Environment, info: Info, uid: str | None, timeout: float) -> None:
    """Waits until the object is gone or another one of its name is there; `timeout` in seconds.

    Raises KubetraceError when time is up (wait.IsDeleted)."""
    assert info.mapping is not None
    deadline = time.monotonic() + timeout
    objects = environment.cluster.objects
    call = verbs.get(info.mapping, info.namespace, info.name, purpose=_GONE)
    try:
        live = objects.send(replace(call, operation="dynamic-get"), info.mapping, info.name)
    except KubetraceError as error:
        if is_not_found(error):
            return
        raise
    if uid is not None and deleted_uid(live) != uid:
        return
    environment.note("reflector-started", **_REFLECTOR, resync="0s")
    try:
        with ending_quietly():
            while not _watched_until_gone(environment, info, uid, deadline):
                if time.monotonic() >= deadline:
                    resource = info.mapping.resource.resource
                    raise KubetraceError(f"timed out waiting for the condition on {resource}/{info.name}")
    finally:
        environment.note("reflector-stopped", **_REFLECTOR, resync="0s")


def _watched_until_gone(environment: Environment, info: Info, uid: str | None, deadline: float) -> bool:
    """One round of what a reflector does; True when it has shown that the object is gone."""
    environment.note("reflector-listing", **_REFLECTOR)
    selector = f"metadata.name={info.name}"
    streamed = verbs.ListOptions(
        field_selector=selector,
        allow_bookmarks=True,
        send_initial_events=True,
        resource_version_match="NotOlderThan",
    )
    try:
        return _watched(environment, info, uid, streamed, deadline)
    except KubetraceError as error:
        if not is_invalid(error):
            raise
        environment.note("watch-list-refused", error=str(error))
    # A server that can't stream the first state (before 1.32): list, then watch.
    assert info.mapping is not None
    first = verbs.ListOptions(field_selector=selector, limit=500, resource_version="0")
    call = replace(verbs.list_(info.mapping, info.namespace, first, purpose=_WATCH), operation="dynamic-list")
    page = environment.cluster.objects.send(call, info.mapping)
    environment.note("reflector-populated", **_REFLECTOR)
    if all(uid is not None and deleted_uid(item) != uid for item in page.get("items") or ()):
        return True
    version = text(page, "resourceVersion")
    options = verbs.ListOptions(field_selector=selector, allow_bookmarks=True, resource_version=version)
    return _watched(environment, info, uid, options, deadline)


def _watched(
    environment: Environment, info: Info, uid: str | None, options: verbs.ListOptions, deadline: float
) -> bool:
    assert info.mapping is not None
    options = replace(options, timeout_seconds=random.randint(300, 599))
    call = verbs.watch(info.mapping, info.namespace, options, purpose=_WATCH)
    remaining = max(deadline - time.monotonic(), 0.001)
    answer = environment.client.send(replace(call, operation="dynamic-watch", timeout=remaining, log_request_body=True))
    try:
        if not is_success(answer.status):
            check(answer, info.mapping.resource.group_resource)
        return _says_gone(environment, answer, uid)
    finally:
        answer.close()


def _says_gone(environment: Environment, answer: Any, uid: str | None) -> bool:
    """Reads events: a deletion, another UID, or the end of the first state without the object."""
    seen = False
    started = time.monotonic()
    for count, event in enumerate(_events(answer), 1):
        kind, value = event.get("type"), event.get("object") or {}
        if kind == "DELETED":
            return True
        if kind == "BOOKMARK":
            if string_map(value, "annotations").get("k8s.io/initial-events-end") == "true":
                seconds = time.monotonic() - started
                environment.note("watch-list-bookmark", **_REFLECTOR, items=count, seconds=seconds)
                environment.note("reflector-populated", **_REFLECTOR)
                if not seen:
                    return True
        elif kind in ("ADDED", "MODIFIED"):
            seen = True
            if uid is not None and deleted_uid(value) != uid:
                return True
        elif kind == "ERROR":
            return False
    return False


def _events(answer: Any) -> Any:
    """A watch's events, a line each."""
    rest = b""
    try:
        for chunk in answer.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.strip():
                    yield go_json.loads(line)
    except (OSError, KubetraceError):
        return


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
    assert info.mapping is not None
    deadline = time.monotonic() + timeout if timeout else None
    while True:
        try:
            environment.cluster.objects.get(info.mapping, info.namespace, info.name, purpose=_GONE)
        except KubetraceError as error:
            if is_not_found(error):
                return
            raise
        if deadline is not None and time.monotonic() >= deadline:
            raise KubetraceError("context deadline exceeded")
        time.sleep(_POLL)

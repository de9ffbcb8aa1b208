"""Deleting: what goes into the options, and when an object counts as gone."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from kubetrace.api import verbs
from kubetrace.api.resources import GroupVersionKind, GroupVersionResource, Mapping
from kubetrace.api.typed_kinds import CONFIG_MAPS
from kubetrace.commands.deletion import _WATCH, _is_another, delete_options, deleted_uid
from kubetrace.commands.reflector import Reflector, _Seen
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError
from kubetrace.streams import Streams
from tests.api.fake import FakeAnswer

PODS = Mapping(GroupVersionResource("", "v1", "pods"), GroupVersionKind("", "v1", "Pod"), namespaced=True)


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ((-1, "Background"), b'{"propagationPolicy":"Background"}\n'),
        ((0, "Orphan"), b'{"gracePeriodSeconds":0,"propagationPolicy":"Orphan"}\n'),
        ((5, "Foreground", True), b'{"gracePeriodSeconds":5,"propagationPolicy":"Foreground","dryRun":["All"]}\n'),
    ],
)
def test_delete_options(arguments: tuple[Any, ...], body: bytes) -> None:
    assert delete_options(*arguments) == body


@pytest.mark.parametrize(
    "make",
    [
        lambda: verbs.delete(PODS, "default", "", b"{}"),
        lambda: verbs.get(PODS, "default", ""),
        lambda: verbs.patch(PODS, "default", "", verbs.MERGE_PATCH, b"{}"),
        lambda: verbs.replace_(PODS, "default", "", b"{}"),
    ],
)
def test_no_name_never_means_the_collection(make: Any) -> None:
    with pytest.raises(KubetraceError, match="resource name may not be empty"):
        make()


def test_uid_of_what_was_deleted() -> None:
    assert deleted_uid({"kind": "Status", "details": {"uid": "1"}}) == "1"
    assert deleted_uid({"kind": "Pod", "metadata": {"uid": "2"}}) == "2"
    assert deleted_uid({"kind": "Status"}) == ""


def event(kind: str, uid: str = "1", **annotations: str) -> dict[str, Any]:
    return {"type": kind, "object": {"kind": "Pod", "metadata": {"uid": uid, "annotations": annotations}}}


END = event("BOOKMARK", **{"k8s.io/initial-events-end": "true"})


@pytest.mark.parametrize(
    ("events", "gone"),
    [
        ([event("ADDED"), END, event("MODIFIED"), event("DELETED")], True),
        ([event("ADDED"), END, event("MODIFIED")], False),
        ([END], True),
        ([event("ADDED", uid="2"), END], True),
        ([event("ADDED"), event("BOOKMARK")], False),
        ([{"type": "ERROR", "object": {"kind": "Status"}}, event("DELETED")], False),
        ([], False),
    ],
)
def test_when_a_watch_says_gone(events: list[dict[str, Any]], gone: bool) -> None:
    body = b"".join(json.dumps(one).encode() + b"\n" for one in events)
    streams = Streams(io.BytesIO(), io.StringIO(), io.StringIO())
    reflector = Reflector(Environment(streams, {}), CONFIG_MAPS, "default", "a", _WATCH)
    found = reflector._read(
        FakeAnswer(body=body),
        _Seen(),
        lambda value: value is None or _is_another(value, "1"),
        lambda kind, value: kind == "DELETED" or (kind != "ERROR" and _is_another(value, "1")),
    )
    assert found is gone

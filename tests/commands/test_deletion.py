"""Deleting: what goes into the options, and when an object counts as gone."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.api import verbs
from kubetrace.api.resources import GroupVersionKind, GroupVersionResource, Mapping
from kubetrace.commands.deletion import delete_options, deleted_uid
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.connection import Connection
from kubetrace.transport.client import Client

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
        Client(Connection(server="http://127.0.0.1:1")).send(make())


def test_uid_of_what_was_deleted() -> None:
    assert deleted_uid({"kind": "Status", "details": {"uid": "1"}}) == "1"
    assert deleted_uid({"kind": "Pod", "metadata": {"uid": "2"}}) == "2"
    assert deleted_uid({"kind": "Status"}) == ""

"""Objects as kubectl's structs read and write them."""

from __future__ import annotations

import pytest

from kubetrace.wire.go_json import dumps_in_order
from kubetrace.wire.go_struct import is_registered, typed

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "unknown": 1,
    "spec": {"template": {"spec": {"containers": [{"image": "b", "name": "a", "stdin": False, "args": []}]}}},
    "metadata": {"labels": {"z": "1", "a": "2"}, "name": "x", "creationTimestamp": None, "generation": 0},
}


def test_keys_stand_in_the_structs_order_and_structs_stay() -> None:
    assert dumps_in_order(typed(DEPLOYMENT)).decode() == (
        '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"x","labels":{"a":"2","z":"1"}},'
        '"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":'
        '[{"name":"a","image":"b","resources":{}}]}},"strategy":{}},"status":{}}'
    )


@pytest.mark.parametrize(
    ("limits", "canonical"), [("0.5", "500m"), (1, "1"), (0.25, "250m"), ("1024Mi", "1Gi"), (" 2 ", "2")]
)
def test_quantities_are_canonical(limits: object, canonical: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"cpu": limits}}}
    assert typed(quota)["spec"]["hard"] == {"cpu": canonical}


def test_times_are_utc() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"deletionTimestamp": "2026-01-02T03:04:05.6+01:00"}}
    assert typed(pod)["metadata"] == {"deletionTimestamp": "2026-01-02T02:04:05Z"}


def test_a_pointer_keeps_its_zero() -> None:
    value = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "paused": False}}
    spec = typed(value)["spec"]
    assert spec["replicas"] == 0
    assert "paused" not in spec


def test_twice_is_the_same() -> None:
    once = typed(DEPLOYMENT)
    assert typed(once) == once


def test_only_built_in_kinds_have_structs() -> None:
    assert is_registered("networking.k8s.io/v1", "Ingress")
    assert not is_registered("demo.example.com/v1", "Widget")
    with pytest.raises(KeyError):
        typed({"apiVersion": "demo.example.com/v1", "kind": "Widget"})

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.wire import protobuf


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return (
        protobuf.PROTOBUF
        + field(1, field(1, api_version) + field(2, kind))
        + field(2, raw)
        + field(3, "")
        + field(4, "")
    )


def test_a_config_map_with_gos_zero_values() -> None:
    metadata = field(1, "c") + field(2, "") + field(3, "ns") + field(7, 0) + field(8, b"")
    raw = field(1, metadata) + field(2, field(1, "key") + field(2, "value")) + field(2, field(1, "empty"))
    assert protobuf.decode(body("v1", "ConfigMap", raw)) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "c", "namespace": "ns", "creationTimestamp": None},
        "data": {"key": "value", "empty": ""},
    }


def test_pointers_keep_their_zeros() -> None:
    deployment = protobuf.decode(body("apps/v1", "Deployment", field(2, field(1, 0) + field(5, 0))))
    assert deployment["spec"] == {"replicas": 0}


def test_forms_of_their_own() -> None:
    port = field(3, 80) + field(4, field(1, 1) + field(2, 0) + field(3, "http"))
    service = protobuf.decode(body("v1", "Service", field(2, field(1, port))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": "http"}]
    time = field(1, 1_700_000_000) + field(2, 0)
    made = protobuf.decode(body("v1", "Secret", field(1, field(8, time)) + field(2, field(1, "k") + field(2, b"\xff"))))
    assert made["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert made["data"] == {"k": "/w=="}


def test_a_plain_value_with_a_wrong_tag() -> None:
    status = protobuf.decode(body("authorization.k8s.io/v1", "SelfSubjectRulesReview", field(3, field(3, 1))))["status"]
    assert status == {"incomplete": True}


def test_watch_frames_wait_for_their_rest() -> None:
    pod = body("v1", "Pod", field(1, field(1, "p")))
    event = field(1, "ADDED") + field(2, field(1, pod))
    frame = len(event).to_bytes(4, "big") + event
    events, rest = protobuf.watch_frames(frame + frame[:7])
    assert [(e["type"], e["object"]["metadata"]["name"]) for e in events] == [("ADDED", "p")]
    assert rest == frame[:7]


@pytest.mark.parametrize("data", [b"", b"{}", protobuf.PROTOBUF, body("v1", "Nope", b"")])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(protobuf.InvalidProtobuf):
        protobuf.decode(data)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(raw: bytes) -> None:
    with contextlib.suppress(protobuf.InvalidProtobuf):
        assert isinstance(protobuf.decode(body("v1", "Pod", raw)), dict)


def test_lists_of_the_table_are_lists_of_the_schema() -> None:
    """Struct tags lie about some (tolerations are tagged "opt"): taken for one value, a list loses all but the last."""
    from kubetrace.wire.schema import built_in

    messages = protobuf._facts()["messages"]
    wrong, seen = [], 0

    def compare(message: str, type: Any, done: set[str]) -> None:
        nonlocal seen
        if message in done or message not in messages or type is None or type.scalar:
            return
        done.add(message)
        for name, inner, *flags in messages[message].values():
            field = type.field(name)
            if field is None or inner == "bytes" or inner.endswith(("Verbs", "ValidationRules")):
                continue
            seen += 1
            if field.list != ("list" in flags) and not field.map:
                wrong.append(f"{message}.{name}")
            compare(inner, type.descend(name), done)

    done: set[str] = set()
    for kind, message in protobuf._facts()["kinds"].items():
        api_version, _, name = kind.rpartition("/")
        compare(message, built_in().for_kind(api_version, name), done)
    assert not wrong and seen > 1500

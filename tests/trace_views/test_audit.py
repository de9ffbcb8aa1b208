"""A trace joined with its server's audit log. The pair in data/audit was recorded from kube-apiserver 1.36.3 by
tests/tools/record_audit.py."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.trace.audit_log import AuditEvent, events
from kubetrace.trace.exchange import Exchange, Request, Response
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.views.audit import render
from tests.conftest import Kubetrace

DATA = Path(__file__).parent / "data" / "audit"
TRACE, LOG = str(DATA / "trace.jsonl"), str(DATA / "audit.log")


def test_who_was_seen_and_why_it_was_allowed(kubetrace: Kubetrace) -> None:
    done = kubetrace("trace", "audit", TRACE, "--log", LOG)
    assert done.code == 0, done.err
    parts = done.out.split("\n#")
    assert len(parts) == 5
    assert "/pods?limit=500 → 403\n" in parts[0] and "    refused   " in parts[0]
    assert '    answered  403 Forbidden: pods is forbidden: User "alice" cannot list' in parts[0]
    assert "    seen as   admin (system:masters, system:authenticated)\n    acting as alice (" in parts[1]
    reason = 'RBAC: allowed by RoleBinding "alice-reads/recorded-audit" of Role "reader" to User "alice"'
    assert f"    allowed   {reason}\n" in parts[1]
    assert "    noted     pod-security.kubernetes.io/audit-violations: would violate PodSecurity" in parts[2]
    assert " ms in the server" in parts[2] and "from      127.0.0.1 with kubetrace/" in parts[2]
    assert done.out.endswith("5 of 5 exchanges found in the log, next to 1 other request\n")


def test_filters_packed_logs_and_standard_input(kubetrace: Kubetrace, tmp_path: Path) -> None:
    packed = tmp_path / "audit.log.gz"
    packed.write_bytes(gzip.compress(Path(LOG).read_bytes()))
    done = kubetrace("trace", "audit", TRACE, "--log", str(packed), "--status", "4xx")
    assert done.out.count("seen as") == 2 and done.out.endswith(
        "2 of 2 exchanges found in the log, next to 4 other requests\n"
    )
    done = kubetrace("trace", "audit", TRACE, "--log", "-", stdin=Path(LOG).read_bytes())
    assert "5 of 5 exchanges found" in done.out


def test_what_is_not_there(kubetrace: Kubetrace, tmp_path: Path) -> None:
    assert "--log names the server's audit log" in kubetrace("trace", "audit", TRACE).err
    assert kubetrace("trace", "audit", TRACE, "--log", str(tmp_path / "x")).err.startswith("error: No such file")
    empty = tmp_path / "empty.log"
    empty.write_bytes(b"no json\n[]\n{}\n\xff\n")
    done = kubetrace("trace", "audit", TRACE, "--log", str(empty))
    assert (done.code, done.out) == (1, "") and f"error: {empty} holds no audit events" in done.err
    done = kubetrace("trace", "audit", TRACE, "--log", LOG, "--log", str(empty))
    assert "5 of 5 exchanges found" in done.out
    assert (done.code, done.err.startswith(f"Warning: {empty} holds no audit events")) == (0, True)


def recorded(audit_id: str) -> Recorded:
    response = Response(200, "", (("Audit-Id", audit_id),))
    return Recorded(1, Exchange(1, 1, 1, Request("GET", "https://h/api/v1/pods"), response))


def test_the_last_stage_counts_and_text_stays_text() -> None:
    evil = "\x1b[31m\nevil"
    stages = [
        {"auditID": "a", "stage": "RequestReceived", "user": {"username": evil}},
        {"auditID": "a", "stage": "ResponseComplete", "user": {"username": "u", "groups": [evil]},
         "annotations": {"x": evil}, "userAgent": evil},
        {"auditID": "a", "stage": "ResponseStarted", "user": {"username": "late"}},
    ]  # fmt: skip
    lines = [json.dumps({"kind": "EventList", "items": stages}).encode()]
    text = "".join(render([recorded("a")], events(lines), lambda text: text.replace("u (", "hidden (")))
    assert "seen as   hidden (\\x1b[31m\\nevil)\n" in text and "late" not in text and "\x1b" not in text
    began = events([json.dumps(stages[2]).encode()])
    assert "ends at the stage ResponseStarted" in "".join(render([recorded("a")], began))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3), lambda one: st.lists(one, max_size=2)
)


@given(st.dictionaries(st.sampled_from([
    "auditID", "stage", "user", "annotations", "sourceIPs", "responseStatus", "stageTimestamp", "verb", "requestURI",
    "requestReceivedTimestamp", "impersonatedUser", "userAgent", "requestObject",
]), JSON | st.just("a") | st.dictionaries(st.sampled_from(["code", "groups", "x"]), JSON, max_size=2)))  # fmt: skip
def test_odd_events_are_survived(value: dict[str, Any]) -> None:
    found = list(events([json.dumps(value).encode()]))
    assert all(isinstance(event, AuditEvent) for event in found)
    assert "".join(render([recorded("a")], found)).endswith("\n")


@pytest.mark.parametrize(("text", "seconds"), [
    ("2026-11-25T21:24:05.512757Z", 1795641845.512757), ("2026-11-25T21:24:05Z", 1795641845.0), ("x", 0.0),
    ("0001-01-01T00:00:00Z", 0.0), (None, 0.0),
])  # fmt: skip
def test_times(text: object, seconds: float) -> None:
    (event,) = events([json.dumps({"auditID": "a", "stageTimestamp": text}).encode()])
    assert event.at == pytest.approx(seconds)

"""The harness's own rules: what is made equal, and what must stay different."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.conformance import audit, normalise, run
from tests.conformance.case import FILES, MANIFESTS, Case, load_cases
from tests.conformance.plane import Plane
from tests.conformance.report import load_reasons, markdown, reason_for, totals
from tests.conformance.run import SETUP, VERDICTS, Bench, Side


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://127.0.0.1:1234/api", "https://127.0.0.1:65000/api"),
        ('{"resourceVersion":"12"}', '{"resourceVersion":"3456"}'),
        ("map[name:x resourceVersion:12]", "map[name:x resourceVersion:3456]"),
        (r"{\"resourceVersion\":\"12\"}", r"{\"resourceVersion\":\"3456\"}"),
        ("uid: 0a1b2c3d-0000-4000-8000-000000000001", "uid: bbbbbbbb-0000-4000-8000-000000000002"),
        ('"2026-01-02T03:04:05Z"', '"2026-01-02T03:04:06Z"'),
        ("Date: Tue, 24 Nov 2026 01:42:44 GMT", "Date: Wed, 25 Nov 2026 01:42:45 GMT"),
        ("?timeoutSeconds=301&watch=true", "?timeoutSeconds=599&watch=true"),
        ('["web-0","5s"]', '["web-0","1m2s"]'),
        ("front-6d4cf56db6-bcdfg x", "front-6d4cf56db6-vwxzk x"),
    ],
)
def test_makes_equal(left: str, right: str) -> None:
    assert normalise.text(left, "/nowhere") == normalise.text(right, "/nowhere")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("/api/v1/pods?limit=500", "/api/v1/pods?limit=250"),
        ("pod/web-0 created", "pod/web-1 created"),
        ("NAME   READY", "NAME  READY"),
        ("?timeout=32s&x", "?timeout=20s&x"),
        ("fieldManager=kubectl-create", "fieldManager=kubectl"),
    ],
)
def test_keeps_different(left: str, right: str) -> None:
    assert normalise.table(normalise.text(left, "/nowhere")) != normalise.table(normalise.text(right, "/nowhere"))


def test_ages_change_no_width() -> None:
    young = "NAME    STATUS    AGE   NODE\nweb-0   Running   5s    node-0\n"
    older = "NAME    STATUS    AGE    NODE\nweb-0   Running   5m2s   node-0\n"
    assert normalise.table(young) == normalise.table(older)


def test_log_lines_lose_time_and_pid_and_nothing_else() -> None:
    line = 'I1123 14:01:53.982565    8830 helper.go:113] "Request Body" body=""'
    assert normalise.log(line) == ['I helper.go:113] "Request Body" body=""']
    assert normalise.log(line.replace(":113", ":114")) != normalise.log(line)


def test_feature_gates_have_no_order() -> None:
    gates = [f'I1123 14:01:53.982560 8830 envvar.go:195] "Feature gate default state" feature="{n}"' for n in "ABC"]
    assert normalise.log("\n".join(gates)) == normalise.log("\n".join(reversed(gates)))
    assert normalise.log("\n".join(gates)) != normalise.log("\n".join(gates[:2]))


def test_entries_of_parallel_calls_have_no_order() -> None:
    first, second = ['I a.go:1] "x" headers=<', "\tA: b", " >"], ["I b.go:2] y"]
    assert normalise.unordered(first + second) == normalise.unordered(second + first)
    assert normalise.unordered(first) != normalise.unordered(second)


def test_old_discovery_is_a_set_before_the_rest() -> None:
    calls = [audit.Received("GET", f"/apis/{name}/v1?timeout=32s", 200) for name in ("b", "a")]
    rest = [audit.Received("GET", "/api/v1/pods", 200), audit.Received("GET", "/api/v1/nodes", 200)]
    parallel = audit.lines(calls + rest, "/nowhere", parallel_discovery=True)
    assert parallel == audit.lines([*reversed(calls), *rest], "/nowhere", parallel_discovery=True)
    assert parallel != audit.lines([*calls, *reversed(rest)], "/nowhere", parallel_discovery=True)
    assert audit.lines(calls, "/nowhere", False) != audit.lines(calls[::-1], "/nowhere", False)


def test_cases_are_many_and_have_names_of_their_own() -> None:
    cases = load_cases()
    assert len(cases) >= 100
    assert len({case.name for case in cases}) == len(cases)
    assert {case.group for case in cases} == set(FILES)
    assert all(case.cache in ("warm", "cold") for case in cases)
    assert all(len(case.own_namespace) <= 60 for case in cases)


_MISSING = ("-", "none.yaml", "nope.yaml", "nowhere.yaml", "/nonexistent")


def test_manifests_that_cases_name_exist() -> None:
    for case in load_cases():
        words = [] if case.words[0] == "logs" else case.words  # whose -f follows
        for flag, value in itertools.pairwise(words):
            if (
                flag == "-f"
                and value not in ("-", "none.yaml", "nope.yaml", "nowhere.yaml", "/nonexistent")
                and "ghost" not in value
            ):
                top = value.rstrip("/").split("/")[0]
                assert (MANIFESTS / value).exists() or any(name.startswith(top) for name in case.files), case.name


def test_reasons_name_real_cases_and_verdicts() -> None:
    import fnmatch

    names = [case.name for case in load_cases()]
    for reason in load_reasons():
        assert any(fnmatch.fnmatchcase(name, reason.cases) for name in names), reason
        assert set(reason.verdicts) <= set(VERDICTS), reason
        assert reason.why


def test_a_reason_may_hold_for_one_server_only() -> None:
    from tests.conformance.report import Reason

    reason = Reason("get-*", ("log",), "why", server="1.29")
    assert reason_for([reason], "get-pods", "log", "v1.29.6") == "why"
    assert reason_for([reason], "get-pods", "log", "v1.36.3") == ""
    assert reason_for([reason], "get-pods", "calls", "v1.29.6") == ""


def test_report_counts_and_lists_what_differs() -> None:
    same: dict[str, list[str]] = {name: [] for name in VERDICTS}
    rows = [
        {"name": "get-x", "argv": "get x", "cache": "warm", "differences": same},
        {"name": "get-y", "argv": "get y | z", "cache": "cold", "differences": {**same, "log": ["-a", "+b"]}},
    ]
    text = markdown([{"title": "server 1", "server": "v1", "versions": "a against b", "rows": rows}])
    assert "| server 1 | 2 | 2 | 2 | 2 | 2 | 1 | 1 |" in text
    assert "| `get y \\| z` <sub>get-y</sub> | cold | ✓ | ✓ | ✓ | ✓ | ✗ |" in text
    assert "get-y (log)" in text


def test_a_protobuf_body_is_compared_by_the_server_alone() -> None:
    dump = 'I type.go:213] "Request Body" body=<\n\t00000000  6b 38 73 00 0a 32 0a 17  |k8s..2..|\n >'
    kubectl = (
        f'{dump}\n\tAccept: application/vnd.kubernetes.protobuf,application/json\nI x.go:1] "Response Body" body="a"'
    )
    ours = 'I type.go:213] "Request Body" body="{}"\n\tAccept: application/json\nI x.go:1] "Response Body" body="{}"'
    left, right = normalise.without_protobuf(kubectl.split("\n"), ours.split("\n"))
    assert left[:-1] == right[:-1]
    assert left[-1] != right[-1]


def test_protobuf_of_calls_without_an_order_is_told_by_who_logs_it() -> None:
    dump = '"Response Body" body=<\n\t00000000  6b 38 73 00 0a\n >'
    asked, read = 'I type.go:1] "Request Body" body=""', 'I x.go:1] "Response Body" body='
    kubectl = [asked, asked, *f"I type.go:1] {dump}".split("\n"), f'{read}"a"']
    ours = [f'{read}"b"', asked, 'I type.go:1] "Response Body" body="{}"', asked]
    both = normalise.without_protobuf(kubectl, ours, unordered=True)
    left, right = (normalise.unordered(lines) for lines in both)
    assert left[:-1] == right[:-1]
    assert (left[-1], right[-1]) == (f'{read}"a"', f'{read}"b"')


@pytest.mark.parametrize(
    ("kubectl", "told"),
    [("echo Error: there already >&2; exit 1", "Error: there already"), ("exec sleep 60", "hangs")],
)
def test_a_set_up_that_fails_is_one_failed_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kubectl: str, told: str
) -> None:
    monkeypatch.setattr(run, "TIMEOUT_SECONDS", 1)
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\n{kubectl}\n")
    program.chmod(0o755)
    plane = Plane(tmp_path, tmp_path)
    plane.authority.cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    sides = [Side(name, [str(program)], plane, tmp_path / name) for name in ("a", "b")]
    case = Case("get-x", "get x", setup=("create -f x.yaml",))
    result = Bench(program, *sides).run(case)
    assert list(result.differences) == [*VERDICTS, SETUP]
    assert all(lines == [f"set-up failed: create -f x.yaml: {told}"] for lines in result.differences.values())
    row = {"name": "get-x", "argv": "get x", "cache": "warm", "differences": result.differences}
    assert not any(totals([row]).values())
    assert "open: to be fixed**: get-x (calls)" in markdown(
        [{"title": "server 1", "server": "v1", "versions": "a against b", "rows": [row]}]
    )

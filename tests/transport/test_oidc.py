"""The auth provider `oidc`: calls, words, log and kubeconfig are those that the real kubectl had
(golden/oidc.json, recorded by tests/tools/record_oidc.py)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.bad_input.cases import Case, normal
from tests.bad_input.test_golden import run
from tests.transport.oidc_cases import CASES, servers, steady, told

GOLDEN = json.loads((Path(__file__).parent / "golden" / "oidc.json").read_text())["cases"]
SECRETS = ("client&secret", "client%26secret", "first&refresh", "first%26refresh", "second&refresh", "access-token")


def lines(text: str) -> list[str]:
    """A log without what differs by chance: the order of feature gates, times, sizes, and the program's name."""
    text = re.sub(r"(?m)^I envvar\.go.*\n", "", text)
    text = re.sub(r"illiseconds=\d+|Content-Length: \d+|(User-Agent: ).*", r"\1", text)
    return text.splitlines()


@pytest.mark.parametrize("name", CASES)
def test_as_kubectl_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case, golden = CASES[name], GOLDEN[name]
    with servers(case, tmp_path) as (server, issuer):
        found: dict[str, Any] = run(Case(name, case.words), tmp_path)
    used = {value for asked in server.asked for key, value in asked.headers if key == "Authorization"}
    assert not any(secret in found["stderr"] for secret in SECRETS)
    assert (found["code"], found["stdout"]) == (golden["code"], golden["stdout"])
    assert lines(steady(found["stderr"])) == lines(golden["stderr"])
    assert told(issuer.asked) == golden["issuer"]
    assert [steady(value) for value in used] == golden["used"]
    assert steady(normal((tmp_path / ".kube" / "config").read_text(), tmp_path)) == golden["config"]


def test_no_token_is_in_a_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES["renewed"]
    with servers(case, tmp_path):
        found = run(Case("trace", ("get", "cm", "-v=10", "--trace=trace.jsonl", "--trace-bodies=all")), tmp_path)
    kept = (tmp_path / "trace.jsonl").read_text() + found["stderr"]
    assert "/token" in kept and found["code"] == 0
    assert "e30." not in kept
    assert not any(secret in kept for secret in SECRETS)

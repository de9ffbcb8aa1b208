"""Users of the auth provider `oidc`, whose tokens are renewed for clients that know nothing of it."""

from __future__ import annotations

import http.client
import re
from pathlib import Path

from tests.recorder.program import Program, asking
from tests.transport.oidc_cases import CASES, servers
from tests.transport.scripted import Asked

SECRETS = ("client&secret", "first&refresh", "second&refresh", "access-token", "e30.")
ASK_TWICE = asking("print([ask('GET', '/raw') for _ in range(2)])")


def assert_authorized(asked: list[Asked]) -> None:
    """All of them came with the ID token that the issuer gave."""
    values = [value for each in asked for value in each.values("authorization")]
    assert len(values) == len(asked) == 2
    assert all(re.fullmatch(r"Bearer e30\.[\w-]+\.c2ln", value) for value in values), values


def test_wrap_renews_a_users_token_and_keeps_it(tmp_path: Path) -> None:
    config, trace = tmp_path / ".kube" / "config", tmp_path / "t.jsonl"
    with servers(CASES["renewed"], tmp_path) as (server, issuer):
        done = Program(tmp_path, config).run("wrap", "-v=8", f"--trace={trace}", "--", *ASK_TWICE)
        assert_authorized(server.asked)
        assert [asked.line.split()[0] for asked in issuer.asked] == ["GET", "POST"]
    assert (done.returncode, done.stdout.count('{"well":true}')) == (0, 2), done.stderr
    assert "/.well-known/openid-configuration" in done.stderr
    assert "Authorization" not in done.stderr.partition("/raw")[2]
    assert not [secret for secret in SECRETS if secret in done.stderr + trace.read_text()]
    assert "second&refresh" in config.read_text()


def test_wrap_says_why_there_is_no_token(tmp_path: Path) -> None:
    with servers(CASES["no-refresh-token"], tmp_path) as (server, _):
        done = Program(tmp_path, tmp_path / ".kube" / "config").run("wrap", "-v=6", "--", *ASK_TWICE)
        assert server.asked == []
    assert done.stdout.count("(502, ") == 2
    assert "No valid id-token, and cannot refresh without refresh-token" in done.stderr


def test_proxy_renews_it(tmp_path: Path) -> None:
    config = tmp_path / ".kube" / "config"
    with servers(CASES["renewed"], tmp_path) as (server, _):
        with Program(tmp_path, config).start("proxy", "--port=0") as running:
            assert running.stdout is not None
            port = int(running.stdout.readline().rpartition(":")[2])
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            for _ in range(2):
                client.request("GET", "/raw")
                assert client.getresponse().read() == b'{"well":true}'
            client.close()
            running.terminate()
        assert_authorized(server.asked)
    assert "second&refresh" in config.read_text()


def test_token_prints_a_valid_one(tmp_path: Path) -> None:
    with servers(CASES["renewed"], tmp_path):
        done = Program(tmp_path, tmp_path / ".kube" / "config").run("token")
    assert re.fullmatch(r"e30\.[\w-]+\.c2ln\n", done.stdout), done.stderr

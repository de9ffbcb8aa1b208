"""No credential and no Secret's content is in anything that nobody asked for: every level, on success and on failure,
from a server that repeats in its answers whatever it was sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.end_to_end.answers import Answer
from tests.end_to_end.program import Ports, configure, environment_of, free_port, make_certificates, run
from tests.end_to_end.scripted_server import ScriptedServer, serving

TOKEN, FILE_TOKEN, PLUGIN_TOKEN = "recorded-token", "token-from-a-file", "plugin-token"
PASSWORD, CONTENT = "recorded-password", "what-nobody-may-read"
BASIC = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
SECRETS = (TOKEN, FILE_TOKEN, PLUGIN_TOKEN, PASSWORD, BASIC, CONTENT, base64.b64encode(CONTENT.encode()).decode())
CREDENTIALS = {"token": [TOKEN], "file": [FILE_TOKEN], "execu": [PLUGIN_TOKEN], "basic": [PASSWORD, BASIC]}
JSON = [("Content-Type", "application/json")]
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret",
         "verbs": ["create", "delete", "get", "list", "patch"]},
        {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get", "list"]},
    ],
}  # fmt: skip
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": RESOURCES,
}


class Echo:
    """Answers as `mode` says, and repeats the credentials it got."""

    def __init__(self, mode: str, user: str = "token") -> None:
        self.mode = mode
        self.credentials = CREDENTIALS[user]

    def answer(self, method: str, path: str) -> Answer:
        bare = path.partition("?")[0]
        if bare in DISCOVERY:
            return Answer("200 OK", JSON, json.dumps(DISCOVERY[bare]).encode(), known_headers=False)
        if bare.startswith("/openapi"):
            return Answer("404 Not Found", JSON, b"{}", known_headers=False)
        echo = " ".join(self.credentials)
        if self.mode == "redirect" and method == "GET" and "access_token" not in path:
            where = [("Location", f"{bare}?access_token={quote(self.credentials[0])}")]
            return Answer("302 Found", where, b"", known_headers=False)
        if self.mode == "html":
            page = f"<html><body>Bearer {echo} is not welcome</body></html>".encode()
            return Answer("500 Internal Server Error", [("Content-Type", "text/html")], page, known_headers=False)
        if self.mode in ("401 Unauthorized", "403 Forbidden"):
            reason = self.mode[4:]
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
                      "message": f"Authorization: Bearer {echo}", "code": int(self.mode[:3])}  # fmt: skip
            return Answer(self.mode, [*JSON, ("X-Echo", f"Bearer {echo}")], json.dumps(status).encode(), False)
        metadata: dict[str, object] = {"name": "s1", "namespace": "default"}
        data = {"data": {"password": base64.b64encode(CONTENT.encode()).decode()}}
        manifest = json.dumps({"kind": "Secret", "stringData": {"password": CONTENT}})
        metadata["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": manifest}
        secret = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, **data}
        headers = [*JSON, ("Warning", f'299 - "token {self.credentials[0]} is old"')]
        return Answer("200 OK" if method != "POST" else "201 Created", headers, json.dumps(secret).encode(), False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ScriptedServer, Path]]:
    folder = tmp_path_factory.mktemp("home")
    make_certificates(folder)
    with serving(folder / "server.pem") as server:
        configure(folder, folder, Ports(server.port, server.port, free_port()), [])
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s1"},
            "stringData": {"password": CONTENT},
        }
        (folder / "secret.yaml").write_text(json.dumps(manifest))
        (folder / "token").write_text(FILE_TOKEN)
        config = json.loads((folder / ".kube" / "config").read_text())
        config["users"].append({"name": "file", "user": {"tokenFile": str(folder / "token")}})
        failing = folder / "failing-plugin"
        failing.write_text(f'#!/bin/sh\necho \'{{"kind":"Nonsense","token":"{PLUGIN_TOKEN}"}}\'\nexit $FAIL\n')
        failing.chmod(0o755)
        for name, code in (("failing", "1"), ("nonsense", "0")):
            plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(failing),
                      "interactiveMode": "Never", "env": [{"name": "FAIL", "value": code}]}  # fmt: skip
            config["users"].append({"name": name, "user": {"exec": plugin}})
        (folder / ".kube" / "config").write_text(json.dumps(config))
        yield server, folder


COMMANDS = (
    ["get", "secret", "s1"],
    ["get", "secret", "s1", "-o", "name"],
    ["create", "-f", "secret.yaml", "--validate=false"],
    ["apply", "-f", "secret.yaml", "--validate=false"],
    ["delete", "secret", "s1", "--wait=false"],
)
LEVELS = (("1.31", 0), ("1.19", 8), ("1.31", 8), ("1.32", 9), ("1.36", 6), ("1.36", 8), ("1.36", 10))


@pytest.mark.parametrize("mode", ["fine", "401 Unauthorized", "403 Forbidden", "html", "redirect"])
@pytest.mark.parametrize("user", ["token", "basic", "file", "execu"])
def test_no_answer_and_no_failure_shows_a_secret(
    mode: str, user: str, place: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, home = place
    monkeypatch.chdir(home)
    server.script = Echo(mode, user)
    for command in COMMANDS:
        for like, level in LEVELS:
            got = run([*command, f"--user={user}", f"--like={like}", f"-v={level}"], environment_of(home))
            shown = (got.stderr + got.stdout).decode("utf-8", "replace")
            assert [secret for secret in SECRETS if secret in shown] == [], (command, like, level)
            assert "Traceback" not in shown


@pytest.mark.parametrize("mode", ["fine", "401 Unauthorized", "403 Forbidden", "html"])
@pytest.mark.parametrize("flags", [["--why"], ["--why", "--lang=ko"], ["--plan"], ["--stats", "--traceparent"]])
def test_what_explains_a_command_shows_no_secret(
    mode: str, flags: list[str], place: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, home = place
    monkeypatch.chdir(home)
    for user in CREDENTIALS:
        server.script = Echo(mode, user)
        for command in COMMANDS:
            got = run([*command, f"--user={user}", *flags], environment_of(home))
            shown = (got.stderr + got.stdout).decode("utf-8", "replace")
            assert [secret for secret in SECRETS if secret in shown] == [], (command, flags)
            assert "Traceback" not in shown and shown


SHOWN_AS_IT_COMES = (
    ["get", "--raw", "/api/v1/namespaces/default/secrets/s1"],
    ["get", "--raw", "/somewhere/else"],
    ["create", "--raw", "/api/v1/namespaces/default/secrets", "-f", "secret.yaml"],
    ["get", "secret", "s1", "-w", "-o", "name", "--request-timeout=9s"],
    ["get", "secrets", "-w", "-o", "name", "--output-watch-events"],
)


@pytest.mark.parametrize("bodies", ["all", "none", *(str(size) for size in range(30, 330, 50))])
def test_no_trace_holds_a_secret_wherever_its_bodies_are_cut(
    bodies: str, place: tuple[ScriptedServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, home = place
    monkeypatch.chdir(home)
    trace = home / "t.jsonl"
    for user in CREDENTIALS:
        server.script = Echo("fine", user)
        for command in (*COMMANDS, *SHOWN_AS_IT_COMES):
            run([*command, f"--user={user}", f"--trace={trace}", f"--trace-bodies={bodies}"], environment_of(home))
            kept = trace.read_text()
            trace.unlink()
            assert "exchange-ended" in kept
            assert [secret for secret in SECRETS if secret in kept] == [], (command, bodies)


@pytest.mark.parametrize("user", ["failing", "nonsense"])
def test_what_a_failing_plugin_says_is_not_repeated(user: str, place: tuple[ScriptedServer, Path]) -> None:
    server, home = place
    server.script = Echo("fine")
    for _, level in LEVELS:
        got = run(["get", "pods", f"--user={user}", f"-v={level}"], environment_of(home))
        assert got.exit_code == 1
        assert PLUGIN_TOKEN.encode() not in got.stderr + got.stdout


def test_a_refused_connection_shows_no_secret(place: tuple[ScriptedServer, Path]) -> None:
    _, home = place
    for level in range(11):
        words = ["get", "pods", f"--server=https://u:{PASSWORD}@127.0.0.1:1", f"-v={level}", f"--token={TOKEN}"]
        got = run(words, environment_of(home))
        assert got.exit_code == 1
        assert TOKEN.encode() not in got.stderr and PASSWORD.encode() not in got.stderr


def test_what_was_asked_for_is_shown(place: tuple[ScriptedServer, Path]) -> None:
    server, home = place
    server.script = Echo("fine")
    got = run(["get", "secret", "s1", "-o", "json", "-v=8"], environment_of(home))
    assert SECRETS[-1].encode() in got.stdout and SECRETS[-1].encode() not in got.stderr


def test_unmask_shows_all_and_says_so_once(place: tuple[ScriptedServer, Path]) -> None:
    server, home = place
    server.script = Echo("fine")
    got = run(["get", "secret", "s1", "-v=8", "--unmask"], environment_of(home))
    assert got.stderr.count(b"--unmask") == 1
    assert f"Bearer {TOKEN}".encode() in got.stderr and SECRETS[-1].encode() in got.stderr

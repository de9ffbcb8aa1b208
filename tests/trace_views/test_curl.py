"""Lines that run: a shell sends them to a server, and what arrives is what was traced."""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from kubetrace.trace.access import Access, Material
from kubetrace.trace.exchange import Exchange, Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.views import curl, httpie, requests_script
from kubetrace.trace.views.curl import render
from tests.conftest import Kubetrace
from tests.trace_views.conversation import TOKEN
from tests.transport.scripted import ScriptedServer, reply


def kubeconfig(server: str, authority: bytes, token: str) -> str:
    cluster: dict[str, str] = {"server": server}
    if authority:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode()
    return json.dumps(
        {
            "kind": "Config",
            "apiVersion": "v1",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh") if shutil.which(shell)]


VIEWS = {"curl": curl, "httpie": httpie, "python": requests_script}


def lines(one: Recorded, access: Access, view: str = "curl") -> str:
    return "".join(VIEWS[view].render([one], access))


def recorded(url: str, body: bytes | None = None, *, method: str = "PATCH", headers: tuple[tuple[str, str], ...] = (),
             cut: frozenset[str] = frozenset()) -> Recorded:  # fmt: skip
    return Recorded(1, Exchange(1, 1, 1, Request(method, url, headers, body)), cut)


BODIES = [
    b"{}",
    b"{}\n",
    b'it\'s $HOME `id` \\ "x"\n',
    b"END\nEND_\nno\n",
    b"two\nlines",
    b"\n",
    b"k8s\0\xff\xfe\n",
    b"tab\there\r\n",
    "héé ☃\n".encode(),
    b"-" * 5000,
    b"%s %d \\n",
]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("shell", SHELLS)
def test_bodies_and_headers_arrive_to_the_byte(shell: str, tmp_path: Path) -> None:
    headers = (("Accept", "application/json"), ("X-Odd", 'it\'s $HOME `id` "q" \\'), ("User-Agent", "kubetrace/x"))
    with ScriptedServer([reply(b"{}")]) as server:
        url = f"{server.url}/api/v1/x?a='$(id)'&b=[1-3]{{x,y}}"
        script = "".join(render(recorded(url, body, headers=headers) for body in BODIES))
        done = subprocess.run(
            [shell], input=script.encode(), capture_output=True, cwd=tmp_path, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [asked.body for asked in server.asked] == BODIES
    for asked in server.asked:
        assert asked.line.startswith("PATCH /api/v1/x?a='$(id)'&b=[1-3]{x,y} ")
        assert asked.values("X-Odd") == [headers[1][1]] and asked.values("User-Agent") == ["kubetrace/x"]
        assert asked.values("Content-Type") == [] and asked.values("Accept") == ["application/json"]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_credentials_come_from_the_kubeconfig(kubetrace: Kubetrace, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "kubetrace"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kubetrace "$@"\n')
    program.chmod(0o755)
    with ScriptedServer([reply(b"{}")], tls=context) as server:
        config = tmp_path / "config"
        config.write_text(kubeconfig(server.url, authority.cert_pem.bytes(), TOKEN))
        trace = tmp_path / "t.jsonl"
        flags = ["--kubeconfig", str(config)]
        assert kubetrace("get", "--raw", "/version", *flags, "--trace", str(trace)).code == 0
        script = kubetrace("trace", "curl", str(trace), *flags).out
        assert TOKEN not in script and f"$(kubetrace token --kubeconfig {config})" in script
        environ = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
        done = subprocess.run(
            ["sh"], input=script, env=environ, capture_output=True, text=True, timeout=60, cwd=Path.cwd(), check=False
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}", "")
    first, second = server.asked
    assert first.line == second.line
    assert second.values("Authorization") == first.values("Authorization") == [f"Bearer {TOKEN}"]
    assert not list(tmp_path.glob("tmp.*"))


@pytest.mark.parametrize("view", ["", "--python"])
def test_passwords_and_servers_of_another_name(kubetrace: Kubetrace, tmp_path: Path, view: str) -> None:
    if not view and not shutil.which("curl"):
        pytest.skip("curl is not installed")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example.com").configure_cert(context)
    program = tmp_path / "kubetrace"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kubetrace "$@"\n')
    program.chmod(0o755)
    password = "p$ss 'w\"rd"
    with ScriptedServer([reply(b"{}")], tls=context) as server:
        config = json.loads(kubeconfig(server.url, authority.cert_pem.bytes(), ""))
        config["clusters"][0]["cluster"]["tls-server-name"] = "api.example.com"
        config["users"][0]["user"] = {"username": "al ice", "password": password}
        (tmp_path / "config").write_text(json.dumps(config))
        flags = ["--kubeconfig", str(tmp_path / "config")]
        assert kubetrace("get", "--raw", "/version", *flags, "--trace", str(tmp_path / "t.jsonl")).code == 0
        script = kubetrace("trace", "curl", str(tmp_path / "t.jsonl"), *flags, *([view] if view else [])).out
        assert password not in script
        environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-"] if view else ["sh"]
        done = subprocess.run(
            command, input=script, env=environ, capture_output=True, text=True, timeout=60, cwd=Path.cwd(), check=False
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    first, second = server.asked
    assert second.line == first.line and second.values("Host") == first.values("Host")
    assert second.values("Authorization") == first.values("Authorization")
    said = kubetrace("trace", "curl", str(tmp_path / "t.jsonl"), *flags, "--httpie").out
    assert "# HTTPie cannot ask a server for a certificate of another name" in said


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (recorded("https://h/x", b"{", cut=frozenset({"request"})), "does not hold the whole request body"),
        (recorded("https://h/x", b'{"a":"<masked:1>"}'), "the request body holds credentials"),
        (recorded("https://h/x?token=<masked>"), "the URL holds credentials"),
        (recorded("https://h/x", headers=(("Upgrade", "websocket"),)), "upgraded"),
        (recorded("/x"), "does not hold the request's URL"),
    ],
)
def test_what_cannot_be_sent_again_says_why(one: Recorded, words: str) -> None:
    text = lines(one, Access())
    assert words in text and all(line.startswith("#") for line in text.splitlines())


@pytest.mark.parametrize(
    "url", ["https://evil/x", "http://h/x", "https://h:444/x", "https://h.evil/x", "https://h@evil/x"]
)
@pytest.mark.parametrize("view", VIEWS)
def test_another_server_gets_no_credentials(url: str, view: str) -> None:
    access = Access("https://h", certificate=Material("/secret.pem"), token=("kubetrace", "token"))
    ours = lines(recorded("https://h/x"), access, view)
    text = lines(recorded(url), access, view)
    assert "without credentials" in text and "without credentials" not in ours
    if view == "python":  # its session is the server's
        assert "response = session.request(" in ours and "response = requests.Session().request(" in text
    else:
        assert "/secret.pem" in ours and "$(kubetrace token)" in ours
        assert "secret.pem" not in text and "kubetrace token" not in text


def test_a_hostile_trace_cannot_leave_its_quotes(tmp_path: Path) -> None:
    marker = tmp_path / "owned"
    evil = f"x'\n$(touch {marker})\n`touch {marker}`;touch {marker}\nEND\ntouch {marker}\n"
    hostile = recorded("http://127.0.0.1:1/" + evil, evil.encode(), method=evil, headers=((evil, evil),))
    for shell in SHELLS:
        for view in ("curl", "httpie"):
            script = lines(hostile, Access(), view).encode()
            subprocess.run([shell], input=script, capture_output=True, timeout=60, check=False)
    script = lines(hostile, Access(), "python").encode()
    subprocess.run([sys.executable, "-"], input=script, capture_output=True, timeout=60, check=False)
    assert not marker.exists()


def test_token(kubetrace: Kubetrace, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(kubeconfig("https://h", b"", TOKEN))
    assert kubetrace("token", "--kubeconfig", str(config)).out == TOKEN + "\n"
    done = kubetrace("token")
    assert (done.code, done.out) == (1, "") and "has no token" in done.err
    assert kubetrace("token", "x").code == 1


@pytest.mark.parametrize(
    ("view", "flag"), [("curl", "curl -sSN "), ("httpie", " --stream "), ("python", "stream=True")]
)
def test_what_comes_bit_by_bit_is_shown_bit_by_bit(view: str, flag: str) -> None:
    for url, streams in (
        ("https://h/api/v1/pods?watch=true", True),
        ("https://h/api/v1/namespaces/a/pods/p/log?follow=true", True),
        ("https://h/api/v1/pods?labelSelector=follow%3Dtrue", False),
    ):
        text = lines(recorded(url, method="GET"), Access(server="https://h"), view)
        assert (flag in text) == streams
        assert ("# It goes on until" in text) == streams

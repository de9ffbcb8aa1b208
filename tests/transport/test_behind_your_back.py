"""What requests would do by itself, and the client must not let it: design.md, "The session"."""

# ruff: noqa: SIM117
from __future__ import annotations

import base64
import ssl
from pathlib import Path

import certifi
import pytest

from kubetrace.transport.call import Call
from kubetrace.transport.errors import TransportError
from tests.transport.scripted import Authority, ScriptedServer, reply
from tests.transport.watching import watched

PODS = Call("GET", "/api/v1/pods")


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_ca_bundle_variables_do_not_replace_the_kubeconfigs_ca(
    name: str, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority().pem)
    monkeypatch.setenv(name, str(other))
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, authority) as one:
        assert one.client.send(PODS).status == 200


def test_ca_bundle_variables_do_not_add_trust(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(authority.pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, Authority()) as one:
        with pytest.raises(TransportError, match="signed by unknown authority"):
            one.client.send(PODS)


def test_netrc_does_not_replace_the_token(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, token="t") as one:
            one.client.send(PODS)
        with watched(server, authority) as nobody:
            nobody.client.send(PODS)
    assert [asked.values("Authorization") for asked in server.asked] == [["Bearer t"], []]


def test_certifis_roots_stay_out_of_the_context(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server, watched(server, authority) as one:
        one.client.send(PODS)
        context = one.client.tls_context
        assert context is not None and len(context.get_ca_certs()) == 1
    every = ssl.create_default_context(cafile=certifi.where())
    assert len(every.get_ca_certs()) > 50  # what it would have been


def test_insecure_is_in_the_context_and_warns_nobody(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server("elsewhere.example")) as server:
        with watched(server, insecure_skip_tls_verify=True) as one:  # pytest turns urllib3's warning into a failure
            assert one.client.send(PODS).status == 200


def test_no_credentials_over_plain_http() -> None:
    for settings in ({"token": "t"}, {"username": "u", "password": "p"}, {"token_file": "/nonexistent"}):
        with ScriptedServer([reply()]) as server, watched(server, **settings) as one:
            one.client.send(PODS)
        assert server.asked[0].values("Authorization") == []


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refusal_is_asked_for_once(status: str, authority: Authority) -> None:
    with ScriptedServer([reply(status=status)], tls=authority.server()) as server:
        with watched(server, authority, token="t") as one:
            assert one.client.send(PODS).status == int(status[:3])
    assert len(server.asked) == 1 and one.slept == []


def test_proxy_variables_of_the_process_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with ScriptedServer([reply()]) as server, watched(server, environ={}) as one:
        assert one.client.send(PODS).status == 200


def test_cookies_are_not_kept() -> None:
    with ScriptedServer([reply(headers=(("Set-Cookie", "a=1; Path=/"),))]) as server, watched(server) as one:
        one.client.send(PODS)
        one.client.send(PODS)
    assert server.asked[1].values("Cookie") == []


def test_requests_own_headers_stay_away() -> None:
    with ScriptedServer([reply()]) as server, watched(server) as one:
        one.client.send(PODS)
    assert sorted(server.asked[0].names()) == ["Accept-Encoding", "Host", "User-Agent"]


def test_basic_auth_is_utf8(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, username="jü", password="p:w") as one:
            one.client.send(PODS)
    (value,) = server.asked[0].values("Authorization")
    assert base64.b64decode(value.removeprefix("Basic ")) == "jü:p:w".encode()

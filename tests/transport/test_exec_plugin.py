"""Credentials from programs: real ones, run by the shell."""

# ruff: noqa: SIM117
from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from kubetrace.kubeconfig.connection import ExecPlugin
from kubetrace.trace.exchange import ExchangeEnded, RequestSent
from kubetrace.transport.call import Call
from kubetrace.transport.errors import TransportError
from kubetrace.transport.exec_plugin import Authenticator, CredentialError
from tests.transport.scripted import Authority, ScriptedServer, reply
from tests.transport.watching import watched

V1 = "client.authentication.k8s.io/v1"
PATH = "/usr/bin:/bin"


def credential(version: str = V1, **status: object) -> str:
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})


def printing(text: str, **settings: object) -> ExecPlugin:
    return ExecPlugin("sh", ("-c", f"cat <<'END'\n{text}\nEND"), **settings)  # type: ignore[arg-type]


def run(plugin: ExecPlugin, terminal: bool = False) -> Authenticator:
    return Authenticator(plugin, environ={"PATH": PATH}, is_terminal=lambda: terminal)


def counting(tmp_path: Path, **status: object) -> ExecPlugin:
    """A plugin whose token counts how often it was run."""
    runs = tmp_path / "runs"
    count = f"echo x >> {runs}; n=$(wc -l < {runs} | tr -d ' ')"
    (tmp_path / "answer").write_text(credential(token="token-NUMBER", **status))
    return ExecPlugin("sh", ("-c", f'{count}; sed "s/NUMBER/$n/" {tmp_path}/answer'))


def test_token_goes_out_and_stays_out_of_the_log(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, exec_plugin=printing(credential(token="t")), environ={"PATH": PATH}) as one:
            one.client.send(Call("GET", "/x"))
    assert server.asked[0].values("Authorization") == ["Bearer t"]
    assert "Authorization" not in dict(one.seen(RequestSent)[0].request.headers)
    request = one.seen(ExchangeEnded)[0].exchange.request
    assert ("Authorization", "Bearer t") in request.headers and "authorization" in request.unlogged


def test_client_certificate_from_a_plugin(authority: Authority) -> None:
    certificate, key = authority.client()
    plugin = printing(credential(clientCertificateData=certificate.decode(), clientKeyData=key.decode()))
    with ScriptedServer([reply()], tls=authority.server(clients=True)) as server:
        with watched(server, authority, exec_plugin=plugin, environ={"PATH": PATH}) as one:
            assert one.client.send(Call("GET", "/x")).status == 200
            assert one.client.send(Call("GET", "/x")).status == 200
    assert server.connections == 1


def test_kept_until_they_expire(tmp_path: Path) -> None:
    now = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
    clock = [now]
    plugin = counting(tmp_path, expirationTimestamp="2030-01-01T01:00:00Z")
    one = Authenticator(plugin, environ={"PATH": PATH}, is_terminal=lambda: False, now=lambda: clock[0])
    assert [one.credentials().token, one.credentials().token] == ["token-1", "token-1"]
    clock[0] = now + datetime.timedelta(hours=1, seconds=1)
    assert one.credentials().token == "token-2"


def test_401_fetches_new_credentials_for_the_next_request(tmp_path: Path, authority: Authority) -> None:
    with ScriptedServer([reply(status="401 Unauthorized"), reply()], tls=authority.server()) as server:
        with watched(server, authority, exec_plugin=counting(tmp_path), environ={"PATH": PATH}) as one:
            assert one.client.send(Call("GET", "/x")).status == 401
            assert one.client.send(Call("GET", "/x")).status == 200
    assert [asked.values("Authorization") for asked in server.asked] == [["Bearer token-1"], ["Bearer token-2"]]


@pytest.mark.parametrize("settings", [{"token": "own"}, {"username": "u", "password": "p"}])
def test_own_credentials_win(settings: dict[str, str], authority: Authority) -> None:
    plugin = ExecPlugin("/nonexistent")
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, exec_plugin=plugin, **settings) as one:
            assert one.client.send(Call("GET", "/x")).status == 200


def test_what_the_plugin_is_told(tmp_path: Path) -> None:
    script = f'printf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; echo "$EXTRA" > {tmp_path}/env; exit 1'
    cluster = {"server": "https://x?a=1&b=<2>", "config": {"k": "v"}}
    plugin = ExecPlugin("sh", ("-c", script), env=(("EXTRA", "e"),), provide_cluster_info=True, cluster_info=cluster)
    with pytest.raises(CredentialError, match="exec: executable sh failed with exit code 1"):
        run(plugin).credentials()
    expected = (
        '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":'
        '{"server":"https://x?a=1\\u0026b=\\u003c2\\u003e","config":{"k":"v"}},"interactive":false}}\n'
    )
    assert (tmp_path / "info").read_text() == expected and (tmp_path / "env").read_text() == "e\n"


HELP = """exec: executable nope not found

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins

install nope"""


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        (ExecPlugin("nope", install_hint="install nope"), HELP),
        (ExecPlugin("/nonexistent/p"), "exec: fork/exec /nonexistent/p: no such file or directory"),
        (ExecPlugin("/etc/passwd"), "exec: fork/exec /etc/passwd: permission denied"),
        (ExecPlugin("sh", ("-c", "exit 3")), "exec: executable sh failed with exit code 3"),
        (ExecPlugin("sh", ("-c", "kill -9 $$")), "exec: executable sh failed with exit code -1"),
        (ExecPlugin("true", api_version="v9"), 'exec plugin: invalid apiVersion "v9"'),
        (printing(credential()), "exec plugin didn't return a token or cert/key pair"),
        (printing(credential(clientKeyData="x")), "exec plugin returned only certificate or key, not both"),
        (printing(f'{{"apiVersion":"{V1}","kind":"ExecCredential"}}'), "exec plugin didn't return a status field"),
        (
            printing(credential(f"{V1}beta1", token="x")),
            f"exec plugin is configured to use API version {V1}, plugin returned version {V1}beta1",
        ),
        (
            printing(""),
            f"exec plugin is configured to use API version {V1}, "
            "plugin returned version client.authentication.k8s.io/__internal",
        ),
        (
            printing(credential(f"{V1}alpha1", token="x")),
            f'decoding stdout: no kind "ExecCredential" is registered for version "{V1}alpha1" in scheme '
            '"pkg/client/auth/exec/exec.go:64"',
        ),
        (
            printing(credential(token="x", expirationTimestamp="tomorrow")),
            'decoding stdout: parsing time "tomorrow" as "2006-01-02T15:04:05Z07:00": '
            'cannot parse "tomorrow" as "2006"',
        ),
        (
            ExecPlugin("true", interactive_mode="Always"),
            "exec plugin cannot support interactive mode: standard input is not a terminal",
        ),
    ],
)
def test_problems_in_kubectls_words(plugin: ExecPlugin, problem: str) -> None:
    with pytest.raises(CredentialError) as caught:
        run(plugin).credentials()
    assert caught.value.problem == problem


def test_a_problem_is_a_failed_exchange(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, exec_plugin=ExecPlugin("sh", ("-c", "exit 3"))) as one:
            with pytest.raises(TransportError) as caught:
                one.client.send(Call("GET", "/x"))
    problem = "getting credentials: exec: executable sh failed with exit code 3"
    assert caught.value.lines() == [f"Unable to connect to the server: {problem}"]
    assert caught.value.kind == "credentials" and server.connections == 0
    assert one.names() == ["CallStarted", "RequestSent", "ResponseReceived", "ExchangeEnded"]


def test_hint_is_shown_ten_times_at_most() -> None:
    one = run(ExecPlugin("nope"))
    texts = []
    for _ in range(11):
        with pytest.raises(CredentialError) as caught:
            one.credentials()
        texts.append(caught.value.problem)
    assert texts[9] != texts[10] == "exec: executable nope not found"


@pytest.mark.parametrize(
    ("mode", "terminal", "interactive"), [("Never", True, False), ("IfAvailable", True, True), ("Always", True, True)]
)
def test_interactive_modes(mode: str, terminal: bool, interactive: bool, tmp_path: Path) -> None:
    script = f'printf "%s" "$KUBERNETES_EXEC_INFO" > {tmp_path}/info; exit 1'
    with pytest.raises(CredentialError):
        run(ExecPlugin("sh", ("-c", script), interactive_mode=mode), terminal).credentials()
    assert json.loads((tmp_path / "info").read_text())["spec"]["interactive"] is interactive


def test_yaml_is_understood() -> None:
    text = f"apiVersion: {V1}\nkind: ExecCredential\nstatus:\n  token: yes-it-is\n"
    assert run(printing(text)).credentials().token == "yes-it-is"


def test_a_pair_that_is_none(authority: Authority) -> None:
    plugin = printing(credential(clientCertificateData="x", clientKeyData="y"))
    with ScriptedServer([reply()], tls=authority.server()) as server:
        with watched(server, authority, exec_plugin=plugin, environ={"PATH": PATH}) as one:
            words = "failed parsing client key/certificate: tls: failed to find any"
            for _ in range(2):  # the second call must not go out without credentials
                with pytest.raises(TransportError, match=words):
                    one.client.send(Call("GET", "/x"))
    assert server.asked == []


def test_a_manifest_from_standard_input_takes_it_from_the_plugin(tmp_path: Path, authority: Authority) -> None:
    """kubectl 1.36 `delete -f -`: once for clients that were there before, once for objects."""
    read = [False]
    with ScriptedServer([reply()] * 5, tls=authority.server()) as server:
        settings = {"exec_plugin": counting(tmp_path), "environ": {"PATH": PATH}, "manifest_read": lambda: read[0]}
        with watched(server, authority, **settings) as one:
            one.client.another("discovery").send(Call("GET", "/openapi/v3", operation="openapi-v3"))
            one.client.another("factory")
            read[0] = True
            one.client.send(Call("GET", "/api", operation="discovery-api"))
            one.client.another("builder").send(Call("GET", "/x"))
            one.client.send(Call("GET", "/apis", operation="discovery-apis"))
            one.client.send(Call("GET", "/x", operation="dynamic-get"))
    tokens = [asked.values("Authorization")[0] for asked in server.asked]
    assert tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2", "Bearer token-1", "Bearer token-1"]


def test_clients_made_after_the_first_object_share_its_credentials(tmp_path: Path, authority: Authority) -> None:
    with ScriptedServer([reply()] * 3, tls=authority.server()) as server:
        settings = {"exec_plugin": counting(tmp_path), "environ": {"PATH": PATH}, "manifest_read": lambda: True}
        with watched(server, authority, **settings) as one:
            one.client.another("builder").send(Call("GET", "/x"))
            one.client.another("discovery").send(Call("GET", "/api", operation="discovery-api"))
            one.client.another("factory").send(Call("GET", "/x", operation="typed-get"))
    assert [asked.values("Authorization") for asked in server.asked] == [["Bearer token-1"]] * 3


def test_interactive_is_impossible_while_a_manifest_has_standard_input() -> None:
    plugin = printing(credential(token="t"), interactive_mode="Always")
    one = Authenticator(plugin, environ={"PATH": PATH}, is_terminal=lambda: True, stdin_is_taken=lambda: True)
    with pytest.raises(CredentialError) as caught:
        one.credentials()
    assert caught.value.problem == (
        "exec plugin cannot support interactive mode: standard input is unavailable: used by stdin resource manifest "
        "reader"
    )

"""From files and flags to a connection: what client-go resolves, drops, and falls back to."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from kubetrace.kubeconfig.config import Config, Overrides, cluster_info, load
from kubetrace.kubeconfig.connection import Connection, ExecPlugin, Impersonation
from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.kubeconfig.overrides import parse_timeout
from kubetrace.kubeconfig.sections import Cluster
from kubetrace.kubeconfig.sections import Config as Sections


def write(tmp_path: Path, user: str = "token: t", cluster: str = 'server: "https://h:6443"', more: str = "") -> Config:
    text = (
        "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u, namespace: ns}}\n"
        f"clusters:\n- {{name: k, cluster: {{{cluster}}}}}\nusers:\n- {{name: u, user: {{{user}}}}}\n{more}"
    )
    (tmp_path / "config").write_text(text, encoding="utf-8")
    return load({"HOME": str(tmp_path)}, str(tmp_path / "config"))


def test_every_setting_arrives(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").touch()
    config = write(
        tmp_path,
        "token: t, as: me, as-uid: '7', as-groups: [g], as-user-extra: {k: [v, w]}, client-certificate-data: aGk=,"
        " client-key-data: a2V5",
        "server: 'https://h:6443/prefix/', certificate-authority: ca.crt, tls-server-name: name, proxy-url: 'socks5://p',"
        " disable-compression: true",
    )
    assert config.connect() == Connection(
        server="https://h:6443/prefix",
        tls_server_name="name",
        certificate_authority=str(tmp_path / "ca.crt"),
        client_certificate_data=b"hi",
        client_key_data=b"key",
        token="t",
        impersonation=Impersonation("me", "7", ("g",), (("k", ("v", "w")),)),
        proxy_url="socks5://p",
        disable_compression=True,
    )


def test_plain_http_gets_no_credentials_but_impersonation(tmp_path: Path) -> None:
    config = write(tmp_path, "token: t, as: me", "server: 'http://h:8080', insecure-skip-tls-verify: true")
    assert config.connect() == Connection(server="http://h:8080", impersonation=Impersonation("me"))


def test_a_token_file_is_read_and_kept(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc", encoding="utf-8")
    connection = write(tmp_path, "tokenFile: token").connect()
    assert (connection.token, connection.token_file) == ("abc", str(tmp_path / "token"))


def test_an_insecure_flag_clears_the_ca(tmp_path: Path) -> None:
    config = write(tmp_path, cluster="server: 'https://h', certificate-authority-data: aGk=, tls-server-name: name")
    insecure = config.connect(Overrides(insecure_skip_tls_verify=True))
    assert insecure.insecure_skip_tls_verify and not insecure.certificate_authority_data
    assert config.connect(Overrides(server="https://x")).tls_server_name == ""


def test_an_exec_plugin(tmp_path: Path) -> None:
    config = write(
        tmp_path,
        "exec: {command: bin/../bin/x, args: [a], env: [{name: VAR, value: v}], provideClusterInfo: true,"
        ' apiVersion: client.authentication.k8s.io/v1beta1, installHint: "a\\eb"}',
        "server: 'https://h', certificate-authority-data: aGk=, extensions: [{name: client.authentication.k8s.io/exec,"
        " extension: {audience: 5}}]",
    )
    assert config.connect().exec_plugin == ExecPlugin(
        command=str(tmp_path / "bin/x"),
        args=("a",),
        env=(("VAR", "v"),),
        api_version="client.authentication.k8s.io/v1beta1",
        install_hint="aU+001Bb",
        provide_cluster_info=True,
        interactive_mode="IfAvailable",
        cluster_info={
            "server": "https://h",
            "certificate-authority-data": base64.b64encode(b"hi").decode(),
            "config": {"audience": 5},
        },
    )


def test_cluster_info_without_anything() -> None:
    assert cluster_info(Cluster(server="https://h")) == {"server": "https://h", "config": None}


def test_namespaces(tmp_path: Path) -> None:
    config = write(tmp_path)
    assert config.namespace() == ("ns", False)
    assert config.namespace(Overrides(namespace="x")) == ("x", True)
    assert load({"HOME": str(tmp_path / "none")}).namespace() == ("default", False)


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "token").write_text("sa", encoding="utf-8")
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    (tmp_path / "namespace").write_text("own\n", encoding="utf-8")
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def in_cluster(tmp_path: Path, environ: dict[str, Any]) -> tuple[Config, list[str]]:
    notes: list[str] = []
    return Config(Sections(), environ, lambda name, **values: notes.append(name), str(tmp_path)), notes


def test_inside_a_pod(tmp_path: Path, pod: dict[str, Any]) -> None:
    config, notes = in_cluster(tmp_path, pod)
    assert config.connect() == Connection(
        server="https://10.0.0.1:443",
        token="sa",
        token_file=str(tmp_path / "token"),
        certificate_authority=str(tmp_path / "ca.crt"),
        in_cluster=True,
    )
    assert config.namespace() == ("own", False)
    assert notes == ["in-cluster-namespace"]


def test_inside_a_pod_ipv6_and_flags(tmp_path: Path, pod: dict[str, Any]) -> None:
    config, _ = in_cluster(tmp_path, {**pod, "KUBERNETES_SERVICE_HOST": "fd00::1", "POD_NAMESPACE": "env"})
    assert config.connect().server == "https://[fd00::1]:443"
    assert config.namespace() == ("env", False)


def test_a_configured_server_wins_over_the_pod(tmp_path: Path, pod: dict[str, Any]) -> None:
    config, _ = in_cluster(tmp_path, pod)
    assert config.connect(Overrides(server="https://other")).server == "https://other"


def test_notes_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    seen: list[Any] = []
    for name in ("a", "b"):
        (tmp_path / name).touch()
    listed = ":".join(str(tmp_path / name) for name in ("b", "none", "a", "b"))
    load({"KUBECONFIG": listed}, note=lambda name, **values: seen.append((name, values)))
    assert seen == [("config-loaded", {"path": str(tmp_path / name)}) for name in ("b", "a")]
    seen.clear()
    missing = f"{tmp_path}/x:{tmp_path}/y"
    load({"KUBECONFIG": missing}, note=lambda name, **values: seen.append((name, values)))
    assert seen == [("config-not-found", {"paths": missing.replace(":", ", ")})]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("5", 5), ("1m5s", 65), ("1.5h", 5400), ("250ms", 0.25), ("-1s", -1)]
)
def test_timeouts(text: str, seconds: float) -> None:
    assert parse_timeout(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "-5", "5x", "s", "1 s", "1s2"])
def test_bad_timeouts(text: str) -> None:
    with pytest.raises(ConfigError, match="Invalid timeout value"):
        parse_timeout(text)

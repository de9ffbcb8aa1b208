"""Runs kubetrace in this process as a captured kubectl was run: same argv, same kubeconfig, a server of the script."""

from __future__ import annotations

import io
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import trustme

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.transport.client import Client

EXEC_CREDENTIAL = '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1",'


@dataclass(frozen=True)
class Run:
    stderr: bytes
    stdout: bytes
    exit_code: int


class Impatient(Environment):
    """Waits for nothing: a retry's pause is told and not slept."""

    @cached_property
    def client(self) -> Client:
        client: Client = Environment.client.func(self)  # type: ignore[attr-defined]
        client._sleep = lambda _: None
        return client


def run(argv: list[str], environ: Mapping[str, str]) -> Run:
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n") for _ in range(2))
    stdin = io.BytesIO()
    code = main(argv, Impatient(Streams(stdin, out, err), environ))
    out.flush()
    err.flush()
    return Run(err.buffer.getvalue(), out.buffer.getvalue(), code)


@dataclass(frozen=True)
class Ports:
    tls: int
    plain: int
    dead: int


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificates(folder: Path) -> None:
    """ca.pem, other-ca.pem, server.pem (key and chain), client.pem and client.key."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other-ca.pem"))
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(
        str(folder / "server.pem")
    )
    client = authority.issue_cert("client@example.com", common_name="client")
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    client.cert_chain_pems[0].write_to_path(str(folder / "client.pem"))


def configure(home: Path, certificates: Path, ports: Ports, containers: list[object]) -> None:
    """The kubeconfig of the recordings, the manifests that they name, an exec plugin."""
    kube = home / ".kube"
    kube.mkdir(parents=True, exist_ok=True)
    plugin = home / "plugin"
    plugin.write_text(f'#!/bin/sh\necho \'{EXEC_CREDENTIAL}"status":{{"token":"plugin-token"}}}}\'\n')
    plugin.chmod(0o755)
    authority = str(certificates / "ca.pem")
    clusters = {
        "https": {"server": f"https://127.0.0.1:{ports.tls}", "certificate-authority": authority},
        "https-dns": {"server": f"https://localhost:{ports.tls}", "certificate-authority": authority},
        "https-noca": {"server": f"https://127.0.0.1:{ports.tls}"},
        "http": {"server": f"http://127.0.0.1:{ports.plain}"},
        "plainontls": {"server": f"https://127.0.0.1:{ports.plain}", "insecure-skip-tls-verify": True},
        "dead": {"server": f"https://127.0.0.1:{ports.dead}", "certificate-authority": authority},
        "baddns": {"server": "https://no-such-host.invalid:6443"},
    }
    certificate = {
        "client-certificate": str(certificates / "client.pem"),
        "client-key": str(certificates / "client.key"),
    }
    exec_plugin = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    users = {
        "token": {"token": "recorded-token"},
        "anon": {},
        "basic": {"username": "alice", "password": "recorded-password"},
        "execu": {"exec": exec_plugin},
        "imp": {"token": "recorded-token", "as": "bob", "as-groups": ["g1", "g2"]},
        "cert": certificate,
    }
    contexts = {
        "https-token": ("https", "token"),
        "https-dns": ("https-dns", "token"),
        "https-basic": ("https", "basic"),
        "https-exec": ("https", "execu"),
        "https-imp": ("https", "imp"),
        "https-cert": ("https", "cert"),
        "https-noca": ("https-noca", "token"),
        "http": ("http", "anon"),
        "plainontls": ("plainontls", "token"),
        "dead": ("dead", "token"),
        "baddns": ("baddns", "token"),
    }
    config = {
        "kind": "Config",
        "apiVersion": "v1",
        "clusters": [{"name": name, "cluster": cluster} for name, cluster in clusters.items()],
        "users": [{"name": name, "user": user} for name, user in users.items()],
        "contexts": [{"name": name, "context": {"cluster": c, "user": u}} for name, (c, u) in contexts.items()],
        "current-context": "https-token",
    }
    (kube / "config").write_text(json.dumps(config))
    (kube / "config2").write_text("{}")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "newpod"}, "spec": {"containers": containers}}
    (home / "pod.yaml").write_text(json.dumps(pod))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s1"}, "stringData": {"password": "secret"}}
    (home / "secret.yaml").write_text(json.dumps(secret))


def environment_of(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ.get("PATH", ""), "TZ": "UTC", **more}

"""The envtest engine: a real etcd and kube-apiserver from a folder of binaries, in place of the embedded server.

kube-controller-manager, kube-scheduler and kwok (which makes the node's pods look alive) run where the folder has
them. Keys, users and kubeconfig are the playground's own, so the same commands and contexts serve both engines.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.playground import credentials, fresh
from kubetrace.playground.tokens import ISSUER, Signer

READY_SECONDS = 120.0
ROLES_SECONDS = 20.0
STOP_SECONDS = 8.0
DEFAULT_ASSETS = "/usr/local/kubebuilder/bin"  # controller-runtime's envtest looks there, too
_NEEDED = ("etcd", "kube-apiserver")
_CONTROLLERS = "controllers.kubeconfig"
"""Theirs leads past the front: faults are for people."""
_PR_SET_PDEATHSIG = 1
_LOG = "2026-01-01T00:00:00Z stdout F [simulated] kwok keeps this container alive: it runs no process\n"
"""As a container runtime keeps it."""


def find_assets(environ: Mapping[str, str], nodes: int = 1) -> Path:
    """The folder of binaries. Raises in one line where etcd or kube-apiserver is missing, or kwok for more nodes."""
    folder = Path(environ.get("KUBEBUILDER_ASSETS") or DEFAULT_ASSETS).expanduser().absolute()
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        told = f"the envtest engine needs {' and '.join(missing)} in {folder}"
        raise KubetraceError(f"{told}: set KUBEBUILDER_ASSETS to a folder that has etcd and kube-apiserver")
    if nodes > 1 and not (folder / "kwok").is_file():
        raise KubetraceError(f"the envtest engine needs kwok in {folder} to have nodes")
    return folder


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def usable_port(wanted: int) -> int:
    """That port where it is free, else any free one."""
    return wanted if wanted and _can_listen(wanted) is None else _free_port()


def _can_listen(port: int) -> OSError | None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("127.0.0.1", port))
        except OSError as error:
            return error
    return None


def _end_with_us() -> None:
    """In a child before it starts: on Linux, end when the supervisor is killed, however it is killed. By SIGKILL, which
    etcd survives: kube-apiserver would take its time, and keep the port, while etcd has gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class ControlPlane:
    """One control plane in a playground's folder. `start`, then `ended` from time to time, then `stop`."""

    def __init__(self, folder: Path, assets: Path, port: int, front_port: int = 0, nodes: int = 1) -> None:
        """`port` is kube-apiserver's, `front_port` that of the server before it (kubetrace.playground.front; 0: none).
        `nodes`: how many there are at least; only kwok makes any."""
        self._folder, self._assets, self.port, self._kubelet_port = folder, assets, port, _free_port()
        self.front_port, self._nodes = front_port, nodes
        self._processes: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str) -> None:
        """Returns when the API answers and holds what a fresh playground holds. Raises KubetraceError."""
        taken = _can_listen(self.port)
        if taken is not None:
            raise KubetraceError(f"cannot listen on port {self.port}: {taken.strerror}")
        try:
            self._write_keys()
            self._start_api_server(self._start_etcd())
            self._wait_until_ready()
            credentials.write_kubeconfig(self._folder, name, self.front_port or self.port)
            self._fill()
            self._start_controllers()
            self._wait_for_roles()
        except BaseException:
            self.stop()
            raise

    def ended(self) -> str:
        """The name of a process that has ended by itself; empty while all run."""
        return next((name for name, process in self._processes if process.poll() is not None), "")

    def stop(self) -> None:
        for _, process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _has(self, name: str) -> bool:
        return (self._assets / name).is_file()

    def _run(self, name: str, *argv: str) -> None:
        words = [str(self._assets / name), *argv]
        process = subprocess.Popen(words, cwd=self._folder, stdin=subprocess.DEVNULL, preexec_fn=_end_with_us)
        self._processes.append((name, process))

    def _write_keys(self) -> None:
        users = json.loads((self._folder / "users.json").read_text())
        rows = []
        for user in users:
            groups = ",".join(user["groups"])
            if "token" in user:
                rows.append(f'{user["token"]},{user["user"]},,"{groups}"')
            else:
                credentials.write_private(self._folder / "client.crt", user["certificate"].encode())
                credentials.write_private(self._folder / "client.key", user["key"].encode())
        credentials.write_private(self._folder / "tokens.csv", ("\n".join(rows) + "\n").encode())
        credentials.write_private(self._folder / "serviceaccounts.pub", Signer(self._folder).public_pem())

    def _start_etcd(self) -> str:
        url = f"https://127.0.0.1:{_free_port()}"
        self._run(
            "etcd",
            *("--data-dir", "etcd", "--listen-client-urls", url, "--advertise-client-urls", url),
            *("--listen-peer-urls", "http://127.0.0.1:0", "--log-level", "error"),
            *("--cert-file", "server.crt", "--key-file", "server.key"),
            *("--client-cert-auth", "--trusted-ca-file", "ca.crt"),
        )
        return url

    def _start_api_server(self, etcd: str) -> None:
        arguments = [
            *("--etcd-servers", etcd, "--etcd-cafile", "ca.crt"),
            *("--etcd-certfile", "client.crt", "--etcd-keyfile", "client.key"),
            *("--secure-port", str(self.port), "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1"),
            *("--endpoint-reconciler-type", "none"),  # which would refuse a loopback address
            *("--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key", "--client-ca-file", "ca.crt"),
            *("--token-auth-file", "tokens.csv", "--service-account-issuer", ISSUER),
            *("--service-account-key-file", "serviceaccounts.pub"),
            *("--service-account-signing-key-file", "serviceaccounts.key"),
            *("--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16", "--allow-privileged"),
            *("--kubelet-client-certificate", "client.crt", "--kubelet-client-key", "client.key"),
            *("--kubelet-preferred-address-types", "InternalIP"),  # the node's name is in nobody's DNS
            *("--cert-dir", "certificates"),
        ]
        if self.front_port:
            from kubetrace.playground import front

            arguments += front.api_server_flags()
        if not self._has("kube-controller-manager"):  # without one there are no ServiceAccounts to admit pods with
            arguments += ["--disable-admission-plugins", "ServiceAccount"]
        self._run("kube-apiserver", *arguments)

    def request(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """One call as admin. Raises OSError (HTTPError with the answer's status)."""
        token = next(iter(credentials.tokens(self._folder)))
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        asked = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", data, headers, method=method)
        tls = ssl.create_default_context(cafile=str(self._folder / "ca.crt"))
        with urllib.request.urlopen(asked, context=tls, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else text

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.request("GET", "/readyz") == b"ok":
                    return
            if self.ended():
                raise KubetraceError(f"{self.ended()} ended before the playground was ready")
            time.sleep(0.1)
        raise KubetraceError(f"kube-apiserver did not become ready within {READY_SECONDS:.0f}s")

    def _fill(self) -> None:
        """The people's bindings and, where a scheduler and kwok are at hand, the nodes."""
        for item in fresh.people():
            metadata = item["metadata"]
            place = (
                f"namespaces/{metadata['namespace']}/rolebindings"
                if "namespace" in metadata
                else ("clusterrolebindings")
            )
            self._create(f"/apis/rbac.authorization.k8s.io/v1/{place}", item)
        if self._has("kwok"):
            self._fill_nodes()

    def _fill_nodes(self) -> None:
        known = {item["metadata"]["name"] for item in self.request("GET", "/api/v1/nodes")["items"]}
        for number in range(1, fresh.MOST_NODES + 1):
            if number > self._nodes and fresh.node_name(number) not in known:
                continue
            node = fresh.node(number)
            if number <= self._nodes:
                self._create("/api/v1/nodes", node)
            self._patch_node(node)

    def _patch_node(self, node: Any) -> None:
        """The node's status, with the place where kwok answers in a kubelet's stead."""
        status = node["status"]
        status["addresses"][0]["address"] = "127.0.0.1"
        status["daemonEndpoints"] = {"kubeletEndpoint": {"Port": self._kubelet_port}}
        path = f"/api/v1/nodes/{node['metadata']['name']}/status"
        self.request("PATCH", path, {"status": status}, "application/merge-patch+json")

    def _create(self, path: str, item: Any) -> None:
        try:
            self.request("POST", path, item)
        except urllib.error.HTTPError as error:
            if error.code != 409:  # there since an earlier start
                raise

    def _wait_for_roles(self) -> None:
        """Until `edit` and `view` hold the rules that a controller gathers, and what we bound is known."""
        if not self._has("kube-controller-manager"):
            self._gather_rules()
        deadline = time.monotonic() + ROLES_SECONDS
        asked = {"verb": "create", "resource": "configmaps", "namespace": "default"}
        review = {"spec": {"user": "developer", "groups": ["developers"], "resourceAttributes": asked}}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        while time.monotonic() < deadline and not self.request("POST", path, review)["status"]["allowed"]:
            time.sleep(0.1)

    def _gather_rules(self) -> None:
        """The aggregated roles, as kube-controller-manager makes them."""
        path = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
        rules: dict[str, list[Any]] = {}
        for role in self.request("GET", path)["items"]:
            for name in ("admin", "edit", "view"):
                if f"rbac.authorization.k8s.io/aggregate-to-{name}" in (role["metadata"].get("labels") or {}):
                    rules.setdefault(name, []).extend(role.get("rules") or ())
        for name, found in rules.items():
            self.request("PATCH", f"{path}/{name}", {"rules": found}, "application/merge-patch+json")

    def _start_controllers(self) -> None:
        credentials.write_kubeconfig(self._folder, "controllers", self.port, _CONTROLLERS)
        common = ("--kubeconfig", _CONTROLLERS)
        signing = ("--cluster-signing-cert-file", "ca.crt", "--cluster-signing-key-file", "ca.key")
        if self._has("kube-controller-manager"):
            self._run(
                "kube-controller-manager",
                *common,
                *("--service-account-private-key-file", "serviceaccounts.key", "--root-ca-file", "ca.crt"),
                *("--use-service-account-credentials=false", "--leader-elect=false", "--secure-port=0"),
                *(signing if (self._folder / "ca.key").exists() else ()),
            )
        if self._has("kube-scheduler"):
            self._run("kube-scheduler", *common, "--leader-elect=false", "--secure-port=0")
        if self._has("kwok"):
            port = str(self._kubelet_port)
            self._write_logs()
            self._run(
                "kwok",
                *common,
                *("-c", "kwok.yaml", "--manage-all-nodes", "--node-ip", "127.0.0.1", "--node-port", port),
                *("--node-lease-duration-seconds", "40"),  # else the node controller thinks that the node has died
                *("--server-address", f"127.0.0.1:{port}"),
                *("--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key"),
            )

    def _write_logs(self) -> None:
        """One log for all containers. kwok could run programs of this machine for `exec`; it is not told to."""
        log = self._folder / "container.log"
        credentials.write_private(log, _LOG.encode())
        head = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "metadata": {"name": "all"}}
        parts = {
            "ClusterLogs": {"logs": [{"logsFile": str(log)}]},
            "ClusterAttach": {"attaches": [{"logsFile": str(log)}]},
        }
        documents = (json.dumps({**head, "kind": kind, "spec": spec}) for kind, spec in parts.items())
        credentials.write_private(self._folder / "kwok.yaml", ("\n---\n".join(documents) + "\n").encode())

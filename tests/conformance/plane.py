"""A real control plane on loopback, from the binaries of a KUBEBUILDER_ASSETS folder (envtest's convention).

etcd and kube-apiserver always; kube-controller-manager, kube-scheduler and kwok (one fake node) where the folder has
them. Everything it writes is below one folder, and it ends only the processes that it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import trustme

READY_SECONDS = 90
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Request
"""
TOKENS = {
    "admin": ("admin-token-0123456789abcdef", "system:masters"),
    "nobody": ("nobody-token-0123456789abcdef", "nobodies"),
}
CONTAINER_LOG = "".join(f"2026-01-01T00:00:0{n}.000000000Z stdout F line {n}\n" for n in range(1, 6))
"""What every container has written, as a container runtime keeps it."""
OLD_DISCOVERY = ("--feature-gates=AggregatedDiscoveryEndpoint=false",)


class PlaneError(Exception):
    """A control plane that cannot be started; the message says why."""


def assets_from(environ: os._Environ[str] | dict[str, str], name: str = "KUBEBUILDER_ASSETS") -> Path | None:
    """The folder of binaries that the variable names, when it holds a kube-apiserver; None otherwise."""
    folder = Path(environ.get(name) or "/nonexistent").expanduser()
    return folder if (folder / "kube-apiserver").exists() else None


def kubectl_in(assets: Path) -> Path:
    """The reference client: kubectl-1.36 or kubectl in the folder."""
    for name in ("kubectl-1.36", "kubectl"):
        if (assets / name).exists():
            return assets / name
    raise PlaneError(f"neither kubectl-1.36 nor kubectl in {assets}")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


@dataclass
class Plane:
    """One running control plane. `start` it, use `request`, `kubeconfig` and `audit`, `stop` it."""

    assets: Path
    folder: Path
    apiserver_args: Sequence[str] = ()
    controllers: bool = True
    authority: trustme.CA = field(default_factory=trustme.CA)
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[IO[bytes]] = field(default_factory=list)
    _etcd: str = ""
    _apiserver: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def audit(self) -> Path:
        return self.folder / "audit.log"

    def start(self) -> Plane:
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._write_keys()
            self._etcd = self._start_etcd()
            self._start_apiserver(self._etcd)
            self._wait_until_ready()
            if self.controllers:
                self._start_controllers()
        except BaseException:
            self.stop()
            raise
        return self

    def kill_apiserver(self) -> None:
        """As a machine that fails would."""
        assert self._apiserver is not None
        self._apiserver.kill()
        self._apiserver.wait()
        self.processes.remove(self._apiserver)

    def restart_apiserver(self) -> None:
        """On the same port, with what etcd has kept."""
        self._start_apiserver(self._etcd)
        self._wait_until_ready()

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        for log in self.logs:
            log.close()
        self.logs.clear()

    def write_kubeconfig(self, path: Path, namespace: str = "default") -> Path:
        """A kubeconfig with contexts admin (current) and nobody, and the CA beside it."""
        shutil.copy(self.folder / "ca.crt", path.parent / "ca.crt")
        lines = ["apiVersion: v1", "kind: Config", "current-context: admin", "clusters:", "- name: plane"]
        lines.append(f'  cluster: {{server: "{self.server}", certificate-authority: {path.parent}/ca.crt}}')
        lines.append("users:")
        lines += [f"- {{name: {name}, user: {{token: {token}}}}}" for name, (token, _) in TOKENS.items()]
        lines.append("contexts:")
        context = "- {{name: {0}, context: {{cluster: plane, user: {0}, namespace: {1}}}}}"
        lines += [context.format(name, namespace) for name in TOKENS]
        path.write_text("\n".join(lines) + "\n")
        return path

    def request(self, path: str, body: object = None, method: str = "") -> bytes:
        """One call as admin, outside the clients under test."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, method=method or ("POST" if data else "GET"))
        request.add_header("Authorization", f"Bearer {TOKENS['admin'][0]}")
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", "conformance-harness")
        with urllib.request.urlopen(request, context=self.tls(), timeout=30) as answer:
            return bytes(answer.read())

    def create_namespace(self, name: str) -> None:
        """With what the controller manager puts into it."""
        self.request("/api/v1/namespaces", {"metadata": {"name": name}})
        for _ in range(100 * self.controllers):
            with contextlib.suppress(urllib.error.HTTPError):
                self.request(f"/api/v1/namespaces/{name}/configmaps/kube-root-ca.crt")
                self.request(f"/api/v1/namespaces/{name}/serviceaccounts/default")
                return
            time.sleep(0.1)

    def version(self) -> str:
        return str(json.loads(self.request("/version"))["gitVersion"])

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "ca.crt"))

    def _write_keys(self) -> None:
        authority = self.authority
        authority.cert_pem.write_to_path(str(self.folder / "ca.crt"))
        server = authority.issue_cert("localhost", "127.0.0.1", "kubernetes", "10.0.0.1")
        admin = authority.issue_cert(common_name="admin", organization_name="system:masters")
        for name, leaf in (("server", server), ("admin", admin), ("sa", authority.issue_cert("sa"))):
            leaf.private_key_pem.write_to_path(str(self.folder / f"{name}.key"))
            leaf.cert_chain_pems[0].write_to_path(str(self.folder / f"{name}.crt"))
        rows = [f'{token},{name},{name},"{group}"' for name, (token, group) in TOKENS.items()]
        (self.folder / "tokens.csv").write_text("\n".join(rows) + "\n")
        (self.folder / "audit-policy.yaml").write_text(AUDIT_POLICY)

    def _write_kubelet(self) -> None:
        """What kwok does in a kubelet's place: one log for all, programs of this machine for containers."""
        (self.folder / "container.log").write_text(CONTAINER_LOG)
        log = str(self.folder / "container.log")
        parts = {
            "ClusterLogs": {"logs": [{"logsFile": log, "follow": False}]},
            "ClusterExec": {"execs": [{"local": {"workDir": str(self.folder)}}]},
            "ClusterAttach": {"attaches": [{"logsFile": log}]},
            "ClusterPortForward": {"forwards": [{"target": {"address": "127.0.0.1", "port": self.port}}]},
        }
        head = {"apiVersion": "kwok.x-k8s.io/v1alpha1", "metadata": {"name": "all"}}
        documents = [json.dumps({**head, "kind": kind, "spec": spec}) for kind, spec in parts.items()]
        (self.folder / "kwok.yaml").write_text("\n---\n".join(documents) + "\n")

    def _run(self, binary: str | Path, *argv: str) -> None:
        log = (self.folder / f"{Path(binary).name}.log").open("ab")
        self.logs.append(log)
        self.processes.append(
            subprocess.Popen(
                [str(binary), *argv],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C ends the harness, which ends what is its own
            )
        )

    def _start_etcd(self) -> str:
        binary = self.assets / "etcd" if (self.assets / "etcd").exists() else shutil.which("etcd")
        if binary is None:
            raise PlaneError(f"no etcd in {self.assets}, nor on PATH")
        url = f"http://127.0.0.1:{free_port()}"
        addresses = ("--listen-client-urls", url, "--advertise-client-urls", url)
        self._run(
            binary, "--data-dir", "etcd", *addresses, "--listen-peer-urls", "http://127.0.0.1:0", "--unsafe-no-fsync"
        )
        return url

    def _start_apiserver(self, etcd: str) -> None:
        self._run(
            self.assets / "kube-apiserver",
            *("--etcd-servers", etcd, "--secure-port", str(self.port), "--bind-address", "127.0.0.1"),
            *("--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key", "--client-ca-file", "ca.crt"),
            *("--token-auth-file", "tokens.csv", "--service-account-issuer", "https://localhost"),
            *("--service-account-key-file", "sa.key", "--service-account-signing-key-file", "sa.key"),
            *("--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24", "--allow-privileged"),
            *("--kubelet-client-certificate", "admin.crt", "--kubelet-client-key", "admin.key"),
            *("--audit-policy-file", "audit-policy.yaml", "--audit-log-path", "audit.log"),
            *("--disable-admission-plugins", "ServiceAccount"),
            *self.apiserver_args,
        )
        self._apiserver = self.processes[-1]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, urllib.error.URLError):
                if self.request("/readyz") == b"ok":
                    return
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.3)
        tail = (self.folder / "kube-apiserver.log").read_text(errors="replace").splitlines()[-5:]
        raise PlaneError("kube-apiserver did not become ready:\n" + "\n".join(tail))

    def _start_controllers(self) -> None:
        (self.folder / "control").mkdir(exist_ok=True)
        kubeconfig = str(self.write_kubeconfig(self.folder / "control" / "kubeconfig"))
        common = ("--kubeconfig", kubeconfig)
        if (manager := self.assets / "kube-controller-manager").exists():
            keys = ("--service-account-private-key-file", "sa.key", "--root-ca-file", "ca.crt")
            self._run(manager, *common, *keys, "--use-service-account-credentials=false", "--leader-elect=false",
                      "--controllers=*,-ttl", "--secure-port=0")  # fmt: skip
        scheduler, kwok = self.assets / "kube-scheduler", self.assets / "kwok"
        if scheduler.exists() and kwok.exists():
            self._run(scheduler, *common, "--leader-elect=false", "--secure-port=0")
            port = str(free_port())
            self._write_kubelet()
            self._run(kwok, *common, "-c", "kwok.yaml", "--manage-all-nodes", "--node-ip", "127.0.0.1",
                      "--node-port", port, "--server-address", f"127.0.0.1:{port}",
                      "--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key")  # fmt: skip
            labels = {"kubernetes.io/hostname": "node-0"}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0", "labels": labels}}
            self.request("/api/v1/nodes", node)


@contextlib.contextmanager
def running(
    assets: Path, folder: Path, apiserver_args: Sequence[str] = (), controllers: bool = True
) -> Iterator[Plane]:
    plane = Plane(assets, folder, apiserver_args, controllers)
    try:
        yield plane.start()
    finally:
        plane.stop()

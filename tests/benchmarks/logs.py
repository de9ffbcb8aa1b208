"""How fast a long log gets through: kubetrace against kubectl, one server, in turn.

    KUBEBUILDER_ASSETS=DIR python -m tests.benchmarks.logs [--megabytes 200] [--rounds 5] [--prefix]

The server is a small one of our own, in a process of its own: a real kubelet would be the slowest of the three.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import ssl
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme

from tests.benchmarks.paired import Contender, median_seconds, peak_ratio, ratio, rounds, spread
from tests.conformance.plane import PlaneError, assets_from, kubectl_in

LINE = b"2026-01-01T00:00:00.000000000Z the quick brown fox jumps over the lazy dog, and says so: 0123456789\n"
PIECE = LINE * (32 * 1024 // len(LINE))
POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}
CORE = {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
    {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}]}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One pod, and its log of as many bytes as the server was told."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    size = 0

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/log"):
            return self._log()
        documents = {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": CORE,
        }
        body = json.dumps(documents.get(path, POD)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _log(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        framed = b"%x\r\n%s\r\n" % (len(PIECE), PIECE)
        for _ in range(self.size // len(PIECE)):
            self.wfile.write(framed)
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


def serve(folder: Path, size: int) -> None:
    """Serves until it is ended; the port is the first line of stdout."""
    Handler.size = size
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


@contextlib.contextmanager
def serving(folder: Path, size: int) -> Iterator[Path]:
    """The server, and a kubeconfig for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    argv = [sys.executable, "-m", "tests.benchmarks.logs", "--serve", str(folder), "--megabytes", str(size >> 20)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        server = f"https://127.0.0.1:{int(process.stdout.readline())}"
        path = folder / "kubeconfig"
        path.write_text(
            f'apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters:\n- name: c\n  cluster: {{server: "{server}", '
            f"certificate-authority: {folder}/ca.crt}}\nusers:\n- {{name: u, user: {{token: t}}}}\n"
            "contexts:\n- {name: c, context: {cluster: c, user: u}}\n"
        )
        yield path
    finally:
        process.terminate()
        process.wait()


def compare(assets: Path, megabytes: int, count: int, words: list[str]) -> None:
    """Prints both rates, how they compare, and the memory that each needed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder, megabytes << 20) as kubeconfig:
            environ = {"PATH": os.environ.get("PATH", ""), "HOME": name, "KUBECONFIG": str(kubeconfig)}
            ours = str(Path(sysconfig.get_path("scripts")) / "kubetrace")
            contenders = {
                "kubetrace": Contender([ours, "logs", "web", *words]),
                "kubectl": Contender([str(kubectl_in(assets)), "logs", "web", *words]),
            }
            results = rounds(contenders, environ, count)
    for who, runs in results.items():
        rate = megabytes / median_seconds(runs)
        peak = max(run.peak for run in runs) / (1 << 20)
        print(f"{who}: {rate:.0f} MB/s, at most {peak:.0f} MB of memory")
    low, high = spread(results, "kubectl", "kubetrace")
    rate, memory = ratio(results, "kubectl", "kubetrace"), peak_ratio(results, "kubetrace", "kubectl")
    print(f"kubetrace's rate is {rate:.2f} of kubectl's ({low:.2f} to {high:.2f}; target ≥ 0.5), memory {memory:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.logs", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--prefix", action="store_true", help="with the source before each line")
    parser.add_argument("--serve", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.megabytes << 20)
        return 0
    assets = assets_from(os.environ)
    if assets is None:
        print("no kubectl: set KUBEBUILDER_ASSETS", file=sys.stderr)
        return 2
    try:
        compare(assets, options.megabytes, options.rounds, ["--prefix"] if options.prefix else [])
    except PlaneError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A playground of its own for the tests, over real TLS sockets, spoken to with http.client only."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Client:
    """One user of the playground; a connection a request."""

    def __init__(self, folder: Path, port: int, context: str = "admin") -> None:
        users = {user["context"]: user for user in json.loads((folder / "users.json").read_text())}
        self.token: str = users[context].get("token", "")
        self.port = port
        self.tls = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        self.headers: dict[str, str] = {}

    def open(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=20)
        sent = {"Accept": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, sent | self.headers)
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        response.connection = connection  # type: ignore[attr-defined]
        return response

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = self.open(method, path, body, **headers)
        try:
            data = response.read()
        finally:
            response.close()
            response.connection.close()  # type: ignore[attr-defined]
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return response.status, json.loads(data) if is_json and data else data

    def get(self, path: str, **headers: str) -> Any:
        status, value = self.call("GET", path, **headers)
        assert status == 200, value
        return value

    def post(self, path: str, body: Any) -> Any:
        status, value = self.call("POST", path, body)
        assert status == 201, value
        return value

    def until(self, path: str, wanted: Any) -> Any:
        """Asks again until `wanted` accepts the (status, value)."""
        for _ in range(400):
            status, value = self.call("GET", path)
            if wanted(status, value):
                return value
            time.sleep(0.05)
        raise AssertionError(f"{path}: {status} {value}")


@pytest.fixture(scope="session")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"XDG_STATE_HOME": str(tmp_path_factory.mktemp("state")), "PATH": os.environ.get("PATH", "")}


def run_playground(environ: dict[str, str], name: str) -> Iterator[manager.Playground]:
    """One that other tests leave nothing in, where a module's fixture `playground` is made of it."""
    found = manager.up(environ, name)
    yield found
    manager.down(environ, name)
    log = (found.folder / "log").read_text()
    assert "Traceback" not in log, log


@pytest.fixture(scope="session")
def playground(environ: dict[str, str]) -> Iterator[manager.Playground]:
    yield from run_playground(environ, "tests")


@pytest.fixture
def client(playground: manager.Playground) -> Client:
    return Client(playground.folder, playground.port)


@pytest.fixture
def namespace(client: Client, request: pytest.FixtureRequest) -> str:
    """A new namespace, ready for use."""
    made = client.post("/api/v1/namespaces", {"metadata": {"generateName": "test-"}})
    return str(made["metadata"]["name"])


def kubectl_binary() -> Path | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    candidates = [Path(assets) / name for name in ("kubectl-1.36", "kubectl")] if assets else []
    return next((path for path in candidates if path.is_file()), None)


class Kubectl:
    def __init__(self, binary: Path, playground: manager.Playground, cache: Path) -> None:
        self.command = [str(binary), f"--kubeconfig={playground.kubeconfig}", f"--cache-dir={cache}"]

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        result = subprocess.run([*self.command, *arguments], input=stdin, capture_output=True, text=True, timeout=60)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + (result.stderr if code else "")


@pytest.fixture
def kubectl(playground: manager.Playground, tmp_path: Path) -> Kubectl:
    binary = kubectl_binary()
    if binary is None:
        pytest.skip("no kubectl in KUBEBUILDER_ASSETS")
    return Kubectl(binary, playground, tmp_path / "cache")

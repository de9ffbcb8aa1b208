"""Many pods, quickly: created through the API by several threads, never scheduled."""

from __future__ import annotations

import http.client
import json
import ssl
from concurrent.futures import ThreadPoolExecutor

from tests.conformance.plane import TOKENS, Plane

THREADS = 8


def create(plane: Plane, namespace: str, count: int) -> None:
    """Creates the namespace and `count` pods of ordinary size in it."""
    _post(_connect(plane), "/api/v1/namespaces", {"metadata": {"name": namespace}})
    shares = [range(start, count, THREADS) for start in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda share: _create_share(plane, namespace, share), shares))


def _create_share(plane: Plane, namespace: str, share: range) -> None:
    connection = _connect(plane)
    for index in share:
        _post(connection, f"/api/v1/namespaces/{namespace}/pods", pod(f"web-{index:05}"))
    connection.close()


def pod(name: str) -> dict[str, object]:
    container = {
        "name": "main",
        "image": "registry.example.com/shop/web:1.27.3",
        "args": ["--listen=:8080", "--log-format=json"],
        "env": [{"name": f"SETTING_{n}", "value": f"value-{n}"} for n in range(6)],
        "ports": [{"containerPort": 8080, "name": "http"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    labels = {"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "shop", "release": "stable"}
    spec = {"containers": [container], "nodeSelector": {"never": "scheduled"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _connect(plane: Plane) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(plane.folder / "ca.crt"))
    return http.client.HTTPSConnection("127.0.0.1", plane.port, context=context, timeout=60)


def _post(connection: http.client.HTTPSConnection, path: str, body: object) -> None:
    headers = {"Authorization": f"Bearer {TOKENS['admin'][0]}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300 and answer.status != 409:
        raise RuntimeError(f"POST {path}: {answer.status} {text[:200]!r}")

"""Requests whose answers were recorded from a real kube-apiserver, in order, within one new namespace (NS)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Case = tuple[str, str, Any, str]
"""(method, path, body, content type); a body of bytes is sent as it is."""

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
CORE = "/api/v1/namespaces/NS"
APPS = "/apis/apps/v1/namespaces/NS"


def _pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def _map(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}


_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
_DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
_APPLIED = f"{CORE}/configmaps/applied?fieldManager="

CASES: list[Case] = [
    ("GET", f"{CORE}/pods/nope", None, JSON),
    ("GET", "/apis/apps/v1/namespaces/NS/deployments/nope", None, JSON),
    ("GET", "/api/v1/nopes", None, JSON),
    ("GET", "/apis/nope.example.com/v1/things", None, JSON),
    ("POST", "/api/v1/namespaces/NS-nope/configmaps", _map(a="1"), JSON),
    ("POST", f"{CORE}/pods", _pod(), JSON),
    ("POST", f"{CORE}/pods", _pod(containers="x"), JSON),
    ("POST", f"{CORE}/pods", _pod(containers=[{"name": "c", "image": 5}]), JSON),
    ("POST", f"{CORE}/pods", _pod(containers=[{"name": "C_", "image": "x"}, {"name": "b"}]), JSON),
    ("POST", f"{CORE}/pods", _pod(containers=[{"name": "c", "image": "x"}], restartPolicy="Sometimes"), JSON),
    ("POST", f"{CORE}/pods?fieldValidation=Strict", _pod(containers=[{"name": "c", "image": "x", "q": 1}], z=2), JSON),
    ("POST", f"{CORE}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}, JSON),
    ("POST", f"{CORE}/pods", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}}, JSON),
    ("POST", f"{CORE}/configmaps", _map(a="1"), JSON),
    ("POST", f"{CORE}/configmaps", _map(a="1"), JSON),
    ("POST", f"{CORE}/configmaps", {"metadata": {"name": "UPPER"}}, JSON),
    ("POST", f"{CORE}/configmaps", {"metadata": {"name": "k"}, "data": {"a b": "c"}}, JSON),
    ("POST", f"{CORE}/configmaps", {"metadata": {"name": "k", "labels": {"a": "b c"}}}, JSON),
    ("PATCH", f"{CORE}/configmaps/c", {"data": {"b": "2"}}, MERGE),
    ("PATCH", f"{CORE}/configmaps/c", {"data": {"b": None, "c": "3"}}, STRATEGIC),
    ("PATCH", f"{CORE}/configmaps/c", [{"op": "add", "path": "/data/d", "value": "4"}], JSON_PATCH),
    ("PATCH", f"{CORE}/configmaps/c", [{"op": "remove", "path": "/data/nope"}], JSON_PATCH),
    ("PATCH", f"{CORE}/configmaps/c", {"metadata": {"resourceVersion": "1"}}, MERGE),
    ("PUT", f"{CORE}/configmaps/c", _map(z="9") | {"immutable": True}, JSON),
    ("PATCH", f"{CORE}/configmaps/c", {"data": {"z": "10"}}, MERGE),
    ("PUT", f"{CORE}/configmaps/none", {"metadata": {"name": "none"}}, JSON),
    ("DELETE", f"{CORE}/configmaps/c", None, JSON),
    ("DELETE", f"{CORE}/configmaps/c", None, JSON),
    ("PATCH", f"{CORE}/configmaps/applied", {"metadata": {"name": "applied"}}, APPLY),
    ("PATCH", f"{_APPLIED}one", _map(a="1") | {"metadata": {"name": "applied"}}, APPLY),
    ("PATCH", f"{_APPLIED}two", _map(a="2", b="1") | {"metadata": {"name": "applied"}}, APPLY),
    ("PATCH", f"{_APPLIED}two", _map(b="1") | {"metadata": {"name": "applied"}}, APPLY),
    ("PATCH", f"{_APPLIED}two&force=true", _map(a="2", b="1") | {"metadata": {"name": "applied"}}, APPLY),
    ("PATCH", f"{_APPLIED}two", _map(c="1") | {"metadata": {"name": "applied"}}, APPLY),
    ("POST", f"{APPS}/deployments", _DEPLOYMENT | {"spec": {"template": _TEMPLATE}}, JSON),
    (
        "POST",
        f"{APPS}/deployments",
        _DEPLOYMENT | {"spec": {"selector": {"matchLabels": {"a": "x"}}, "template": _TEMPLATE}},
        JSON,
    ),
    (
        "POST",
        f"{APPS}/deployments?dryRun=All",
        _DEPLOYMENT | {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}},
        JSON,
    ),
    ("POST", f"{CORE}/services", {"metadata": {"name": "s"}, "spec": {}}, JSON),
    ("POST", f"{CORE}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}, {"port": 2}]}}, JSON),
    ("POST", f"{CORE}/services", {"metadata": {"name": "s"}, "spec": {"type": "Odd", "ports": [{"port": 1}]}}, JSON),
    ("POST", f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "s"}, "spec": {}}, JSON),
    ("POST", f"{CORE}/secrets?dryRun=All", {"metadata": {"name": "s"}, "stringData": {"a": "b"}}, JSON),
    ("GET", f"{CORE}/configmaps?fieldSelector=foo=bar", None, JSON),
    ("GET", f"{CORE}/pods?fieldSelector=foo=bar", None, JSON),
    ("POST", f"{CORE}/configmaps", "oops", "application/cbor"),
    ("PATCH", f"{CORE}/configmaps/applied", {}, "application/nonsense+json"),
]


def _more() -> Iterator[Case]:
    """One request a line: method, path, body (JSON) or raw (latin-1), type where it is not JSON."""
    for line in (Path(__file__).parent / "more_cases.jsonl").read_text().splitlines():
        row = json.loads(line)
        body = row["raw"].encode("latin-1") if "raw" in row else row.get("body")
        yield row["method"], row["path"], body, row.get("type", JSON)


CASES += _more()

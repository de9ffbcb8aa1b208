"""Ingresses from rules like "foo.com/bar*=svc:8080,tls=cert" (kubectl pkg/cmd/create/create_ingress.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from kubetrace.commands.generators.metadata import Object, int_or_string, new_object
from kubetrace.errors import KubetraceError

_RULE = re.compile(r"[\w*\-.]*/[^\n]*=[\w\-]+:[\w\-]+(,tls=?([\w\-]+)?)?", re.ASCII)


def check_rules(rules: Sequence[str], annotations: Iterable[str], default_backend: str) -> None:
    """Raises KubetraceError for what makes no Ingress."""
    if not default_backend and not rules:
        raise KubetraceError(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all "
            "traffic) or a list of rules (which catch specific paths)"
        )
    for rule in rules:
        if not _RULE.match(rule):
            raise KubetraceError(
                f"rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            )
    for annotation in annotations:
        if "=" not in annotation:
            raise KubetraceError(f"annotation {annotation} is invalid and should be in format key=[value]")
    if default_backend and default_backend.count(":") != 1:
        raise KubetraceError("default-backend should be in format servicename:serviceport")


def ingress(
    name: str, namespace: str, rules: Sequence[str], annotations: Iterable[str], default_backend: str, class_name: str
) -> Object:
    """An Ingress of rules that have been checked."""
    spec: dict[str, Any] = {}
    if class_name:
        spec["ingressClassName"] = class_name
    if default_backend:
        spec["defaultBackend"] = _backend(default_backend)
    spec["tls"] = _tls(rules)
    spec["rules"] = _rules(rules)
    result = new_object("networking.k8s.io/v1", "Ingress", name, namespace)
    result["metadata"]["annotations"] = dict(annotation.split("=", 1) for annotation in annotations)
    result["spec"] = spec
    return result


def _tls(rules: Sequence[str]) -> list[Object]:
    """Hosts by secret; a host counts once."""
    found: list[Object] = []
    seen: set[str] = set()
    for rule in rules:
        parts = rule.split(",")
        if len(parts) != 2:
            continue
        host, secret = rule.partition("/")[0], "".join(parts[1].split("=")[1:2])
        if host in seen:
            continue
        seen.add(host)
        known = next((entry for entry in found if entry.get("secretName", "") == secret), None)
        if known is not None:
            known.setdefault("hosts", []).append(host)
            continue
        entry: Object = {}
        if host:
            entry["hosts"] = [host]
        if secret:
            entry["secretName"] = secret
        if entry:
            found.append(entry)
    return found


def _rules(rules: Sequence[str]) -> list[Object]:
    """One rule a host, with all its paths."""
    by_host: dict[str, list[Object]] = {}
    for rule in rules:
        host, _, path = rule.partition(",")[0].partition("/")
        by_host.setdefault(host, []).append(_path(path))
    return [{"host": host, "http": {"paths": paths}} for host, paths in by_host.items()]


def _path(text: str) -> Object:
    parts = text.split("=")
    path, kind = "/" + parts[0], "Exact"
    if path.endswith("*"):
        path, kind = path[:-1], "Prefix"
    return {"path": path, "pathType": kind, "backend": _backend(parts[1])}


def _backend(text: str) -> Object:
    name, port = text.split(":")[:2]
    number = int_or_string(port)
    return {"service": {"name": name, "port": {"number" if isinstance(number, int) else "name": number}}}

"""…/proxy/…: a request passed on to a pod, a Service or a node (apimachinery util/proxy/upgradeaware.go)."""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from kubetrace.playground.containers.network import PodNetwork, port_number
from kubetrace.playground.containers.pipes import Bytes, Kept
from kubetrace.playground.http import Answer, Request
from kubetrace.playground.objects import Object
from kubetrace.playground.paths import Target
from kubetrace.playground.status import ApiError, not_found
from kubetrace.playground.storage import Store

_DROPPED = frozenset(("authorization", "connection", "host", "content-length", "transfer-encoding", "upgrade"))


async def proxy(network: PodNetwork, store: Store, request: Request, target: Target) -> Answer:
    """Raises what the real server says of names, ports and pods that can't be reached."""
    path = _path(request)
    elsewhere = Answer(301, b"", headers=[("Location", urlsplit(request.target).path + "/")])
    if target.resource.name == "nodes":
        return elsewhere if path is None else _node(store, target, path)
    scheme, name, port = _split(target.name)
    if target.resource.name == "pods":
        pod = store.get("pods", target.namespace, name)
        if pod is None:
            raise not_found("pods", "", name)
        if not (pod.get("status") or {}).get("podIP"):
            raise ApiError(400, "address not allowed")
        number = port_number(pod, port) if port else _first_port(pod)
        if number is None:
            raise ApiError(400, f'invalid pod request "{target.name}"')
    else:
        pod, number = _behind(network, store, target, name, port)
    if path is None:  # who asks for what is there learns that it ends in a slash
        return elsewhere
    kept = Kept(4 * 1024 * 1024)
    try:
        await network.serve(pod, number, Bytes(_raw(request, path, scheme)), kept)
    except ConnectionRefusedError:
        where = f"{pod['status']['podIP']}:{number}"
        told = f"error trying to reach service: dial tcp {where}: connect: connection refused"
        raise ApiError(503, told, "ServiceUnavailable", None) from None
    return _answer(bytes(kept.data))


def _path(request: Request) -> str | None:
    """What follows …/proxy, as it was written; None for a path that lacks its slash."""
    raw = urlsplit(request.target).path
    match = re.search(r"/proxy(/.*)?$", raw, re.DOTALL)
    assert match is not None
    return match.group(1)


def _split(text: str) -> tuple[str, str, str]:
    """(scheme, name, port) of "name", "name:port" and "scheme:name:port" (utilnet.SplitSchemeNamePort)."""
    parts = text.split(":")
    if len(parts) == 3 and parts[0] in ("http", "https", "") and parts[1]:
        return parts[0], parts[1], parts[2]
    if len(parts) == 2 and parts[0]:
        return "", parts[0], parts[1]
    if len(parts) == 1:
        return "", text, ""
    raise ApiError(400, f'invalid service request "{text}"')


def _first_port(pod: Object) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            return int(port["containerPort"])
    return 80


def _behind(network: PodNetwork, store: Store, target: Target, name: str, port: str) -> tuple[Object, int]:
    """A pod behind a Service (ResourceLocation in pkg/registry/core/service/storage). Endpoints know ports by name."""
    service = store.get("services", target.namespace, name)
    if service is None:
        raise not_found("services", "", name)
    ports = service["spec"].get("ports") or []
    if port.isdecimal():
        known = [entry.get("name", "") for entry in ports if entry["port"] == int(port)]
        if not known:
            told = f'no service port {int(port)} found for service "{name}"'
            raise ApiError(503, told, "ServiceUnavailable", None)
        port = known[0]
    endpoints = store.get("endpoints", target.namespace, name)
    if endpoints is None:
        raise not_found("services", "", name)
    entry = next((entry for entry in ports if entry.get("name", "") == port), None)
    found = network.through(service, entry) if entry is not None and endpoints.get("subsets") else None
    if found is None:
        title = target.name if endpoints.get("subsets") else name
        raise ApiError(503, f'no endpoints available for service "{title}"', "ServiceUnavailable", None)
    return found


def _raw(request: Request, path: str, scheme: str) -> bytes:
    query = urlsplit(request.target).query
    lines = [f"{request.method} {path}{'?' + query if query else ''} HTTP/1.1"]
    lines.append(f"Host: {request.headers.get('host', '')}")
    lines += [f"{_title(name)}: {value}" for name, value in request.headers.items() if name not in _DROPPED]
    here = urlsplit(request.target).path
    lines += ["X-Forwarded-For: 127.0.0.1", f"X-Forwarded-Uri: {here}", f"X-Forwarded-Proto: {scheme or 'https'}"]
    lines += [f"Content-Length: {len(request.body)}"] if request.body else []
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace") + request.body


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def _answer(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    status = int(first.split(" ")[1]) if first.count(" ") else 502
    return Answer(status, body, headers.get("content-type", "text/plain"))


def _node(store: Store, target: Target, path: str) -> Answer:
    """The few pages of a kubelet that can be told honestly."""
    name = target.name.partition(":")[0]
    if store.get("nodes", "", name) is None:
        raise not_found("nodes", "", name)
    if path == "/healthz":
        return Answer(200, b"ok", "text/plain; charset=utf-8")
    if path.rstrip("/") in ("/pods", "/runningpods"):
        items = [pod for pod in store.select("pods") if pod["spec"].get("nodeName") == name]
        listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
        return Answer(200, json.dumps(listed, separators=(",", ":")).encode())
    return Answer(404, b"404 page not found\n", "text/plain; charset=utf-8")

"""What a call is for and what its answer means, as a key of the catalogue (`kubetrace.trace.sentences`) and values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubetrace.trace.body_text import one_line, size
from kubetrace.trace.endpoint import CONNECTED, Endpoint, endpoint
from kubetrace.trace.exchange import ENDLESS, Exchange, Request, Response
from kubetrace.trace.loose_json import mapping, mappings
from kubetrace.value import Value, fresh
from kubetrace.wire import PROTOBUF

_MANAGED = "FieldManagerConflict"
_GROUPS = frozenset({"APIVersions", "APIGroupList"})


class Said(Value):
    """A sentence of the catalogue: its key and its values."""

    key: str
    values: Mapping[str, object] = fresh(dict)


# --- what a call is for -----------------------------------------------------------------------------------------------


def reason(request: Request) -> Said:
    """Why a request is made, from nothing but the request."""
    where = endpoint(request)
    named = {"resource": _resource(where), "name": one_line(where.name), "namespace": one_line(where.namespace)}
    if not where.resource:
        return Said("call.other", {"path": one_line(where.path)})
    if where.verb == "create" and where.resource.endswith("reviews"):
        return Said("call.review")
    if where.subresource in CONNECTED:
        return Said("call.connect", named)
    if where.subresource == "log":
        return Said("call.logs", named)
    if where.verb == "create" and where.subresource:
        return Said("call.create.sub", {**named, "resource": one_line(where.subresource)})
    if where.verb == "patch" and _content_type(request).startswith("application/apply-patch"):
        return Said("call.apply", named)
    if where.verb == "list":
        return _list(request, where, named)
    known = ("get", "watch", "create", "update", "patch", "delete", "deletecollection")
    return Said(f"call.{where.verb}" if where.verb in known else "call.other", {**named, "path": one_line(where.path)})


def _list(request: Request, where: Endpoint, named: Mapping[str, object]) -> Said:
    query = _query(request.url)
    if "continue" in query:
        return Said("call.list.next", named)
    selectors = [one_line(text) for name in ("labelSelector", "fieldSelector") for text in query.get(name, ())]
    everywhere = "" if where.namespace else ".all"
    if selectors:
        return Said(f"call.list{everywhere}.selected", {**named, "selector": " ".join(selectors)})
    return Said(f"call.list{everywhere}", named)


def _resource(where: Endpoint) -> str:
    """ "pods", "deployments.apps", "pods/status"."""
    full = f"{where.resource}.{where.group}" if where.group else where.resource
    return one_line(f"{full}/{where.subresource}" if where.subresource else full)


def _content_type(request: Request) -> str:
    return next((value for name, value in request.headers if name.lower() == "content-type"), "")


def _query(url: str) -> dict[str, list[str]]:
    try:
        return parse_qs(urlsplit(url).query)
    except ValueError:
        return {}


# --- what an answer means ---------------------------------------------------------------------------------------------


def begun(request: Request, response: Response) -> Said | None:
    """What the head of an answer says whose body is shown as it comes; None for one that is read to its end."""
    if response.status == 101:
        return Said("answer.upgraded")
    if request.operation in ENDLESS and 200 <= response.status < 300:
        return Said("answer.stream")
    return None


def outcomes(exchange: Exchange) -> tuple[Said, ...]:
    """What a finished exchange came to, the most telling sentence first; a catalogue may lack all but the last."""
    response = exchange.response
    if response is None:
        return (Said("answer.none", {"error": one_line(exchange.error or "")}),)
    if exchange.error is not None:
        return (Said("answer.broken", {"error": one_line(exchange.error)}),)
    if response.status == 101:
        return (Said("answer.upgraded"),)
    if response.wire_status == 304:
        return (Said("answer.not-modified"),)
    if 300 <= response.status < 400:
        return (Said("answer.redirect", {"path": one_line(response.header("Location") or "")}),)
    value = parsed(exchange.body)
    success = 200 <= response.status < 300
    general = _success(exchange, value) if success else _failure(response.status, value, exchange.body)
    tag, method = exchange.request.purpose.tag, exchange.request.method
    values = {"message": "", "count": len(_items(value)), **general[-1].values}
    special = (f"answer.{tag}.{method}.{response.status}", f"answer.{tag}.{response.status}")
    return (*(Said(key, values) for key in special), *general)


def parsed(body: bytes | None) -> Any:
    """A body as a value; None where it is none."""
    if not body:
        return None
    if body.startswith(PROTOBUF):
        from kubetrace.wire.protobuf import InvalidProtobuf, decode

        try:
            return decode(body)
        except (InvalidProtobuf, ValueError, RecursionError):
            return None
    import msgspec

    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _success(exchange: Exchange, value: Any) -> tuple[Said, ...]:
    request, where = exchange.request, endpoint(exchange.request)
    kind = str(value.get("kind") or "") if isinstance(value, dict) else ""
    size_ = {"size": size(exchange.body_size or 0)}
    if where.path.startswith("/openapi/"):
        return (Said("answer.openapi", size_),)
    if where.path == "/version" and isinstance(value, dict):
        return (Said("answer.version", {"version": one_line(str(value.get("gitVersion") or "?"))}),)
    if kind in _GROUPS or kind in ("APIGroupDiscoveryList", "APIResourceList"):
        return (_discovered(kind, value, kept=request.purpose.tag == "discovery"),)
    if "dryRun" in _query(request.url) and request.method != "GET":
        return (Said("answer.dry-run"),)
    if where.resource.endswith("reviews") and isinstance(value, dict) and isinstance(value.get("status"), dict):
        allowed = value["status"].get("allowed")
        if isinstance(allowed, bool):
            return (Said("answer.allowed" if allowed else "answer.denied"),)
    if kind == "Table" or (isinstance(value, dict) and isinstance(value.get("items"), list)):
        return (_counted("table" if kind == "Table" else "list", value),)
    if where.verb in ("delete", "deletecollection"):
        metadata = _metadata(value)
        return (Said("answer.deleting" if metadata.get("deletionTimestamp") else "answer.deleted"),)
    return (_object(where, value), Said("answer.ok", size_))


def _object(where: Endpoint, value: Any) -> Said:
    metadata = _metadata(value)
    name, version = str(metadata.get("name") or ""), str(metadata.get("resourceVersion") or "")
    values: dict[str, object] = {"name": one_line(f"{value['kind']} {name}") if name else "", "version": version}
    if where.verb == "create":
        return Said("answer.created", values) if name and version else Said("answer.created.plain")
    if not name:
        return Said("")
    if where.verb in ("update", "patch") and version:
        return Said("answer.changed", values)
    return Said("answer.object" if version else "answer.object.plain", values)


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        return {}
    return mapping(value.get("metadata"))


def _discovered(kind: str, value: dict[str, Any], kept: bool) -> Said:
    """`kept`: our own discovery, whose answers the cache keeps."""
    suffix = "" if kept else ".now"
    if kind in _GROUPS:
        groups = value.get("groups") or value.get("versions") or ()
        return Said(f"answer.discovery.groups{suffix}", {"count": len(groups)})
    if kind == "APIResourceList":
        return Said(f"answer.discovery{suffix}", {"count": len(value.get("resources") or ())})
    versions = [version for group in _items(value) for version in group.get("versions") or ()]
    return Said(
        f"answer.discovery{suffix}", {"count": sum(len(version.get("resources") or ()) for version in versions)}
    )


def _items(value: Any) -> list[dict[str, Any]]:
    return mappings(mapping(value).get("items"))


def _counted(what: str, value: dict[str, Any]) -> Said:
    count = len(value.get("rows" if what == "table" else "items") or ())
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and metadata.get("continue"):
        return Said(f"answer.{what}.more", {"count": count})
    return Said(f"answer.{what}.{count if count < 2 else 'n'}", {"count": count})


def _failure(status: int, value: Any, body: bytes | None) -> tuple[Said, ...]:
    message, name = "", ""
    if isinstance(value, dict):
        message, name = str(value.get("message") or ""), str(value.get("reason") or "")
        if any(cause.get("reason") == _MANAGED for cause in mappings(mapping(value.get("details")).get("causes"))):
            name = _MANAGED
    if not message and body:
        message = re.sub(r"\s+", " ", body[:200].decode("utf-8", "replace"))
    values: dict[str, object] = {"message": one_line(message)}
    return tuple(Said(f"answer.{key}", values) for key in (f"{status}.{name}", str(status), "failed"))

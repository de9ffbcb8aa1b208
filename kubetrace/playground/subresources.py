"""Subresources: scale, logs, eviction, binding, finalize, approval, ephemeral containers, resize."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

from kubetrace.playground import managed, status, streams
from kubetrace.playground.binding import bind
from kubetrace.playground.bodies import check_body
from kubetrace.playground.catalog import Resource
from kubetrace.playground.eviction import evict
from kubetrace.playground.http import Request
from kubetrace.playground.managed import Manager, check_owners
from kubetrace.playground.objects import Object, now
from kubetrace.playground.paths import Target
from kubetrace.playground.schemas import at_path, put_at
from kubetrace.playground.service_accounts import token_claims
from kubetrace.playground.status import ApiError
from kubetrace.playground.tokens import DEFAULT_SECONDS, ISSUER, LEAST_SECONDS, MOST_SECONDS, Signer
from kubetrace.playground.validation.causes import bad
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.webhooks import Attributes
from kubetrace.playground.write import Write
from kubetrace.wire.go_quote import quote

STREAMED = ("attach", "exec", "log", "portforward", "proxy")
"""Subresources whose bodies are no objects."""


def answer(verbs: Verbs, request: Request, target: Target, body: Any, write: Write) -> Any:
    """An object, or a whole answer. Raises 501 for subresources that the playground does not have."""
    kind = target.subresource
    if kind in STREAMED and verbs.runtime is not None:
        return streams.answer(verbs.runtime, verbs.store, request, target)
    if kind == "scale":
        return _scale(verbs, target, body, write)
    if kind == "eviction":
        return evict(verbs, target, body, write)
    if kind == "binding":
        return bind(verbs, target.namespace, target.name, body, write)
    if kind == "token" and verbs.signer is not None:
        return _token(verbs, verbs.signer, target, body, write)
    if kind in ("finalize", "approval", "ephemeralcontainers", "resize"):
        return _part(verbs, target, body, write)
    raise ApiError(501, f"the playground does not serve {target.resource.name}/{kind}", "NotImplemented", {})


_OPTIONS = {"exec": "PodExecOptions", "attach": "PodAttachOptions", "portforward": "PodPortForwardOptions"}
_PROXIES = {"pods": "PodProxyOptions", "services": "ServiceProxyOptions", "nodes": "NodeProxyOptions"}
_FLAGS = ("stdin", "stdout", "stderr", "tty")


def about(verbs: Verbs, request: Request, target: Target, body: Any, write: Write) -> Attributes | None:
    """What webhooks are asked before a subresource that is no part of its object is used; None where they are not."""
    kind, old = target.subresource, None
    named = {"name": target.name} | ({"namespace": target.namespace} if target.namespace else {})
    if kind in ("eviction", "binding") and isinstance(body, dict):
        group = "policy/v1" if kind == "eviction" else "v1"
        item: Object = {"kind": kind.capitalize(), "apiVersion": group} | body
        item["metadata"] = named | (body.get("metadata") or {})
        operation = "CREATE"
    elif kind == "scale" and isinstance(body, dict):
        old = current(verbs, target)
        item, operation = old | {"spec": body.get("spec") or {}}, "UPDATE"
    elif kind in _OPTIONS or kind == "proxy":
        item = {"kind": _OPTIONS.get(kind) or _PROXIES[target.resource.name], "apiVersion": "v1"}
        item |= {name: True for name in _FLAGS if request.flag(name)}
        item |= {"container": request.parameter("container")} if request.parameter("container") else {}
        item |= {"command": request.query["command"]} if "command" in request.query else {}
        operation = "CONNECT"
    else:
        return None
    return Attributes(target.resource, operation, target.namespace, target.name, item, old, write, kind)


def current(verbs: Verbs, target: Target) -> Object:
    """What a patch of a subresource starts from."""
    item = verbs.read(target.resource, target.place, target.name)
    return _scale_of(target, item, patched=True) if target.subresource == "scale" else item


def _selector(item: Object) -> str:
    from kubetrace.playground.row_values import selector_text

    selector = item["spec"].get("selector") or {}
    plain = "matchLabels" not in selector and "matchExpressions" not in selector
    text = selector_text({"matchLabels": selector} if plain else selector)
    return "" if text == "<none>" else text


def _scale_paths(target: Target) -> tuple[str, str, str]:
    """Where replicas, their status and the selector are."""
    custom = target.resource.custom
    if custom is None:
        return ".spec.replicas", ".status.replicas", ""
    scale = custom["subresources"]["scale"]
    return scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", "")


def _scale_of(target: Target, item: Object, patched: bool = False) -> Object:
    """The Scale of an object; `patched`: as what a patch starts from, which may lack its replicas."""
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {name: item["metadata"][name] for name in names if name in item["metadata"]}
    wanted, there, selected = _scale_paths(target)
    replicas = at_path(item, wanted)
    if replicas is None and target.resource.custom is not None and not patched:
        told = f"the spec replicas field {json.dumps(wanted)} does not exist"
        raise ApiError(500, f"Internal error occurred: {told}", "InternalError", {"causes": [{"message": told}]})
    found: Object = {"replicas": at_path(item, there) or 0}
    selector = _selector(item) if target.resource.custom is None else at_path(item, selected or ".")
    if selector and isinstance(selector, str):
        found["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": found}


def scale_body(verbs: Verbs, target: Target, body: Any, write: Write) -> Object:
    """The body as a Scale. Raises 400 for what is none."""
    as_scale = replace(target.resource, group="autoscaling", version="v1", kind="Scale", custom=None)
    return check_body(verbs.catalog, as_scale, body, target.namespace, write)


def check_scale_owners(verbs: Verbs, target: Target, applied: Object, manager: Manager) -> None:
    """Raises 409 where others own the replicas that an apply of a Scale would change."""
    old = verbs.read(target.resource, target.place, target.name)
    path = tuple(f"f:{name}" for name in _scale_paths(target)[0].strip(".").split("."))
    wanted = (applied.get("spec") or {}).get("replicas")
    live = at_path(old, _scale_paths(target)[0]) or None  # a Scale leaves a zero out
    if wanted is not None and wanted != live:
        check_owners(old, path, manager, target.resource.api_version)


def _scale(verbs: Verbs, target: Target, body: Any, write: Write) -> Object:
    old = verbs.read(target.resource, target.place, target.name)
    if body is None:
        return _scale_of(target, old)
    body = scale_body(verbs, target, body, write)
    replicas = (body.get("spec") or {}).get("replicas", 0)
    verbs.own_name(body, target.name)
    if replicas < 0 and target.resource.custom is None:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        cause = ("spec.replicas", "FieldValueInvalid", why)
        raise status.invalid("Scale", "autoscaling", target.name, [cause])
    version = body["metadata"].get("resourceVersion")
    new = copy.deepcopy(old)
    new["metadata"]["resourceVersion"] = version or old["metadata"]["resourceVersion"]
    if body["metadata"].get("uid"):
        new["metadata"]["uid"] = body["metadata"]["uid"]
    path = _scale_paths(target)[0]
    put_at(new, path, replicas)
    if path != ".spec.replicas":
        write.manager = ""  # the real server notes nobody, either
    return _scale_of(target, verbs.replace(target.resource, old, new, write, "scale"))


def _token(verbs: Verbs, signer: Signer, target: Target, body: Any, write: Write) -> Object:
    kind, group = "TokenRequest", "authentication.k8s.io"
    requests = Resource(group, "v1", "tokenrequests", kind, True, ("create",))
    body = check_body(verbs.catalog, requests, body, target.namespace, write)
    metadata, spec = body["metadata"], body.get("spec") or {}
    if metadata.get("namespace") not in (None, "", target.namespace):
        told = "the namespace of the provided object does not match the namespace sent on the request"
        raise ApiError(400, told)
    if metadata.get("name") not in (None, "", target.name):
        why = "must match the service account name if specified"
        raise status.invalid(kind, group, target.name, [bad("metadata.name", metadata["name"], why)])
    account = verbs.read(target.resource, target.namespace, target.name)
    uid = account["metadata"]["uid"]
    if metadata.get("uid") not in (None, "", uid):
        why = f"the UID in the token request ({metadata['uid']}) does not match the UID of the service account ({uid})"
        raise status.conflict(kind, group, target.name, why)
    wanted = spec.get("expirationSeconds")
    seconds = DEFAULT_SECONDS if wanted is None else wanted
    if seconds < LEAST_SECONDS:
        why = "may not specify a duration less than 10 minutes"
        raise status.invalid(kind, group, "", [bad("spec.expirationSeconds", seconds, why)])
    if seconds > MOST_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
        raise status.invalid(kind, group, "", [bad("spec.expirationSeconds", seconds, why)])
    bound = _bound(verbs, target, spec.get("boundObjectRef"))
    audiences = spec.get("audiences") or [ISSUER]
    token, end = signer.issue(account, audiences, seconds, bound)
    names = {"name": target.name, "namespace": target.namespace, "uid": uid, "creationTimestamp": now()}
    answer: Object = {"kind": kind, "apiVersion": f"{group}/v1", "metadata": names}
    answer["spec"] = spec | {"expirationSeconds": seconds}
    managed.track(requests, None, answer, managed.Manager(write.manager, subresource="token"))
    answer["spec"] = {
        "audiences": audiences,
        "expirationSeconds": seconds,
        "boundObjectRef": spec.get("boundObjectRef"),
    }
    return answer | {"status": {"token": token, "expirationTimestamp": end}}


def _bound(verbs: Verbs, target: Target, bound: Object | None) -> Object:
    """What a token says of the Pod, the Secret or the Node that it is bound to, which must be there."""
    if bound is None:
        return {}
    kind, name = bound.get("kind", ""), bound.get("name", "")
    key = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}.get(kind)
    group, _, version = bound.get("apiVersion", "").rpartition("/")
    if key is None or group:
        raise ApiError(400, f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    if not name:
        raise ApiError(400, "Name parameter required.")
    item = verbs.store.get(key, "" if key == "nodes" else target.namespace, name)
    if item is None:
        raise status.not_found(key, "", name)
    if bound.get("uid", item["metadata"]["uid"]) != item["metadata"]["uid"]:
        why = f"the UID in the bound object reference ({bound['uid']}) does not match the UID in record."
        why += " The object might have been deleted and then recreated"
        raise status.conflict(kind, "", name, why)
    if kind == "Pod" and item["spec"].get("serviceAccountName") != target.name:
        told = f"cannot bind token for serviceaccount {quote(target.name)} to pod running with different"
        raise ApiError(400, f"{told} serviceaccount name.")
    if kind == "Pod":
        return token_claims(verbs.store, item)
    return {kind.lower(): {"name": name, "uid": item["metadata"]["uid"]}}


def _resized(old: list[Object], new: list[Object]) -> list[Object]:
    """Containers of which nothing but their resources changes; others, where there are others: validation says so."""
    if [entry.get("name") for entry in old] != [entry.get("name") for entry in new]:
        return new
    pairs = zip(old, new, strict=True)
    return [was | {name: is_[name] for name in ("resources", "resizePolicy") if name in is_} for was, is_ in pairs]


def _part(verbs: Verbs, target: Target, body: Any, write: Write) -> Object:
    """A subresource that is the whole object, of which only one part may change."""
    old = verbs.read(target.resource, target.place, target.name)
    if target.verb == "get":
        return old
    item = check_body(verbs.catalog, target.resource, body, target.namespace, write)
    verbs.own_name(item, target.name)
    if target.subresource == "approval":
        return verbs.replace(target.resource, old, item, write, target.subresource)
    new = copy.deepcopy(old)
    for name in ("resourceVersion", "uid"):
        if item["metadata"].get(name):
            new["metadata"][name] = item["metadata"][name]
    if target.subresource == "finalize":
        new["metadata"] = item["metadata"]
        new["spec"] = (new.get("spec") or {}) | {"finalizers": (item.get("spec") or {}).get("finalizers") or []}
    elif target.subresource == "ephemeralcontainers":
        new["spec"]["ephemeralContainers"] = (item.get("spec") or {}).get("ephemeralContainers") or []
    else:
        for kind in ("containers", "initContainers"):
            wanted = (item.get("spec") or {}).get(kind) or []
            if wanted or old["spec"].get(kind):
                new["spec"][kind] = _resized(old["spec"].get(kind) or [], wanted)
    return verbs.replace(target.resource, old, new, write, target.subresource)

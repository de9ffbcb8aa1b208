"""--plan: a command's walk without its writes. Reads are sent, because later calls depend on them; writes are told and
not sent, and the command goes on with the answer that the server would most likely give. Where nobody can know what
would come back (a stream, a token, a verdict), the plan ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kubetrace.errors import PlanEnd
from kubetrace.trace.endpoint import CONNECTED, Endpoint, endpoint
from kubetrace.trace.exchange import Event, Planned, Request, Response
from kubetrace.transport.answer import ClientAnswer
from kubetrace.wire import go_json

_GONE = b""
_REMEMBERED_BODY = 1 << 20
_REMEMBERED_LIST = 1 << 25

Send = Callable[[], ClientAnswer]
Look = Callable[[], ClientAnswer]
"""Reads what a call would write."""


class AssumedAnswer(ClientAnswer):
    """An answer that no server gave."""

    def __init__(self, request: Request, status: int, reason: str, value: Any) -> None:
        self.request = request
        self.response = Response(status, reason, (("Content-Type", "application/json"),))
        self._body = go_json.dumps(value)

    def close(self) -> None:
        """There is nothing to end."""

    def discard(self) -> None:
        """There is nothing to end."""


class Plan:
    """Decides over every call of a command. `emit` is told of the calls that are not made."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._live: dict[str, bytes] = {}
        self._assumed: dict[str, bytes] = {}
        self._answered: set[str] = set()
        """The objects that a call was about which was not sent."""

    @property
    def assumes(self) -> bool:
        """Whether the command has gone on with an answer that no server gave."""
        return bool(self._assumed)

    def __call__(self, number: int, request: Request, send: Send, look: Look) -> ClientAnswer:
        """The answer to a call: a real one to a read, an assumed one to a write. `look` is asked for the live object
        where the command itself has not read it and what follows depends on it. Raises PlanEnd where there is none."""
        where = endpoint(request)
        if not _is_read(request, where):
            if _is_apply(request) and where.name:
                return self._apply(number, request, where, look)
            return self._write(number, request, where)
        assumed = self._assumed.get(where.path)
        if assumed is None:
            answer = send()
            if where.name and where.verb == "get" and answer.status == 200 and len(answer.body) < _REMEMBERED_BODY:
                self._live[where.path] = answer.body
            elif where.verb == "list" and answer.status == 200 and len(answer.body) < _REMEMBERED_LIST:
                self._live.update(_items(_parsed(answer.body) or {}, where))
            return answer
        if assumed == _GONE:
            status = _not_found(where)
            return self._answer(
                number, request, 404, "Not Found", status, "404 Not Found, as it would be deleted by now"
            )
        return self._answer(
            number, request, 200, "OK", go_json.loads(assumed), "200 OK, with the object as it would be"
        )

    def end(self, number: int, request: Request) -> PlanEnd:
        """The plan's end at a call whose answer nobody can know; to be raised."""
        self._emit(Planned(number, request))
        return PlanEnd()

    def _write(self, number: int, request: Request, where: Endpoint) -> ClientAnswer:
        sent = _parsed(request.body)
        if where.verb == "create" and where.subresource == "eviction":
            self._assumed[_object_path(where)] = _GONE
            return self._answer(number, request, 201, "Created", _success(), "201 Created, and the pod will be gone")
        if where.verb == "create" and not where.name and sent is not None and not where.resource.endswith("reviews"):
            made = _named(sent, where)
            self._assumed[f"{where.path.rstrip('/')}/{made['metadata']['name']}"] = go_json.dumps(made)
            return self._answer(number, request, 201, "Created", made, "201 Created, with the object as sent")
        if where.verb in ("update", "patch") and where.name:
            changed = sent if where.verb == "update" else self._changed(sent, where)
            if changed is not None:
                return self._change(number, request, where, changed)
        if where.verb == "delete" and where.name:
            if not _is_dry_run(request, sent):
                self._assumed[_object_path(where)] = _GONE
            live = _parsed(self._live.get(where.path)) or {}
            return self._answer(number, request, 200, "OK", _success(live), "200 OK, and the object gone")
        if where.verb == "deletecollection":
            return self._answer(number, request, 200, "OK", _success(), "200 OK, and the objects gone")
        raise self.end(number, request)

    # --- server-side apply --------------------------------------------------------------------------------------------

    def _apply(self, number: int, request: Request, where: Endpoint, look: Look) -> ClientAnswer:
        """What follows it depends on the live object, which the command does not read."""
        from kubetrace.api import planned_apply

        sent = _parsed(request.body)
        if sent is None:
            raise self.end(number, request)
        seen = self._seen(where, look)
        if seen is None:
            words = "200 OK, with the object as sent; where client-side apply made it, up to three more PATCHes follow"
            return self._answer(number, request, 200, "OK", _named(sent, where), words)
        if seen == _GONE:
            if where.subresource:
                return self._answer(number, request, 404, "Not Found", _not_found(where), "404 Not Found")
            made = _named(sent, where)
            self._remember(request, where, made)
            return self._answer(number, request, 201, "Created", made, "201 Created, with the object as sent")
        live = _parsed(seen) or {}
        query = parse_qs(urlsplit(request.url).query)
        manager = query.get("fieldManager", [""])[0]
        found = [] if query.get("force") == ["true"] else planned_apply.conflicts(live, sent, manager)
        if found:
            message = planned_apply.conflict_message(found)
            words = f"409 Conflict, as {found[0].owner} owns {found[0].path}"
            return self._answer(number, request, 409, "Conflict", _conflict(message), words)
        merged = planned_apply.applied(live, _laid_over(live, sent), sent, manager)
        return self._change(number, request, where, merged)

    def _seen(self, where: Endpoint, look: Look) -> bytes | None:
        """The object as it is by now; _GONE where there is none, None where nobody can say."""
        known = self._assumed.get(where.path, self._live.get(where.path))
        if known is not None:
            return known
        answer = look()
        if answer.status == 404:
            return _GONE
        if answer.status != 200:
            return None
        self._live[where.path] = answer.body
        return answer.body

    def _change(self, number: int, request: Request, where: Endpoint, changed: dict[str, Any]) -> ClientAnswer:
        self._remember(request, where, changed)
        words = "200 OK, with the object as changed"
        if _object_path(where) in self._answered and b'"/metadata/resourceVersion"' in (request.body or b""):
            words += "; its body is made of what the server has not answered yet, and will differ"
        return self._answer(number, request, 200, "OK", changed, words)

    # --- what is told and remembered ----------------------------------------------------------------------------------

    def _answer(self, number: int, request: Request, status: int, reason: str, value: Any, words: str) -> ClientAnswer:
        self._answered.add(_object_path(endpoint(request)))
        self._emit(Planned(number, request, words))
        return AssumedAnswer(request, status, reason, value)

    def _remember(self, request: Request, where: Endpoint, value: dict[str, Any]) -> None:
        if not where.subresource and not _is_dry_run(request, None):
            self._assumed[where.path] = go_json.dumps(value)

    def _changed(self, patch: Any, where: Endpoint) -> dict[str, Any] | None:
        """The live object with the patch's fields laid over it: near enough to go on with, not more."""
        paths = (where.path, _object_path(where))  # of a subresource (status, scale) the object is near enough
        known = (held.get(path) for path in paths for held in (self._assumed, self._live))
        live = _parsed(next((text for text in known if text), None))
        if live is None:
            return patch if patch is not None and _name(patch) else None
        return _laid_over(live, patch) if patch is not None else live


def _is_read(request: Request, where: Endpoint) -> bool:
    """Whether sending this changes nothing and comes to an end. A GET that opens a connection to a container or a
    service is no read."""
    if request.method not in ("GET", "HEAD") or where.verb in ("watch", "proxy"):
        return False
    if where.subresource in CONNECTED or any(name.lower() == "upgrade" for name, _ in request.headers):
        return False
    return not (where.subresource == "log" and "follow=true" in request.url)


def _is_dry_run(request: Request, options: dict[str, Any] | None) -> bool:
    return "dryRun=All" in request.url or bool(options and options.get("dryRun"))


def _is_apply(request: Request) -> bool:
    """Server-side apply."""
    return request.method == "PATCH" and any(
        name.lower() == "content-type" and "apply-patch" in value for name, value in request.headers
    )


def _items(found: dict[str, Any], where: Endpoint) -> dict[str, bytes]:
    """A list's objects by their paths; in lists they do not say of which kind they are."""
    items, kind = found.get("items"), str(found.get("kind") or "")
    if not isinstance(items, list) or not kind.endswith("List"):
        return {}
    of_list = {"kind": kind.removesuffix("List"), "apiVersion": found.get("apiVersion")}
    paths: dict[str, bytes] = {}
    for item in items:
        if not isinstance(item, dict) or not _name(item):
            continue
        namespace = item["metadata"].get("namespace")
        path = where.path.rstrip("/")
        if namespace and not where.namespace:
            path = f"{path.removesuffix(where.resource)}namespaces/{namespace}/{where.resource}"
        paths[f"{path}/{_name(item)}"] = go_json.dumps({**of_list, **item})
    return paths


def _object_path(where: Endpoint) -> str:
    return where.path.removesuffix(f"/{where.subresource}") if where.subresource else where.path


def _parsed(body: bytes | None) -> dict[str, Any] | None:
    try:
        value = go_json.loads(body) if body else None
    except go_json.InvalidJSON:
        return None
    return value if isinstance(value, dict) else None


def _name(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def _named(value: dict[str, Any], where: Endpoint) -> dict[str, Any]:
    """An object as the server would name it."""
    metadata = value.get("metadata")
    metadata = dict(metadata) if isinstance(metadata, dict) else {}
    if not metadata.get("name"):
        metadata["name"] = f"{metadata.get('generateName') or ''}xxxxx"
    if where.namespace and where.resource != "namespaces":
        metadata.setdefault("namespace", where.namespace)
    return {**value, "metadata": metadata}


def _laid_over(value: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A merge patch (RFC 7386)."""
    result = dict(value)
    for key, new in patch.items():
        if new is None:
            result.pop(key, None)
        elif isinstance(new, dict):
            old = result.get(key)
            result[key] = _laid_over(old if isinstance(old, dict) else {}, new)
        else:
            result[key] = new
    return result


def _success(live: dict[str, Any] | None = None) -> dict[str, Any]:
    metadata = (live or {}).get("metadata")
    details = {key: metadata[key] for key in ("name", "uid") if key in metadata} if isinstance(metadata, dict) else {}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _conflict(message: str) -> dict[str, Any]:
    status = {"status": "Failure", "message": message, "reason": "Conflict", "code": 409}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **status}


def _not_found(where: Endpoint) -> dict[str, Any]:
    resource = f"{where.resource}.{where.group}" if where.group else where.resource
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f'{resource} "{where.name}" not found',
        "reason": "NotFound",
        "details": {"name": where.name, "group": where.group, "kind": where.resource},
        "code": 404,
    }

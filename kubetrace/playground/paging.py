"""Lists in pages and at a version of the past: limit, continue, resourceVersion and resourceVersionMatch
(apimachinery apis/meta/internalversion/validation, apiserver storage/etcd3/store.go)."""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from kubetrace.playground import query
from kubetrace.playground.http import Request
from kubetrace.playground.objects import Object, decode_json
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.storage import Lost, Store
from kubetrace.playground.validation.causes import Cause, unsupported
from kubetrace.wire.go_json import json_type

_TOO_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)
_LATEST = -1
"""The version of a token that goes on with what there is by now."""
_MATCHES = ("Exact", "NotOlderThan")
_TOKEN_VERSION = "meta.k8s.io/v1"
_TOKEN = "storage.continueToken"
_TOKEN_FIELDS = (("v", str, "string"), ("rv", int, "int64"), ("start", str, "string"))
_FIELD = "resourceVersionMatch"


@dataclass(frozen=True, slots=True)
class Page:
    """What a list is asked to show: at most `limit` objects (0: all) behind a key, as they were at `version`."""

    store: Store
    limit: int
    after: tuple[str, str]
    version: int
    past: bool
    """Whether the version is one of the past, to be told from the history."""
    remaining: int = -1
    """How many objects there are behind the key, where the token knows; it counted when the version was the same."""

    def objects(self, resource: str, namespace: str) -> Iterable[Object]:
        if not self.past:
            return self.store.select(resource, namespace, self.after)
        return self._snapshot(resource, namespace)

    def left(self, resource: str, namespace: str, last: tuple[str, str]) -> int:
        """How many objects follow that one, the last of a full page."""
        if not self.past and self.remaining >= 0:
            return self.remaining - self.limit
        if not self.past:
            return self.store.count_after(resource, namespace, last)
        return sum(key_of(item) > last for item in self._snapshot(resource, namespace))

    def _snapshot(self, resource: str, namespace: str) -> list[Object]:
        try:
            items = self.store.snapshot(resource, namespace, self.version)
        except Lost:
            if self.after == ("", ""):
                raise ApiError(410, "The resourceVersion for the provided list is too old.", "Expired") from None
            error = ApiError(410, _TOO_OLD_TOKEN, "Expired")
            error.metadata = {"continue": token(_LATEST, namespace, self.after)}
            raise error from None
        return [item for item in items if key_of(item) > self.after]


def key_of(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def token(version: int, place: str, last: tuple[str, str], left: int = -1) -> str:
    """A continue token (apiserver storage/continue.go) of a list of the namespace `place`, which may be empty.

    `last`: namespace and name of the last object of the page; `left`: how many follow, which no other server notes."""
    path = [""] + [part for part in (last[0] if not place else "", last[1]) if part]
    value: dict[str, object] = {"v": _TOKEN_VERSION, "rv": version, "start": "/".join(path) + "\0"}
    value |= {"left": left} if left >= 0 else {}
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _refuse(causes: list[Cause]) -> None:
    if causes:
        raise invalid("ListOptions", "meta.k8s.io", "", causes)


def _forbidden(why: str, field: str = _FIELD) -> Cause:
    return field, "FieldValueForbidden", f"Forbidden: {why}"


def check_options(request: Request, watching: bool) -> None:
    """Raises 400 or 422 where the options of a list or a watch are none, or don't go together."""
    query.number(request, "timeoutSeconds")
    query.number(request, "limit")
    match, initial = request.parameter(_FIELD), "sendInitialEvents" in request.query
    causes: list[Cause] = []
    if watching and initial and match != "NotOlderThan":
        causes.append(_forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if watching and match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            causes.append(_forbidden(why))
        if match != "NotOlderThan":
            causes.append(unsupported(_FIELD, match, ["NotOlderThan"]))
    elif match:
        causes += _of_list(request, match)
    from_the_start = not match and not initial and request.parameter("resourceVersion") in ("", "0")  # is NotOlderThan
    if watching and (match or from_the_start) and request.parameter("continue"):
        causes.append(_forbidden("resourceVersionMatch is forbidden when continue is provided"))
    if initial and not watching:
        causes.append(_forbidden("sendInitialEvents is forbidden for list", "sendInitialEvents"))
    _refuse(causes)


def _of_list(request: Request, match: str) -> list[Cause]:
    causes: list[Cause] = []
    version = request.parameter("resourceVersion")
    if not version:
        causes.append(_forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if request.parameter("continue"):
        causes.append(_forbidden("resourceVersionMatch is forbidden when continue is provided"))
    if match not in _MATCHES:
        causes.append(unsupported(_FIELD, match, [*_MATCHES, ""]))
    if match == "Exact" and version == "0":
        causes.append(_forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    return causes


def check_known(wanted: int, store: Store) -> None:
    """Raises 504 for a version that is not yet."""
    if wanted > store.version:
        told = f"Timeout: Too large resource version: {wanted}, current: {store.version}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise ApiError(504, told, "Timeout", {"causes": [cause], "retryAfterSeconds": 1})


def page(request: Request, store: Store, place: str) -> Page:
    """Of a list of the namespace `place`. Raises 400, 410, 422 and, for a version that is not yet, 504."""
    check_options(request, watching=False)
    limit, text = query.number(request, "limit"), request.parameter("continue")
    if text:
        version, after, left = _decoded(text, place)
        if request.parameter("resourceVersion") not in ("", "0"):
            raise ApiError(400, "specifying resource version is not allowed when using continue")
        check_known(version, store)
        past = _LATEST != version < store.version
        return Page(store, limit, after, version if past else store.version, past, left)
    wanted = query.resource_version(request)
    check_known(wanted, store)
    if request.parameter("resourceVersion") == "0":
        limit = 0  # from the watch cache, which does not count
    exact = request.parameter(_FIELD) == "Exact" or (limit > 0 and wanted > 0 and not request.parameter(_FIELD))
    if exact and wanted:
        return Page(store, limit, ("", ""), wanted, wanted < store.version)
    return Page(store, limit, ("", ""), store.version, False)


def _decoded(text: str, place: str) -> tuple[int, tuple[str, str], int]:
    """(version, namespace and name of the last object before, how many follow or -1)"""
    start = "invalid continue token: continue key is not valid"
    if bad := re.search(r"[^\w-]", text, re.ASCII):
        raise ApiError(400, f"{start}: illegal base64 data at input byte {bad.start()}")
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise ApiError(400, f"{start}: illegal base64 data at input byte {len(text) - len(text) % 4}") from None
    value = decode_json(raw, lambda problem: ApiError(400, f"{start}: {problem}"))
    if not isinstance(value, dict):
        raise ApiError(400, f"{start}: json: cannot unmarshal {json_type(value)} into Go value of type {_TOKEN}")
    for name, type, go_type in _TOKEN_FIELDS:
        found = value.get(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, type)):
            told = f"cannot unmarshal {json_type(found)} into Go struct field continueToken.{name} of type {go_type}"
            raise ApiError(400, f"{start}: json: {told}")
    version, key, left = value.get("rv") or 0, value.get("start") or "", value.get("left", -1)
    if value.get("v") != _TOKEN_VERSION:
        raise ApiError(400, f"{start}: server does not recognize this encoded version {value.get('v') or ''}")
    if not version:
        raise ApiError(400, f"{start}: incorrect encoded start resourceVersion (version {_TOKEN_VERSION})")
    if not key:
        raise ApiError(400, f"{start}: encoded start key empty (version {_TOKEN_VERSION})")
    path = key if key.startswith("/") else f"/{key}"
    if posixpath.normpath(path) != path:
        raise ApiError(400, f"{start}: {key}")
    namespace, _, name = path[1:].rpartition("/")
    if name.endswith("\0"):
        name = name[:-1]
    else:  # it starts with that one, so behind all that come before
        name = name[:-1] + chr(max(ord(name[-1:] or "\1") - 1, 0)) + chr(0x10FFFF)
    return version, (place or namespace, name), left if isinstance(left, int) else -1

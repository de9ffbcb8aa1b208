"""Lists in pages and at a version of the past: limit, continue, resourceVersion and resourceVersionMatch
(apimachinery apis/meta/internalversion/validation, apiserver storage/etcd3/store.go)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass

from kubetrace.playground.http import Request
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.storage import Lost, Store

_TOO_OLD_TOKEN = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter."
)
_MATCHES = ("Exact", "NotOlderThan")
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
            told = _TOO_OLD_TOKEN if self.after != ("", "") else "The resourceVersion for the provided list is too old."
            raise ApiError(410, told, "Expired") from None
        return [item for item in items if key_of(item) > self.after]


def key_of(item: Object) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def token(version: int, last: tuple[str, str], left: int = -1) -> str:
    """A continue token; `last`: namespace and name of the last object of the page; `left`: how many follow."""
    return base64.urlsafe_b64encode(json.dumps([version, *last, left]).encode()).decode().rstrip("=")


def _number(request: Request, name: str) -> int:
    text = request.parameter(name)
    try:
        return int(text or 0)
    except ValueError:
        raise ApiError(400, f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def resource_version(request: Request, watching: bool = False) -> int:
    """0 where none is given. Raises 400, for a watch 500."""
    text = request.parameter("resourceVersion")
    if text and not text.isdecimal():
        told = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
        raise ApiError(500, told, "") if watching else ApiError(400, f"invalid resource version: {told}")
    return int(text or 0)


def _invalid(why: str, reason: str = "FieldValueForbidden") -> ApiError:
    return invalid("ListOptions", "meta.k8s.io", "", [(_FIELD, reason, why)])


def check_options(request: Request, watching: bool) -> None:
    """Raises 400 or 422 where the options of a list or a watch don't go together."""
    _number(request, "timeoutSeconds")
    match, version = request.parameter(_FIELD), request.parameter("resourceVersion")
    initial = "sendInitialEvents" in request.query
    if initial:
        if not watching:
            cause = ("sendInitialEvents", "FieldValueForbidden", "Forbidden: sendInitialEvents is forbidden for list")
            raise invalid("ListOptions", "meta.k8s.io", "", [cause])
        if match != "NotOlderThan":
            raise _invalid("Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        return
    if not match:
        return
    if watching:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise _invalid(f"Forbidden: {why}")
    if not version:
        raise _invalid("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
    if request.parameter("continue"):
        raise _invalid("Forbidden: resourceVersionMatch is forbidden when continue is provided")
    if match not in _MATCHES:
        listed = 'supported values: "Exact", "NotOlderThan", ""'
        raise _invalid(f'Unsupported value: "{match}": {listed}', "FieldValueNotSupported")
    if match == "Exact" and version == "0":
        raise _invalid('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"')


def page(request: Request, store: Store) -> Page:
    """Raises 400, 410, 422 and, for a version that is not yet, 504."""
    check_options(request, watching=False)
    limit, text, wanted = _number(request, "limit"), request.parameter("continue"), resource_version(request)
    if text:
        version, namespace, name, left = _decoded(text)
        if wanted:
            raise ApiError(400, "specifying resource version is not allowed when using continue")
        return Page(store, limit, (namespace, name), version, version < store.version, left)
    if wanted > store.version:
        told = f"Timeout: Too large resource version: {wanted}, current: {store.version}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise ApiError(504, told, "Timeout", {"causes": [cause], "retryAfterSeconds": 1})
    exact = request.parameter(_FIELD) == "Exact" or (limit > 0 and wanted > 0 and not request.parameter(_FIELD))
    if exact and wanted:
        return Page(store, limit, ("", ""), wanted, wanted < store.version)
    return Page(store, limit, ("", ""), store.version, False)


def _decoded(text: str) -> tuple[int, str, str, int]:
    start = "invalid continue token: continue key is not valid: "
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise ApiError(400, f"{start}illegal base64 data at input byte 0") from None
    try:
        version, namespace, name, left = json.loads(raw)
        return int(version), str(namespace), str(name), int(left)
    except (ValueError, TypeError):
        shown = raw[:1].decode("latin-1")
        raise ApiError(400, f"{start}invalid character '{shown}' looking for beginning of value") from None

"""Admission webhooks: who is asked about a write, what is sent, what the answer does (admission/plugin/webhook).

A write is worked out without waiting for anybody. Where a webhook's word is missing, it ends with `Unasked`; whoever
began it asks, and begins it again: the answer is kept until the write is done.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubetrace.playground import patches
from kubetrace.playground.access import User
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import Object, decode_json, new_uid
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Store
from kubetrace.playground.webhook_calls import CallFailure, call
from kubetrace.wire.go_quote import quote

if TYPE_CHECKING:
    from kubetrace.playground.write import Write

_GROUP = "admissionregistration.k8s.io"
_CONFIGURATIONS = {True: f"mutatingwebhookconfigurations.{_GROUP}", False: f"validatingwebhookconfigurations.{_GROUP}"}
CONTROLLERS = User("system:kube-controller-manager", ("system:authenticated",))
_MOST_ANSWERS = 1000
# What differs each time that a write is worked out.
_RANDOM = re.compile(r"kube-api-access-\w{5}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a write is about. `item` is None at a deletion, `old` at a creation."""

    resource: Resource
    operation: str
    namespace: str
    name: str
    item: Object | None
    old: Object | None
    write: Write
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """`key` is the same whenever the same write comes to the same webhook."""

    key: str
    webhook: Object
    review: Object
    item: Object | None


class Unasked(Exception):
    """Ends a write that a webhook was not asked about yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.webhook["name"])
        self.question = question


class Webhooks:
    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store, self._catalog = store, catalog
        self._answers: dict[str, tuple[Question, Object | CallFailure]] = {}

    async def ask(self, question: Question) -> None:
        """Calls the webhook and keeps its answer, or why there is none."""
        webhook = question.webhook
        answer: Object | CallFailure
        try:
            answer = await call(self._store, webhook["clientConfig"], question.review, webhook["timeoutSeconds"])
        except CallFailure as failure:
            answer = CallFailure(f"failed to call webhook: {failure}")
        if len(self._answers) >= _MOST_ANSWERS:
            self._answers.clear()
        self._answers[question.key] = (question, answer)

    def forget(self, asked: list[str]) -> None:
        """A write is done: the next one asks anew."""
        for key in asked:
            self._answers.pop(key, None)
        asked.clear()

    @contextlib.contextmanager
    def answering(self, asked: list[str]) -> Iterator[None]:
        """Within, a controller writes. The answers are used up by then, but where one is missing: the write comes
        again with it."""
        try:
            yield
        except Unasked:
            asked.clear()
            raise
        finally:
            self.forget(asked)

    @property
    def are_there(self) -> bool:
        return any(next(self._store.select(key), None) for key in _CONFIGURATIONS.values())

    def mutated(self, about: Attributes, settle: Callable[[Object], Object]) -> Object | None:
        """The object as the mutating webhooks leave it; `settle` decodes and defaults what a patch made."""
        item, again, changed_by = about.item, [], ""
        for webhook in self._matching(about, mutating=True):
            new = self._mutate(webhook, about, item, settle, 0)
            if webhook.get("reinvocationPolicy") == "IfNeeded":
                again.append(webhook)
            if new != item:
                changed_by = webhook["name"]
            item = new
        for webhook in again:
            if changed_by and changed_by != webhook["name"]:
                item = self._mutate(webhook, about, item, settle, 1)
        return item

    def validate(self, about: Attributes) -> None:
        """Raises what a validating webhook says against it."""
        for webhook in self._matching(about, mutating=False):
            _, answer = self._answer(webhook, about, about.item, mutating=False, turn=0)
            if answer is not None:
                _check_allowed(webhook, answer)

    def admit(self, about: Attributes) -> None:
        """For what cannot be changed on the way: raises what any webhook says against it."""
        self.mutated(about, lambda patched: patched)
        self.validate(about)

    def _mutate(
        self, webhook: Object, about: Attributes, item: Object | None, settle: Callable[[Object], Object], turn: int
    ) -> Object | None:
        seen, answer = self._answer(webhook, about, item, mutating=True, turn=turn)
        if answer is None:
            return item
        _check_allowed(webhook, answer)
        patch = _patch_of(webhook, answer)
        if not patch:
            return item
        if seen is None:
            raise internal(
                f"admission webhook {quote(webhook['name'])} attempted to modify the object, which is not supported "
                "for this operation"
            )
        try:
            return settle(patches.json_patch(copy.deepcopy(seen), patch))
        except patches.Unfit as error:
            raise internal(error.why) from None
        except ApiError as error:
            raise internal(str(error)) from None

    def _matching(self, about: Attributes, mutating: bool) -> Iterator[Object]:
        if about.resource.group == _GROUP:
            return
        for configuration in self._store.select(_CONFIGURATIONS[mutating]):
            for webhook in configuration.get("webhooks") or ():
                if self._matches(webhook, about):
                    yield webhook

    def _matches(self, webhook: Object, about: Attributes) -> bool:
        if not self._in_namespaces(webhook.get("namespaceSelector"), about):
            return False
        selector, found = webhook.get("objectSelector"), [item for item in (about.item, about.old) if item is not None]
        if selector and not any(matches_labels(selector, _labels(item)) for item in found):
            return False
        rules = webhook.get("rules") or ()
        if any(_rule_matches(rule, about, about.resource) for rule in rules):
            return True
        if webhook.get("matchPolicy") != "Equivalent":
            return False
        others = [entry for entry in self._catalog.all if entry.key == about.resource.key]
        return any(_rule_matches(rule, about, other) for rule in rules for other in others)

    def _in_namespaces(self, selector: Object | None, about: Attributes) -> bool:
        if not selector:
            return True
        if about.resource.key == "namespaces" and about.item is not None and not about.subresource:
            return matches_labels(selector, _labels(about.item))
        if not about.namespace:
            return True
        found = self._store.get("namespaces", "", about.namespace)
        return found is not None and matches_labels(selector, _labels(found))

    def _answer(
        self, webhook: Object, about: Attributes, item: Object | None, mutating: bool, turn: int
    ) -> tuple[Object | None, Object | None]:
        """(the object that the webhook saw, its response; None where its failure is ignored)"""
        review = _review(webhook, about, item, mutating)
        key = _key(webhook, review, item, mutating, turn)
        if key not in self._answers:
            raise Unasked(Question(key, webhook, _with_uid(review), copy.deepcopy(item)))
        about.write.asked.append(key)
        question, answer = self._answers[key]
        try:
            if isinstance(answer, CallFailure):
                raise answer
            response = _checked(question.review, answer, mutating)
        except CallFailure as failure:
            if webhook.get("failurePolicy") == "Ignore":
                return item, None
            raise internal(f"failed calling webhook {quote(webhook['name'])}: {failure}") from None
        about.write.warnings.extend(response.get("warnings") or ())
        return question.item, response


def internal(told: str) -> ApiError:
    return ApiError(500, f"Internal error occurred: {told}", details={"causes": [{"message": told}]})


def _labels(item: Object) -> Object:
    return (item.get("metadata") or {}).get("labels") or {}


def _rule_matches(rule: Object, about: Attributes, resource: Resource) -> bool:
    scope = rule.get("scope", "*")
    inside = bool(about.namespace) and resource.key != "namespaces"
    if scope not in ("*", "Namespaced" if inside else "Cluster"):
        return False
    pairs = (("operations", about.operation), ("apiGroups", resource.group), ("apiVersions", resource.version))
    for name, value in pairs:
        if not {"*", value} & set(rule.get(name) or ()):
            return False
    for entry in rule.get("resources") or ():
        name, _, part = entry.partition("/")
        if name in ("*", resource.name) and part in ("*", about.subresource):
            return True
    return False


def _review(webhook: Object, about: Attributes, item: Object | None, mutating: bool) -> Object:
    """The AdmissionReview, but for its uid."""
    resource, write = about.resource, about.write
    version = next(v for v in webhook["admissionReviewVersions"] if v in ("v1", "v1beta1"))
    body = item if item is not None else about.old or {}
    group, _, own = str(body.get("apiVersion", resource.api_version)).rpartition("/")
    kind = {"group": group, "version": own, "kind": body.get("kind", resource.kind)}
    if about.subresource == "" and about.operation != "CONNECT":
        kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    place = {"group": resource.group, "version": resource.version, "resource": resource.name}
    options = {"CREATE": "CreateOptions", "UPDATE": "UpdateOptions", "DELETE": "DeleteOptions"}.get(about.operation)
    user = write.user or CONTROLLERS
    who: Object = {"username": user.name, "uid": user.uid, "groups": list(user.groups), "extra": user.extra}
    part = {"subResource": about.subresource} if about.subresource else {}
    asked = {"requestSubResource": about.subresource} if about.subresource else {}
    request: Object = {"kind": kind, "resource": place, **part, "requestKind": kind, "requestResource": place, **asked}
    request |= {name: value for name, value in (("name", about.name), ("namespace", about.namespace)) if value}
    request |= {"operation": about.operation, "userInfo": {name: value for name, value in who.items() if value}}
    request |= {"object": _before_storage(item) if mutating and about.operation == "CREATE" else item}
    request |= {"oldObject": about.old, "dryRun": write.dry_run}
    request["options"] = {"kind": options, "apiVersion": "meta.k8s.io/v1", **write.options} if options else None
    return {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}


def _before_storage(item: Object | None) -> Object | None:
    """A new object has no uid and no age yet where it may still be changed."""
    if item is None:
        return None
    own = {k: v for k, v in item["metadata"].items() if k not in ("uid", "creationTimestamp", "generation")}
    return item | {"metadata": own}


def _with_uid(review: Object) -> Object:
    return review | {"request": {"uid": new_uid()} | review["request"]}


def _key(webhook: Object, review: Object, item: Object | None, mutating: bool, turn: int) -> str:
    """Names a question, without what is made anew each time that a write is worked out."""

    def steady(found: Object | None) -> Object | None:
        if found is None:
            return None
        own = found.get("metadata") or {}
        left_out = {"managedFields", "creationTimestamp", *(("name",) if own.get("generateName") else ())}
        return found | {"metadata": {name: value for name, value in own.items() if name not in left_out}}

    request = review["request"]
    told = request | {"object": steady(request["object"]), "oldObject": steady(request["oldObject"])}
    if request["operation"] == "CREATE" and ((item or {}).get("metadata") or {}).get("generateName"):
        told.pop("name", None)
    text = json.dumps([webhook, mutating, turn, told], sort_keys=True)
    uid = ((item or {}).get("metadata") or {}).get("uid")
    if uid and request["operation"] == "CREATE":
        text = text.replace(uid, "")
    return hashlib.sha256(_RANDOM.sub("", text).encode()).hexdigest()


def _checked(sent: Object, review: Object, mutating: bool) -> Object:
    """The response of an AdmissionReview. Raises CallFailure (webhook/request/admissionreview.go)."""
    start = "received invalid webhook response: "
    response = review.get("response")
    if not isinstance(response, dict):
        raise CallFailure(f"{start}webhook response was absent")
    if sent["apiVersion"].endswith("/v1beta1"):
        return response | ({"patchType": "JSONPatch"} if response.get("patch") else {})
    uid = sent["request"]["uid"]
    if response.get("uid") != uid:
        raise CallFailure(f"{start}expected response.uid={quote(uid)}, got {quote(str(response.get('uid') or ''))}")
    if review["apiVersion"] != sent["apiVersion"]:
        kinds = [f"{version}, Kind=AdmissionReview" for version in (sent["apiVersion"], review["apiVersion"])]
        raise CallFailure(f"{start}expected webhook response of {kinds[0]}, got {kinds[1]}")
    patch, kind = response.get("patch"), response.get("patchType")
    if not mutating and (patch or kind is not None):
        raise CallFailure(f"{start}validating webhook may not return response.{'patch' if patch else 'patchType'}")
    if patch and kind is None:
        raise CallFailure(f"{start}webhook returned response.patch but not response.patchType")
    if kind is not None and not patch:
        raise CallFailure(f"{start}webhook returned response.patchType but not response.patch")
    if kind is not None and kind != "JSONPatch":
        raise CallFailure(f"unsupported patch type {quote(str(kind))}" if kind else
                          f'{start}webhook returned invalid response.patchType of ""')  # fmt: skip
    return response


def _patch_of(webhook: Object, response: Object) -> list[Any]:
    if not response.get("patch"):
        return []
    told = "received undecodable patch in webhook response"
    try:
        found = decode_json(base64.b64decode(response["patch"]), lambda problem: ApiError(400, problem))
    except (binascii.Error, ApiError, ValueError) as error:
        raise internal(f"failed calling webhook {quote(webhook['name'])}: {told}: {error}") from None
    return list(found) if isinstance(found, list) else []


def _check_allowed(webhook: Object, response: Object) -> None:
    """Raises a webhook's refusal (webhook/errors/statuserror.go)."""
    if response.get("allowed"):
        return
    status = response.get("status") or response.get("result") or {}
    told, code = f"admission webhook {quote(webhook['name'])} denied the request", status.get("code") or 0
    why = status.get("message") or status.get("reason")
    message = f"{told}: {why}" if why else f"{told} without explanation"
    raise ApiError(max(code, 400), message, status.get("reason") or "", status.get("details"))

"""One method a verb: query and body in, an answer in the form that the client accepts out."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from kubetrace.playground import (
    managed,
    options,
    paging,
    patch_errors,
    patches,
    query,
    status,
    strict,
    subresources,
    watching,
)
from kubetrace.playground.access import Authenticator, Authorizer
from kubetrace.playground.binding import bind
from kubetrace.playground.bodies import check_body
from kubetrace.playground.catalog import Resource
from kubetrace.playground.conversion import has_faces, served
from kubetrace.playground.encoding import encode, html_safe
from kubetrace.playground.escalation import Escalation
from kubetrace.playground.http import Answer, Request, Stream, Upgrade
from kubetrace.playground.managed import Manager, check_apply, manager_name, track
from kubetrace.playground.negotiation import JSON, YAML, Form, resource_form, written
from kubetrace.playground.objects import Object, decode_applied, decode_body, type_of, without_kind
from kubetrace.playground.paths import Target
from kubetrace.playground.reviews import Reviews
from kubetrace.playground.selectors import Matcher, field_selector, label_selector, names_one
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Store
from kubetrace.playground.tables import entries, many, one, one_scale, partial, table
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.webhooks import Unasked
from kubetrace.playground.write import Write
from kubetrace.playground.write_warnings import of_deletion
from kubetrace.wire.go_struct import typed

# Whose strategy says AllowCreateOnUpdate (pkg/registry/*/strategy.go).
_CREATED_BY_UPDATE = frozenset(
    (
        *("services", "endpoints", "events", "limitranges", "leases.coordination.k8s.io"),
        *("roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"),
        *("rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io"),
        "runtimeclasses.node.k8s.io",
    )
)


# Whose deletion answers with the object, not with a Status (ReturnDeletedObject).
_SHOWN_WHEN_DELETED = frozenset(
    (
        *("pods", "services", "persistentvolumes", "persistentvolumeclaims", "podtemplates", "resourcequotas"),
        *("serviceaccounts", "namespaces", "csidrivers.storage.k8s.io", "storageclasses.storage.k8s.io"),
        *("volumeattachments.storage.k8s.io", "csinodes.storage.k8s.io", "volumeattributesclasses.storage.k8s.io"),
        *("resourceclaimtemplates.resource.k8s.io", "resourceslices.resource.k8s.io", "resourceclaims.resource.k8s.io"),
        "deviceclasses.resource.k8s.io",
    )
)


_MOST_WEBHOOKS = 100


class Handlers:
    def __init__(self, verbs: Verbs, authorizer: Authorizer, authenticator: Authenticator) -> None:
        self._verbs = verbs
        self._store: Store = verbs.store
        self._authorizer = authorizer
        self._reviews = Reviews(authorizer, authenticator, verbs.catalog)

    async def handle(self, request: Request, target: Target) -> Answer | Stream | Upgrade:
        """The answer. A write that webhooks have a say in is begun anew with each of their answers."""
        warnings, asked = request.facts["warnings"], request.facts.setdefault("asked", [])
        told = len(warnings)
        try:
            for _ in range(_MOST_WEBHOOKS):
                try:
                    return await self._handle(request, target)
                except Unasked as missing:
                    del warnings[told:]
                    asked.clear()
                    await self._verbs.webhooks.ask(missing.question)
            raise ApiError(500, "Internal error occurred: the object never comes to rest between webhooks")
        finally:
            self._verbs.webhooks.forget(asked)

    async def _handle(self, request: Request, target: Target) -> Answer | Stream | Upgrade:
        resource = target.resource
        if self._reviews.serves(resource):
            return self._review(request, target)
        if target.subresource and target.subresource != "status":
            return await self._subresource(request, target)
        if resource.key == "bindings":
            write = self._write(request)
            return encode(bind(self._verbs, target.namespace, "", self._body(request, target), write), 201)
        if "list" not in resource.verbs and not target.subresource:
            raise ApiError(501, f"the playground does not serve {resource.key}")
        method = getattr(self, f"_{target.verb}")
        form = resource_form(request.headers.get("accept", ""), target.verb == "watch")
        answer: Answer | Stream = method(request, target, form)
        return answer

    def _review(self, request: Request, target: Target) -> Answer:
        write = self._write(request)
        body = check_body(self._verbs.catalog, target.resource, self._body(request, target), target.namespace, write)
        body = typed(body)
        track(target.resource, None, body, Manager(write.manager))
        return encode(self._reviews.answer(target.resource, body, request.facts["user"], target.namespace), 201)

    async def _subresource(self, request: Request, target: Target) -> Answer | Stream | Upgrade:
        raw = target.subresource in subresources.STREAMED
        if raw and target.subresource != "log" and "dryRun" in request.query:
            raise ApiError(400, "dryRun is not supported")
        form = Form() if raw else resource_form(request.headers.get("accept", ""))
        sent = request.body or request.method in ("POST", "PUT")
        body = self._body(request, target) if sent and request.method != "PATCH" and not raw else None
        if request.method == "PATCH" and not raw:
            body = self._patched_subresource(request, target)
        write = self._write(request)
        if request.headers.get("content-type", "").startswith("application/apply-patch"):
            write.operation = "Apply"
        about = subresources.about(self._verbs, request, target, body, write)
        if about is not None:
            self._verbs.webhooks.admit(about)
        outcome = subresources.answer(self._verbs, request, target, body, write)
        if asyncio.iscoroutine(outcome):
            outcome = await outcome
        if isinstance(outcome, Answer | Stream | Upgrade):
            return outcome
        code = 201 if target.verb == "create" else 200
        if target.subresource == "scale":
            outcome = one_scale(target.resource, outcome, form, self._include(request, form))
        return self._encode(outcome, form, code)

    def _patched_subresource(self, request: Request, target: Target) -> Any:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        strategic = kind.startswith("application/strategic")
        known = kind in patches.KINDS and not (strategic and target.resource.custom is not None)
        if not known and kind != "application/apply-patch+yaml":
            raise patch_errors.unsupported(kind, target.resource)
        if kind == "application/apply-patch+yaml":
            check_apply(request.parameter("fieldManager"))
        if target.subresource == "scale":
            return self._patched_scale(request, target, kind)
        old = subresources.current(self._verbs, target)
        patch = patches.decode(request.body, kind)
        if kind == "application/json-patch+json":
            return patches.json_patch(old, patch)
        if target.subresource in ("ephemeralcontainers", "resize") and strategic:
            return patches.strategic_merge(old, patch, type_of(target.resource))
        return patches.merge_patch(old, patch)

    def _patched_scale(self, request: Request, target: Target, kind: str) -> Object:
        old, write = subresources.current(self._verbs, target), self._write(request)
        if kind == "application/apply-patch+yaml":
            body = decode_applied(request.body) or {}
            patch_errors.check_applied_kind(body, ("autoscaling/v1", "Scale"))
            if not request.flag("force"):
                subresources.check_scale_owners(self._verbs, target, body, Manager(write.manager, "Apply", "scale"))
            return old | {"spec": (old.get("spec") or {}) | (body.get("spec") or {})}
        patch = patches.decode(request.body, kind)
        operate = patches.json_patch if kind == "application/json-patch+json" else patches.merge_patch
        new = patch_errors.rewritten(operate(old, patch), patch)
        with patch_errors.of_patch(kind, patch, new):
            return subresources.scale_body(self._verbs, target, new, write)

    @staticmethod
    def _body(request: Request, target: Target) -> Any:
        part = target.resource.subresources.get(target.subresource) or {}
        kind = (part.get("responseKind") or {}).get("kind") or target.resource.kind
        body = decode_body(request.body, request.headers.get("content-type", ""), kind)
        custom = target.resource.custom is not None and kind == target.resource.kind
        if custom and request.method in ("POST", "PUT") and not body.get("kind"):
            ignored = request.parameter("fieldValidation") == "Ignore"
            raise without_kind(target.resource, request.body, ignored)
        found = strict.read(request.body)
        if found is not None:
            body, request.facts["twice"], request.facts["places"] = found
        return body

    def _write(self, request: Request) -> Write:
        if request.method != "DELETE":
            options.check(request)
        dry = request.query.get("dryRun", [])
        level = request.parameter("fieldValidation") or "Warn"
        name = manager_name(request.parameter("fieldManager"), request.headers.get("user-agent", ""))
        user = request.facts["user"]
        guard = Escalation(self._authorizer, user).check
        told = {"dryRun": dry} | {name: request.parameter(name) for name in ("fieldManager", "fieldValidation")}
        return Write(
            bool(dry),
            level,
            name,
            warnings=request.facts["warnings"],
            user=user,
            asked=request.facts["asked"],
            twice=request.facts.get("twice", []),
            places=request.facts.get("places", {}),
            options={name: value for name, value in told.items() if value},
            guard=guard,
        )

    @staticmethod
    def _include(request: Request, form: Form) -> str:
        """What the rows of a Table bring along; nothing else is looked at for it."""
        wanted = request.parameter("includeObject") if form.kind == "Table" else ""
        if wanted not in ("", "Metadata", "Object", "None"):
            why = "must be 'Metadata', 'Object', 'None', or empty"
            told = f'Unable to convert to Table as requested: includeObject: Invalid value: "{wanted}": {why}'
            raise ApiError(400, told)
        return wanted or "Metadata"

    def _encode(self, value: Any, form: Form, code: int = 200) -> Answer:
        return written(value, YAML if form.yaml else JSON, code)

    def _one(self, request: Request, resource: Resource, item: Object, form: Form, code: int = 200) -> Answer:
        return self._encode(one(resource, item, form, self._include(request, form)), form, code)

    def _get(self, request: Request, target: Target, form: Form) -> Answer:
        export = request.parameter("export")
        if export and query.boolean("export", export):
            raise ApiError(400, "the export parameter, deprecated since v1.14, is no longer supported")
        paging.check_known(query.resource_version(request, alone=True), self._store)
        item = self._verbs.read(target.resource, target.place, target.name)
        return self._one(request, target.resource, item, form)

    def _matcher(self, request: Request, resource: Resource) -> Matcher:
        labels = label_selector(request.parameter("labelSelector"))
        text = request.parameter("fieldSelector")
        custom = None
        if resource.custom is not None:
            custom = tuple(entry["jsonPath"].lstrip(".") for entry in resource.custom.get("selectableFields", ()))
        fields = field_selector(text, resource, custom)
        return lambda item: labels(item) and fields(served(resource, item))

    def _list(self, request: Request, target: Target, form: Form) -> Answer:
        resource, matches = target.resource, self._matcher(request, target.resource)
        page = paging.page(request, self._store, target.place)
        selected = bool(request.parameter("labelSelector") or request.parameter("fieldSelector"))
        plain = form == Form() and not has_faces(resource) and resource.custom is None
        if plain and not selected and not page.past:
            return self._list_as_stored(resource, target.place, page)
        items: list[Object] = []
        lone = names_one(request.parameter("fieldSelector")) and bool(target.place or not resource.namespaced)
        more = False
        for item in page.objects(resource.key, target.place):
            if 0 < page.limit == len(items) and not lone:
                more = True  # whether it matches is for the next page to say
                break
            if matches(item):
                items.append(item)
        metadata: Object = {"resourceVersion": str(page.version)}
        if more:
            last = paging.key_of(items[-1])
            metadata["continue"] = paging.token(page.version, target.place, last)
            if not selected:
                metadata["remainingItemCount"] = page.left(resource.key, target.place, last)
        return self._encode(many(resource, items, metadata, form, self._include(request, form)), form)

    def _list_as_stored(self, resource: Resource, place: str, page: paging.Page) -> Answer:
        """A plain list, of the stored texts: they are in the form of answers, so that most need not be read."""
        rows = self._store.rows(resource.key, place, page.after, page.limit + 1 if page.limit > 0 else 0)
        metadata: Object = {"resourceVersion": str(page.version)}
        if 0 < page.limit < len(rows):
            rows.pop()
            last = rows[-1][0]
            left = page.left(resource.key, place, last)
            metadata |= {"continue": paging.token(page.version, place, last, left), "remainingItemCount": left}
        start = many(resource, [], metadata, Form(), "")
        del start["items"]
        head = msgspec.json.encode(start)[:-1] + b',"items":['
        return Answer(200, html_safe(b"".join((head, b",".join(entries(resource, rows)), b"]}\n"))))

    def _watch(self, request: Request, target: Target, form: Form) -> Stream:
        resource, matches = target.resource, self._matcher(request, target.resource)
        if target.name:
            name, others = target.name, matches

            def matches(item: Object) -> bool:
                return item["metadata"]["name"] == name and others(item)

        headers_sent = False
        include = self._include(request, form)

        def show(item: Object) -> Object:
            nonlocal headers_sent
            if form.kind == "Table":
                metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
                answer = table(resource, [item], metadata, form, include, headers=not headers_sent)
                headers_sent = True
                return answer
            return one(resource, item, form, include)

        def mark(version: int, initial: bool) -> Object:
            metadata: Object = {"resourceVersion": str(version)}
            if initial:
                metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
            item = managed.nothing(resource.api_version, resource.kind) | {"metadata": metadata}
            if form.kind != "Table":
                return one(resource, item, form, include)
            rows = [{"cells": [], "object": partial(item, form.group_version)}] if initial else []
            plain = {"resourceVersion": str(version)}
            return table(resource, [], plain, form, include, headers=initial and not headers_sent) | {"rows": rows}

        paging.check_options(request, watching=True)
        asked, initial = "sendInitialEvents" in request.query, request.flag("sendInitialEvents")
        watch = watching.Watch(
            resource=resource.key,
            namespace=target.place,
            matches=matches,
            show=show,
            mark=mark,
            since=self._version_or_now(request) if asked and not initial else None if initial else self._since(request),
            initial_events=initial,
            bookmarks=request.flag("allowWatchBookmarks"),
            seconds=float(query.number(request, "timeoutSeconds") or watching.DEFAULT_SECONDS),
            form=None if form.kind == "Table" else (resource.api_version, form),
        )
        return Stream(watching.events(self._store, watch))

    @staticmethod
    def _since(request: Request) -> int | None:
        return query.resource_version(request, alone=True) or None

    def _version_or_now(self, request: Request) -> int:
        return self._since(request) or self._store.version

    def _create(self, request: Request, target: Target, form: Form) -> Answer:
        item = self._verbs.create(target.resource, target.place, self._body(request, target), self._write(request))
        return self._one(request, target.resource, item, form, 201)

    def _update(self, request: Request, target: Target, form: Form) -> Answer:
        place, body = target.place, self._body(request, target)
        write = self._write(request)
        if target.subresource == "" and self._store.get(target.resource.key, place, target.name) is None:
            if isinstance(body, dict) and not (body.get("metadata") or {}).get("name"):
                raise status.unnamed(target.name)
            if target.resource.key in _CREATED_BY_UPDATE and not (body.get("metadata") or {}).get("resourceVersion"):
                return self._one(
                    request, target.resource, self._verbs.create(target.resource, place, body, write), form, 201
                )
            if isinstance(body, dict) and not (body.get("metadata") or {}).get("resourceVersion"):
                raise status.not_found(target.resource.name, target.resource.group, target.name)
        item = self._verbs.update(target.resource, place, target.name, body, write, target.subresource)
        return self._one(request, target.resource, item, form)

    def _patch(self, request: Request, target: Target, form: Form) -> Answer:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind == "application/apply-patch+yaml":
            return self._apply(request, target, form)
        if kind not in patches.KINDS:
            raise patch_errors.unsupported(kind, target.resource)
        self._verbs.read(target.resource, target.place, target.name)  # before the patch is looked at
        patch = patches.decode(request.body, kind)
        found = strict.read(request.body) if isinstance(patch, dict) else None
        if found is not None:
            patch, request.facts["twice"], _ = found
        place, write = target.place, self._write(request)
        item = self._verbs.patch(target.resource, place, target.name, kind, patch, write, target.subresource)
        return self._one(request, target.resource, item, form)

    def _apply(self, request: Request, target: Target, form: Form) -> Answer:
        check_apply(request.parameter("fieldManager"))
        if target.subresource:  # which makes no objects, whatever the body is
            self._verbs.read(target.resource, target.place, target.name)
        place, body = target.place, decode_applied(request.body)
        force, write = request.flag("force"), self._write(request)
        item, new = self._verbs.apply(target.resource, place, target.name, body, write, force, target.subresource)
        return self._one(request, target.resource, item, form, 201 if new else 200)

    @staticmethod
    def _options(request: Request) -> Object:
        body = None
        if request.body:
            body = decode_body(request.body, request.headers.get("content-type", ""), "DeleteOptions")
        return options.of_deletion(request, body)

    def _delete(self, request: Request, target: Target, form: Form) -> Answer:
        resource, wanted, write = target.resource, self._options(request), self._write(request)
        write.warnings += of_deletion(resource.key, wanted)
        item, gone = self._verbs.delete(resource, target.place, target.name, wanted, write)
        self._include(request, form)
        if gone and resource.key not in _SHOWN_WHEN_DELETED:
            metadata = item["metadata"]
            details = {"name": metadata["name"], "group": resource.group, "kind": resource.name, "uid": metadata["uid"]}
            told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
            return self._encode(told | {"details": {k: v for k, v in details.items() if v}}, form)
        return self._one(request, resource, item, form)

    def _deletecollection(self, request: Request, target: Target, form: Form) -> Answer:
        resource, wanted, write = target.resource, self._options(request), self._write(request)
        write.warnings += of_deletion(resource.key, wanted)
        try:
            query.resource_version(request, alone=True)
        except ApiError as error:
            raise ApiError(400, f"invalid resource version: {error}") from None
        matches = self._matcher(request, resource)
        items = [item for item in self._store.select(resource.key, target.place) if matches(item)]
        for item in items:
            metadata = item["metadata"]
            self._verbs.delete(resource, metadata.get("namespace", ""), metadata["name"], dict(wanted), write)
        metadata = {"resourceVersion": str(self._store.version)}
        return self._encode(many(resource, items, metadata, form, self._include(request, form)), form)

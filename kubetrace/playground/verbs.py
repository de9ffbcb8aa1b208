"""The verbs on stored objects: what a write does to metadata, when it conflicts, and what a delete leaves behind."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kubetrace.playground import (
    admission,
    allocation,
    applying,
    defaults,
    definitions,
    deletion,
    features,
    managed,
    parts,
    patch_errors,
    patches,
    preconditions,
    schema_checks,
    schemas,
    status,
    strategies,
    validation,
    webhooks,
    write_warnings,
)
from kubetrace.playground.bodies import as_before, check_body, distinct_owners, known_fields
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.conversion import as_version, has_faces, kept, served, stored
from kubetrace.playground.objects import (
    Mistyped,
    Object,
    admitted_name,
    forget_empty_lists,
    generated_name,
    new_uid,
    now,
    type_of,
)
from kubetrace.playground.status import ApiError
from kubetrace.playground.storage import Store
from kubetrace.playground.tokens import Signer
from kubetrace.playground.webhooks import Webhooks
from kubetrace.playground.write import Write
from kubetrace.wire.go_quote import quote
from kubetrace.wire.go_struct import is_registered, typed

if TYPE_CHECKING:
    from kubetrace.playground.containers.runtime import Runtime

# Subresources whose update may change the spec.
_WHOLE = ("", "scale", "ephemeralcontainers", "resize")
_SYSTEM_CLASSES = ("system-node-critical", "system-cluster-critical")
_KEPT_NAMESPACES = ("default", "kube-system", "kube-public")
_OWNED_BY_SERVER = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
)
_SILENT = ("creationTimestamp", "generation", "selfLink")
"""Of these an update that says otherwise is not told."""


class Verbs:
    def __init__(self, store: Store, catalog: Catalog) -> None:
        self.store = store
        self.catalog = catalog
        self.signer: Signer | None = None
        self.runtime: Runtime | None = None
        self.webhooks = Webhooks(store, catalog)

    def read(self, resource: Resource, namespace: str, name: str) -> Object:
        item = self._stored(resource, namespace, name)
        if item is None:
            title = "componentstatus" if resource.key == "componentstatuses" else resource.name
            raise status.not_found(title, resource.group, name)
        return item

    def _stored(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """The object in the version of the resource."""
        item = self.store.get(resource.key, namespace, name)
        return None if item is None else served(resource, item)

    def _store(self, resource: Resource, item: Object, status: Object | None = None) -> Object:
        """Keeps an object. `status`: in the version in which it is kept, where a write leaves it alone."""
        whole = kept(resource, item)
        if whole is item:
            return self.store.put(resource.key, item)
        if status is not None:
            whole["status"] = status
        return served(resource, self.store.put(resource.key, whole))

    def create(self, resource: Resource, namespace: str, body: Any, write: Write) -> Object:
        item = check_body(self.catalog, resource, body, namespace, write)
        metadata = item["metadata"]
        distinct_owners(item, write)
        for owned in _OWNED_BY_SERVER:
            if owned != "generation":  # which only some kinds' strategies set
                metadata.pop(owned, None)
        if resource.ends:
            why = "create not allowed while custom resource definition is terminating"
            raise status.forbidden(resource.name, resource.group, metadata.get("name", ""), why)
        self._check_namespace(resource, namespace, admitted_name(metadata))
        metadata["uid"], metadata["creationTimestamp"] = new_uid(), now()
        if resource.key in strategies.WITH_GENERATION or resource.custom is not None:
            metadata["generation"] = 1
        if parts.has_status(resource):
            item.pop("status", None)
        brought = metadata.get("managedFields")
        self._default(resource, item)
        self._track(resource, None, item, write, "", brought)
        admission.mutate(self.store, resource, item, write.user)
        item = self.hooked(resource, item, None, write)
        self._name(resource, item["metadata"])
        warnings = strategies.prepare(resource.key, item)
        write.warnings += warnings if write.user is not None else []
        self._check(resource, item, None, write)
        if write.user is not None:
            write.warnings += write_warnings.of_creation(resource.key, item)
        self.webhooks.validate(self.about(resource, item, None, write))
        admission.check(self.store, resource, item, write.warnings)
        _as_read_back(resource, item)
        name = item["metadata"]["name"]
        if item["metadata"].get("resourceVersion") and not write.dry_run:
            raise ApiError(500, "resourceVersion should not be set on objects to be created", "")
        allocation.on_create(self.store, resource, item, write.dry_run)
        if self.store.get(resource.key, namespace, name) is not None:
            raise status.already_exists(resource.name, resource.group, name)
        return item if write.dry_run else self._store(resource, item)

    @staticmethod
    def _default(resource: Resource, item: Object) -> None:
        if resource.custom is not None:
            schemas.default(resource.custom, item)
        elif resource.key == deletion.DEFINITIONS:
            definitions.default(item)
        else:
            defaults.apply(resource.key, item)
            features.drop(resource.key, item)
        _as_struct(resource, item)
        if resource.custom is None and has_faces(resource):  # with what the other version would default
            inside = stored(item)
            defaults.apply(resource.key, inside)
            whole = as_version(inside, resource.api_version)
            item.clear()
            item.update(whole)

    @staticmethod
    def _check(resource: Resource, item: Object, old: Object | None, write: Write, subresource: str = "") -> None:
        """May they write this, and is it right?"""
        write.guard(resource, item, old)
        if resource.custom is not None:
            schema_checks.check(resource, item, old)
            write.warnings += write_warnings.of_finalizers(item, old)
        known = definitions.causes_of(item, old) if resource.key == deletion.DEFINITIONS else []
        validation.check(resource, item, type_of(resource), old, subresource, known)
        if resource.key == deletion.DEFINITIONS:
            definitions.complete(item, old)
            write.warnings += [f"unrecognized format {quote(name)}" for name in definitions.unknown_formats(item)]
            write.warnings += [f"the playground does not run the rules of {path}" for path in definitions.rules(item)]
        if resource.group == "admissionregistration.k8s.io":
            write.warnings += validation.webhooks.untold(item)

    @staticmethod
    def _check_status(resource: Resource, item: Object, old: Object, subresource: str) -> None:
        if resource.custom is not None:
            schema_checks.check_status(resource, item, old)
        validation.check_status(resource, item, old, subresource)

    @staticmethod
    def own_name(item: Object, name: str) -> None:
        """Raises 400 where an object does not say that it is the one of the URL."""
        found = item["metadata"].get("name")
        if not found:
            raise status.unnamed(name)
        if found != name:
            raise status.misnamed(found, name)

    @staticmethod
    def _name(resource: Resource, metadata: Object) -> None:
        if metadata.get("name"):
            return
        prefix = metadata.get("generateName")
        if prefix:
            metadata["name"] = generated_name(prefix)
        elif resource.key == "limitranges":
            metadata["name"] = new_uid()

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        if not resource.namespaced:
            return
        found = self.store.get("namespaces", "", namespace)
        if found is None:
            raise status.not_found("namespaces", "", namespace)
        if found["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            error = status.forbidden(resource.name, resource.group, name, why)
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            error.details = (error.details or {}) | {"causes": [cause]}
            raise error

    def update(
        self, resource: Resource, namespace: str, name: str, body: Any, write: Write, subresource: str = ""
    ) -> Object:
        item = check_body(self.catalog, resource, body, namespace, write)
        self.own_name(item, name)
        old = self.read(resource, namespace, name)
        return self.replace(resource, old, item, write, subresource)

    def replace(self, resource: Resource, old: Object, item: Object, write: Write, subresource: str = "") -> Object:
        """Puts a changed object in the place of the old one, by the rules of updates."""
        metadata, before = item["metadata"], old["metadata"]
        preconditions.check(resource, before, metadata, write)
        metadata["resourceVersion"] = before["resourceVersion"]
        brought = metadata.get("managedFields")
        distinct_owners(item, write)
        whole = subresource in _WHOLE
        looks = whole or parts.is_status(subresource)  # at what is said of them
        for owned in _OWNED_BY_SERVER:
            if owned in before and (owned in _SILENT or not looks or metadata.get(owned) is None):
                metadata[owned] = before[owned]
            elif owned not in before and (owned in _SILENT or not looks):
                metadata.pop(owned, None)
        if parts.is_status(subresource):
            self._default(resource, item)
            item = parts.with_status(resource, old, item, subresource)
        elif parts.has_status(resource):
            item.pop("status", None)
            if "status" in old:
                item["status"] = copy.deepcopy(old["status"])
        if resource.key == parts.REQUESTS:
            item["spec"] = copy.deepcopy(old["spec"])  # what was asked for stays
        if whole:
            self._default(resource, item)
        else:
            _as_struct(resource, item)
        self._track(resource, old, item, write, subresource, brought)
        if resource.key == deletion.NAMESPACES and subresource != "finalize":
            item["spec"] = copy.deepcopy(old.get("spec") or {})  # its finalizers go through its subresource
        if parts.is_status(subresource):
            parts.stamp(resource, old, item, subresource)
        asks = write.user is not None and subresource != "scale"  # about a Scale they were asked before
        if whole:
            strategies.normalize(resource.key, item)
            allocation.keep(resource, old, item)
            if write.user is not None:
                admission.change(self.store, resource, item, old)
        if asks:
            item = self.hooked(resource, item, old, write, subresource)
        if parts.is_status(subresource):
            self._check_status(resource, item, old, subresource)
        if whole:
            self._check(resource, item, old, write, subresource)
            if write.user is not None and not subresource:
                changed = "generation" in before and strategies.changed(resource, old, item)
                write.warnings += write_warnings.of_update(resource.key, item, changed)
        if asks:
            self.webhooks.validate(self.about(resource, item, old, write, subresource))
        if whole:
            admission.check_change(self.store, resource, item, old, write.warnings, write.user, subresource)
        if whole:
            allocation.on_update(self.store, resource, old, item, write.dry_run)
        _as_read_back(resource, item)
        counted = "generation" in before or resource.key in strategies.COUNTED_LATER
        if whole and counted and strategies.changed(resource, old, item):
            item["metadata"]["generation"] = before.get("generation", 0) + 1
        if item == old or write.dry_run:
            return item
        if deletion.may_go(resource.key, item):
            return self.store.remove(resource.key, kept(resource, item))
        return self._store(resource, item, None if parts.is_status(subresource) else kept(resource, old).get("status"))

    @staticmethod
    def about(
        resource: Resource, item: Object | None, old: Object | None, write: Write, subresource: str = ""
    ) -> webhooks.Attributes:
        """A write as webhooks are asked about it."""
        metadata = (item or old or {})["metadata"]
        return webhooks.Attributes(
            resource=resource,
            operation="CREATE" if old is None else "DELETE" if item is None else "UPDATE",
            namespace=metadata.get("name", "") if resource.key == "namespaces" else metadata.get("namespace", ""),
            name=metadata.get("name", ""),
            item=item,
            old=old,
            write=write,
            subresource=subresource,
        )

    def hooked(
        self, resource: Resource, item: Object, old: Object | None, write: Write, subresource: str = ""
    ) -> Object:
        """The object as mutating webhooks leave it."""

        def settle(patched: Object) -> Object:
            try:
                new = known_fields(resource, patched, Write(field_validation="Ignore"), False)
            except Mistyped as error:
                raise ApiError(500, error.decoding) from None
            owned = ("uid", "creationTimestamp", "generation", "managedFields")
            new["metadata"] |= {name: item["metadata"][name] for name in owned if name in item["metadata"]}
            self._default(resource, new)
            return new

        return self.webhooks.mutated(self.about(resource, item, old, write, subresource), settle) or item

    @staticmethod
    def _track(
        resource: Resource, old: Object | None, item: Object, write: Write, subresource: str, brought: Any
    ) -> None:
        """Notes who owns the changed fields; `brought` are the managers that the body says. An apply has noted it."""
        if write.applied:
            return
        metadata = item["metadata"]
        metadata.pop("managedFields", None)
        entries = managed.known(resource, old, None if subresource else brought)
        if write.manager and (entries or not metadata.get("resourceVersion")):  # who starts without stays without
            manager = managed.Manager(write.manager, write.operation, subresource)
            timed = subresource != "scale" or resource.custom is None  # a custom resource's scale notes no time
            managed.track(resource, old, item, manager, entries, timed=timed)
        elif entries:
            metadata["managedFields"] = entries

    def apply(
        self, resource: Resource, namespace: str, name: str, body: Any, write: Write, force: bool, subresource: str = ""
    ) -> tuple[Object, bool]:
        """Server-side apply: (the object, whether it is new)."""
        item = applying.applied_object(self.catalog, resource, body, namespace, name, write)
        sent = copy.deepcopy(body)
        manager = managed.Manager(write.manager, "Apply", subresource)
        old = self._stored(resource, namespace, name)
        if old is None and subresource:
            raise status.not_found(resource.name, resource.group, name)
        uid = item["metadata"].get("uid")
        if old is None and not uid:
            self.own_name(item, name)
        item["metadata"]["name"] = name
        merged = applying.converted(resource, managed.apply(resource, old, item, manager, force), sent)
        if old is not None and manager.name == managed.KUBECTL:
            managed.renew_last_applied(merged, old, sent)
        write.applied = True
        if old is None and uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise status.conflict(resource.name, resource.group, name, why)
        if old is None:
            return self.create(resource, namespace, merged, write), True
        if item["metadata"].get("resourceVersion"):
            merged["metadata"]["resourceVersion"] = item["metadata"]["resourceVersion"]
        return self.replace(resource, old, merged, write, subresource), False

    def patch(
        self, resource: Resource, namespace: str, name: str, kind: str, patch: Any, write: Write, subresource: str = ""
    ) -> Object:
        """`kind` is the content type of the patch without its parameters."""
        old = self.read(resource, namespace, name)
        if kind == "application/json-patch+json":
            new = patch_errors.rewritten(patches.json_patch(old, patch), patch)
        elif kind == "application/merge-patch+json":
            new = patch_errors.rewritten(patches.merge_patch(copy.deepcopy(old), patch), patch)
        elif kind == "application/strategic-merge-patch+json" and resource.custom is None:
            new = patches.strategic_merge(copy.deepcopy(old), patches.whole(patch), type_of(resource))
        else:
            raise patch_errors.unsupported(kind, resource)
        if kind.startswith("application/strategic"):
            as_before(old, new)
        elif new.get("apiVersion") in (None, "") and resource.custom is None:
            raise status.unnamed(name)  # which is what comes of it
        write.patched = True
        with patch_errors.of_patch(kind, patch, new):
            new = check_body(self.catalog, resource, new, namespace, write)
        self.own_name(new, name)
        return self.replace(resource, old, new, write, subresource)

    def delete(
        self, resource: Resource, namespace: str, name: str, options: Object, write: Write
    ) -> tuple[Object, bool]:
        """(the object, whether it is gone already). Honours grace, preconditions, finalizers and propagation."""
        if resource.key == admission.PRIORITY_CLASSES and name in _SYSTEM_CLASSES:
            why = "this is a system priority class and cannot be deleted"
            raise status.forbidden(resource.name, resource.group, name, why)
        item = self.read(resource, namespace, name)
        deletion.check_preconditions(resource, item["metadata"], options.get("preconditions") or {})
        if resource.key == deletion.NAMESPACES and name in _KEPT_NAMESPACES:
            raise status.forbidden(resource.name, "", name, "this namespace may not be deleted")
        self.webhooks.admit(self.about(resource, None, item, write))
        before = copy.deepcopy(item)
        gone = deletion.begin(resource, item, options)
        if write.dry_run or (item == before and not gone):
            return item, gone
        if gone:
            return self.store.remove(resource.key, kept(resource, item)), True
        return self._store(resource, item), False


def _as_read_back(resource: Resource, item: Object) -> None:
    if resource.custom is None and resource.key != deletion.DEFINITIONS:
        forget_empty_lists(item)


def _as_struct(resource: Resource, item: Object) -> None:
    """A built-in object as its Go struct is written: empty fields are gone, or there where their tags keep them."""
    if resource.custom is None and is_registered(resource.api_version, resource.kind):
        found = typed(item)
        item.clear()
        item.update(found)

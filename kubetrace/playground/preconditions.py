"""Which object an update means (apiserver registry/generic/registry/store.go, storage/etcd3, DryRunnableStorage)."""

from __future__ import annotations

from kubetrace.playground import status, strategies
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError
from kubetrace.playground.write import Write
from kubetrace.wire.go_quote import quote

_PREFIXES = {
    "replicationcontrollers": "controllers",
    "endpoints": "services/endpoints",
    "services": "services/specs",
    "nodes": "minions",
    "ingresses.networking.k8s.io": "ingress",
}
"""Where etcd has what is not under the resource's name (SpecialDefaultResourcePrefixes)."""
_GROUPED = ("apiextensions.k8s.io", "apiregistration.k8s.io")


def check(resource: Resource, before: Object, metadata: Object, write: Write) -> None:
    """Raises 409 where the metadata names another object, or another version of it, than is stored, and 422 where
    an update must say its version and does not."""
    replaces = not (write.patched or write.applied)
    if replaces and metadata.get("uid") and metadata["uid"] != before["uid"]:
        why = f"StorageError: invalid object, Code: 4, Key: {_key(resource, before, write.dry_run)}, "
        why += f"ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {metadata['uid']}, "
        why += f"UID in object meta: {before['uid']}"
        raise status.conflict(resource.name, resource.group, before["name"], why)
    version = metadata.get("resourceVersion") or "0"
    if not version.isdecimal():
        raise ApiError(500, f"strconv.ParseUint: parsing {quote(version)}: invalid syntax", "")
    if version == "0" and (resource.custom is not None or resource.key in strategies.CONDITIONAL):
        why = "Invalid value: 0: must be specified for an update"
        cause = ("metadata.resourceVersion", "FieldValueInvalid", why)
        raise status.invalid(resource.name, resource.group, before["name"], [cause])
    if version not in ("0", before["resourceVersion"]):
        raise status.conflict(resource.name, resource.group, before["name"])


def _key(resource: Resource, metadata: Object, dry_run: bool) -> str:
    """Where etcd has an object."""
    place = _PREFIXES.get(resource.key, resource.name)
    if resource.custom is not None or resource.group in _GROUPED:
        place = f"{resource.group}/{resource.name}"
    parts = ("" if dry_run else "registry", place, metadata.get("namespace"), metadata["name"])
    return "/" + "/".join(filter(None, parts))

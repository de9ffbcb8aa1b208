"""What a container asks of its pod: fields, resources, keys of ConfigMaps and Secrets (pkg/apis/core/validation)."""

from __future__ import annotations

import re

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    qualified_name,
    required,
    unsupported,
)

ENV_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
_CONVERTIBLE = frozenset(
    (*ENV_FIELDS, "metadata.labels", "metadata.annotations", "spec.restartPolicy", "spec.schedulerName", "status.phase")
)
_RESOURCES = sorted(f"{part}.{name}" for part in ("limits", "requests")
                    for name in ("cpu", "memory", "ephemeral-storage"))  # fmt: skip
_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVIDED = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}


def field_reference(reference: Object, at: str, allowed: tuple[str, ...]) -> list[Cause]:
    """An ObjectFieldSelector."""
    path, where, version = reference.get("fieldPath", ""), f"{at}.fieldPath", reference.get("apiVersion", "")
    if not version:
        return [required(f"{at}.apiVersion")]
    if not path:
        return [required(where)]
    if version != "v1":
        return [bad(where, path, f"error converting fieldPath: unsupported pod version: {version}")]
    subscripted = re.fullmatch(r"metadata\.(annotations|labels)\['(.*)'\]", path)
    if subscripted:
        key = subscripted[2]
        return qualified_name(at, key.lower() if subscripted[1] == "annotations" else key)
    if path not in _CONVERTIBLE:
        return [bad(where, path, f"error converting fieldPath: field label not supported: {path}")]
    return [] if path in allowed else [unsupported(where, path, sorted(allowed))]


def resource_reference(reference: Object, at: str, of_volume: bool = False) -> list[Cause]:
    """A ResourceFieldSelector; a volume must name the container, too."""
    name = reference.get("resource", "")
    causes: list[Cause] = []
    if of_volume and not reference.get("containerName"):
        causes.append(required(f"{at}.containerName"))
    elif not name:
        causes.append(required(f"{at}.resource"))
    elif name not in _RESOURCES and not re.match(r"(limits|requests)\.hugepages-", name):
        causes.append(unsupported(f"{at}.resource", name, _RESOURCES))
    return causes + _divisor(name, reference.get("divisor"), f"{at}.divisor")


def _divisor(name: str, divisor: object, where: str) -> list[Cause]:
    value = amount(divisor) if divisor is not None else None
    if not value:
        return []
    kind = name.partition(".")[2]
    if kind == "cpu":
        if value not in (amount("1m"), amount("1")):
            return [bad(where, name, "only divisor's values 1m and 1 are supported with the cpu resource")]
    elif (kind in _DIVIDED or kind.startswith("hugepages-")) and value not in {amount(each) for each in _DIVISORS}:
        words = f"only divisor's values {', '.join(_DIVISORS)} are supported with the"
        return [bad(where, name, f"{words} {_DIVIDED.get(kind, 'hugepages')} resource")]
    return []


def config_key(field: str, key: str) -> list[Cause]:
    if len(key) > 253:
        return [bad(field, key, "must be no more than 253 characters")]
    if re.fullmatch(r"[-._a-zA-Z0-9]+", key):
        return [bad(field, key, f"must not be '{key}'")] if key in (".", "..") else []
    words = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', "
        " or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    )
    return [bad(field, key, words)]

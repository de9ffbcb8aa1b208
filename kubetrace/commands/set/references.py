"""What an environment variable refers to: a key of a secret or config map, a field of the pod, an amount of the
container's (kubectl pkg/cmd/set/env/env_resolve.go)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import string_map, text
from kubetrace.api.names import label_key
from kubetrace.api.typed_kinds import CONFIG_MAPS, SECRETS
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import replace

if TYPE_CHECKING:
    from fractions import Fraction

    from kubetrace.environment import Environment

Object = Mapping[str, Any]

_WHAT = Purpose("set", "set: what does the variable refer to?")
_AMOUNTS = ("cpu", "memory", "ephemeral-storage")


def described(source: Object) -> str:
    """A valueFrom in a few words."""
    if found := source.get("configMapKeyRef"):
        return f"configmap {found.get('name') or ''}, key {found.get('key') or ''}"
    if found := source.get("secretKeyRef"):
        return f"secret {found.get('name') or ''}, key {found.get('key') or ''}"
    if found := source.get("fieldRef"):
        return f"field path {found.get('fieldPath') or ''}"
    if found := source.get("resourceFieldRef"):
        container = f"{found['containerName']}/" if found.get("containerName") else ""
        return f"resource field {container}{found.get('resource') or ''}"
    return "invalid valueFrom"


class References:
    """Resolves the references of one container's variables; a secret or config map is asked for once."""

    def __init__(self, environment: Environment, value: Object, container: Object) -> None:
        self._environment = environment
        self._value = value
        self._container = container
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    def resolve(self, source: Object) -> str:
        """What a valueFrom stands for. Raises KubetraceError."""
        if found := source.get("secretKeyRef"):
            import base64

            data = self._data("secret", str(found.get("name") or ""))
            return base64.b64decode(self._of_key(data, "secret", found)).decode("utf-8", "surrogateescape")
        if found := source.get("configMapKeyRef"):
            return self._of_key(self._data("config map", str(found.get("name") or "")), "config map", found)
        if found := source.get("fieldRef"):
            return _field(self._value, str(found.get("fieldPath") or ""))
        if found := source.get("resourceFieldRef"):
            return _amount(self._container, found)
        raise KubetraceError("invalid valueFrom")

    def _of_key(self, data: Object, kind: str, reference: Object) -> str:
        key = str(reference.get("key") or "")
        if key not in data:
            raise KubetraceError(f"key {key} not found in {kind} {reference.get('name') or ''}")
        return str(data[key])

    def _data(self, kind: str, name: str) -> dict[str, Any]:
        if (kind, name) not in self._known:
            mapping = SECRETS if kind == "secret" else CONFIG_MAPS
            call = verbs.get(mapping, self._environment.namespace, name, purpose=_WHAT)
            found = self._environment.cluster.objects.send(replace(call, operation="typed-get"), mapping, name)
            self._known[kind, name] = found.get("data") or {}
        return self._known[kind, name]


def _field(value: Object, path: str) -> str:
    """A field of the object's own metadata (extractFieldPathAsString)."""
    name, bracket, rest = path.removesuffix("']").partition("['")
    if path.endswith("']") and bracket and name:
        return _entry(value, path, name, rest)
    if path in ("metadata.annotations", "metadata.labels"):
        pairs = string_map(value, path.partition(".")[2])
        return "\n".join(f"{key}={quoted(item)}" for key, item in sorted(pairs.items()))
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return text(value, path.partition(".")[2])
    raise KubetraceError(f"unsupported fieldPath: {path}")


def _entry(value: Object, path: str, name: str, key: str) -> str:
    if name not in ("metadata.annotations", "metadata.labels"):
        raise KubetraceError(f"fieldPath {quoted(path)} does not support subscript")
    field = name.partition(".")[2]
    if problems := label_key(key.lower() if field == "annotations" else key):
        raise KubetraceError(f"invalid key subscript in {path}: {';'.join(problems)}")
    return string_map(value, field).get(key, "")


def _amount(container: Object, reference: Object) -> str:
    """A limit or request in units of the divisor, rounded up (extractContainerResourceValue)."""
    wanted = str(reference.get("resource") or "")
    kind, _, resource = wanted.partition(".")
    if kind not in ("limits", "requests") or not (resource in _AMOUNTS or resource.startswith("hugepages-")):
        raise KubetraceError(f"Unsupported container resource : {wanted}")
    found = ((container.get("resources") or {}).get(kind) or {}).get(resource, "0")
    divisor = _quantity(reference.get("divisor") or "0") or _quantity("1")
    scale = 1000 if resource == "cpu" else 1
    return str(math.ceil(math.ceil(_quantity(found) * scale) / math.ceil(divisor * scale)))


def _quantity(amount: object) -> Fraction:
    from kubetrace.wire.quantity import parse

    return parse(str(amount)).value

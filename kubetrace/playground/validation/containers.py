"""Containers: ports, variables, mounts, resources, probes and hooks (pkg/apis/core/validation validateContainers)."""

from __future__ import annotations

import re
from typing import Any

from kubetrace.playground.validation.causes import (
    MAX_INT32,
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_name,
    missing,
    not_negative,
    one_of,
    port,
    port_name,
    port_number,
    qualified_name,
    required,
    subdomain,
    unsupported,
)

_PROTOCOLS = ["SCTP", "TCP", "UDP"]
_FIELDS = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
_VOLUME_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_CONVERTIBLE = frozenset((*_FIELDS, *_VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase"))
_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_OTHER_RESOURCES = frozenset(
    (
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage", "limits.cpu"),
        *("limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "secrets", "configmaps"),
        *("replicationcontrollers", "persistentvolumeclaims", "storage", "services.nodeports"),
        "services.loadbalancers",
    )
)
_UID_WORDS = "must be between 0 and 2147483647, inclusive"


def check(container: Object, where: str, volumes: dict[str, Object]) -> list[Cause]:
    name = container.get("name", "")
    causes = label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
    if not container.get("image"):
        causes.append(required(f"{where}.image"))
    policies = ["File", "FallbackToLogsOnError"]
    causes += one_of(f"{where}.terminationMessagePolicy", container.get("terminationMessagePolicy"), policies)
    causes += _ports(container.get("ports") or [], f"{where}.ports")
    causes += _env(container.get("env") or [], f"{where}.env")
    causes += _env_from(container.get("envFrom") or [], f"{where}.envFrom")
    causes += _mounts(container.get("volumeMounts") or [], f"{where}.volumeMounts", volumes)
    policies = ["Always", "IfNotPresent", "Never"]
    causes += one_of(f"{where}.imagePullPolicy", container.get("imagePullPolicy"), policies)
    causes += resources(container.get("resources") or {}, f"{where}.resources")
    context, at = container.get("securityContext") or {}, f"{where}.securityContext"
    causes += ids(context, at, ("runAsUser", "runAsGroup"))
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        causes.append(bad(at, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
    return causes


def ids(context: Object, at: str, names: tuple[str, ...]) -> list[Cause]:
    wrong = [name for name in names if context.get(name) is not None and not 0 <= context[name] <= MAX_INT32]
    return [bad(f"{at}.{name}", context[name], _UID_WORDS) for name in wrong]


def _ports(ports: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, entry in enumerate(ports):
        where, name = f"{path}[{index}]", entry.get("name", "")
        if name:
            wrong = port_name(f"{where}.name", name)
            causes += wrong or ([duplicate(f"{where}.name", name)] if name in names else [])
            names.add(name)
        number = entry.get("containerPort") or 0
        causes += port_number(f"{where}.containerPort", number) if number else [required(f"{where}.containerPort")]
        if entry.get("hostPort"):
            causes += port_number(f"{where}.hostPort", entry["hostPort"])
        causes += one_of(f"{where}.protocol", entry.get("protocol"), _PROTOCOLS)
    return causes


def _variable_name(field: str, name: str) -> list[Cause]:
    if re.fullmatch(r"[\x20-\x3C\x3E-\x7E]+", name):
        return []
    why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
    return [bad(field, name, why)]


def _env(variables: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, variable in enumerate(variables):
        where, name = f"{path}[{index}]", variable.get("name", "")
        causes += _variable_name(f"{where}.name", name) if name else [required(f"{where}.name")]
        source, at = variable.get("valueFrom"), f"{where}.valueFrom"
        if source is None:
            continue
        found = [kind for kind in _ENV_SOURCES if source.get(kind) is not None]
        for kind in found:
            causes += _env_source(kind, source[kind], f"{at}.{kind}")
        if not found:
            kinds = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            causes.append(bad(at, "", f"must specify one of: {kinds}"))
        elif variable.get("value"):
            causes.append(bad(at, "", "may not be specified when `value` is not empty"))
        elif len(found) > 1:
            causes.append(bad(at, "", "may not have more than one field specified at a time"))
    return causes


_ENV_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def _env_source(kind: str, source: Object, at: str) -> list[Cause]:
    if kind == "fieldRef":
        return _field_reference(source.get("fieldPath", ""), at, _FIELDS)
    if kind == "resourceFieldRef":
        name = source.get("resource", "")
        if not name:
            return [required(f"{at}.resource")]
        known = sorted(f"{part}.{which}" for part in ("limits", "requests") for which in _STANDARD_RESOURCES)
        if name not in known and not re.match(r"(limits|requests)\.hugepages-", name):
            return [unsupported(f"{at}.resource", name, known)]
        return []
    causes = [] if kind == "fileKeyRef" else subdomain(f"{at}.name", source.get("name", ""))
    key = source.get("key", "")
    if not key:
        causes.append(required(f"{at}.key"))
    elif kind != "fileKeyRef":
        causes += config_key(f"{at}.key", key)
    return causes


def config_key(field: str, key: str) -> list[Cause]:
    if len(key) > 253:
        return [bad(field, key, "must be no more than 253 bytes")]
    if re.fullmatch(r"[-._a-zA-Z0-9]+", key):
        return [bad(field, key, f"must not be '{key}'")] if key in (".", "..") else []
    words = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', "
        " or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    )
    return [bad(field, key, words)]


def _field_reference(path: str, at: str, allowed: tuple[str, ...]) -> list[Cause]:
    where = f"{at}.fieldPath"
    if not path:
        return [required(where)]
    subscripted = re.fullmatch(r"metadata\.(annotations|labels)\['(.*)'\]", path)
    if subscripted:
        return qualified_name(at, subscripted[2].lower())
    if path not in _CONVERTIBLE:
        return [bad(where, path, f"error converting fieldPath: field label not supported: {path}")]
    return [] if path in allowed else [unsupported(where, path, sorted(allowed))]


def _env_from(sources: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        if source.get("prefix"):
            causes += _variable_name(f"{where}.prefix", source["prefix"])
        found = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        causes += [required(f"{where}.{kind}.name") for kind in found if not source[kind].get("name")]
        if not found:
            causes.append(bad(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(found) > 1:
            causes.append(bad(path, "", "may not have more than one field specified at a time"))
    return causes


def _mounts(mounts: list[Object], path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    taken: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, place = f"{path}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            causes.append(required(f"{where}.name"))
        if name not in volumes:
            causes.append(missing(f"{where}.name", name))
        if not place:
            causes.append(required(f"{where}.mountPath"))
        if place in taken:
            causes.append(bad(f"{where}.mountPath", place, "must be unique"))
        taken.add(place)
        below = mount.get("subPath", "")
        if below.startswith("/"):
            causes.append(bad(f"{path}.subPath", below, "must be a relative path"))
        if ".." in below.split("/"):
            causes.append(bad(f"{path}.subPath", below, "must not contain '..'"))
    return causes


def resources(value: Object, path: str) -> list[Cause]:
    """ResourceRequirements of a container."""
    causes: list[Cause] = []
    limits, requests = value.get("limits") or {}, value.get("requests") or {}
    for name in sorted(limits):
        causes += _resource(name, limits[name], f"{path}.limits[{name}]")
    for name in sorted(requests):
        causes += _resource(name, requests[name], f"{path}.requests[{name}]")
        wanted, most = amount(requests[name]), amount(limits[name]) if name in limits else None
        if most is not None and wanted is not None and wanted > most:
            told = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(bad(f"{path}.requests", str(requests[name]), told))
    return causes


def is_standard(name: str) -> bool:
    """A resource that needs no prefix."""
    return name in _STANDARD_RESOURCES or name in _OTHER_RESOURCES or "hugepages-" in name


def _resource(name: str, quantity: Any, where: str) -> list[Cause]:
    causes = qualified_name(where, name)
    if not causes and "/" not in name:
        known = name in _STANDARD_RESOURCES or name.startswith("hugepages-")
        if not is_standard(name):
            causes.append(bad(where, name, "must be a standard resource type or fully qualified"))
        if not known:
            causes.append(bad(where, name, "must be a standard resource for containers"))
    value = amount(quantity)
    if value is not None and value < 0:
        causes.append(bad(where, str(quantity), "must be greater than or equal to 0"))
    return causes


_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def _handler(handler: Object, at: str) -> list[Cause]:
    found = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    if not found:
        return [required(at, "must specify a handler type")]
    causes, kind = [], found[0]
    action, where = handler[kind], f"{at}.{kind}"
    if kind == "exec" and not action.get("command"):
        causes.append(required(f"{where}.command"))
    if kind == "httpGet":
        if not action.get("path"):
            causes.append(required(f"{where}.path"))
        causes += port(f"{where}.port", action.get("port"))
        causes += one_of(f"{where}.scheme", action.get("scheme"), ["HTTP", "HTTPS"])
    if kind in ("tcpSocket", "grpc"):
        causes += port(f"{where}.port", action.get("port"))
    return causes + [forbidden(f"{at}.{other}", "may not specify more than 1 handler type") for other in found[1:]]


_PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def hooks_and_probes(container: Object, where: str) -> list[Cause]:
    causes: list[Cause] = []
    for hook in ("postStart", "preStop"):
        handler = (container.get("lifecycle") or {}).get(hook)
        if handler is not None:
            causes += _handler(handler, f"{where}.lifecycle.{hook}")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, at = container.get(name), f"{where}.{name}"
        if probe is None:
            continue
        causes += _handler(probe, at)
        for number in _PROBE_NUMBERS:
            causes += not_negative(f"{at}.{number}", probe.get(number))
        if name != "readinessProbe" and probe.get("successThreshold") not in (None, 1):
            causes.append(bad(f"{at}.successThreshold", probe["successThreshold"], "must be 1"))
    return causes

"""Containers: ports, variables, mounts, resources (pkg/apis/core/validation validateContainers)."""

from __future__ import annotations

import re
from typing import Any

from kubetrace.playground.validation.causes import (
    PROTOCOLS,
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_name,
    missing,
    one_of,
    port_name,
    port_number,
    qualified_name,
    required,
    subdomain,
    unsupported,
)
from kubetrace.playground.validation.references import ENV_FIELDS, config_key, field_reference, resource_reference
from kubetrace.playground.validation.security import container_context
from kubetrace.playground.validation.volumes import descending, no_backsteps

_STANDARD_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_OTHER_RESOURCES = frozenset(
    (
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage", "limits.cpu"),
        *("limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "secrets", "configmaps"),
        *("replicationcontrollers", "persistentvolumeclaims", "storage", "services.nodeports"),
        "services.loadbalancers",
    )
)


def check(container: Object, where: str, volumes: dict[str, Object], restart: str) -> list[Cause]:
    """What all kinds of containers share; `restart`: the pod's restartPolicy."""
    name = container.get("name", "")
    causes = label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
    if not container.get("image"):
        causes.append(required(f"{where}.image"))
    policies = ["File", "FallbackToLogsOnError"]
    causes += one_of(f"{where}.terminationMessagePolicy", container.get("terminationMessagePolicy"), policies)
    causes += _ports(container.get("ports") or [], f"{where}.ports")
    causes += _env(container.get("env") or [], f"{where}.env")
    causes += _env_from(container.get("envFrom") or [], f"{where}.envFrom")
    causes += _mounts(container, f"{where}.volumeMounts", volumes)
    causes += _devices(container, f"{where}.volumeDevices", volumes)
    policies = ["Always", "IfNotPresent", "Never"]
    causes += one_of(f"{where}.imagePullPolicy", container.get("imagePullPolicy"), policies)
    causes += resources(container.get("resources") or {}, f"{where}.resources")
    causes += _resize_policy(container.get("resizePolicy") or [], f"{where}.resizePolicy", restart)
    return causes + container_context(container.get("securityContext") or {}, f"{where}.securityContext")


def _resize_policy(policies: list[Object], at: str, restart: str) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, entry in enumerate(policies):
        name, policy = entry.get("resourceName", ""), entry.get("restartPolicy", "")
        causes += [duplicate(f"{at}[{index}]", name)] if name in seen else []
        seen.add(name)
        causes += one_of(at, name, ["cpu", "memory"])
        causes += one_of(at, policy, ["NotRequired", "RestartContainer"])
        if restart == "Never" and policy != "NotRequired":
            causes.append(bad(at, policy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"))
    return causes


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
        causes += one_of(f"{where}.protocol", entry.get("protocol"), PROTOCOLS)
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
        return field_reference(source, at, ENV_FIELDS)
    if kind == "resourceFieldRef":
        return resource_reference(source, at)
    causes = [] if kind == "fileKeyRef" else subdomain(f"{at}.name", source.get("name", ""))
    key = source.get("key", "")
    if not key:
        causes.append(required(f"{at}.key"))
    elif kind != "fileKeyRef":
        causes += config_key(f"{at}.key", key)
    return causes


def _env_from(sources: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        if source.get("prefix"):
            causes += _variable_name(f"{where}.prefix", source["prefix"])
        found = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in found:
            at, name = f"{where}.{kind}.name", source[kind].get("name", "")
            causes += subdomain(at, name) if name else [required(at)]
        if not found:
            causes.append(bad(path, "", "must specify one of: `configMapRef` or `secretRef`"))
        elif len(found) > 1:
            causes.append(bad(path, "", "may not have more than one field specified at a time"))
    return causes


def _mounts(container: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    taken: set[str] = set()
    devices = container.get("volumeDevices") or []
    for index, mount in enumerate(container.get("volumeMounts") or ()):
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
        if any(device.get("name") == name for device in devices):
            causes.append(bad(f"{where}.name", name, "must not already exist in volumeDevices"))
        if any(device.get("devicePath") == place for device in devices):
            causes.append(bad(f"{where}.mountPath", place, "must not already exist as a path in volumeDevices"))
        below, expression = mount.get("subPath", ""), mount.get("subPathExpr", "")
        causes += descending(f"{path}.subPath", below) if below else []
        if expression and below:
            why = "subPathExpr and subPath are mutually exclusive"
            causes.append(bad(f"{where}.subPathExpr", expression, why))
        causes += descending(f"{path}.subPathExpr", expression) if expression else []
        causes += _propagation(mount.get("mountPropagation"), container, f"{path}.mountPropagation")
    return causes


def _propagation(mode: str | None, container: Object, at: str) -> list[Cause]:
    modes = ["Bidirectional", "HostToContainer", "None"]
    if mode is None:
        return []
    causes = [] if mode in modes else [unsupported(at, mode, modes)]
    if mode == "Bidirectional" and not (container.get("securityContext") or {}).get("privileged"):
        why = "Bidirectional mount propagation is available only to privileged containers"
        causes.append(forbidden(at, why))
    return causes


def _devices(container: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    names, paths = set[str](), set[str]()
    mounts = container.get("volumeMounts") or []
    for index, device in enumerate(container.get("volumeDevices") or ()):
        where, name, place = f"{path}[{index}]", device.get("name", ""), device.get("devicePath", "")
        at, volume = f"{where}.name", volumes.get(name)
        causes += [] if name else [required(at)]
        causes += [bad(at, name, "must be unique")] if name in names else []
        if volume is None:
            causes.append(missing(at, name))
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            causes.append(bad(at, name, why))
        at = f"{where}.devicePath"
        causes += [] if place else [required(at)]
        causes += [bad(at, place, "must be unique")] if place in paths else []
        if no_backsteps(at, place):
            causes.append(bad(at, place, "can not contain backsteps ('..')"))
        if any(mount.get("name") == name for mount in mounts):
            causes.append(bad(f"{where}.name", name, "must not already exist in volumeMounts"))
        if any(mount.get("mountPath") == place for mount in mounts):
            causes.append(bad(at, place, "must not already exist as a path in volumeMounts"))
        names.add(name)
        paths.add(place)
    return causes


def host_ports(found: list[Object], path: str) -> list[Cause]:
    """Two containers of a pod must not want the same port of the node."""
    causes: list[Cause] = []
    taken: set[str] = set()
    for index, container in enumerate(found):
        for number, entry in enumerate(container.get("ports") or ()):
            if not entry.get("hostPort"):
                continue
            key = f"{entry.get('protocol', '')}/{entry.get('hostIP', '')}/{entry['hostPort']}"
            if key in taken:
                causes.append(duplicate(f"{path}[{index}].ports[{number}].hostPort", key))
            taken.add(key)
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
        firm = is_extended(name) or "hugepages-" in name
        if most is not None and wanted is not None and wanted > most and not firm:
            told = f"must be less than or equal to {name} limit of {limits[name]}"
            causes.append(bad(f"{path}.requests", str(requests[name]), told))
        elif firm and most is None:
            why = "Limit must be set for non overcommitable resources"
            causes.append(required(f"{path}.limits", why))
        elif firm and most != wanted:
            told = f"must be equal to {name} limit of {limits[name]}"
            causes.append(bad(f"{path}.requests", str(requests[name]), told))
    return causes


def is_standard(name: str) -> bool:
    """A resource that needs no prefix."""
    return name in _STANDARD_RESOURCES or name in _OTHER_RESOURCES or "hugepages-" in name


def container_resource(where: str, name: str) -> list[Cause]:
    """The name of a resource that a container can have."""
    causes = qualified_name(where, name)
    if not causes and "/" not in name:
        known = name in _STANDARD_RESOURCES or name.startswith("hugepages-")
        if not is_standard(name):
            causes.append(bad(where, name, "must be a standard resource type or fully qualified"))
        if not known:
            causes.append(bad(where, name, "must be a standard resource for containers"))
    elif not causes and "kubernetes.io/" not in name and not is_extended(name):
        causes.append(bad(where, name, "doesn't follow extended resource name standard"))
    return causes


def is_extended(name: str) -> bool:
    """Whether it is a resource of somebody else than Kubernetes (pkg/apis/core/helper IsExtendedResourceName)."""
    if "/" not in name or "kubernetes.io/" in name or name.startswith("requests."):
        return False
    return not qualified_name("", f"requests.{name}")


def _resource(name: str, quantity: Any, where: str) -> list[Cause]:
    return container_resource(where, name) + resource_amount(where, name, quantity)


_COUNTED = frozenset(
    (
        *("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    )
)


def resource_amount(where: str, name: str, quantity: Any) -> list[Cause]:
    """How much of a resource there is (ValidateResourceQuantityValue)."""
    causes, value = [], amount(quantity)
    if value is not None and value < 0:
        causes.append(bad(where, str(quantity), "must be greater than or equal to 0"))
    if value is not None and (name in _COUNTED or is_extended(name)) and value.denominator != 1:
        causes.append(bad(where, str(quantity), "must be an integer"))
    return causes

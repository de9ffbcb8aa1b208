"""Containers: ports, variables, mounts, resources (pkg/apis/core/validation validateContainers)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetrace.playground.validation import requirements
from kubetrace.playground.validation.causes import (
    PROTOCOLS,
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    label_name,
    missing,
    one_of,
    port_name,
    port_number,
    required,
    subdomain,
    supported,
    too_many,
    unsupported,
)
from kubetrace.playground.validation.hosts import visited
from kubetrace.playground.validation.references import ENV_FIELDS, config_key, field_reference, resource_reference
from kubetrace.playground.validation.security import container_context
from kubetrace.playground.validation.volumes import descending, no_backsteps


@dataclass(frozen=True)
class Around:
    """What the pod says that its containers are held against."""

    volumes: dict[str, Object]
    claims: frozenset[str]
    restart: str
    shares_users: bool
    """Whether the pod's users are the node's."""


def check(container: Object, where: str, around: Around) -> list[Cause]:
    """What all kinds of containers share (validateContainerCommon)."""
    name = container.get("name", "")
    causes = label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
    if not container.get("image"):
        causes.append(required(f"{where}.image"))
    policies = ["File", "FallbackToLogsOnError"]
    causes += one_of(f"{where}.terminationMessagePolicy", container.get("terminationMessagePolicy"), policies)
    causes += _ports(container.get("ports") or [], f"{where}.ports")
    causes += _env(container.get("env") or [], f"{where}.env")
    causes += _env_from(container.get("envFrom") or [], f"{where}.envFrom")
    causes += _mounts(container, f"{where}.volumeMounts", around.volumes)
    causes += _devices(container, f"{where}.volumeDevices", around.volumes)
    policies = ["Always", "IfNotPresent", "Never"]
    causes += one_of(f"{where}.imagePullPolicy", container.get("imagePullPolicy"), policies)
    causes += requirements.of_container(container.get("resources") or {}, f"{where}.resources", around.claims)
    causes += _resize_policy(container.get("resizePolicy") or [], f"{where}.resizePolicy", around.restart)
    context = container.get("securityContext") or {}
    return causes + container_context(context, f"{where}.securityContext", around.shares_users)


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
    if kind == "fileKeyRef":
        return _file_key(source, at)
    key = source.get("key", "")
    causes = subdomain(f"{at}.name", source.get("name", ""))
    return causes + (config_key(f"{at}.key", key) if key else [required(f"{at}.key")])


def _file_key(source: Object, at: str) -> list[Cause]:
    """A variable of a file (validateFileKeySelector)."""
    checks = (("key", _variable_name), ("volumeName", label_name), ("path", no_backsteps))
    causes: list[Cause] = []
    for name, check in checks:
        value = source.get(name, "")
        causes += check(f"{at}.{name}", value) if value else [required(f"{at}.{name}")]
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
        causes += _recursive(mount, f"{path}.recursiveReadOnly")
    return causes


def _recursive(mount: Object, at: str) -> list[Cause]:
    """Whether what is mounted below is read only, too (validateMountRecursiveReadOnly)."""
    mode = mount.get("recursiveReadOnly")
    if mode in (None, "Disabled"):
        return []
    if mode not in ("Enabled", "IfPossible"):
        return [unsupported(at, mode, ["Disabled", "Enabled", "IfPossible"])]
    if not mount.get("readOnly"):
        return [forbidden(at, "may only be specified when readOnly is true")]
    if mount.get("mountPropagation") not in (None, "None"):
        return [forbidden(at, "may only be specified when mountPropagation is None or not specified")]
    return []


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


def padded(container: Object, where: str) -> list[Cause]:
    """A pod's image has no blanks around it, which a template's may have (validateContainerOnlyForPod)."""
    image = container.get("image", "")
    why = "must not have leading or trailing whitespace"
    return [] if image == image.strip() else [bad(f"{where}.image", image, why)]


def files(spec: Object, path: str) -> list[Cause]:
    """Variables that come from files of a volume (validateFileKeyRefVolumes)."""
    volumes = {volume.get("name", ""): volume for volume in spec.get("volumes") or ()}
    causes: list[Cause] = []
    for container, where in visited(spec, path):
        for index, variable in enumerate(container.get("env") or ()):
            source = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if source is None:
                continue
            at, name = f"{where}.env[{index}].valueFrom.fileKeyRef.volumeName", source.get("volumeName", "")
            if name not in volumes:
                causes.append(missing(at, name))
            elif volumes[name].get("emptyDir") is None:
                causes.append(bad(at, name, "referenced volume must be of type emptyDir"))
    return causes


_ACTIONS, _OPERATORS = ["Restart", "RestartAllContainers"], ["In", "NotIn"]


def restart_policy(container: Object, where: str) -> list[Cause]:
    """A container's own, and its rules (validateContainerRestartPolicy)."""
    policy, policies = container.get("restartPolicy"), ["Always", "Never", "OnFailure"]
    rules, at = container.get("restartPolicyRules") or [], f"{where}.restartPolicyRules"
    causes: list[Cause] = []
    if policy is None and rules:
        causes.append(required(f"{where}.restartPolicy", "must specify restartPolicy when restart rules are used"))
    causes += supported(f"{where}.restartPolicy", policy, policies)
    if len(rules) > 20:
        causes.append(too_many(at, len(rules), 20))
    for index, rule in enumerate(rules):
        field, action, codes = f"{at}[{index}]", rule.get("action", ""), rule.get("exitCodes")
        causes += [] if action in _ACTIONS else [unsupported(f"{field}.action", action, _ACTIONS)]
        if codes is None:
            causes.append(required(f"{field}.exitCodes", "must be specified"))
            continue
        operator, values = codes.get("operator", ""), codes.get("values") or []
        if operator not in _OPERATORS:
            causes.append(unsupported(f"{field}.exitCodes.operator", operator, _OPERATORS))
        if len(values) > 255:
            causes.append(too_many(f"{field}.exitCodes.values", len(values), 255))
    return causes

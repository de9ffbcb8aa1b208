"""Pods and pod templates (pkg/apis/core/validation ValidatePodSpec), in the real server's order."""

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
    label_selector,
    label_value,
    labels,
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
_FIELDS: tuple[str, ...] = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
)
_FIELDS += ("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs")
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
_TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
_UID_WORDS = "must be between 0 and 2147483647, inclusive"
# In the order in which validateVolumeSource counts them.
_VOLUME_KINDS = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"),
    *("glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"),
    *("flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)


def pod(item: Object) -> list[Cause]:
    return pod_spec(item.get("spec") or {}, "spec")


def template(value: Object, path: str) -> list[Cause]:
    """A PodTemplateSpec."""
    metadata = value.get("metadata") or {}
    causes = labels(f"{path}.labels", metadata.get("labels"))
    for key in metadata.get("annotations") or {}:
        causes += qualified_name(f"{path}.annotations", key.lower(), key)
    return causes + pod_spec(value.get("spec") or {}, f"{path}.spec")


def pod_spec(spec: Object, path: str) -> list[Cause]:
    volumes, causes = _volumes(spec.get("volumes") or [], f"{path}.volumes")
    causes += _containers(spec.get("containers") or [], f"{path}.containers", volumes, spec)
    causes += _init_containers(spec, f"{path}.initContainers", volumes)
    causes += _ephemeral_containers(spec, f"{path}.ephemeralContainers", volumes)
    policies = ["Always", "OnFailure", "Never"]
    causes += one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), policies)
    policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
    causes += one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), policies)
    causes += labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    causes += _ids(spec.get("securityContext") or {}, f"{path}.securityContext", ("fsGroup", "runAsUser", "runAsGroup"))
    causes += _affinity(spec.get("affinity") or {}, f"{path}.affinity")
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        causes.append(required(f"{path}.dnsConfig.nameservers" if "dnsConfig" in spec else f"{path}.dnsConfig", why))
    causes += _spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            causes += subdomain(f"{path}.{name}", spec[name])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        why = f"must be between 1 and {MAX_INT32}, inclusive"
        causes.append(bad(f"{path}.activeDeadlineSeconds", deadline, why))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            causes += label_name(f"{path}.{name}", spec[name])
    causes += _tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    if spec.get("priorityClassName"):
        causes += subdomain(f"{path}.priorityClassName", spec["priorityClassName"])
    return causes


def _volumes(volumes: list[Object], path: str) -> tuple[dict[str, Object], list[Cause]]:
    """(the volumes that are right, by name; what is wrong with the others)"""
    causes: list[Cause] = []
    good: dict[str, Object] = {}
    for index, volume in enumerate(volumes):
        where, name = f"{path}[{index}]", volume.get("name", "")
        found = _volume_source(volume, where)
        found += label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
        if name in good:
            found.append(duplicate(f"{where}.name", name))
        if not found:
            good[name] = volume
        causes += found
    return good, causes


def _volume_source(volume: Object, where: str) -> list[Cause]:
    causes: list[Cause] = []
    kinds = [kind for kind in _VOLUME_KINDS if volume.get(kind) is not None]
    if not kinds:
        return [required(where, "must specify a volume type")]
    for kind in kinds[1:]:
        causes.append(forbidden(f"{where}.{kind}", "may not specify more than 1 volume type"))
    kind, source, at = kinds[0], volume[kinds[0]], f"{where}.{kinds[0]}"
    wanted = {"secret": "secretName", "configMap": "name", "hostPath": "path", "persistentVolumeClaim": "claimName"}
    if kind in wanted and not source.get(wanted[kind]):
        causes.append(required(f"{at}.{wanted[kind]}"))
    if kind == "hostPath":
        if ".." in source.get("path", "").split("/"):
            causes.append(bad(f"{at}.path", source["path"], "must not contain '..'"))
        kinds = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
        causes += one_of(f"{at}.type", source.get("type") or None, kinds, is_required=False)
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        why = "must be a number between 0 and 0777 (octal), both inclusive"
        causes.append(bad(f"{at}.defaultMode", mode, why))
    for number, item in enumerate(source.get("items") or ()):
        for name in ("key", "path") if kind in ("secret", "configMap") else ("path",):
            if not item.get(name):
                causes.append(required(f"{at}.items[{number}].{name}"))
    return causes


def _containers(containers: list[Object], path: str, volumes: dict[str, Object], spec: Object) -> list[Cause]:
    if not containers:
        return [required(path)]
    causes, names = [], set()
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        causes += _container(container, where, volumes)
        if container.get("name", "") in names:
            causes.append(duplicate(f"{where}.name", container.get("name", "")))
        names.add(container.get("name", ""))
        causes += _hooks_and_probes(container, where)
    return causes


def _init_containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    names = {container.get("name") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{path}[{index}]"
        causes += _container(container, where, volumes)
        if container.get("name") in names:
            causes.append(duplicate(f"{where}.name", container.get("name")))
        names.add(container.get("name"))
        sidecar = container.get("restartPolicy") == "Always"
        if sidecar:
            causes += _hooks_and_probes(container, where)
        else:
            why = "may not be set for init containers without restartPolicy=Always"
            hooks = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
            causes += [forbidden(f"{where}.{hook}", why) for hook in hooks if hook in container]
    return causes


def _ephemeral_containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    others = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    names = {container.get("name") for container in others}
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where, name = f"{path}[{index}]", container.get("name", "")
        causes += _container(container, where, volumes)
        if name in names:
            causes.append(duplicate(f"{where}.name", name))
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in {other.get("name") for other in others}:
            causes.append(missing(f"{where}.targetContainerName", target))
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if field in container:
                causes.append(forbidden(f"{where}.{field}", "cannot be set for an Ephemeral Container"))
    return causes


def _container(container: Object, where: str, volumes: dict[str, Object]) -> list[Cause]:
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
    causes += _ids(context, at, ("runAsUser", "runAsGroup"))
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        causes.append(bad(at, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"))
    return causes


def _ids(context: Object, at: str, names: tuple[str, ...]) -> list[Cause]:
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


def _hooks_and_probes(container: Object, where: str) -> list[Cause]:
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


def _tolerations(tolerations: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(tolerations):
        where, key, value = f"{path}[{index}]", entry.get("key", ""), entry.get("value", "")
        operator, effect = entry.get("operator", ""), entry.get("effect", "")
        if key:
            causes += qualified_name(f"{where}.key", key)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            causes.append(bad(f"{where}.operator", operator, why))
        if entry.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            causes.append(bad(f"{where}.effect", effect, why))
        if operator in ("Equal", ""):
            causes += label_value(f"{where}.operator", value)
        elif operator == "Exists" and value:
            causes.append(bad(f"{where}.operator", value, "value must be empty when `operator` is 'Exists'"))
        elif operator != "Exists":
            causes.append(unsupported(f"{where}.operator", operator, ["Equal", "Exists"]))
        causes += one_of(f"{where}.effect", effect, _TAINT_EFFECTS, is_required=False)
    return causes


def _spread(constraints: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(constraints):
        where = f"{path}[{index}]"
        if (entry.get("maxSkew") or 0) <= 0:
            causes.append(bad(f"{where}.maxSkew", entry.get("maxSkew") or 0, "must be greater than zero"))
        if not entry.get("topologyKey"):
            causes.append(required(f"{where}.topologyKey", "can not be empty"))
        actions = ["DoNotSchedule", "ScheduleAnyway"]
        if entry.get("whenUnsatisfiable") not in actions:
            causes.append(unsupported(f"{where}.whenUnsatisfiable", entry.get("whenUnsatisfiable", ""), actions))
        causes += label_selector(f"{where}.labelSelector", entry.get("labelSelector"))
    return causes


_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def _affinity(affinity: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    wanted = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    at = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if wanted is not None:
        terms = wanted.get("nodeSelectorTerms") or []
        if not terms:
            causes.append(required(at, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            for number, entry in enumerate(term.get("matchExpressions") or ()):
                causes += _node_requirement(entry, f"{at}[{index}].matchExpressions[{number}]")
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = (affinity.get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or []
        for index, term in enumerate(terms):
            where = f"{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{index}]"
            causes += label_selector(f"{where}.labelSelector", term.get("labelSelector"))
            if not term.get("topologyKey"):
                causes.append(required(f"{where}.topologyKey", "can not be empty"))
                causes += qualified_name(f"{where}.topologyKey", "")
    return causes


def _node_requirement(entry: Object, where: str) -> list[Cause]:
    operator, values = entry.get("operator", ""), entry.get("values")
    causes: list[Cause] = []
    if operator in ("In", "NotIn") and not values:
        causes.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist") and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        causes.append(forbidden(f"{where}.values", why))
    elif operator in ("Gt", "Lt") and len(values or ()) != 1:
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        causes.append(required(f"{where}.values", why))
    elif operator not in _NODE_OPERATORS:
        causes.append(bad(f"{where}.operator", operator, "not a valid selector operator"))
    return causes + qualified_name(f"{where}.key", entry.get("key", ""))

"""The checks that end in 422 Invalid, with the real server's fields and words (pkg/apis/*/validation)."""

from __future__ import annotations

import re
from typing import Any

from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import invalid
from kubetrace.wire.schema import Type

Cause = tuple[str, str, str]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_PATH_NAMED = frozenset(("roles", "clusterroles", "rolebindings", "clusterrolebindings"))


def required(field: str, why: str = "") -> Cause:
    return (field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def bad(field: str, value: Any, why: str) -> Cause:
    import json

    return (field, "FieldValueInvalid", f"Invalid value: {json.dumps(value, separators=(',', ':'))}: {why}")


def unsupported(field: str, value: Any, allowed: list[str]) -> Cause:
    listed = ", ".join(f'"{entry}"' for entry in allowed)
    return (field, "FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {listed}')


def name_causes(resource: Resource, name: str) -> list[Cause]:
    field = "metadata.name"
    if not name:
        return [required(field, "name or generateName is required")]
    if resource.name in _PATH_NAMED:
        if name in (".", ".."):
            return [bad(field, name, f"may not be '{name}'")]
        return [bad(field, name, f"may not contain '{c}'") for c in "/%" if c in name]
    if resource.name in ("namespaces", "services"):
        pattern, words, limit = _LABEL, _LABEL_WORDS, 63
    else:
        pattern, words, limit = _SUBDOMAIN, _SUBDOMAIN_WORDS, 253
    causes = [bad(field, name, f"must be no more than {limit} characters")] if len(name) > limit else []
    return causes if pattern.fullmatch(name) else [*causes, bad(field, name, words)]


def check(resource: Resource, item: dict[str, Any], type: Type | None, old: dict[str, Any] | None = None) -> None:
    """Raises 422 with every cause that was found; `old` is what an update replaces."""
    causes = name_causes(resource, item["metadata"].get("name", ""))
    causes += _labels(item["metadata"])
    special = _CHECKS.get(resource.key)
    if special is not None:
        causes += special(item)
    elif type is not None:
        causes += _missing(item, type, "")
    if old is not None:
        causes += _immutable(resource, old, item)
    if causes:
        raise invalid(resource.kind, resource.group, item["metadata"].get("name", ""), causes)


def _labels(metadata: dict[str, Any]) -> list[Cause]:
    causes = []
    words = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
        "validation is "
        "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    )
    for value in (metadata.get("labels") or {}).values():
        if not re.fullmatch(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", str(value)):
            causes.append(bad("metadata.labels", value, words))
        elif len(value) > 63:
            causes.append(bad("metadata.labels", value, "must be no more than 63 bytes"))
    return causes


_WHY_REQUIRED = {"verbs": "verbs must contain at least one value", "pathType": "pathType must be specified"}


def _missing(value: dict[str, Any], type: Type, path: str) -> list[Cause]:
    """Required fields by the schema, wherever their parent is present."""
    causes = []
    for name in type.required:
        if name not in value and not (path == "" and name in ("spec", "status")):
            causes.append(required(f"{path}{name}", _WHY_REQUIRED.get(name, "")))
    for name, entry in value.items():
        inner = type.descend(name)
        if inner is None or inner.scalar or name in ("metadata", "status"):
            continue
        if isinstance(entry, list):
            for index, part in enumerate(entry):
                if isinstance(part, dict):
                    causes += _missing(part, inner, f"{path}{name}[{index}].")
        elif isinstance(entry, dict):
            field = type.field(name)
            if field is not None and field.map:
                continue
            causes += _missing(entry, inner, f"{path}{name}.")
    return causes


def _containers(spec: dict[str, Any], path: str) -> list[Cause]:
    causes = []
    if not spec.get("containers"):
        causes.append(required(f"{path}.containers"))
    names: set[str] = set()
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group) or ()):
            where = f"{path}.{group}[{index}]"
            name = container.get("name", "")
            if not name:
                causes.append(required(f"{where}.name"))
            elif not _LABEL.fullmatch(name) or len(name) > 63:
                causes.append(bad(f"{where}.name", name, _LABEL_WORDS))
            elif name in names:
                causes.append((f"{where}.name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
            names.add(name)
            if not container.get("image"):
                causes.append(required(f"{where}.image"))
            causes += _container_parts(container, where, spec)
    return causes


def _container_parts(container: dict[str, Any], where: str, spec: dict[str, Any]) -> list[Cause]:
    causes = []
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for index, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort", 0)
        if not number:
            causes.append(required(f"{where}.ports[{index}].containerPort"))
        elif not 0 < number < 65536:
            causes.append(
                bad(f"{where}.ports[{index}].containerPort", number, "must be between 1 and 65535, inclusive")
            )
        if port.get("protocol") not in ("SCTP", "TCP", "UDP"):
            causes.append(unsupported(f"{where}.ports[{index}].protocol", port.get("protocol"), ["SCTP", "TCP", "UDP"]))
    for index, env in enumerate(container.get("env") or ()):
        if not env.get("name"):
            causes.append(required(f"{where}.env[{index}].name"))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            name = mount.get("name")
            causes.append((f"{where}.volumeMounts[{index}].name", "FieldValueNotFound", f'Not found: "{name}"'))
    policy = container.get("imagePullPolicy")
    if policy not in ("Always", "IfNotPresent", "Never"):
        causes.append(unsupported(f"{where}.imagePullPolicy", policy, ["Always", "IfNotPresent", "Never"]))
    return causes


def _pod_spec(spec: dict[str, Any], path: str, restart: list[str]) -> list[Cause]:
    causes = _containers(spec, path)
    if spec.get("restartPolicy") not in restart:
        causes.append(unsupported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), restart))
    return causes


def _pod(item: dict[str, Any]) -> list[Cause]:
    return _pod_spec(item.get("spec") or {}, "spec", ["Always", "OnFailure", "Never"])


def _workload(item: dict[str, Any]) -> list[Cause]:
    from kubetrace.playground.selectors import matches_labels

    spec = item["spec"]
    causes = []
    if (spec.get("replicas") or 0) < 0:
        causes.append(bad("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    selector, labels = spec.get("selector"), spec["template"]["metadata"].get("labels") or {}
    if selector is None:
        causes.append(required("spec.selector"))
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        causes.append(bad("spec.selector", selector, "empty selector is invalid for deployment"))
    if selector is None or not matches_labels(selector, labels):
        why = "`selector` does not match template `labels`"
        causes.append(bad("spec.template.metadata.labels", labels or None, why))
    return causes + _pod_spec(spec["template"]["spec"], "spec.template.spec", ["Always"])


def _job(item: dict[str, Any]) -> list[Cause]:
    spec = item["spec"]["template"]["spec"]
    causes, where = _containers(spec, "spec.template.spec"), "spec.template.spec.restartPolicy"
    restart, allowed = spec.get("restartPolicy"), ["OnFailure", "Never"]
    if restart == "Always":
        causes.append(required(where, 'valid values: "OnFailure", "Never"'))
    elif restart not in allowed:
        causes.append(unsupported(where, restart, allowed))
    return causes


def _service(item: dict[str, Any]) -> list[Cause]:
    spec = item.get("spec") or {}
    types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    causes = []
    if spec.get("type") not in types:
        causes.append(unsupported("spec.type", spec.get("type", ""), types))
    if not spec.get("ports") and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        causes.append(required("spec.ports"))
    names = set()
    for index, port in enumerate(spec.get("ports") or ()):
        if len(spec["ports"]) > 1 and not port.get("name"):
            causes.append(required(f"spec.ports[{index}].name"))
        if port.get("name") and port["name"] in names:
            name = port["name"]
            causes.append((f"spec.ports[{index}].name", "FieldValueDuplicate", f'Duplicate value: "{name}"'))
        names.add(port.get("name"))
        if not 0 < (port.get("port") or 0) < 65536:
            why = "must be between 1 and 65535, inclusive"
            causes.append(bad(f"spec.ports[{index}].port", port.get("port") or 0, why))
    return causes


def _data(item: dict[str, Any]) -> list[Cause]:
    words = (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  "
        "or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
    )
    keys = [*(item.get("data") or {}), *(item.get("binaryData") or {})]
    return [bad(f"data[{key}]", key, words) for key in keys if not re.fullmatch(r"[-._a-zA-Z0-9]+", key)]


def _claim(item: dict[str, Any]) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = [] if spec.get("accessModes") else [required("spec.accessModes", "at least 1 access mode is required")]
    requests = (spec.get("resources") or {}).get("requests") or {}
    return causes if requests.get("storage") else [*causes, required("spec.resources[storage]")]


_CHECKS = {
    "pods": _pod,
    "deployments.apps": _workload,
    "replicasets.apps": _workload,
    "statefulsets.apps": _workload,
    "daemonsets.apps": _workload,
    "jobs.batch": _job,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "configmaps": _data,
    "secrets": _data,
}


def _immutable(resource: Resource, old: dict[str, Any], new: dict[str, Any]) -> list[Cause]:
    """Where an update changes what must not change."""
    causes: list[Cause] = []
    for field in _IMMUTABLE.get(resource.key, ()):
        before, after = _at(old, field), _at(new, field)
        if before != after and before is not None:
            causes.append(bad(field, after, "field is immutable"))
    if resource.key in ("configmaps", "secrets") and old.get("immutable"):
        for field in ("data", "binaryData", "immutable"):
            if old.get(field) != new.get(field):
                why = "Forbidden: field is immutable when `immutable` is set"
                causes.append((field, "FieldValueForbidden", why))
    if resource.key == "pods" and _frozen(old["spec"]) != _frozen(new["spec"]):
        causes.append(("spec", "FieldValueForbidden", _POD_WORDS))
    return causes


_POD_WORDS = (
    "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_IMMUTABLE = {
    "deployments.apps": ("spec.selector",),
    "replicasets.apps": ("spec.selector",),
    "statefulsets.apps": ("spec.selector", "spec.serviceName"),
    "daemonsets.apps": ("spec.selector",),
    "jobs.batch": ("spec.selector", "spec.completions", "spec.template"),
    "services": ("spec.clusterIP",),
    "secrets": ("type",),
    "storageclasses.storage.k8s.io": ("parameters", "provisioner", "reclaimPolicy"),
}


def _frozen(spec: dict[str, Any]) -> dict[str, Any]:
    loose = ("activeDeadlineSeconds", "terminationGracePeriodSeconds", "tolerations", "ephemeralContainers", "nodeName")
    kept = {name: value for name, value in spec.items() if name not in (*loose, "containers", "initContainers")}
    for group in ("containers", "initContainers"):
        kept[group] = [{k: v for k, v in entry.items() if k != "image"} for entry in spec.get(group) or ()]
    return kept


def _at(item: dict[str, Any], path: str) -> Any:
    value: Any = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value

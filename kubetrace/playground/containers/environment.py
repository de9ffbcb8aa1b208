"""A container's environment: its env and envFrom, and the variables of Services (pkg/kubelet/kubelet_pods.go)."""

from __future__ import annotations

import base64
import math
import re
from typing import Any

from kubetrace.playground.storage import Store

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ConfigFailure(Exception):
    """A container can't be made: CreateContainerConfigError, with the kubelet's message."""


def environment(store: Store, pod: dict[str, Any], container: dict[str, Any]) -> dict[str, str]:
    """Raises ConfigFailure for what is referred to and not there."""
    metadata, spec = pod["metadata"], pod["spec"]
    found = {"PATH": _PATH, "HOSTNAME": str(spec.get("hostname") or metadata["name"]), "HOME": "/root"}
    found |= _services(store, metadata["namespace"], spec.get("enableServiceLinks", True))
    for source in container.get("envFrom") or ():
        found |= _every(store, metadata["namespace"], source)
    for entry in container.get("env") or ():
        value = entry.get("value", "")
        if entry.get("valueFrom"):
            taken = _one(store, pod, container, entry["valueFrom"])
            if taken is None:
                continue
            value = taken
        else:
            value = expanded(value, found)
        found[entry["name"]] = value
    return found


def expanded(text: str, variables: dict[str, str]) -> str:
    """$(NAME) as the kubelet expands it; $$(NAME) stays."""

    def one(match: re.Match[str]) -> str:
        if match.group() == "$$":
            return "$"
        return variables.get(match.group(1), match.group())

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def _services(store: Store, namespace: str, links: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    services = [store.get("services", "default", "kubernetes")]
    services += list(store.select("services", namespace)) if links else []
    for service in services:
        if service is None or service["spec"].get("clusterIP") in (None, "", "None"):
            continue
        name, address = service["metadata"]["name"].upper().replace("-", "_"), service["spec"]["clusterIP"]
        ports = service["spec"].get("ports") or ()
        for index, port in enumerate(ports):
            number, protocol = port["port"], port.get("protocol", "TCP")
            url = f"{protocol.lower()}://{address}:{number}"
            if index == 0:
                found |= {f"{name}_SERVICE_HOST": address, f"{name}_SERVICE_PORT": str(number), f"{name}_PORT": url}
            if port.get("name"):
                found[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(number)
            prefix = f"{name}_PORT_{number}_{protocol}"
            found |= {prefix: url, f"{prefix}_PROTO": protocol.lower(), f"{prefix}_PORT": str(number)}
            found[f"{prefix}_ADDR"] = address
    return found


def values_of(store: Store, kind: str, namespace: str, name: str) -> dict[str, bytes] | None:
    """The data of a ConfigMap ("configmap") or Secret ("secret"), None where it is not there."""
    item = store.get(f"{kind}s", namespace, name)
    if item is None:
        return None
    found = {key: base64.b64decode(value) for key, value in (item.get("binaryData") or {}).items()}
    for key, value in (item.get("data") or {}).items():
        found[key] = base64.b64decode(value) if kind == "secret" else value.encode()
    return found


def _every(store: Store, namespace: str, source: dict[str, Any]) -> dict[str, str]:
    kind = "configmap" if "configMapRef" in source else "secret"
    reference = source.get("configMapRef") or source.get("secretRef") or {}
    values = values_of(store, kind, namespace, reference.get("name", ""))
    if values is None:
        if reference.get("optional"):
            return {}
        raise ConfigFailure(f'{kind} "{reference.get("name", "")}" not found')
    prefix = source.get("prefix", "")
    return {f"{prefix}{key}": value.decode("utf-8", "replace") for key, value in sorted(values.items())}


def _one(store: Store, pod: dict[str, Any], container: dict[str, Any], source: dict[str, Any]) -> str | None:
    if "fieldRef" in source:
        return field_of(pod, source["fieldRef"].get("fieldPath", ""))
    if "resourceFieldRef" in source:
        return resource_of(container, source["resourceFieldRef"])
    for part, kind, title in (("configMapKeyRef", "configmap", "ConfigMap"), ("secretKeyRef", "secret", "Secret")):
        reference = source.get(part)
        if reference is None:
            continue
        name, key, namespace = reference.get("name", ""), reference.get("key", ""), pod["metadata"]["namespace"]
        values = values_of(store, kind, namespace, name)
        if values is not None and key in values:
            return values[key].decode("utf-8", "replace")
        if reference.get("optional"):
            return None
        if values is None:
            raise ConfigFailure(f'{kind} "{name}" not found')
        raise ConfigFailure(f"couldn't find key {key} in {title} {namespace}/{name}")
    return ""


def field_of(pod: dict[str, Any], path: str) -> str:
    """A downward API field of a pod."""
    match = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path)
    metadata, status = pod["metadata"], pod.get("status") or {}
    if match is not None:
        return str((metadata.get(match.group(1)) or {}).get(match.group(2), ""))
    if path in ("metadata.labels", "metadata.annotations"):
        values = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": status.get("podIP", ""),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
    }
    return str(known.get(path, ""))


def resource_of(container: dict[str, Any], reference: dict[str, Any]) -> str:
    """A container's request or limit, in units of the divisor."""
    from kubetrace.playground.quantities import amount

    group, _, name = str(reference.get("resource", "")).partition(".")
    values = (container.get("resources") or {}).get(group) or {}
    whole = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi"}
    value = amount(str(values.get(name) or (whole.get(name, "0") if group == "limits" else "0")))
    divisor = amount(str(reference.get("divisor") or "1")) or amount("1")
    return str(math.ceil(value / divisor))

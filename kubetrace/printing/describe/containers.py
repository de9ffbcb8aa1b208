"""Containers, as descriptions of pods and of pod templates show them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from kubetrace.printing.describe.writer import NONE, Writer, date, go_value
from kubetrace.wire.go_quote import quote

Object = Mapping[str, Any]


def describe_containers(
    w: Writer,
    label: str,
    containers: Sequence[Object],
    statuses: Sequence[Object] = (),
    pod: Object | None = None,
    indent: str = "",
) -> None:
    """A list of containers. `pod` is where fields named by environment variables are read; None in templates."""
    known = {status.get("name"): status for status in statuses}
    w.line(f"{indent}{label}:{'' if containers else ' ' + NONE}")
    for container in containers:
        status = known.get(container.get("name"))
        _identity(w, container, status, indent)
        _texts(w, "Command", container.get("command"))
        _texts(w, "Args", container.get("args"))
        if status is not None:
            _state(w, status)
        describe_resources(w, container.get("resources"), 2)
        for kind in ("liveness", "readiness", "startup"):
            if container.get(f"{kind}Probe"):
                w.row(kind.capitalize(), probe_text(container[f"{kind}Probe"]), 2)
        _sources(w, container.get("envFrom") or ())
        _variables(w, container, pod)
        _mounts(w, container)


def _identity(w: Writer, container: Object, status: Object | None, indent: str) -> None:
    w.line(f"{' ' if indent else ''}{container.get('name', '')}:", 1)
    if status is not None:
        w.row("Container ID", status.get("containerID"), 2)
    w.row("Image", container.get("image"), 2)
    if status is not None:
        w.row("Image ID", status.get("imageID"), 2)
    ports = container.get("ports") or ()
    for label, field in (("Port", "containerPort"), ("Host Port", "hostPort")):
        text = ", ".join(_port_text(port, field) for port in ports)
        w.row(f"{label}s" if "," in text else label, text or NONE, 2)
    describe_seccomp(w, container.get("securityContext"), 2, 3)


def _port_text(port: Object, field: str) -> str:
    name = f" ({port['name']})" if port.get("name") else ""
    return f"{port.get(field) or 0}/{port.get('protocol', '')}{name}"


def describe_seccomp(w: Writer, context: Object | None, level: int, below: int) -> None:
    profile = (context or {}).get("seccompProfile")
    if profile:
        w.row("SeccompProfile", profile.get("type"), level)
        if profile.get("type") == "Localhost":
            w.row("LocalhostProfile", profile.get("localhostProfile"), below)


def _texts(w: Writer, label: str, texts: Sequence[str] | None) -> None:
    if texts:
        w.line(f"{label}:", 2)
        for text in texts:
            for part in str(text).split("\n"):
                w.line(part, 3)


def describe_resources(w: Writer, resources: Object | None, level: int) -> None:
    for label in ("limits", "requests"):
        amounts = (resources or {}).get(label)
        if amounts:
            w.line(f"{label.capitalize()}:", level)
            for name in sorted(amounts):
                w.row(name, amounts[name], level + 1)


def _state(w: Writer, status: Object) -> None:
    _one_state(w, "State", status.get("state") or {})
    last = status.get("lastState") or {}
    if last.get("terminated"):
        _one_state(w, "Last State", last)
    w.row("Ready", "True" if status.get("ready") else "False", 2)
    w.row("Restart Count", status.get("restartCount") or 0, 2)


def _one_state(w: Writer, label: str, state: Object) -> None:
    running, waiting, terminated = state.get("running"), state.get("waiting"), state.get("terminated")
    if running is not None:
        w.row(label, "Running", 2)
        w.row("Started", date(running.get("startedAt")), 3)
    elif terminated is not None and waiting is None:
        w.row(label, "Terminated", 2)
        for field in ("reason", "message"):
            if terminated.get(field):
                w.row(field.capitalize(), terminated[field], 3)
        w.row("Exit Code", terminated.get("exitCode") or 0, 3)
        if terminated.get("signal", 0) > 0:
            w.row("Signal", terminated["signal"], 3)
        w.row("Started", date(terminated.get("startedAt")), 3)
        w.row("Finished", date(terminated.get("finishedAt")), 3)
    else:
        w.row(label, "Waiting", 2)
        reason = (waiting or {}).get("reason")
        if reason:
            w.row("Reason", reason, 3)


def probe_text(probe: Object) -> str:
    """A probe on one line (DescribeProbe)."""
    delay, timeout = probe.get("initialDelaySeconds") or 0, probe.get("timeoutSeconds") or 0
    attributes = (
        f"delay={delay}s timeout={timeout}s period={probe.get('periodSeconds') or 0}s "
        f"#success={probe.get('successThreshold') or 0} #failure={probe.get('failureThreshold') or 0}"
    )
    if "exec" in probe:
        return f"exec {go_value((probe['exec'] or {}).get('command') or [])} {attributes}"
    if "httpGet" in probe:
        return f"http-get {_url(probe['httpGet'] or {})} {attributes}"
    if "tcpSocket" in probe:
        socket = probe["tcpSocket"] or {}
        return f"tcp-socket {socket.get('host', '')}:{socket.get('port', 0)} {attributes}"
    if "grpc" in probe:
        grpc = probe["grpc"] or {}
        return f"grpc <pod>:{grpc.get('port') or 0} {grpc.get('service') or ''} {attributes}"
    return f"unknown {attributes}"


def _url(get: Object) -> str:
    """As Go's url.URL writes it: what must be escaped is, a path without a slash gets one."""
    from urllib.parse import quote

    from kubetrace.wire.url_path import escape_path

    host, port = str(get.get("host") or ""), str(get.get("port", ""))
    if port:
        host = f"{join_host(host)}:{port}"
    host = quote(host, safe="!$&'()*+,;=:[]<>\"")
    path = str(get.get("path") or "")
    path = path if path == "*" else escape_path(path)
    if path and not path.startswith("/"):
        path = f"/{path}"
    scheme = str(get.get("scheme") or "").lower()
    return f"{scheme + ':' if scheme else ''}//{host}{path}"


def join_host(host: str) -> str:
    """A host in front of a port: IPv6 addresses stand in brackets (net.JoinHostPort)."""
    return f"[{host}]" if ":" in host else host


def _sources(w: Writer, sources: Sequence[Object]) -> None:
    if not sources:
        return
    w.line("Environment Variables from:", 2)
    for source in sources:
        kind = "ConfigMap" if "configMapRef" in source else "Secret" if "secretRef" in source else ""
        found = source.get("configMapRef") or source.get("secretRef") or {}
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        w.line(f"{found.get('name', '')}\t{kind}{prefix}\tOptional: {_optional(found)}", 3)


def _optional(reference: Object) -> str:
    return go_value(bool(reference.get("optional")))


def _variables(w: Writer, container: Object, pod: Object | None) -> None:
    variables = container.get("env") or ()
    w.line(f"Environment:{'' if variables else chr(9) + NONE}", 2)
    for variable in variables:
        name, origin = variable.get("name", ""), variable.get("valueFrom")
        if origin is None:
            first, *more = str(variable.get("value") or "").split("\n")
            w.line(f"{name}:\t{first}", 3)
            for part in more:
                w.line(f"\t{part}", 3)
        elif origin.get("fieldRef"):
            reference = origin["fieldRef"]
            version, path = reference.get("apiVersion") or "", reference.get("fieldPath") or ""
            w.line(f"{name}:\t{field_value(pod, path) if pod else ''} ({version}:{path})", 3)
        elif origin.get("resourceFieldRef"):
            reference = origin["resourceFieldRef"]
            w.line(f"{name}:\t{_resource_value(reference, container)} ({reference.get('resource', '')})", 3)
        elif origin.get("secretKeyRef"):
            key = origin["secretKeyRef"]
            text = f"<set to the key '{key.get('key', '')}' in secret '{key.get('name', '')}'>"
            w.line(f"{name}:\t{text}\tOptional: {_optional(key)}", 3)
        elif origin.get("configMapKeyRef"):
            key = origin["configMapKeyRef"]
            text = f"<set to the key '{key.get('key', '')}' of config map '{key.get('name', '')}'>"
            w.line(f"{name}:\t{text}\tOptional: {_optional(key)}", 3)


def field_value(pod: Object, path: str) -> str:
    """What a field reference finds in the pod: descriptions know no other fields (runtime's default field labels)."""
    found = (pod.get("metadata") or {}).get(path.removeprefix("metadata."))
    return str(found or "") if path in ("metadata.name", "metadata.namespace") else ""


def _resource_value(reference: Object, container: Object) -> str:
    """A container's own limit or request in units of the divisor, rounded up (ExtractContainerResourceValue)."""
    from kubetrace.wire.quantity import parse

    resource = str(reference.get("resource") or "")
    which, _, name = resource.partition(".")
    plain = name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-")
    if which not in ("limits", "requests") or not plain:
        return ""
    amounts = (container.get("resources") or {}).get(which) or {}
    amount = parse(str(amounts.get(name, "0"))).value
    divisor = parse(str(reference.get("divisor") or "0")).value or Fraction(1)
    scale = 1000 if name == "cpu" else 1
    value = str(math.ceil(math.ceil(amount * scale) / math.ceil(divisor * scale)))
    return "node allocatable" if value == "0" and resource in ("limits.cpu", "limits.memory") else value


def _mounts(w: Writer, container: Object) -> None:
    mounts = container.get("volumeMounts") or ()
    none = "" if mounts else f"\t{NONE}"
    w.line(f"Mounts:{none}", 2)
    for mount in sorted(mounts, key=lambda mount: str(mount.get("mountPath", ""))):
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f",path={quote(mount['subPath'])}"
        w.line(f"{mount.get('mountPath', '')} from {mount.get('name', '')} ({flags})", 3)
    devices = container.get("volumeDevices")
    if devices:
        w.line(f"Devices:{none}", 2)
        for device in sorted(devices, key=lambda device: str(device.get("devicePath", ""))):
            w.line(f"{device.get('devicePath', '')} from {device.get('name', '')}", 3)

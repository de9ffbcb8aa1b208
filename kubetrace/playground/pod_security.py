"""Pod Security Standards: what a namespace's labels allow its pods (k8s.io/pod-security-admission).

Pods are refused by `enforce` and warned of by `warn`; what makes pods is only warned of. Checks are those of "latest".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubetrace.playground.objects import Object
from kubetrace.playground.validation.causes import Cause, bad

_PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
Policy = tuple[str, str]
"""Level and version."""
_FREE: Policy = ("privileged", "latest")
_TEMPLATES = {
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Where resources have the pods that they make."""


def policies(labels: Object) -> tuple[Policy, Policy, list[Cause]]:
    """(enforce, warn, what is wrong with the labels). Without one of its own, `warn` is as strict as `enforce`."""
    found, causes = {}, []
    for mode in ("enforce", "warn", "audit"):
        level, version = labels.get(_PREFIX + mode), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in _LEVELS:
            causes.append(bad(f"metadata.labels[{_PREFIX}{mode}]", level, f"must be one of {', '.join(_LEVELS)}"))
            level = "restricted" if mode == "enforce" else "privileged"
        if version is not None and not _is_version(version):
            field = f"metadata.labels[{_PREFIX}{mode}-version]"
            causes.append(bad(field, version, 'must be "latest" or "v1.x"'))
            version = None
        found[mode] = (level or _FREE[0], version or _FREE[1])
    enforce, warn = found["enforce"], found["warn"]
    if _PREFIX + "warn" not in labels and _LEVELS.index(enforce[0]) > _LEVELS.index(warn[0]):
        warn = enforce
    return enforce, warn, causes


def _is_version(text: str) -> bool:
    return text == "latest" or (text.startswith("v1.") and text[3:].isdigit())


def template_of(key: str, item: Object) -> Object | None:
    """The pod template of a resource's object."""
    part: Any = item
    for name in _TEMPLATES.get(key, ()):
        part = part.get(name) if isinstance(part, dict) else None
    return part if key in _TEMPLATES and isinstance(part, dict) else None


def text_of(policy: Policy) -> str:
    return f"{policy[0]}:{policy[1]}"


def violations(policy: Policy, pod: Object) -> list[tuple[str, str]]:
    """(reason, detail) of each check that a pod or a template fails."""
    level, spec = policy[0], pod.get("spec") or {}
    if level == "privileged":
        return []
    checks = dict(_BASELINE)
    if level == "restricted":
        for replaced in ("capabilities_baseline", "hostPathVolumes", "seccompProfile_baseline"):
            del checks[replaced]
    restricted = _RESTRICTED if level == "restricted" else {}
    found = (check(spec) for _, check in (*checks.items(), *restricted.items()))
    return [each for each in found if each is not None]


def told(found: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


def namespace_warnings(name: str, labels: Object, before: Object, pods: Iterable[Object]) -> list[str]:
    """What a namespace's new labels mean for the pods that are there."""
    enforce, old = policies(labels)[0], policies(before)[0]
    stricter = _LEVELS.index(enforce[0]) > _LEVELS.index(old[0])
    if enforce in (old, _FREE) or enforce[0] == "privileged" or (enforce[1] == old[1] and not stricter):
        return []
    names: dict[str, list[str]] = {}
    for pod in pods:
        wrong = violations(enforce, pod)
        if wrong:
            names.setdefault(", ".join(reason for reason, _ in wrong), []).append(pod["metadata"]["name"])
    if not names:
        return []
    lines = []
    for reasons, found in names.items():
        more = len(found) - 1
        others = f" (and {more} other {'pod' if more == 1 else 'pods'})" if more else ""
        lines.append(f"{min(found)}{others}: {reasons}")
    start = f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{text_of(enforce)}"'
    return [start, *sorted(lines)]


Check = Callable[[Object], tuple[str, str] | None]


def _containers(spec: Object) -> Iterator[Object]:
    for part in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(part) or ()


def _context(part: Object) -> Object:
    return part.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _which(names: list[str], one: str = "container") -> str:
    """containers "a", "b" """
    return f"{one if len(names) == 1 else f'{one}s'} {_quoted(names)}"


def _setters(spec: Object, is_bad: Callable[[Object], bool]) -> str:
    """`pod and container "a"`: whose security context is bad."""
    found = ["pod"] if is_bad(_context(spec)) else []
    names = [container["name"] for container in _containers(spec) if is_bad(_context(container))]
    return " and ".join([*found, _which(names)] if names else found)


def _privileged(spec: Object) -> tuple[str, str] | None:
    names = [each["name"] for each in _containers(spec) if _context(each).get("privileged")]
    return ("privileged", f"{_which(names)} must not set securityContext.privileged=true") if names else None


_CAPABILITIES = frozenset(
    (
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    )
)


def _added(spec: Object, allowed: frozenset[str]) -> str:
    names, found = [], set()
    for container in _containers(spec):
        others = set((_context(container).get("capabilities") or {}).get("add") or ()) - allowed
        if others:
            names.append(container["name"])
            found |= others
    if not names:
        return ""
    return f"{_which(names)} must not include {_quoted(sorted(found))} in securityContext.capabilities.add"


def _capabilities(spec: Object) -> tuple[str, str] | None:
    detail = _added(spec, _CAPABILITIES)
    return ("non-default capabilities", detail) if detail else None


def _few_capabilities(spec: Object) -> tuple[str, str] | None:
    if _is_windows(spec):
        return None
    kept = [each["name"] for each in _containers(spec)
            if "ALL" not in ((_context(each).get("capabilities") or {}).get("drop") or ())]  # fmt: skip
    drop = f'{_which(kept)} must set securityContext.capabilities.drop=["ALL"]' if kept else ""
    details = [text for text in (drop, _added(spec, frozenset(("NET_BIND_SERVICE",)))) if text]
    return ("unrestricted capabilities", "; ".join(details)) if details else None


def _is_windows(spec: Object) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def _host_namespaces(spec: Object) -> tuple[str, str] | None:
    found = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return ("host namespaces", ", ".join(found)) if found else None


def _host_paths(spec: Object) -> tuple[str, str] | None:
    names = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return ("hostPath volumes", _which(names, "volume")) if names else None


def _host_ports(spec: Object) -> tuple[str, str] | None:
    names, ports = [], set()
    for container in _containers(spec):
        found = {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}
        if found:
            names.append(container["name"])
            ports |= found
    if not names:
        return None
    verb, word = "uses" if len(names) == 1 else "use", "hostPort" if len(ports) == 1 else "hostPorts"
    return "hostPort", f"{_which(names)} {verb} {word} {', '.join(sorted(ports))}"


def _probe_hosts(spec: Object) -> tuple[str, str] | None:
    names, hosts = set(), set()
    for container in _containers(spec):
        lifecycle = container.get("lifecycle") or {}
        handlers = [container.get(f"{kind}Probe") for kind in ("liveness", "readiness", "startup")]
        for handler in (*handlers, lifecycle.get("postStart"), lifecycle.get("preStop")):
            for kind in ("httpGet", "tcpSocket"):
                host = ((handler or {}).get(kind) or {}).get("host")
                if host:
                    names.add(container["name"])
                    hosts.add(host)
    if not names:
        return None
    verb, word = "uses" if len(names) == 1 else "use", "probe or lifecycle host"
    word = word if len(hosts) == 1 else f"{word}s"
    return word.removesuffix("s"), f"{_which(sorted(names))} {verb} {word} {_quoted(sorted(hosts))}"


def _proc_mount(spec: Object) -> tuple[str, str] | None:
    found = {each["name"]: _context(each).get("procMount") for each in _containers(spec)}
    wrong = {name: kind for name, kind in found.items() if kind not in (None, "Default")}
    if not wrong or spec.get("hostUsers") is False:
        return None
    kinds = _quoted(sorted({str(kind) for kind in wrong.values()}))
    return "procMount", f"{_which(list(wrong))} must not set securityContext.procMount to {kinds}"


_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def _selinux(spec: Object) -> tuple[str, str] | None:
    found: list[Object] = []

    def is_bad(context: Object) -> bool:
        options = context.get("seLinuxOptions") or {}
        wrong = options.get("type", "") not in _SELINUX_TYPES or options.get("user") or options.get("role")
        if wrong:
            found.append(options)
        return bool(wrong)

    setters = _setters(spec, is_bad)
    if not setters:
        return None
    types = sorted({each.get("type", "") for each in found} - set(_SELINUX_TYPES))
    words = [_which(types, "type")] if types else []
    words += [f"{name} may not be set" for name in ("user", "role") if any(each.get(name) for each in found)]
    return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(words)}"


def _seccomp(spec: Object) -> tuple[str, str] | None:
    return _profile(spec, "seccompProfile", "seccompProfile", "securityContext.seccompProfile.type")


def _profile(spec: Object, name: str, reason: str, words: str) -> tuple[str, str] | None:
    kinds: set[str] = set()

    def is_bad(context: Object) -> bool:
        kind = (context.get(name) or {}).get("type")
        if kind not in (None, "RuntimeDefault", "Localhost"):
            kinds.add(str(kind))
            return True
        return False

    setters = _setters(spec, is_bad)
    return (reason, f"{setters} must not set {words} to {_quoted(sorted(kinds))}") if setters else None


def _app_armor(spec: Object) -> tuple[str, str] | None:
    return _profile(spec, "appArmorProfile", "forbidden AppArmor profile", "AppArmor profile type")


_SYSCTLS = frozenset(
    (
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports"),
        *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
        *("net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
    )
)


def _sysctls(spec: Object) -> tuple[str, str] | None:
    found = [entry.get("name", "") for entry in _context(spec).get("sysctls") or ()]
    wrong = [name for name in found if name not in _SYSCTLS]
    return ("forbidden sysctls", ", ".join(wrong)) if wrong else None


def _windows_host(spec: Object) -> tuple[str, str] | None:
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", detail) if setters else None


def _escalation(spec: Object) -> tuple[str, str] | None:
    names = [each["name"] for each in _containers(spec) if _context(each).get("allowPrivilegeEscalation") is not False]
    if not names or _is_windows(spec):
        return None
    detail = f"{_which(names)} must set securityContext.allowPrivilegeEscalation=false"
    return "allowPrivilegeEscalation != false", detail


_FREE_VOLUMES = frozenset(
    (
        *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected"),
        *("secret", "name"),
    )
)


def _volumes(spec: Object) -> tuple[str, str] | None:
    names, kinds = [], set()
    for volume in spec.get("volumes") or ():
        others = [kind for kind, source in volume.items() if source is not None and kind not in _FREE_VOLUMES]
        if others:
            names.append(volume["name"])
            kinds |= set(others)
    if not names:
        return None
    verb = "uses" if len(names) == 1 else "use"
    return "restricted volume types", f"{_which(names, 'volume')} {verb} {_which(sorted(kinds), _RESTRICTED_TYPE)}"


_RESTRICTED_TYPE = "restricted volume type"


def _non_root(spec: Object) -> tuple[str, str] | None:
    if spec.get("hostUsers") is False:
        return None
    reason = "runAsNonRoot != true"
    setters = _setters(spec, lambda context: context.get("runAsNonRoot") is False)
    if setters:
        return reason, f"{setters} must not set securityContext.runAsNonRoot=false"
    if _context(spec).get("runAsNonRoot"):
        return None
    names = [each["name"] for each in _containers(spec) if _context(each).get("runAsNonRoot") is None]
    return (reason, f"pod or {_which(names)} must set securityContext.runAsNonRoot=true") if names else None


def _root(spec: Object) -> tuple[str, str] | None:
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    if not setters or spec.get("hostUsers") is False:
        return None
    return "runAsUser=0", f"{setters} must not set runAsUser=0"


def _some_seccomp(spec: Object) -> tuple[str, str] | None:
    wrong = _seccomp(spec)
    if wrong is not None or _is_windows(spec) or _context(spec).get("seccompProfile") is not None:
        return wrong
    names = [each["name"] for each in _containers(spec) if _context(each).get("seccompProfile") is None]
    wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return ("seccompProfile", f"pod or {_which(names)} {wanted}") if names else None


# In the order of their ids, as the registry runs them.
_BASELINE: dict[str, Check] = {
    "appArmorProfile": _app_armor,
    "capabilities_baseline": _capabilities,
    "hostNamespaces": _host_namespaces,
    "hostPathVolumes": _host_paths,
    "hostPorts": _host_ports,
    "hostProbesAndHostLifecycle": _probe_hosts,
    "privileged": _privileged,
    "procMount": _proc_mount,
    "seLinuxOptions": _selinux,
    "seccompProfile_baseline": _seccomp,
    "sysctls": _sysctls,
    "windowsHostProcess": _windows_host,
}
_RESTRICTED: dict[str, Check] = {
    "allowPrivilegeEscalation": _escalation,
    "capabilities_restricted": _few_capabilities,
    "restrictedVolumes": _volumes,
    "runAsNonRoot": _non_root,
    "runAsUser": _root,
    "seccompProfile_restricted": _some_seccomp,
}

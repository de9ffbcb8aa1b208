"""The checks of the Pod Security Standards, since the version that has each (k8s.io/pod-security-admission/policy)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from kubetrace.playground.objects import Object
from kubetrace.playground.validation.hosts import is_windows, shares_users, visited
from kubetrace.playground.validation.pod_annotations import APPARMOR
from kubetrace.wire.go_quote import quote

Check = Callable[[Object], tuple[str, str] | None]


def _containers(spec: Object) -> Iterator[Object]:
    return (container for container, _ in visited(spec, "spec"))


def _context(part: Object) -> Object:
    return part.get("securityContext") or {}


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _which(names: list[str], one: str = "container") -> str:
    """containers "a", "b" """
    return f"{_plural(one, names)} {_quoted(names)}"


def _plural(word: str, found: Collection[str]) -> str:
    return word if len(found) == 1 else f"{word}s"


def _use(names: Collection[str]) -> str:
    return "uses" if len(names) == 1 else "use"


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


def _few_capabilities(spec: Object, spares_windows: bool = True) -> tuple[str, str] | None:
    if spares_windows and is_windows(spec):
        return None
    kept = [each["name"] for each in _containers(spec)
            if "ALL" not in ((_context(each).get("capabilities") or {}).get("drop") or ())]  # fmt: skip
    drop = f'{_which(kept)} must set securityContext.capabilities.drop=["ALL"]' if kept else ""
    details = [text for text in (drop, _added(spec, frozenset(("NET_BIND_SERVICE",)))) if text]
    return ("unrestricted capabilities", "; ".join(details)) if details else None


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
    return "hostPort", f"{_which(names)} {_use(names)} {_plural('hostPort', ports)} {', '.join(sorted(ports))}"


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
    reason = "probe or lifecycle host"
    return reason, f"{_which(sorted(names))} {_use(names)} {_which(sorted(hosts), reason)}"


def _proc_mount(spec: Object, spares_users: bool = True) -> tuple[str, str] | None:
    """`spares_users`: a pod with users of its own may do it."""
    found = {each["name"]: _context(each).get("procMount") for each in _containers(spec)}
    wrong = {name: kind for name, kind in found.items() if kind not in (None, "Default")}
    if not wrong or (spares_users and not shares_users(spec)):
        return None
    kinds = _quoted(sorted({str(kind) for kind in wrong.values()}))
    return "procMount", f"{_which(list(wrong))} must not set securityContext.procMount to {kinds}"


_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")


def _selinux(spec: Object, types: tuple[str, ...] = _SELINUX_TYPES) -> tuple[str, str] | None:
    found: list[Object] = []

    def is_bad(context: Object) -> bool:
        options = context.get("seLinuxOptions") or {}
        wrong = options.get("type", "") not in types or options.get("user") or options.get("role")
        if wrong:
            found.append(options)
        return bool(wrong)

    setters = _setters(spec, is_bad)
    if not setters:
        return None
    others = sorted({each.get("type", "") for each in found} - set(types))
    words = [_which(others, "type")] if others else []
    words += [f"{name} may not be set" for name in ("user", "role") if any(each.get(name) for each in found)]
    return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(words)}"


def _seccomp(spec: Object) -> tuple[str, str] | None:
    setters, kinds = _profiles(spec, "seccompProfile")
    detail = f"{setters} must not set securityContext.seccompProfile.type to {_quoted(kinds)}"
    return ("seccompProfile", detail) if setters else None


def _profiles(spec: Object, name: str) -> tuple[str, list[str]]:
    """Who sets a profile of a forbidden type, and the types."""
    kinds: set[str] = set()

    def is_bad(context: Object) -> bool:
        kind = (context.get(name) or {}).get("type")
        if kind not in (None, "RuntimeDefault", "Localhost"):
            kinds.add(str(kind))
            return True
        return False

    setters = _setters(spec, is_bad)
    return setters, sorted(kinds)


def app_armor(spec: Object, annotations: Object) -> tuple[str, str] | None:
    """`annotations`: where profiles were named before there were fields."""
    wrong = sorted(
        f"{key}={quote(value)}"
        for key, value in annotations.items()
        if key.startswith(APPARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    )
    setters, kinds = _profiles(spec, "appArmorProfile")
    if not setters and not wrong:
        return None
    setters = " and ".join(filter(None, (setters, _plural("annotation", wrong) if wrong else "")))
    values = [*kinds, *wrong]
    told = f"{setters} must not set AppArmor profile type to {_quoted(values)}"
    return _plural("forbidden AppArmor profile", values), told


_SYSCTLS = frozenset(
    (
        *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"),
        *("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"),
    )
)
_SYSCTLS_27 = _SYSCTLS | {"net.ipv4.ip_local_reserved_ports"}
_SYSCTLS_29 = _SYSCTLS_27 | {
    *("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl"),
    "net.ipv4.tcp_keepalive_probes",
}
_SYSCTLS_32 = _SYSCTLS_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}


def _sysctls(spec: Object, allowed: frozenset[str] = _SYSCTLS) -> tuple[str, str] | None:
    found = [entry.get("name", "") for entry in _context(spec).get("sysctls") or ()]
    wrong = [name for name in found if name not in allowed]
    return ("forbidden sysctls", ", ".join(wrong)) if wrong else None


def _windows_host(spec: Object) -> tuple[str, str] | None:
    setters = _setters(spec, lambda context: bool((context.get("windowsOptions") or {}).get("hostProcess")))
    detail = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", detail) if setters else None


def _escalation(spec: Object, spares_windows: bool = True) -> tuple[str, str] | None:
    names = [each["name"] for each in _containers(spec) if _context(each).get("allowPrivilegeEscalation") is not False]
    if not names or (spares_windows and is_windows(spec)):
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
    told = _which(sorted(kinds), "restricted volume type")
    return "restricted volume types", f"{_which(names, 'volume')} {_use(names)} {told}"


def _non_root(spec: Object, spares_users: bool = True) -> tuple[str, str] | None:
    if spares_users and not shares_users(spec):
        return None
    reason = "runAsNonRoot != true"
    setters = _setters(spec, lambda context: context.get("runAsNonRoot") is False)
    if setters:
        return reason, f"{setters} must not set securityContext.runAsNonRoot=false"
    if _context(spec).get("runAsNonRoot"):
        return None
    names = [each["name"] for each in _containers(spec) if _context(each).get("runAsNonRoot") is None]
    return (reason, f"pod or {_which(names)} must set securityContext.runAsNonRoot=true") if names else None


def _root(spec: Object, spares_users: bool = True) -> tuple[str, str] | None:
    setters = _setters(spec, lambda context: context.get("runAsUser") == 0)
    if not setters or (spares_users and not shares_users(spec)):
        return None
    return "runAsUser=0", f"{setters} must not set runAsUser=0"


def _some_seccomp(spec: Object, spares_windows: bool = True) -> tuple[str, str] | None:
    wrong = _seccomp(spec)
    if wrong is not None or (spares_windows and is_windows(spec)) or _context(spec).get("seccompProfile") is not None:
        return wrong
    names = [each["name"] for each in _containers(spec) if _context(each).get("seccompProfile") is None]
    wanted = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return ("seccompProfile", f"pod or {_which(names)} {wanted}") if names else None


Versions = dict[int, Check]
"""A check by the minor version of the policy since which it is that one."""

# In the order of their ids, as the registry runs them.
BASELINE: dict[str, Versions] = {
    "appArmorProfile": {0: partial(app_armor, annotations={})},
    "capabilities_baseline": {0: _capabilities},
    "hostNamespaces": {0: _host_namespaces},
    "hostPathVolumes": {0: _host_paths},
    "hostPorts": {0: _host_ports},
    "hostProbesAndHostLifecycle": {34: _probe_hosts},
    "privileged": {0: _privileged},
    "procMount": {0: partial(_proc_mount, spares_users=False), 35: _proc_mount},
    "seLinuxOptions": {0: _selinux, 31: partial(_selinux, types=(*_SELINUX_TYPES, "container_engine_t"))},
    "seccompProfile_baseline": {19: _seccomp},
    "sysctls": {
        0: _sysctls,
        27: partial(_sysctls, allowed=_SYSCTLS_27),
        29: partial(_sysctls, allowed=_SYSCTLS_29),
        32: partial(_sysctls, allowed=_SYSCTLS_32),
    },
    "windowsHostProcess": {0: _windows_host},
}
RESTRICTED: dict[str, Versions] = {
    "allowPrivilegeEscalation": {8: partial(_escalation, spares_windows=False), 25: _escalation},
    "capabilities_restricted": {22: partial(_few_capabilities, spares_windows=False), 25: _few_capabilities},
    "procMount_restricted": {35: partial(_proc_mount, spares_users=False)},
    "restrictedVolumes": {0: _volumes},
    "runAsNonRoot": {0: partial(_non_root, spares_users=False), 35: _non_root},
    "runAsUser": {23: partial(_root, spares_users=False), 35: _root},
    "seccompProfile_restricted": {19: partial(_some_seccomp, spares_windows=False), 25: _some_seccomp},
}
OVERRIDDEN = {
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
}
"""Of two checks of the same thing the stricter one is run."""


def of_version(checks: dict[str, Versions], minor: int) -> dict[str, Check]:
    """The checks that a policy of a version has."""
    found = {name: [since for since in versions if since <= minor] for name, versions in checks.items()}
    return {name: checks[name][max(since)] for name, since in found.items() if since}

"""What a pod wants of its node: network, users, names, an operating system (pkg/apis/core/validation
validatePodHostNetworkDeps, validateHostUsers, validatePodHostName, validateOS and its kin)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    forbidden,
    required,
    subdomain,
    too_long,
    unsupported,
)

_GROUPS = ("initContainers", "containers", "ephemeralContainers")
"""In the order in which the server visits a pod's containers."""
_SYSTEMS = ["linux", "windows"]


def visited(spec: Object, path: str) -> Iterator[tuple[Object, str]]:
    """Each container with its path (VisitContainersWithPath)."""
    for group in _GROUPS:
        for index, container in enumerate(spec.get(group) or ()):
            yield container, f"{path}.{group}[{index}]"


def is_windows(spec: Object) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def shares_users(spec: Object) -> bool:
    """Whether its users are the node's."""
    return spec.get("hostUsers") is not False


def network(spec: Object, path: str, in_template: bool) -> list[Cause]:
    """On the node's network a container's port is the node's, which a template need not say."""
    causes: list[Cause] = []
    for index, container in enumerate(spec.get("containers") or () if spec.get("hostNetwork") else ()):
        for number, entry in enumerate(container.get("ports") or ()):
            port, own = entry.get("hostPort") or 0, entry.get("containerPort")
            if port != own and (port or not in_template):
                at = f"{path}.containers[{index}].ports[{number}].hostPort"
                causes.append(bad(at, port, "must match `containerPort` when `hostNetwork` is true"))
    return causes


def users(spec: Object, path: str) -> list[Cause]:
    """What goes with users that are not the node's."""
    if shares_users(spec):
        return []
    names = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
    causes = [
        forbidden(f"{path}.{shown}", "when `hostUsers` is false") for name, shown in names.items() if spec.get(name)
    ]
    for container, at in visited(spec, path):
        if container.get("volumeDevices"):
            causes.append(forbidden(f"{at}.volumeDevices", "when `hostUsers` is false"))
    return causes


def override(spec: Object, path: str) -> list[Cause]:
    """A host's name that is said in full."""
    at, name = f"{path}.hostnameOverride", spec.get("hostnameOverride")
    if name is None:
        return []
    causes = [
        forbidden(at, f"may not be specified when {other} is true")
        for other in ("setHostnameAsFQDN", "hostNetwork")
        if spec.get(other)
    ]
    if len(name) > 64:
        causes.append(too_long(at, 64))
    return causes + subdomain(at, name)


def _host_process(holder: Object) -> bool | None:
    context = holder.get("securityContext") or {}
    found: bool | None = (context.get("windowsOptions") or {}).get("hostProcess")
    return found


def processes(spec: Object, path: str) -> list[Cause]:
    """Windows containers that are processes of the node: all of a pod's or none."""
    causes: list[Cause] = []
    own, all_containers, of_host = _host_process(spec), 0, 0
    for container, at in visited(spec, path):
        theirs = _host_process(container)
        if own is not None and theirs is not None and own != theirs:
            why = f"pod hostProcess value must be identical if both are specified, was {str(own).lower()}"
            causes.append(bad(f"{at}.securityContext.windowsOptions.hostProcess", theirs, why))
        all_containers += 1
        of_host += bool(own if theirs is None else theirs)
    if not of_host:
        return causes
    if of_host != all_containers:
        why = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        causes.append(bad(path, "", why))
    if not spec.get("hostNetwork"):
        why = "hostNetwork must be true if pod contains any hostProcess containers"
        causes.append(bad(f"{path}.hostNetwork", False, why))
    return causes


def system(spec: Object, path: str) -> list[Cause]:
    """What goes with the operating system that it names."""
    if spec.get("os") is None:
        return []
    name = spec["os"].get("name", "")
    if not name:
        return [required(f"{path}.os.name")]
    if name not in _SYSTEMS:
        return [unsupported(f"{path}.os", name, _SYSTEMS)]
    return _linux(spec, path) if name == "linux" else _windows(spec, path)


def _linux(spec: Object, path: str) -> list[Cause]:
    contexts = [(spec.get("securityContext") or {}, f"{path}.securityContext")]
    contexts += [(each.get("securityContext") or {}, f"{at}.securityContext") for each, at in visited(spec, path)]
    why = "windows options cannot be set for a linux pod"
    return [forbidden(f"{at}.windowsOptions", why) for context, at in contexts if "windowsOptions" in context]


_NOT_ON_WINDOWS = (
    *("securityContext.appArmorProfile", "securityContext.seLinuxOptions", "hostUsers", "hostPID", "hostIPC"),
    *("securityContext.seccompProfile", "securityContext.fsGroup", "securityContext.fsGroupChangePolicy"),
    *("securityContext.sysctls", "shareProcessNamespace", "securityContext.runAsUser", "securityContext.runAsGroup"),
    *("securityContext.supplementalGroups", "securityContext.supplementalGroupsPolicy"),
    "securityContext.seLinuxChangePolicy",
)
_NO_WINDOWS_CONTAINER_HAS = (
    *("appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged"),
    *("allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"),
)
_UNSET_WHERE_FALSE = frozenset(("hostPID", "hostIPC", "securityContext.sysctls"))


def _windows(spec: Object, path: str) -> list[Cause]:
    why = "cannot be set for a windows pod"
    causes: list[Cause] = []
    for field in _NOT_ON_WINDOWS:
        part, _, name = field.rpartition(".")
        found = ((spec.get(part) or {}) if part else spec).get(name)
        if found or (found is not None and field not in _UNSET_WHERE_FALSE):
            causes.append(forbidden(f"{path}.{field}", why))
    for container, at in visited(spec, path):
        context = container.get("securityContext") or {}
        for name in _NO_WINDOWS_CONTAINER_HAS:
            if context.get(name) is not None:
                causes.append(forbidden(f"{at}.securityContext.{name}", why))
    return causes


_NETBIOS = re.compile(r"[^\\/:*?|<>\".][^\\/:*?|<>\"]{0,14}")
_DNS_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS_DOMAIN = re.compile(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_ODD_IN_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def windows_options(options: Object | None, at: str) -> list[Cause]:
    """WindowsSecurityContextOptions (validateWindowsSecurityContextOptions)."""
    if options is None:
        return []
    causes: list[Cause] = []
    name = options.get("gmsaCredentialSpecName")
    causes += [] if name is None else subdomain(f"{at}.gmsaCredentialSpecName", name)
    credentials = options.get("gmsaCredentialSpec")
    if credentials is not None:
        field = f"{at}.gmsaCredentialSpec"
        if not credentials:
            causes.append(bad(field, credentials, "gmsaCredentialSpec cannot be an empty string"))
        elif len(credentials.encode()) > 64 * 1024:
            causes.append(bad(field, credentials, "gmsaCredentialSpec size must be under 64 KiB"))
    user = options.get("runAsUserName")
    return causes + ([] if user is None else [bad(f"{at}.runAsUserName", user, why) for why in _user_problems(user)])


def _user_problems(text: str) -> list[str]:
    """What is wrong with a Windows user, "user" or "domain\\user"."""
    what = "runAsUserName"
    if not text:
        return [f"{what} cannot be an empty string"]
    if _CONTROL.search(text):
        return [f"{what} cannot contain control characters"]
    if text.count("\\") > 1:
        return [f"{what} cannot contain more than one backslash"]
    domain, backslash, user = text.rpartition("\\")
    found: list[str] = []
    if len(domain) >= 256:
        found.append(f"{what}'s Domain length must be under 256 characters")
    if backslash and not (_NETBIOS.fullmatch(domain) or _DNS_DOMAIN.fullmatch(domain)):
        found.append(f"{what}'s Domain doesn't match the NetBios nor the DNS format")
    if not user:
        found.append(f"{what}'s User cannot be empty")
    elif len(user) > 104:
        found.append(f"{what}'s User length must not be longer than 104 characters")
    if re.fullmatch(r"[. ]+", user):
        found.append(f"{what}'s User cannot contain only periods or spaces")
    if _ODD_IN_USER.search(user):
        found.append(f"{what}'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return found

"""Security contexts of pods and containers (pkg/apis/core/validation ValidateSecurityContext and its parts)."""

from __future__ import annotations

import re

from kubetrace.playground.validation.causes import (
    MAX_INT32,
    Cause,
    Object,
    bad,
    duplicate,
    required,
    supported,
    unsupported,
)
from kubetrace.playground.validation.hosts import windows_options
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.volumes import descending

_ID_WORDS = "must be between 0 and 2147483647, inclusive"
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_PROFILES = ["Localhost", "RuntimeDefault", "Unconfined"]


def container_context(context: Object, at: str, shares_users: bool) -> list[Cause]:
    """`shares_users`: whether the pod's users are the node's."""
    causes = _ids(context, at, ("runAsUser", "runAsGroup"))
    mount = context.get("procMount")
    causes += supported(f"{at}.procMount", mount, ["Default", "Unmasked"])
    if mount == "Unmasked" and shares_users:
        causes.append(bad(f"{at}.procMount", mount, "`hostUsers` must be false to use `Unmasked`"))
    causes += _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        inside = internal("core.SecurityContext", context)
        words = "cannot set `allowPrivilegeEscalation` to false and "
        if context.get("privileged"):
            causes.append(bad(at, inside, f"{words}`privileged` to true"))
        if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
            causes.append(bad(at, inside, f"{words}`capabilities.Add` CAP_SYS_ADMIN"))
    causes += windows_options(context.get("windowsOptions"), f"{at}.windowsOptions")
    return causes + _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")


def pod_context(spec: Object, path: str) -> list[Cause]:
    context, at = spec.get("securityContext") or {}, f"{path}.securityContext"
    causes = _ids(context, at, ("fsGroup", "runAsUser", "runAsGroup"))
    for index, group in enumerate(context.get("supplementalGroups") or ()):
        causes += _id(f"{at}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        why = "ShareProcessNamespace and HostPID cannot both be enabled"
        causes.append(bad(f"{at}.shareProcessNamespace", True, why))
    causes += _sysctls(context.get("sysctls") or [], f"{at}.sysctls", spec)
    policy, policies = context.get("fsGroupChangePolicy"), ["Always", "OnRootMismatch"]
    causes += supported(f"{at}.fsGroupChangePolicy", policy, policies)
    causes += _seccomp(context.get("seccompProfile"), f"{at}.seccompProfile")
    causes += windows_options(context.get("windowsOptions"), f"{at}.windowsOptions")
    causes += _app_armor(context.get("appArmorProfile"), f"{at}.appArmorProfile")
    policies = ["Merge", "Strict"]
    policy = context.get("supplementalGroupsPolicy")
    causes += supported(f"{at}.supplementalGroupsPolicy", policy, policies)
    policy = context.get("seLinuxChangePolicy")
    return causes + supported(f"{at}.seLinuxChangePolicy", policy, ["Recursive"])  # MountOption is off by default


def _id(field: str, value: int) -> list[Cause]:
    return [] if 0 <= value <= MAX_INT32 else [bad(field, value, _ID_WORDS)]


def _ids(context: Object, at: str, names: tuple[str, ...]) -> list[Cause]:
    found = ((f"{at}.{name}", context[name]) for name in names if context.get(name) is not None)
    return [cause for field, value in found for cause in _id(field, value)]


_SHARED = frozenset(
    (
        *("kernel.sem", "kernel.shm", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"),
        *("kernel.msg", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni"),
    )
)


def _host_of(sysctl: str) -> str:
    """The field by which a pod shares with its node what a sysctl is about (component-helpers
    node/util/sysctl/namespace.go): the parts of its name have dots between them, or slashes, as the first one says."""
    first = next((char for char in sysctl if char in "./"), ".")
    name = (sysctl if first == "." else sysctl.translate(str.maketrans("./", "/."))).partition("*")[0]
    if name.startswith("net."):
        return "hostNetwork"
    return "hostIPC" if name in _SHARED or name.startswith("fs.mqueue.") else ""


def _sysctls(found: list[Object], at: str, spec: Object) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, entry in enumerate(found):
        field, name = f"{at}[{index}].name", entry.get("name", "")
        if not name:
            causes.append(required(field))
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            causes.append(bad(field, name, f"must have at most 253 characters and match regex {_SYSCTL}"))
        elif name in names:
            causes.append(duplicate(field, name))
        shared = _host_of(name)
        if spec.get(shared):
            causes.append(bad(field, name, f"may not be specified when '{shared}' is true"))
        names.add(name)
    return causes


def _seccomp(profile: Object | None, at: str) -> list[Cause]:
    if profile is None:
        return []
    kind, local = profile.get("type", ""), profile.get("localhostProfile")
    causes: list[Cause] = []
    if not kind:
        causes.append(required(f"{at}.type", "type is required when seccompProfile is set"))
    elif kind not in _PROFILES:
        causes.append(unsupported(f"{at}.type", kind, _PROFILES))
    field = f"{at}.localhostProfile"
    if kind == "Localhost":
        must = "must be set when seccomp type is Localhost"
        return causes + (descending(field, local) if local is not None else [required(field, must)])
    if local is not None:
        shown = {"Type": kind, "LocalhostProfile": local}
        causes.append(bad(field, shown, "can only be set when seccomp type is Localhost"))
    return causes


def _app_armor(profile: Object | None, at: str) -> list[Cause]:
    if profile is None:
        return []
    kind, local, field = profile.get("type", ""), profile.get("localhostProfile"), f"{at}.localhostProfile"
    if not kind:
        return [required(f"{at}.type", "type is required when appArmorProfile is set")]
    if kind not in _PROFILES:
        return [unsupported(f"{at}.type", kind, _PROFILES)]
    if kind != "Localhost":
        why = "can only be set when AppArmor type is Localhost"
        return [] if local is None else [bad(field, local, why)]
    if local is None or not local:
        return [required(field, "must be set when AppArmor type is Localhost")]
    if local.strip() != local:
        return [bad(field, local, "must not be padded with whitespace")]
    return []

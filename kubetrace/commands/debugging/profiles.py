"""--profile: what a debugging container may do, and what its pod is like (kubectl pkg/cmd/debug/profiles.go)."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from kubetrace.api.containers import CONTAINERS, EPHEMERAL_CONTAINERS, INIT_CONTAINERS, containers_in
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

Object = dict[str, Any]

GENERAL, LEGACY = "general", "legacy"
PROFILES = (LEGACY, GENERAL, "baseline", "restricted", "netadmin", "sysadmin")

_HOST_ROOT = "host-root"
_PROBES = (("liveness", "livenessProbe"), ("readiness", "readinessProbe"), ("startup", "startupProbe"))


class Style(Enum):
    """How something is debugged."""

    EPHEMERAL = auto()
    COPY = auto()
    NODE = auto()


class Keep(Value):
    """The --keep-… flags: what a copy keeps of its pod."""

    labels: bool
    annotations: bool
    liveness: bool
    readiness: bool
    startup: bool
    init_containers: bool

    def strip(self, pod: Object) -> None:
        """Takes the rest away."""
        if not self.labels:
            pod["metadata"].pop("labels", None)
        if not self.annotations:
            pod["metadata"].pop("annotations", None)
        for container in containers_in(pod, CONTAINERS):
            for flag, field in _PROBES:
                if not getattr(self, flag):
                    container.pop(field, None)
        if not self.init_containers:
            pod["spec"].pop("initContainers", None)


def check_profile(name: str) -> None:
    """Raises KubetraceError for a profile that does not exist."""
    if name not in PROFILES:
        raise KubetraceError(f"unknown profile: {name}")


class Profile(Value):
    """One of PROFILES. `apply` changes a pod whose container of this name is the one to debug with."""

    name: str
    keep: Keep

    def apply(self, pod: Object, container_name: str, style: Style) -> None:
        container = _first_named(pod, container_name)
        if self.name in ("baseline", "restricted") or (self.name == GENERAL and style is Style.NODE):
            container.pop("securityContext", None)
        if self.name == "restricted":
            _restrict(container)
        elif self.name == "netadmin":
            _allow(container, "NET_ADMIN", "NET_RAW")
        elif self.name == "sysadmin":
            _security(container)["privileged"] = True
        elif self.name == GENERAL and style is not Style.NODE:
            _allow(container, "SYS_PTRACE")
        if style is Style.NODE:
            self._open_node(pod, container_name)
        elif style is Style.COPY:
            self._separate(pod)

    def _open_node(self, pod: Object, container_name: str) -> None:
        """The host's files and namespaces, where the profile has them."""
        if self.name in (LEGACY, GENERAL, "sysadmin"):
            _mount_root(pod, container_name)
        if self.name in (LEGACY, GENERAL, "netadmin", "sysadmin"):
            pod["spec"].update(hostNetwork=True, hostPID=True, hostIPC=True)

    def _separate(self, pod: Object) -> None:
        """A copy is not to be taken for its original: nobody's pod, asked by no probe."""
        if self.name == LEGACY:
            pod["metadata"].pop("labels", None)
            return
        self.keep.strip(pod)
        if pod["spec"].get("shareProcessNamespace") is None:
            pod["spec"]["shareProcessNamespace"] = True


def _first_named(pod: Object, name: str) -> Object:
    """The container of this name as podutils.VisitContainers meets it first; a new one, in no pod, where there is
    none."""
    for field in (INIT_CONTAINERS, CONTAINERS, EPHEMERAL_CONTAINERS):
        for container in containers_in(pod, field):
            if container.get("name") == name:
                return container
    return {}


def _security(container: Object) -> Object:
    if container.get("securityContext") is None:
        container["securityContext"] = {}
    found: Object = container["securityContext"]
    return found


def _allow(container: Object, *capabilities: str) -> None:
    security = _security(container)
    held = security["capabilities"] = security.get("capabilities") or {}
    held["add"] = [*(held.get("add") or ()), *capabilities]


def _restrict(container: Object) -> None:
    """What the restricted pod security standard asks for."""
    _security(container).update(
        runAsNonRoot=True,
        capabilities={"drop": ["ALL"]},
        allowPrivilegeEscalation=False,
        seccompProfile={"type": "RuntimeDefault"},
    )


def _mount_root(pod: Object, container_name: str) -> None:
    pod["spec"].setdefault("volumes", []).append({"name": _HOST_ROOT, "hostPath": {"path": "/"}})
    for container in containers_in(pod, CONTAINERS):
        if container.get("name") == container_name:
            mounts = container["volumeMounts"] = container.get("volumeMounts") or []
            mounts.append({"name": _HOST_ROOT, "mountPath": "/host"})
            return

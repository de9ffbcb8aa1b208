"""Ephemeral containers and statuses as Go prints them (%v and %#v), for the log of `debug` at -v=2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.value import Value

Object = dict[str, Any]

_STRING, _BOOL, _INT, _STRINGS, _RESOURCES = "string", "bool", "int", "strings", "resources"

_Fields = tuple[tuple[str, str], ...]
"""Names with their kinds: one of the above, "*TYPE" for a pointer, "[]TYPE" for a list of structs."""

_CONTAINER: _Fields = (
    ("Name", _STRING),
    ("Image", _STRING),
    ("Command", _STRINGS),
    ("Args", _STRINGS),
    ("WorkingDir", _STRING),
    ("Ports", "[]ContainerPort"),
    ("EnvFrom", "[]EnvFromSource"),
    ("Env", "[]EnvVar"),
    ("Resources", _RESOURCES),
    ("ResizePolicy", "[]ContainerResizePolicy"),
    ("RestartPolicy", "*ContainerRestartPolicy"),
    ("RestartPolicyRules", "[]ContainerRestartRule"),
    ("VolumeMounts", "[]VolumeMount"),
    ("VolumeDevices", "[]VolumeDevice"),
    ("LivenessProbe", "*Probe"),
    ("ReadinessProbe", "*Probe"),
    ("StartupProbe", "*Probe"),
    ("Lifecycle", "*Lifecycle"),
    ("TerminationMessagePath", _STRING),
    ("TerminationMessagePolicy", _STRING),
    ("ImagePullPolicy", _STRING),
    ("SecurityContext", "*SecurityContext"),
    ("Stdin", _BOOL),
    ("StdinOnce", _BOOL),
    ("TTY", _BOOL),
)
_STRUCTS: dict[str, _Fields] = {
    "ContainerPort": (
        ("Name", _STRING),
        ("HostPort", _INT),
        ("ContainerPort", _INT),
        ("Protocol", _STRING),
        ("HostIP", _STRING),
    ),
    "ContainerResizePolicy": (("ResourceName", _STRING), ("RestartPolicy", _STRING)),
    "EnvFromSource": (("Prefix", _STRING), ("ConfigMapRef", "*ConfigMapEnvSource"), ("SecretRef", "*SecretEnvSource")),
    "EnvVar": (("Name", _STRING), ("Value", _STRING), ("ValueFrom", "*EnvVarSource")),
    "VolumeMount": (
        ("Name", _STRING),
        ("ReadOnly", _BOOL),
        ("RecursiveReadOnly", "*RecursiveReadOnlyMode"),
        ("MountPath", _STRING),
        ("SubPath", _STRING),
        ("MountPropagation", "*MountPropagationMode"),
        ("SubPathExpr", _STRING),
    ),
}


_WORDS = frozenset(("ContainerRestartPolicy", "MountPropagationMode", "RecursiveReadOnlyMode"))
"""Types that are texts."""
_SECURITY = ("Capabilities", "Privileged", "SELinuxOptions", "RunAsUser", "RunAsNonRoot", "ReadOnlyRootFilesystem",
             "AllowPrivilegeEscalation", "RunAsGroup", "ProcMount", "WindowsOptions", "SeccompProfile",
             "AppArmorProfile")  # fmt: skip


class _Unprintable(Exception):
    """A field whose Go text would take more types than are written down here."""


class _Printer(Value):
    """%v, or, where `syntax`, %#v. `empty` names the fields whose list is there, though it has no entries."""

    syntax: bool
    empty: frozenset[str] = frozenset()

    def container(self, value: Object) -> str:
        common, target = self._struct(_CONTAINER, value), str(value.get("targetContainerName") or "")
        if self.syntax:
            common = f"EphemeralContainerCommon:v1.EphemeralContainerCommon{common}"
            return f"v1.EphemeralContainer{{{common}, TargetContainerName:{quoted(target)}}}"
        return f"{{{common} {target}}}"

    def _struct(self, fields: _Fields, value: Object) -> str:
        texts = []
        for name, kind in fields:
            text = self._field(name, kind, value.get(_key(name)))
            texts.append(f"{name}:{text}" if self.syntax else text)
        return "{" + (", " if self.syntax else " ").join(texts) + "}"

    def _field(self, name: str, kind: str, value: Any) -> str:
        if kind == _STRING:
            return quoted(str(value or "")) if self.syntax else str(value or "")
        if kind == _BOOL:
            return "true" if value else "false"
        if kind == _INT:
            return str(value or 0)
        if kind == _RESOURCES:
            return self._resources(value)
        if kind.startswith("*"):
            return self._pointer(kind, value)
        return self._list(name, kind, value or [])

    def _resources(self, value: Any) -> str:
        if value:
            raise _Unprintable
        if not self.syntax:
            return "{map[] map[] []}"
        lists = "Limits:v1.ResourceList(nil), Requests:v1.ResourceList(nil), Claims:[]v1.ResourceClaim(nil)"
        return f"v1.ResourceRequirements{{{lists}}}"

    def _pointer(self, kind: str, value: Any) -> str:
        if self.syntax:
            return f"(*v1.{kind[1:]})({'nil' if value is None else f'0x{id(value):x}'})"
        if kind == "*SecurityContext" and value is not None:
            return _security_context(value)
        if value is not None:
            raise _Unprintable
        return "<nil>" if kind[1:] in _WORDS else "nil"  # structs have words of their own for nil

    def _list(self, name: str, kind: str, items: Sequence[Any]) -> str:
        element = "string" if kind == _STRINGS else f"v1.{kind[2:]}"
        if not items and not self.syntax:
            return "[]"
        if not items:
            return f"[]{element}" + ("{}" if name in self.empty else "(nil)")
        if kind == _STRINGS:
            texts = [quoted(item) if self.syntax else item for item in items]
        elif kind[2:] in _STRUCTS:
            mark = element if self.syntax else ""
            texts = [mark + self._struct(_STRUCTS[kind[2:]], item) for item in items]
        else:
            raise _Unprintable
        return f"[]{element}{{{', '.join(texts)}}}" if self.syntax else f"[{' '.join(texts)}]"


def _security_context(value: Object) -> str:
    """SecurityContext.String, as its code is generated."""
    texts = [f"{name}:{_security_field(name, value.get(_key(name)))}," for name in _SECURITY]
    return f"&SecurityContext{{{''.join(texts)}}}"


def _security_field(name: str, value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool | int):
        return f"*{str(value).lower()}"
    if name == "Capabilities":
        add, drop = (" ".join(value.get(key) or ()) for key in ("add", "drop"))
        return f"&Capabilities{{Add:[{add}],Drop:[{drop}],}}"
    if name in ("SeccompProfile", "AppArmorProfile") and not value.get("localhostProfile"):
        return f"&{name}{{Type:{value.get('type', '')},LocalhostProfile:nil,}}"
    raise _Unprintable


def shown_status(status: Object) -> str | None:
    """A container's status as its String method prints it; None where that is not known."""
    try:
        return "&" + _status(status)
    except _Unprintable:
        return None


def _status(status: Object) -> str:
    if status.get("allocatedResources") or status.get("user") or status.get("allocatedResourcesStatus"):
        raise _Unprintable
    mounts = "".join(
        f"VolumeMountStatus{{Name:{mount.get('name', '')},MountPath:{mount.get('mountPath', '')},"
        f"ReadOnly:{_go(bool(mount.get('readOnly')))},RecursiveReadOnly:{_optional(mount.get('recursiveReadOnly'))},}},"
        for mount in status.get("volumeMounts") or ()
    )
    fields = (
        ("Name", status.get("name") or ""),
        ("State", _state(status.get("state") or {})),
        ("LastTerminationState", _state(status.get("lastState") or {})),
        ("Ready", _go(bool(status.get("ready")))),
        ("RestartCount", status.get("restartCount") or 0),
        ("Image", status.get("image") or ""),
        ("ImageID", status.get("imageID") or ""),
        ("ContainerID", status.get("containerID") or ""),
        ("Started", _optional(status.get("started"))),
        ("AllocatedResources", "ResourceList{}"),
        ("Resources", _shown_resources(status.get("resources"))),
        ("VolumeMounts", f"[]VolumeMountStatus{{{mounts}}}"),
        ("User", "nil"),
        ("AllocatedResourcesStatus", "[]ResourceStatus{}"),
        ("StopSignal", _optional(status.get("stopSignal"))),
    )
    return _string("ContainerStatus", fields)


def _shown_resources(value: Object | None) -> str:
    if value is None:
        return "nil"
    if value:
        raise _Unprintable
    return "&ResourceRequirements{Limits:ResourceList{},Requests:ResourceList{},Claims:[]ResourceClaim{},}"


def _state(state: Object) -> str:
    waiting, running, ended = (state.get(key) for key in ("waiting", "running", "terminated"))
    texts = ["nil", "nil", "nil"]
    if waiting is not None:
        fields = [(key.capitalize(), waiting.get(key) or "") for key in ("reason", "message")]
        texts[0] = "&" + _string("ContainerStateWaiting", fields)
    if running is not None:
        texts[1] = "&" + _string("ContainerStateRunning", [("StartedAt", _moment(running.get("startedAt")))])
    if ended is not None:
        numbers = [("ExitCode", ended.get("exitCode") or 0), ("Signal", ended.get("signal") or 0)]
        words = [("Reason", ended.get("reason") or ""), ("Message", ended.get("message") or "")]
        times = [("StartedAt", _moment(ended.get("startedAt"))), ("FinishedAt", _moment(ended.get("finishedAt")))]
        identity = [("ContainerID", ended.get("containerID") or "")]
        texts[2] = "&" + _string("ContainerStateTerminated", [*numbers, *words, *times, *identity])
    return _string("ContainerState", zip(("Waiting", "Running", "Terminated"), texts, strict=True))


def _string(name: str, fields: Iterable[tuple[str, object]]) -> str:
    return f"{name}{{{''.join(f'{key}:{value},' for key, value in fields)}}}"


def _go(value: bool) -> str:
    return "true" if value else "false"


def _optional(value: Any) -> str:
    """A pointer to something small."""
    return "nil" if value is None else f"*{_go(value) if isinstance(value, bool) else value}"


def _moment(moment: str | None) -> str:
    """time.Time's String, in the zone of this machine."""
    import datetime

    if not moment:
        return "0001-01-01 00:00:00 +0000 UTC"
    found = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone()
    return f"{found:%Y-%m-%d %H:%M:%S %z %Z}"


def _key(name: str) -> str:
    """A field's key in JSON."""
    if name in ("TTY", "SELinuxOptions"):
        return "tty" if name == "TTY" else "seLinuxOptions"
    return name[0].lower() + name[1:]


def shown(containers: Sequence[Object]) -> str | None:
    """A list of ephemeral containers as %v prints it; None where that is not known."""
    try:
        return "[" + " ".join(map(_Printer(False).container, containers)) + "]"
    except _Unprintable:
        return None


def shown_new(container: Object, arguments_only: bool) -> str | None:
    """A pointer to the new container as %#v prints it; None where that is not known."""
    try:
        return "&" + _Printer(True, frozenset({"Args" if arguments_only else "Command"})).container(container)
    except _Unprintable:
        return None

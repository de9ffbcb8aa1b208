"""The volumes of pods (pkg/apis/core/validation ValidateVolumes), in the real server's order."""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.playground.validation import network_volumes
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    amount,
    bad,
    duplicate,
    forbidden,
    label_name,
    one_of,
    required,
    subdomain,
    subdomain_problems,
    too_long,
)
from kubetrace.playground.validation.network_volumes import needs
from kubetrace.playground.validation.references import field_reference, resource_reference

# In the order in which validateVolumeSource counts them.
_KINDS = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"),
    *("glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"),
    *("flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)
_FIELDS = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
_MODE_WORDS = "must be a number between 0 and 0777 (octal), both inclusive"
_TWICE = "conflicting duplicate paths"


def volumes(found: list[Object], path: str, pod: str = "") -> tuple[dict[str, Object], list[Cause]]:
    """(the volumes that are right, by name; what is wrong with the others)"""
    causes: list[Cause] = []
    good: dict[str, Object] = {}
    for index, volume in enumerate(found):
        where, name = f"{path}[{index}]", volume.get("name", "")
        wrong = _source(volume, where)
        if volume.get("ephemeral") is not None and pod and name:
            wrong += _claim_name(where, name, f"{pod}-{name}")
        wrong += label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
        if name in good:
            wrong.append(duplicate(f"{where}.name", name))
        if not wrong:
            good[name] = volume
        causes += wrong
    return good, causes


def _claim_name(where: str, volume: str, claim: str) -> list[Cause]:
    """An ephemeral volume's claim is named after its pod and the volume."""
    return [bad(f"{where}.name", volume, f'PVC name "{claim}": {why}') for why in subdomain_problems(claim)]


def _source(volume: Object, where: str) -> list[Cause]:
    kinds = [kind for kind in _KINDS if volume.get(kind) is not None]
    if not kinds:
        return [required(where, "must specify a volume type")]
    check = _SOURCES.get(kinds[0])
    causes = check(volume[kinds[0]], f"{where}.{kinds[0]}") if check is not None else []
    return causes + [forbidden(f"{where}.{kind}", "may not specify more than 1 volume type") for kind in kinds[1:]]


def no_backsteps(field: str, path: str) -> list[Cause]:
    return [bad(field, path, "must not contain '..'")] if ".." in path.split("/") else []


def descending(field: str, path: str) -> list[Cause]:
    """A relative path that stays below where it starts."""
    causes = [bad(field, path, "must be a relative path")] if path.startswith("/") else []
    return causes + no_backsteps(field, path)


def _local(field: str, path: str) -> list[Cause]:
    causes = descending(field, path)
    if path.startswith("..") and not path.startswith("../"):
        causes.append(bad(field, path, "must not start with '..'"))
    return causes


def _mode(source: Object, at: str, name: str = "defaultMode") -> list[Cause]:
    mode = source.get(name)
    return [] if mode is None or 0 <= mode <= 0o777 else [bad(f"{at}.{name}", mode, _MODE_WORDS)]


def _empty_dir(source: Object, at: str) -> list[Cause]:
    size = amount(source.get("sizeLimit", "0"))
    if size is not None and size < 0:
        return [forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")]
    return []


def host_path(source: Object, at: str) -> list[Cause]:
    path, kind = source.get("path", ""), source.get("type") or None
    if not path:
        return [required(f"{at}.path")]
    return no_backsteps(f"{at}.path", path) + one_of(f"{at}.type", kind, _HOST_PATH_TYPES, is_required=False)


def nfs(source: Object, at: str) -> list[Cause]:
    path = source.get("path", "")
    causes = needs(source, at, "server", "path")
    return causes if path.startswith("/") else [*causes, bad(f"{at}.path", path, "must be an absolute path")]


def _items(source: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, item in enumerate(source.get("items") or ()):
        where = f"{at}.items[{index}]"
        causes += needs(item, where, "key", "path") + _local(f"{where}.path", item.get("path", ""))
        causes += _mode(item, where, "mode")
    return causes


def _keys_of(name: str) -> Callable[[Object, str], list[Cause]]:
    """A Secret's or a ConfigMap's keys as files; `name`: the field that names it."""
    return lambda source, at: needs(source, at, name) + _mode(source, at) + _items(source, at)


def _downward_file(file: Object, at: str) -> list[Cause]:
    causes = needs(file, at, "path") + _local(f"{at}.path", file.get("path", ""))
    field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        causes += field_reference(field, f"{at}.fieldRef", _FIELDS)
        if resource is not None:
            causes.append(bad(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
    elif resource is not None:
        causes += resource_reference(resource, f"{at}.resourceFieldRef", of_volume=True)
    else:
        causes.append(required(at, "one of fieldRef and resourceFieldRef is required"))
    return causes + _mode(file, at, "mode")


def _downward(source: Object, at: str) -> list[Cause]:
    causes = _mode(source, at)
    for file in source.get("items") or ():
        causes += _downward_file(file, at)
    return causes


def _projected(source: Object, at: str) -> list[Cause]:
    causes, taken = _mode(source, at), set[str]()
    for index, part in enumerate(source.get("sources") or ()):
        where = f"{at}.sources[{index}]"
        kinds = [
            kind for kind in ("secret", "configMap", "downwardAPI", "serviceAccountToken") if part.get(kind) is not None
        ]
        for kind in kinds:
            causes += _projection(kind, part[kind], f"{where}.{kind}", at, taken)
        if len(kinds) > 1:
            causes.append(forbidden(where, "may not specify more than 1 volume type per source"))
    return causes


def _projection(kind: str, part: Object, where: str, volume: str, taken: set[str]) -> list[Cause]:
    """One source of a projected volume at `volume`; `taken`: the paths of those before it."""
    causes: list[Cause] = []
    if kind == "serviceAccountToken":
        seconds = part.get("expirationSeconds") or 0
        if seconds < 600:
            why = "may not specify a duration less than 10 minutes"
            causes.append(bad(f"{where}.expirationSeconds", seconds, why))
        if seconds > 1 << 32:
            why = "may not specify a duration larger than 2^32 seconds"
            causes.append(bad(f"{where}.expirationSeconds", seconds, why))
        path = part.get("path", "")
        return causes + (_local(f"{volume}.path", path) if path else [required(f"{volume}.path")])
    if kind == "downwardAPI":
        for file in part.get("items") or ():
            causes += _downward_file(file, where)
    else:
        causes += needs(part, where, "name") + _items(part, where)
    for item in part.get("items") or ():
        path = item.get("path", "")
        if path in taken:
            causes.append(bad(volume, path if kind == "downwardAPI" else part.get("name", ""), _TWICE))
        elif path:
            taken.add(path)
    return causes


def driver_name(field: str, name: str) -> list[Cause]:
    """A CSI driver's."""
    if not name:
        return [required(field)]
    causes: list[Cause] = []
    if len(name) > 63:
        causes.append(too_long(field, 63))
    return causes + [bad(field, name, why) for why in subdomain_problems(name.lower())]


def _csi(source: Object, at: str) -> list[Cause]:
    causes = driver_name(f"{at}.driver", source.get("driver", ""))
    secret = source.get("nodePublishSecretRef")
    if secret is not None:
        name = secret.get("name", "")
        missing = [required(f"{at}.nodePublishSecretRef.name")]
        causes += subdomain(f"{at}.name", name) if name else missing
    return causes


def _ephemeral(source: Object, at: str) -> list[Cause]:
    from kubetrace.playground.validation.storage import claim_template

    template = source.get("volumeClaimTemplate")
    if template is None:
        return [required(f"{at}.volumeClaimTemplate")]
    return claim_template(template, f"{at}.volumeClaimTemplate")


def _git(source: Object, at: str) -> list[Cause]:
    return needs(source, at, "repository") + _local(f"{at}.directory", source.get("directory") or "")


def _image(source: Object, at: str) -> list[Cause]:
    policies = ["Always", "IfNotPresent", "Never"]
    return needs(source, at, "reference") + one_of(f"{at}.pullPolicy", source.get("pullPolicy"), policies)


_SOURCES: dict[str, Callable[[Object, str], list[Cause]]] = {
    **network_volumes.SOURCES,
    "gitRepo": _git,
    "emptyDir": _empty_dir,
    "hostPath": host_path,
    "secret": _keys_of("secretName"),
    "nfs": nfs,
    "persistentVolumeClaim": lambda source, at: needs(source, at, "claimName"),
    "downwardAPI": _downward,
    "configMap": _keys_of("name"),
    "projected": _projected,
    "csi": _csi,
    "ephemeral": _ephemeral,
    "image": _image,
}

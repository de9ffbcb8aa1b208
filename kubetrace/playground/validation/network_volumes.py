"""Volumes of storage systems (pkg/apis/core/validation validateISCSIVolumeSource and its kin)."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubetrace.playground.validation.causes import Cause, Object, bad, label_name, required, supported, unsupported

_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+:[^,;*&$|\s]+"),
    "eui": re.compile(r"eui.[A-Za-z0-9]{16}"),
    "naa": re.compile(r"naa.[A-Za-z0-9]{32}"),
}
_BYTE = "must be between 0 and 255, inclusive"


def needs(source: Object, at: str, *names: str) -> list[Cause]:
    return [required(f"{at}.{name}") for name in names if not source.get(name)]


def _needing(*names: str) -> Callable[[Object, str], list[Cause]]:
    return lambda source, at: needs(source, at, *names)


def _initiator(field: str, name: str) -> list[Cause]:
    form = _INITIATORS.get(name[:3])
    if form is None:
        return [bad(field, name, "must be valid format starting with iqn, eui, or naa")]
    return [] if form.fullmatch(name) else [bad(field, name, "must be valid format")]


def _iscsi(source: Object, at: str) -> list[Cause]:
    causes = needs(source, at, "targetPortal", "iqn")
    causes += _initiator(f"{at}.iqn", source["iqn"]) if source.get("iqn") else []
    lun = source.get("lun") or 0
    causes += [] if 0 <= lun <= 255 else [bad(f"{at}.lun", lun, _BYTE)]
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and source.get("secretRef") is None:
        causes.append(required(f"{at}.secretRef"))
    name = source.get("initiatorName")
    return causes + ([] if name is None else _initiator(f"{at}.initiatorname", name))


def _fc(source: Object, at: str) -> list[Cause]:
    targets, ids, lun = source.get("targetWWNs") or [], source.get("wwids") or [], source.get("lun")
    field = f"{at}.targetWWNs"
    if not targets and not ids:
        return [required(field, "must specify either targetWWNs or wwids, but not both")]
    causes: list[Cause] = []
    if targets and ids:
        causes.append(bad(field, targets, "targetWWNs and wwids can not be specified simultaneously"))
    if targets and lun is None:
        causes.append(required(f"{at}.lun", "lun is required if targetWWNs is specified"))
    elif targets and lun is not None and not 0 <= lun <= 255:
        causes.append(bad(f"{at}.lun", lun, _BYTE))
    return causes


def _disk(name: str) -> Callable[[Object, str], list[Cause]]:
    """A disk of a cloud, by the field that names it."""

    def check(source: Object, at: str) -> list[Cause]:
        part, at = source.get("partition") or 0, at.replace("gcePersistentDisk", "persistentDisk")
        wrong = [] if 0 <= part <= 255 else [bad(f"{at}.partition", part, "must be between 1 and 255, inclusive")]
        return needs(source, at, name) + wrong

    return check


def _flex(source: Object, at: str) -> list[Cause]:
    causes = needs(source, at, "driver")
    for key in source.get("options") or {}:
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            causes.append(bad(f"{at}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved"))
    return causes


def _cinder(source: Object, at: str) -> list[Cause]:
    secret = source.get("secretRef")
    return needs(source, at, "volumeID") + ([] if secret is None else needs(secret, f"{at}.secretRef", "name"))


_CACHING, _KINDS = ["None", "ReadOnly", "ReadWrite"], ["Dedicated", "Managed", "Shared"]
_MANAGED = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def _azure_disk(source: Object, at: str) -> list[Cause]:
    causes = needs(source, at, "diskName", "diskURI")
    mode, kind, place = source.get("cachingMode"), source.get("kind"), source.get("diskURI") or ""
    causes += supported(f"{at}.cachingMode", mode, _CACHING) + supported(f"{at}.kind", kind, _KINDS)
    if kind is None:
        return causes
    start, form = ("/subscriptions/", _MANAGED) if kind == "Managed" else ("https://", _BLOB)
    return causes if place.startswith(start) else [*causes, unsupported(f"{at}.diskURI", place, [form])]


def _storage_os(source: Object, at: str) -> list[Cause]:
    name, place, secret = source.get("volumeName"), source.get("volumeNamespace"), source.get("secretRef")
    causes = label_name(f"{at}.volumeName", name) if name else [required(f"{at}.volumeName")]
    causes += label_name(f"{at}.volumeNamespace", place) if place else []
    return causes + ([] if secret is None else needs(secret, f"{at}.secretRef", "name"))


def _flocker(source: Object, at: str) -> list[Cause]:
    name, uid = source.get("datasetName") or "", source.get("datasetUUID")
    causes: list[Cause] = []
    if not name and not uid:
        causes.append(required(at, "one of datasetName and datasetUUID is required"))
    if name and uid:
        causes.append(bad(at, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
    return causes + ([bad(f"{at}.datasetName", name, "must not contain '/'")] if "/" in name else [])


def _quobyte(source: Object, at: str) -> list[Cause]:
    pairs, field = source.get("registry") or "", f"{at}.registry"
    why = "must be a host:port pair or multiple pairs separated by commas"
    causes = [] if pairs else [required(field, why)]
    if pairs and len(source.get("tenant") or "") >= 65:
        causes.append(required(f"{at}.tenant", "must be a UUID and may not exceed a length of 64 characters"))
    elif pairs:
        causes += [bad(field, pairs, why) for pair in pairs.split(",") if not re.fullmatch(r"[^:]*:[^:]*", pair)]
    return causes + needs(source, at, "volume")


SOURCES: dict[str, Callable[[Object, str], list[Cause]]] = {
    "iscsi": _iscsi,
    "fc": _fc,
    "gcePersistentDisk": _disk("pdName"),
    "awsElasticBlockStore": _disk("volumeID"),
    "glusterfs": _needing("endpoints", "path"),
    "rbd": _needing("monitors", "image"),
    "cephfs": _needing("monitors"),
    "cinder": _cinder,
    "flexVolume": _flex,
    "azureFile": _needing("secretName", "shareName"),
    "azureDisk": _azure_disk,
    "vsphereVolume": _needing("volumePath"),
    "photonPersistentDisk": _needing("pdID"),
    "portworxVolume": _needing("volumeID"),
    "quobyte": _quobyte,
    "flocker": _flocker,
    "storageos": _storage_os,
    "scaleIO": _needing("gateway", "system", "volumeName"),
}
"""Checks of what a pod's volume, or a PersistentVolume, says of its source."""

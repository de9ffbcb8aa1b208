"""Volumes of pods and sources of persistent volumes, one table row a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubetrace.printing.describe.writer import LONGEST_ANNOTATION, NONE, UNSET, Writer, go_value

Object = Mapping[str, Any]
Field = tuple[str, str, Any]
"""Label, JSON name, and what is shown where the field is absent."""

_CSI = "CSI (a Container Storage Interface (CSI) volume source)"
_FLEX = "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)"
_GLUSTER = "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)"
_FS, _READ_ONLY = ("FSType", "fsType", ""), ("ReadOnly", "readOnly", False)

_SIMPLE: dict[str, tuple[str, tuple[Field, ...]]] = {
    "hostPath": (
        "HostPath (bare host directory volume)",
        (("Path", "path", ""), ("HostPathType", "type", NONE)),
    ),
    "gcePersistentDisk": (
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        (("PDName", "pdName", ""), _FS, ("Partition", "partition", 0), _READ_ONLY),
    ),
    "awsElasticBlockStore": (
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        (("VolumeID", "volumeID", ""), _FS, ("Partition", "partition", 0), _READ_ONLY),
    ),
    "gitRepo": (
        "GitRepo (a volume that is pulled from git when the pod is created)",
        (("Repository", "repository", ""), ("Revision", "revision", "")),
    ),
    "secret": (
        "Secret (a volume populated by a Secret)",
        (("SecretName", "secretName", ""), ("Optional", "optional", False)),
    ),
    "configMap": (
        "ConfigMap (a volume populated by a ConfigMap)",
        (("Name", "name", ""), ("Optional", "optional", False)),
    ),
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server", ""), ("Path", "path", ""), _READ_ONLY),
    ),
    "glusterfs": (_GLUSTER, (("EndpointsName", "endpoints", ""), ("Path", "path", ""), _READ_ONLY)),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName", ""), _READ_ONLY),
    ),
    "quobyte": (
        "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        (("Registry", "registry", ""), ("Volume", "volume", ""), _READ_ONLY),
    ),
    "azureDisk": (
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        (("DiskName", "diskName", ""), ("DiskURI", "diskURI", ""), ("Kind: ", "kind", ""), _FS,
         ("CachingMode", "cachingMode", ""), _READ_ONLY),
    ),
    "vsphereVolume": (
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        (("VolumePath", "volumePath", ""), _FS, ("StoragePolicyName", "storagePolicyName", "")),
    ),
    "photonPersistentDisk": (
        "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        (("PdID", "pdID", ""), _FS),
    ),
    "portworxVolume": ("PortworxVolume (a Portworx Volume resource)", (("VolumeID", "volumeID", ""),)),
    "scaleIO": (
        "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
        (("Gateway", "gateway", ""), ("System", "system", ""), ("Protection Domain", "protectionDomain", ""),
         ("Storage Pool", "storagePool", ""), ("Storage Mode", "storageMode", ""), ("VolumeName", "volumeName", ""),
         _FS, _READ_ONLY),
    ),
    "storageos": (
        "StorageOS (a StorageOS Persistent Disk resource)",
        (("VolumeName", "volumeName", ""), ("VolumeNamespace", "volumeNamespace", ""), _FS, _READ_ONLY),
    ),
    "azureFile": (
        "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
        (("SecretName", "secretName", ""), ("ShareName", "shareName", ""), _READ_ONLY),
    ),
    "flocker": (
        "Flocker (a Flocker volume mounted by the Flocker agent)",
        (("DatasetName", "datasetName", ""), ("DatasetUUID", "datasetUUID", "")),
    ),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", (("Path", "path", ""),)),
    "image": (
        "Image (a container image or OCI artifact)",
        (("Reference", "reference", ""), ("PullPolicy", "pullPolicy", "")),
    ),
}  # fmt: skip
"""Kinds whose fields are shown as they are."""


def _fields(w: Writer, kind: str, rows: Sequence[tuple[str, object]]) -> None:
    w.row("Type", kind, 2)
    for label, value in rows:
        w.row(label, value, 2)


def _simple(name: str) -> Callable[[Writer, Object], None]:
    kind, fields = _SIMPLE[name]

    def write(w: Writer, source: Object) -> None:
        w.row("Type", kind, 2)
        for label, field, default in fields:
            value = source.get(field)
            # "Kind: " has a blank between colon and tab in kubectl's output, too.
            title = label if label.endswith(": ") else f"{label}:"
            w.line(f"{title}\t{go_value(default if value is None else value)}", 2)

    return write


def _empty_dir(w: Writer, source: Object) -> None:
    from kubetrace.wire.quantity import parse

    limit = source.get("sizeLimit")
    shown = limit if limit is not None and parse(str(limit)).value > 0 else UNSET
    kind = "EmptyDir (a temporary directory that shares a pod's lifetime)"
    _fields(w, kind, (("Medium", source.get("medium")), ("SizeLimit", shown)))


def _iscsi(w: Writer, source: Object) -> None:
    w.row(
        "Type",
        "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
        2,
    )
    w.row("TargetPortal", source.get("targetPortal"), 2)
    w.row("IQN", source.get("iqn"), 2)
    w.row("Lun", source.get("lun") or 0, 2)
    w.line(f"ISCSIInterface\t{source.get('iscsiInterface') or ''}", 2)  # kubectl has no colon here
    w.row("FSType", source.get("fsType"), 2)
    w.row("ReadOnly", bool(source.get("readOnly")), 2)
    w.row("Portals", source.get("portals") or [], 2)
    w.row("DiscoveryCHAPAuth", bool(source.get("chapAuthDiscovery")), 2)
    w.row("SessionCHAPAuth", bool(source.get("chapAuthSession")), 2)
    w.row("SecretRef", _reference(source), 2)
    w.row("InitiatorName", source.get("initiatorName") or NONE, 2)


def _reference(source: Object, field: str = "secretRef") -> str:
    """A reference to a Secret as its generated String method writes it."""
    reference = source.get(field)
    if reference is None:
        return "nil"
    if "namespace" in reference:
        return f"&SecretReference{{Name:{reference.get('name', '')},Namespace:{reference['namespace']},}}"
    return f"&LocalObjectReference{{Name:{reference.get('name', '')},}}"


def _rbd(w: Writer, source: Object) -> None:
    kind = "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)"
    rows = (
        ("CephMonitors", source.get("monitors") or []), ("RBDImage", source.get("image")),
        ("FSType", source.get("fsType")), ("RBDPool", source.get("pool")), ("RadosUser", source.get("user")),
        ("Keyring", source.get("keyring")), ("SecretRef", _reference(source)),
        ("ReadOnly", bool(source.get("readOnly"))),
    )  # fmt: skip
    _fields(w, kind, rows)


def _cinder(w: Writer, source: Object) -> None:
    rows = (
        ("VolumeID", source.get("volumeID")),
        ("FSType", source.get("fsType")),
        ("ReadOnly", bool(source.get("readOnly"))),
        ("SecretRef", _reference(source)),
    )
    _fields(w, "Cinder (a Persistent Disk resource in OpenStack)", rows)


def _cephfs(w: Writer, source: Object) -> None:
    rows = (
        ("Monitors", source.get("monitors") or []), ("Path", source.get("path")), ("User", source.get("user")),
        ("SecretFile", source.get("secretFile")), ("SecretRef", _reference(source)),
        ("ReadOnly", bool(source.get("readOnly"))),
    )  # fmt: skip
    _fields(w, "CephFS (a CephFS mount on the host that shares a pod's lifetime)", rows)


def _fibre_channel(w: Writer, source: Object) -> None:
    lun = source.get("lun")
    rows = (
        ("TargetWWNs", ", ".join(source.get("targetWWNs") or ())),
        ("LUN", NONE if lun is None else lun),
        ("FSType", source.get("fsType")),
        ("ReadOnly", bool(source.get("readOnly"))),
    )
    _fields(w, "FC (a Fibre Channel disk)", rows)


def _flex(w: Writer, source: Object) -> None:
    rows = (
        ("Driver", source.get("driver")),
        ("FSType", source.get("fsType")),
        ("SecretRef", _reference(source)),
        ("ReadOnly", bool(source.get("readOnly"))),
        ("Options", source.get("options") or {}),
    )
    _fields(w, _FLEX, rows)


def _csi(w: Writer, source: Object) -> None:
    rows: list[tuple[str, object]] = [("Driver", source.get("driver")), ("FSType", source.get("fsType"))]
    _fields(w, _CSI, [*rows, ("ReadOnly", bool(source.get("readOnly")))])
    _attributes(w, source.get("volumeAttributes"))


def _persistent_csi(w: Writer, source: Object) -> None:
    rows: list[tuple[str, object]] = [("Driver", source.get("driver")), ("FSType", source.get("fsType"))]
    rows += [("VolumeHandle", source.get("volumeHandle")), ("ReadOnly", bool(source.get("readOnly")))]
    _fields(w, _CSI, rows)
    _attributes(w, source.get("volumeAttributes"))


def _attributes(w: Writer, attributes: Mapping[str, str] | None) -> None:
    w.write("VolumeAttributes:\t", 2)
    if not attributes:
        w.line(NONE)
        return
    for number, key in enumerate(sorted(attributes)):
        if number:
            w.write("", 2)
            w.write("\t", 2)
        text = f"{key}={attributes[key]}"
        w.line(text if len(text) <= LONGEST_ANNOTATION else f"{text[:LONGEST_ANNOTATION]}...", 2)


def _downward(w: Writer, source: Object) -> None:
    w.row("Type", "DownwardAPI (a volume populated by information about the pod)", 2)
    w.line("Items:", 2)
    for item in source.get("items") or ():
        if item.get("fieldRef"):
            w.line(f"{item['fieldRef'].get('fieldPath', '')} -> {item.get('path', '')}", 3)
        if item.get("resourceFieldRef"):
            w.line(f"{item['resourceFieldRef'].get('resource', '')} -> {item.get('path', '')}", 3)


def _projected(w: Writer, source: Object) -> None:
    w.row("Type", "Projected (a volume that contains injected data from multiple sources)", 2)
    for one in source.get("sources") or ():
        if one.get("secret") is not None:
            w.row("SecretName", one["secret"].get("name"), 2)
            w.row("Optional", bool(one["secret"].get("optional")), 2)
        elif one.get("downwardAPI") is not None:
            w.row("DownwardAPI", True, 2)
        elif one.get("configMap") is not None:
            w.row("ConfigMapName", one["configMap"].get("name"), 2)
            w.row("Optional", bool(one["configMap"].get("optional")), 2)
        elif one.get("serviceAccountToken") is not None:
            w.row("TokenExpirationSeconds", one["serviceAccountToken"].get("expirationSeconds") or 0, 2)


def _ephemeral(w: Writer, source: Object) -> None:
    from kubetrace.printing.describe.claims import describe_claim

    kind = "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)"
    w.row("Type", kind, 2)
    template = source.get("volumeClaimTemplate")
    if template is not None:
        w.indented(2, lambda: describe_claim(w, template, whole=False))


def _gluster_persistent(w: Writer, source: Object) -> None:
    rows = (
        ("EndpointsName", source.get("endpoints")),
        ("EndpointsNamespace", source.get("endpointsNamespace") or UNSET),
        ("Path", source.get("path")),
        ("ReadOnly", bool(source.get("readOnly"))),
    )
    _fields(w, _GLUSTER, rows)


def _scale_io_persistent(w: Writer, source: Object) -> None:
    kind, fields = _SIMPLE["scaleIO"]
    rows = [(label, source.get(field, default)) for label, field, default in fields]
    secret = source.get("secretRef") or {}
    between: list[tuple[str, object]] = [
        ("SecretName", secret.get("name")),
        ("SecretNamespace", secret.get("namespace")),
    ]
    _fields(w, kind, [*rows[:-2], *between, *rows[-2:]])


def _azure_file_persistent(w: Writer, source: Object) -> None:
    rows = (
        ("SecretName", source.get("secretName")),
        ("SecretNamespace", source.get("secretNamespace")),
        ("ShareName", source.get("shareName")),
        ("ReadOnly", bool(source.get("readOnly"))),
    )
    _fields(w, _SIMPLE["azureFile"][0], rows)


_WRITERS: dict[str, Callable[[Writer, Object], None]] = {
    **{name: _simple(name) for name in _SIMPLE},
    "emptyDir": _empty_dir,
    "iscsi": _iscsi,
    "ephemeral": _ephemeral,
    "rbd": _rbd,
    "downwardAPI": _downward,
    "cinder": _cinder,
    "cephfs": _cephfs,
    "fc": _fibre_channel,
    "flexVolume": _flex,
    "projected": _projected,
    "csi": _csi,
}
_PERSISTENT: dict[str, Callable[[Writer, Object], None]] = {
    **{name: write for name, write in _WRITERS.items() if name not in ("persistentVolumeClaim", "image")},
    "glusterfs": _gluster_persistent,
    "scaleIO": _scale_io_persistent,
    "azureFile": _azure_file_persistent,
    "csi": _persistent_csi,
}


def describe_volumes(w: Writer, volumes: Sequence[Object], indent: str = "") -> None:
    """A pod's volumes."""
    if not volumes:
        w.line(f"{indent}Volumes:\t{NONE}")
        return
    w.line(f"{indent}Volumes:")
    for volume in volumes:
        w.line(f"{' ' if indent else ''}{volume.get('name', '')}:", 1)
        _source(w, volume, _WRITERS)


def describe_persistent_source(w: Writer, spec: Object) -> None:
    """What a persistent volume is made of. Its references to Secrets have a namespace, be it an empty one."""
    sources = {name: spec[name] for name in _PERSISTENT if spec.get(name) is not None}
    for name, source in sources.items():
        if source.get("secretRef") is not None:
            sources[name] = {**source, "secretRef": {"namespace": "", **source["secretRef"]}}
    _source(w, sources, _PERSISTENT)


def _source(w: Writer, holder: Object, writers: Mapping[str, Callable[[Writer, Object], None]]) -> None:
    name = next((name for name in writers if holder.get(name) is not None), None)
    if name is None:
        w.line("<unknown>", 1)
    else:
        writers[name](w, holder[name])

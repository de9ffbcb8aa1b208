"""A pod's volumes as folders of simulated files, and the files that every container has."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from kubetrace.playground.containers.environment import environment, expanded, field_of, resource_of, values_of
from kubetrace.playground.containers.filesystem import Directory, File, FileSystem, Link, Node, folder
from kubetrace.playground.pods import claim_name
from kubetrace.playground.service_accounts import token_claims
from kubetrace.playground.storage import Store
from kubetrace.playground.tokens import Signer

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_FOLDERS = (
    "/bin",
    "/dev",
    "/etc",
    "/home",
    "/proc",
    "/root",
    "/sbin",
    "/tmp",
    "/usr/bin",
    "/usr/local/bin",
    "/var/log",
)


LIVE = frozenset(("configMap", "secret", "projected", "downwardAPI"))
"""Kinds of volumes that follow the objects that they come from."""


class MountFailure(Exception):
    """A volume can't be set up; the message is the event's."""


class Volumes:
    """What outlives one container: a pod's emptyDirs, and per node and claim what pods share."""

    def __init__(self, store: Store, signer: Signer | None) -> None:
        self._store, self._signer = store, signer
        self._shared: dict[str, Directory] = {}

    def forget(self, uid: str) -> None:
        """A pod, or a claim, is gone."""
        for key in [key for key in self._shared if key.startswith(f"{uid}/")]:
            del self._shared[key]

    def _folder(self, key: str) -> Directory:
        return self._shared.setdefault(key, folder(0o777))

    def fill(self, files: FileSystem, pod: dict[str, Any], container: dict[str, Any]) -> None:
        """A new container's files. Raises MountFailure."""
        from kubetrace.playground.containers.programs import PROGRAMS

        for path in _FOLDERS:
            files.make_folder(path, parents=True)
        files.get("/tmp").mode = 0o1777
        files.get("/root").mode = 0o700
        for name in (*PROGRAMS, "sh"):
            files.put(f"/bin/{name}", File(0o755))
        for path, text in _own(pod).items():
            files.put(path, _file(text.encode()))
        self._account(files, pod)
        self._mount_all(files, pod, container, fresh=True)
        working = container.get("workingDir")
        if working:
            files.make_folder(working, parents=True)

    def refresh(self, files: FileSystem, pod: dict[str, Any], container: dict[str, Any]) -> None:
        """Brings what comes from the pod and its ConfigMaps and Secrets up to date. Raises MountFailure."""
        hosts = _own(pod)["/etc/hosts"]
        node = files.find("/etc/hosts")
        address = (pod.get("status") or {}).get("podIP", "")
        if isinstance(node, File) and address and address.encode() not in node.data:
            files.put("/etc/hosts", _file(hosts.encode()))
        self._mount_all(files, pod, container, fresh=False)

    def _mount_all(self, files: FileSystem, pod: dict[str, Any], container: dict[str, Any], fresh: bool) -> None:
        known = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
        for mount in container.get("volumeMounts") or ():
            volume = known.get(mount["name"])
            if volume is None:
                continue
            lasting = mount.get("subPath") or mount.get("subPathExpr") or not LIVE & set(volume)
            if fresh or not lasting:  # what is mounted by subPath stays as it was
                self._mount(files, pod, container, volume, mount)

    def check(self, pod: dict[str, Any]) -> None:
        """Raises MountFailure where a volume of the pod can't be set up."""
        for volume in pod["spec"].get("volumes") or ():
            self._node(pod, {}, volume)

    def _mount(
        self,
        files: FileSystem,
        pod: dict[str, Any],
        container: dict[str, Any],
        volume: dict[str, Any],
        mount: dict[str, Any],
    ) -> None:
        node: Node = self._node(pod, container, volume)
        if mount.get("readOnly") and isinstance(node, Directory):
            node = replace(node, read_only=True)
        below = mount.get("subPath") or ""
        if mount.get("subPathExpr"):
            below = expanded(mount["subPathExpr"], environment(self._store, pod, container))
        if below and isinstance(node, Directory) and isinstance(data := node.entries.get("..data"), Link):
            node = node.entries[data.target]
        for part in [part for part in below.split("/") if part]:
            assert isinstance(node, Directory)
            node = node.entries.setdefault(part, folder(0o777))
            if not isinstance(node, Directory):
                break
        files.mount(mount["mountPath"].rstrip("/") or "/mnt", node, getattr(node, "read_only", False))

    def _node(self, pod: dict[str, Any], container: dict[str, Any], volume: dict[str, Any]) -> Directory:
        name = volume["name"]
        for part, kind in (("configMap", "configmap"), ("secret", "secret")):
            if part in volume:
                return _published(self._keys(pod, volume[part], kind, name))
        if "projected" in volume:
            entries: dict[str, Node] = {}
            for source in volume["projected"].get("sources") or ():
                entries |= self._projected(pod, container, source, name)
            return _published(entries)
        if "downwardAPI" in volume:
            return _published(_downward(pod, container, volume["downwardAPI"]))
        found = self._written(pod, volume)
        group = (pod["spec"].get("securityContext") or {}).get("fsGroup")
        if group is not None and "hostPath" not in volume:
            found.gid, found.mode = int(group), 0o2777
        return found

    def _written(self, pod: dict[str, Any], volume: dict[str, Any]) -> Directory:
        """A volume that its pods write to."""
        uid, name = pod["metadata"]["uid"], volume["name"]
        claimed = claim_name(pod, volume)
        if claimed:
            claim = self._store.get("persistentvolumeclaims", pod["metadata"]["namespace"], claimed)
            return self._folder(f"{claim['metadata']['uid']}/data" if claim else f"{uid}/{name}")
        if "hostPath" in volume:
            return self._folder(f"node {pod['spec'].get('nodeName', '')}/{volume['hostPath'].get('path', '')}")
        return self._folder(f"{uid}/{name}")

    def _projected(
        self, pod: dict[str, Any], container: dict[str, Any], source: dict[str, Any], name: str
    ) -> dict[str, Node]:
        if "serviceAccountToken" in source:
            token = self._token(pod, source["serviceAccountToken"].get("audience"))
            return {source["serviceAccountToken"].get("path", "token"): _file(token)}
        if "downwardAPI" in source:
            return _downward(pod, container, source["downwardAPI"])
        for part, kind in (("configMap", "configmap"), ("secret", "secret")):
            if part in source:
                return self._keys(pod, source[part], kind, name)
        return {}

    def _keys(self, pod: dict[str, Any], source: dict[str, Any], kind: str, volume: str) -> dict[str, Node]:
        name, namespace = source.get("name") or source.get("secretName", ""), pod["metadata"]["namespace"]
        values = values_of(self._store, kind, namespace, name)
        if values is None:
            if source.get("optional"):
                return {}
            raise MountFailure(f'MountVolume.SetUp failed for volume "{volume}" : {kind} "{name}" not found')
        mode = source.get("defaultMode", 0o644)
        if not source.get("items"):
            return {key: _file(value, mode) for key, value in values.items()}
        entries: dict[str, Node] = {}
        for item in source["items"]:
            if item["key"] in values:
                _place(entries, item["path"], _file(values[item["key"]], item.get("mode", mode)))
            elif not source.get("optional"):
                key = "config" if kind == "configmap" else "secret"
                told = f"{'configmap ' if kind == 'configmap' else ''}references non-existent {key} key: {item['key']}"
                raise MountFailure(f'MountVolume.SetUp failed for volume "{volume}" : {told}')
        return entries

    def _account(self, files: FileSystem, pod: dict[str, Any]) -> None:
        spec, namespace = pod["spec"], pod["metadata"]["namespace"]
        account = self._store.get("serviceaccounts", namespace, spec.get("serviceAccountName") or "default")
        wanted = spec.get("automountServiceAccountToken", (account or {}).get("automountServiceAccountToken", True))
        if account is None or not wanted:
            return
        entries: dict[str, Node] = {
            "ca.crt": _file((self._store.fact("ca") or "").encode()),
            "namespace": _file(namespace.encode()),
            "token": _file(self._token(pod, None)),
        }
        files.mount(_ACCOUNT, _published(entries), read_only=True)

    def _token(self, pod: dict[str, Any], audience: str | None) -> bytes:
        account = self._store.get(
            "serviceaccounts", pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName") or "default"
        )
        if account is None or self._signer is None:
            return b""
        claims = token_claims(self._store, pod)
        return self._signer.issue(account, [audience] if audience else [], 3607, claims)[0].encode()


def _file(data: bytes, mode: int = 0o644) -> File:
    return File(mode, data=bytearray(data))


def _published(entries: dict[str, Node]) -> Directory:
    """As a kubelet lays out what it may change later: links into ..data, itself a link to a folder with a date."""
    now = time.time()
    dated = time.strftime("..%Y_%m_%d_%H_%M_%S.", time.gmtime(now)) + f"{int(now % 1 * 1e9):09}"
    whole: dict[str, Node] = {dated: Directory(0o755, entries=entries, read_only=True)}
    whole["..data"] = Link(0o777, target=dated)
    whole |= {name: Link(0o777, target=f"..data/{name}") for name in entries}
    return Directory(0o1777, entries=whole, read_only=True)


def _place(entries: dict[str, Node], path: str, node: Node) -> None:
    *folders, name = [part for part in path.split("/") if part]
    for part in folders:
        inner = entries.setdefault(part, folder())
        assert isinstance(inner, Directory)
        entries = inner.entries
    entries[name] = node


def _downward(pod: dict[str, Any], container: dict[str, Any], source: dict[str, Any]) -> dict[str, Node]:
    entries: dict[str, Node] = {}
    for item in source.get("items") or ():
        if "fieldRef" in item:
            text = field_of(pod, item["fieldRef"].get("fieldPath", ""))
        else:
            reference = item.get("resourceFieldRef") or {}
            named = [c for c in pod["spec"]["containers"] if c["name"] == reference.get("containerName")]
            text = resource_of(named[0] if named else container, reference)
        _place(entries, item["path"], _file(text.encode()))
    return entries


def _own(pod: dict[str, Any]) -> dict[str, str]:
    """The files that a kubelet and an image bring."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    name, namespace = str(spec.get("hostname") or metadata["name"]), metadata["namespace"]
    search = " ".join(f"{part}cluster.local" for part in (f"{namespace}.svc.", "svc.", ""))
    hosts = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"
    aliases = [f"{entry['ip']}\t{' '.join(entry.get('hostnames') or ())}\n" for entry in spec.get("hostAliases") or ()]
    return {
        "/etc/hostname": f"{name}\n",
        "/etc/hosts": f"{hosts}{status.get('podIP', '')}\t{name}\n{''.join(aliases)}",
        "/etc/os-release": 'NAME="kubetrace playground"\nID=simulated\nPRETTY_NAME="simulated"\n',
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "/etc/resolv.conf": f"search {search}\nnameserver 10.96.0.10\noptions ndots:5\n",
        "/README": "This container is simulated: no process runs, and its files are in memory only.\n",
    }

"""Every pod runs as some ServiceAccount, and has a volume with its token (plugin/pkg/admission/serviceaccount)."""

from __future__ import annotations

from kubetrace.playground.objects import Object, admitted_name, random_suffix
from kubetrace.playground.status import forbidden
from kubetrace.playground.storage import Store

_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_SECONDS = 3607


def token_claims(store: Store, pod: Object) -> Object:
    """What a pod's token says of it (pkg/serviceaccount/claims.go)."""
    claims: Object = {"pod": {"name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}}
    node = store.get("nodes", "", pod["spec"].get("nodeName") or "")
    return (
        claims
        if node is None
        else claims | {"node": {"name": node["metadata"]["name"], "uid": node["metadata"]["uid"]}}
    )


def admit(store: Store, item: Object) -> None:
    """Changes a new pod in place. Raises 403 where there is no such account."""
    spec, metadata = item["spec"], item["metadata"]
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return
    name = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", name)
    namespace = metadata["namespace"]
    account = store.get("serviceaccounts", namespace, name)
    if account is None and name != "default":  # that one is being made
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden("pods", "", admitted_name(metadata), why)
    wants = spec.get("automountServiceAccountToken")
    if wants is None:
        wants = (account or {}).get("automountServiceAccountToken", True)
    if wants:
        _mount_token(spec)
    if not spec.get("imagePullSecrets") and (account or {}).get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(entry) for entry in (account or {})["imagePullSecrets"]]


def _mount_token(spec: Object) -> None:
    volume = f"kube-api-access-{random_suffix()}"
    needed = False
    for group in ("initContainers", "containers"):
        for container in spec.get(group) or ():
            mounts = container.get("volumeMounts") or []
            if not any(mount.get("mountPath") == _MOUNT for mount in mounts):
                container["volumeMounts"] = [*mounts, {"name": volume, "readOnly": True, "mountPath": _MOUNT}]
                needed = True
    if needed:
        own = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
        sources = [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": own}]}},
        ]
        projected = {"sources": sources, "defaultMode": 420}
        spec["volumes"] = [*(spec.get("volumes") or ()), {"name": volume, "projected": projected}]

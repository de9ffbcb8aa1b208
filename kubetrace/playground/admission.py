"""Admission: what plugins add to new objects after defaults, and what they refuse (plugin/pkg/admission)."""

from __future__ import annotations

from kubetrace.playground import budgets, limits, pod_security, service_accounts
from kubetrace.playground.access import User
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object, admitted_name
from kubetrace.playground.status import forbidden, invalid
from kubetrace.playground.storage import Store
from kubetrace.playground.validation.causes import amount

PRIORITY_CLASSES = "priorityclasses.scheduling.k8s.io"
STORAGE_CLASSES = "storageclasses.storage.k8s.io"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
CLAIM_PROTECTION, VOLUME_PROTECTION = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
ATTRIBUTES_PROTECTION = "kubernetes.io/vac-protection"


def mutate(store: Store, resource: Resource, item: Object, user: User | None) -> None:
    """What plugins add to a new object; it belongs to no field manager. Raises 403 as the plugin says that refuses it.

    `user` is who creates it, None for the playground's own controllers.
    """
    if resource.key == "persistentvolumeclaims":
        _default_class(store, item)
        _protect(item, CLAIM_PROTECTION)
    if resource.key == "persistentvolumes":
        _protect(item, VOLUME_PROTECTION)
    if resource.key == "certificatesigningrequests.certificates.k8s.io":
        _requestor(item, user)
        _no_masters(resource, item)
    if resource.key == "volumeattributesclasses.storage.k8s.io":
        _protect(item, ATTRIBUTES_PROTECTION)
    if resource.key == "ingresses.networking.k8s.io":
        _default_ingress_class(store, item)
    if resource.key == "nodes":
        _not_ready(item["spec"])
    if resource.key == "pods":
        limits.fill(store, item)
        service_accounts.admit(store, item)
        _priority(store, resource, item)
        _tolerations(item["spec"])
        _runtime_class(store, resource, item)


def _not_ready(spec: Object) -> None:
    """TaintNodesByCondition: no pod comes to a new node before it is ready."""
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
    taints = spec.setdefault("taints", [])
    if not any((each.get("key"), each.get("effect")) == (taint["key"], taint["effect"]) for each in taints):
        taints.append(taint)


def _one_default(store: Store, resource: Resource, item: Object) -> None:
    """Priority: there is one class at most that counts for pods that name none."""
    name = item["metadata"].get("name", "")
    others = (each["metadata"]["name"] for each in store.select(PRIORITY_CLASSES) if each.get("globalDefault"))
    other = next((each for each in others if each != name), None)
    if item.get("globalDefault") and other is not None:
        why = f"PriorityClass {other} is already marked as default. Only one default can exist"
        raise forbidden(resource.name, resource.group, name, why)


def check(store: Store, resource: Resource, item: Object, warnings: list[str]) -> None:
    """Raises 403 where a new object has no room, or is not safe enough for its namespace: in the order in which the
    plugins are asked (pkg/kubeapiserver/options/plugins.go)."""
    limits.check(store, resource, item)
    if resource.key == PRIORITY_CLASSES:
        _one_default(store, resource, item)
    secure(store, resource, item, None, warnings)
    budgets.admit(store, resource, item)


def change(store: Store, resource: Resource, item: Object, old: Object) -> None:
    """What plugins do to an update, before it is looked at. Raises 403."""
    if resource.key == "pods":
        _tolerations(item["spec"])
        for name in ("priority", "preemptionPolicy"):
            if item["spec"].get(name) is None and name in old["spec"]:
                item["spec"][name] = old["spec"][name]
    if resource.key == PRIORITY_CLASSES:
        _one_default(store, resource, item)


def check_change(
    store: Store,
    resource: Resource,
    item: Object,
    old: Object,
    warnings: list[str],
    user: User | None,
    subresource: str = "",
) -> None:
    """Raises 403 for an update that is right, but may not be."""
    if resource.key == "persistentvolumeclaims" and user is not None:
        _may_grow(store, resource, item, old)
    if resource.key == "pods" or not subresource:
        secure(store, resource, item, old, warnings)


def _may_grow(store: Store, resource: Resource, item: Object, old: Object) -> None:
    """PersistentVolumeClaimResize."""
    before, after = (amount(((each["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0"))
                     for each in (old, item))  # fmt: skip
    if before is None or after is None or after <= before:
        return
    name = item["metadata"]["name"]
    if (old.get("status") or {}).get("phase") != "Bound":
        raise forbidden(resource.name, "", name, "Only bound persistent volume claims can be expanded")
    kind = store.get(STORAGE_CLASSES, "", item["spec"].get("storageClassName") or "")
    if kind is None or not kind.get("allowVolumeExpansion"):
        why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
        raise forbidden(resource.name, "", name, f"{why}support resize")


def secure(store: Store, resource: Resource, item: Object, old: Object | None, warnings: list[str]) -> None:
    """PodSecurity, of a new or a changed object. Raises 403; for a namespace with labels that say nothing, 422."""
    metadata = item["metadata"]
    labels = metadata.get("labels") or {}
    if resource.key == "namespaces":
        before = ((old or {}).get("metadata") or {}).get("labels") or {}
        causes = pod_security.policies(labels)[2]
        if causes and causes != pod_security.policies(before)[2]:
            raise invalid(resource.kind, resource.group, metadata["name"], causes)
        if old is not None:
            pods = store.select("pods", metadata["name"])
            warnings += pod_security.namespace_warnings(metadata["name"], labels, before, pods)
        return
    pod = item if resource.key == "pods" else pod_security.template_of(resource.key, item)
    if pod is None or (old is not None and resource.key == "pods" and not _is_significant(old["spec"], item["spec"])):
        return
    place = store.get("namespaces", "", metadata.get("namespace", ""))
    enforce, warn, _ = pod_security.policies(((place or {}).get("metadata") or {}).get("labels") or {})
    wrong = pod_security.violations(enforce, pod) if resource.key == "pods" else []
    if wrong:
        why = f'violates PodSecurity "{pod_security.text_of(enforce)}": {pod_security.told(wrong)}'
        raise forbidden(resource.name, resource.group, metadata.get("name", ""), why)
    wrong = pod_security.violations(warn, pod)
    if wrong:
        told = pod_security.told(wrong)
        warnings.append(f'would violate PodSecurity "{pod_security.text_of(warn)}": {told}')


def _is_significant(old: Object, spec: Object) -> bool:
    """Whether a changed pod is looked at again: for its containers and their images (isSignificantPodUpdate in
    pod-security-admission admission/admission.go). What makes pods is looked at whatever changes in it."""
    for name in ("containers", "initContainers", "ephemeralContainers"):
        images = [[(each["name"], each.get("image")) for each in pod.get(name) or ()] for pod in (old, spec)]
        if images[0] != images[1]:
            return True
    return False


def _default_class(store: Store, claim: Object) -> None:
    """DefaultStorageClass."""
    if claim["spec"].get("storageClassName") is not None:
        return
    name = _marked(store, STORAGE_CLASSES, DEFAULT_CLASS)
    if name is not None:
        claim["spec"]["storageClassName"] = name


def _marked(store: Store, key: str, annotation: str) -> str | None:
    """The newest class that an annotation marks as the default."""
    found = (kind["metadata"] for kind in store.select(key))
    marked = [each for each in found if (each.get("annotations") or {}).get(annotation) == "true"]
    newest = max(marked, key=lambda each: (each["creationTimestamp"], each["name"]), default=None)
    return None if newest is None else str(newest["name"])


def _priority(store: Store, resource: Resource, pod: Object) -> None:
    """Priority: the class's number stands in the pod."""
    name = pod["spec"].get("priorityClassName")
    key = PRIORITY_CLASSES
    if name:
        found = store.get(key, "", name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
    else:
        found = next((kind for kind in store.select(key) if kind.get("globalDefault")), None)
    spec = pod["spec"]
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    computed = (found or {}).get("value", 0)
    policy = (found or {}).get("preemptionPolicy", "PreemptLowerPriority")
    wanted = (("priority", "integer value of priority", computed), ("preemptionPolicy", _POLICY_WORDS, policy))
    for field, words, value in wanted:
        given = spec.get(field)
        if given is not None and given != value:
            why = f"the {words} ({given}) must not be provided in pod spec; priority admission controller computed "
            why += f"{value} from the given PriorityClass name"
            raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
        spec[field] = value


_POLICY_WORDS = "string value of PreemptionPolicy"


def _runtime_class(store: Store, resource: Resource, pod: Object) -> None:
    """RuntimeClass: what the class costs, and where it runs."""
    spec, name = pod["spec"], pod["spec"].get("runtimeClassName")
    given = spec.get("overhead")
    if not name:
        if given:
            why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
        return
    found = store.get("runtimeclasses.node.k8s.io", "", name)
    if found is None:
        why = f'pod rejected: RuntimeClass "{name}" not found'
        raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
    overhead = (found.get("overhead") or {}).get("podFixed")
    if given and given != overhead:
        why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
    if overhead:
        spec["overhead"] = overhead
    scheduling = found.get("scheduling") or {}
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if spec.setdefault("nodeSelector", {}).setdefault(key, value) != value:
            why = f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
            why += f"pod.spec.nodeSelector[{key}] = {spec['nodeSelector'][key]}"
            raise forbidden(resource.name, resource.group, admitted_name(pod["metadata"]), why)
    added = [entry for entry in scheduling.get("tolerations") or () if entry not in (spec.get("tolerations") or ())]
    if added:
        spec["tolerations"] = [*(spec.get("tolerations") or ()), *added]


def _default_ingress_class(store: Store, ingress: Object) -> None:
    """DefaultIngressClass."""
    annotations = ingress["metadata"].get("annotations") or {}
    if ingress["spec"].get("ingressClassName") is not None or "kubernetes.io/ingress.class" in annotations:
        return
    name = _marked(store, "ingressclasses.networking.k8s.io", _DEFAULT_INGRESS)
    if name is not None:
        ingress["spec"]["ingressClassName"] = name


_DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"


def _protect(item: Object, finalizer: str) -> None:
    finalizers = item["metadata"].setdefault("finalizers", [])
    if finalizer not in finalizers:
        finalizers.append(finalizer)


def _tolerations(spec: Object) -> None:
    tolerations = spec.get("tolerations") or []
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(entry, key) for entry in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    spec["tolerations"] = tolerations


def _tolerates(entry: Object, key: str) -> bool:
    return entry.get("key") in (key, None, "") and entry.get("effect") in ("NoExecute", None, "")


def _no_masters(resource: Resource, item: Object) -> None:
    """CertificateSubjectRestriction: no certificate makes anybody almighty."""
    from kubetrace.playground.validation.cluster import groups_asked

    signer = "kubernetes.io/kube-apiserver-client"
    if item["spec"].get("signerName") == signer and "system:masters" in groups_asked(item["spec"].get("request") or ""):
        why = f"use of {signer} signer with system:masters group is not allowed"
        raise forbidden(resource.name, resource.group, admitted_name(item["metadata"]), why)


def _requestor(item: Object, user: User | None) -> None:
    spec = item.setdefault("spec", {})
    for name in ("username", "uid", "groups", "extra"):
        spec.pop(name, None)
    if user is not None:
        spec["username"], spec["groups"] = user.name, list(user.groups)
        if user.uid:
            spec["uid"] = user.uid
        if user.extra:
            spec["extra"] = user.extra

"""ResourceQuotas: what a namespace uses, and who may still come (admission plugin ResourceQuota)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from kubetrace.playground import pod_resources
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_done
from kubetrace.playground.quantities import amount, written
from kubetrace.playground.status import ApiError, forbidden
from kubetrace.playground.storage import Store

KEY = "resourcequotas"
_COUNTED = frozenset(
    (
        "pods",
        "services",
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
    )
)


def _resource_of(key: str) -> str:
    """The resource whose objects a quota's line is about, "" for none that is known."""
    if key in _COUNTED:
        return key
    if key.startswith("count/"):
        return key.removeprefix("count/")
    if key.startswith("services."):
        return "services"
    if key == "requests.storage" or ".storageclass.storage.k8s.io/" in key:
        return "persistentvolumeclaims"
    if key in ("cpu", "memory", "ephemeral-storage") or key.startswith(("requests.", "limits.")):
        return "pods"
    return ""


def _is_count(key: str) -> bool:
    """Does a quota's line count objects? The others add amounts up."""
    return key in _COUNTED or key.startswith("count/")


def _amount_of(key: str) -> tuple[str, str]:
    """("requests" or "limits", resource) of a line about pods."""
    group, _, name = key.partition(".")
    return (group, name) if name else ("requests", key)


def _charge(key: str, item: Object) -> Fraction:
    """What one object costs of a quota's line."""
    if _is_count(key):
        return Fraction(1)
    spec = item.get("spec") or {}
    if key == "services.nodeports":
        kinds = ("NodePort", "LoadBalancer")
        return Fraction(len(spec.get("ports") or ()) if spec.get("type") in kinds else 0)
    if key == "services.loadbalancers":
        return Fraction(spec.get("type") == "LoadBalancer")
    if key == "requests.storage" or ".storageclass.storage.k8s.io/" in key:
        kind, _, line = key.partition(".storageclass.storage.k8s.io/")
        if line and spec.get("storageClassName") != kind:
            return Fraction(0)
        if line == "persistentvolumeclaims":
            return Fraction(1)
        return amount(str(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")))
    return _of_pod(spec, *_amount_of(key))


def _of_pod(spec: Object, group: str, name: str) -> Fraction:
    found = pod_resources.requested(spec) if group == "requests" else pod_resources.limited(spec)
    return amount(found.get(name, "0"))


def _in_scope(quota: Object, item: Object) -> bool:
    """Scopes look at pods only."""
    spec, pod = quota["spec"], item.get("spec") or {}
    scopes = [(scope, "Exists", ()) for scope in spec.get("scopes") or ()]
    for entry in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        scopes.append((entry["scopeName"], entry.get("operator", "Exists"), tuple(entry.get("values") or ())))
    best = (item.get("status") or {}).get("qosClass") == "BestEffort"
    ends = pod.get("activeDeadlineSeconds") is not None
    facts = {"BestEffort": best, "NotBestEffort": not best, "Terminating": ends, "NotTerminating": not ends}
    for scope, operator, values in scopes:
        if scope == "PriorityClass":
            name = pod.get("priorityClassName", "")
            held = {"In": name in values, "NotIn": name not in values, "Exists": bool(name)}.get(operator, not name)
        elif scope == "CrossNamespacePodAffinity":
            held = _looks_elsewhere(pod.get("affinity") or {})
        else:
            held = facts.get(scope, True)
        if not held:
            return False
    return True


def _looks_elsewhere(affinity: Object) -> bool:
    """Whether a pod's place depends on pods of other namespaces (usesCrossNamespacePodAffinity)."""
    kinds = [affinity.get(name) or {} for name in ("podAffinity", "podAntiAffinity")]
    terms = [term for kind in kinds for term in kind.get("requiredDuringSchedulingIgnoredDuringExecution") or ()]
    for kind in kinds:
        liked = kind.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [term.get("podAffinityTerm") or {} for term in liked]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


def _counts(resource: str, item: Object) -> bool:
    return resource != "pods" or not is_done(item)


def _items(store: Store, resource: str, namespace: str, quota: Object) -> Iterable[Object]:
    for item in store.select(resource, namespace):
        if _counts(resource, item) and (resource != "pods" or _in_scope(quota, item)):
            yield item


def used(store: Store, quota: Object) -> dict[str, str]:
    """status.used of a quota."""
    namespace, hard = quota["metadata"]["namespace"], quota["spec"].get("hard") or {}
    found = {}
    for key, value in hard.items():
        resource = _resource_of(key)
        if resource:
            total = _total(store, quota, key, resource, namespace)
            found[key] = written(total, str(value))
    return found


def _total(store: Store, quota: Object, key: str, resource: str, namespace: str) -> Fraction:
    counted = _is_count(key)
    if counted and resource != "pods":
        return Fraction(store.count(resource, namespace))
    return sum((_charge(key, item) for item in _items(store, resource, namespace, quota)), Fraction(0))


def admit(store: Store, resource: Resource, item: Object) -> None:
    """Raises 403 where one more object would exceed a quota."""
    namespace = item["metadata"].get("namespace", "")
    if not namespace or resource.key == KEY:
        return
    for quota in store.select(KEY, namespace):
        hard = quota["spec"].get("hard") or {}
        lines = [key for key in sorted(hard) if _resource_of(key) == resource.key]
        if not lines or (resource.key == "pods" and not _in_scope(quota, item)):
            continue
        _need_amounts(resource, quota, item, lines)
        _need_room(store, resource, quota, item, lines)


def _refusal(resource: Resource, item: Object, why: str) -> ApiError:
    return forbidden(resource.name, resource.group, item["metadata"].get("name", ""), why)


def _need_amounts(resource: Resource, quota: Object, item: Object, lines: list[str]) -> None:
    """A quota on cpu or memory needs every container to say what it wants."""
    if resource.key != "pods" or pod_resources.says_some(item["spec"]):
        return
    missing = []
    for key in lines:
        if _is_count(key):
            continue
        group, name = _amount_of(key)
        specs = [*(item["spec"].get("containers") or ()), *(item["spec"].get("initContainers") or ())]
        lacking = [c["name"] for c in specs if name not in ((c.get("resources") or {}).get(group) or {})]
        if lacking:
            missing.append(f"{key} for: {','.join(sorted(lacking))}")
    if missing:
        raise _refusal(resource, item, f"failed quota: {quota['metadata']['name']}: must specify {'; '.join(missing)}")


def _need_room(store: Store, resource: Resource, quota: Object, item: Object, lines: list[str]) -> None:
    namespace, hard = item["metadata"]["namespace"], quota["spec"]["hard"]
    over = []
    for key in lines:
        wanted = _charge(key, item)
        before = _total(store, quota, key, resource.key, namespace)
        if wanted and before + wanted > amount(str(hard[key])):
            like = str(hard[key])
            over.append((key, written(wanted, like), written(before, like), like))
    if over:
        told = f"exceeded quota: {quota['metadata']['name']}"
        for title, place in (("requested", 1), ("used", 2), ("limited", 3)):
            told += f", {title}: {','.join(f'{entry[0]}={entry[place]}' for entry in over)}"
        raise _refusal(resource, item, told)

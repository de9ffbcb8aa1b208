"""Table rows of kinds that are rarely looked at (k8s.io/kubernetes pkg/printers/internalversion/printers.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubetrace.playground.row_values import NONE, Item, age, containers, get, joined

_UNSET = "<unset>"


def _pod_template(item: Item) -> list[Any]:
    template = item.get("template") or {}
    names, images = containers(template.get("spec") or {})
    return [item["metadata"]["name"], names, images, joined(get(template, "metadata.labels"))]


def _revision(item: Item) -> list[Any]:
    owners = item["metadata"].get("ownerReferences") or ()
    owner = next((each for each in owners if each.get("controller")), None)
    name = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        name = f"{owner['kind'].lower()}{f'.{group}' if group else ''}/{owner['name']}"
    return [item["metadata"]["name"], name, item.get("revision", 0), age(item)]


_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


def _ingress_class(item: Item) -> list[Any]:
    spec, text = item.get("spec") or {}, NONE
    parameters = spec.get("parameters")
    if parameters:
        group = parameters.get("apiGroup")
        text = f"{parameters['kind']}{f'.{group}' if group else ''}/{parameters['name']}"
    default = (item["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
    name = f"{item['metadata']['name']}{' (default)' if default else ''}"
    return [name, spec.get("controller", ""), text, age(item)]


def _webhooks(item: Item) -> list[Any]:
    return [item["metadata"]["name"], len(item.get("webhooks") or ()), age(item)]


def _policy(item: Item) -> list[Any]:
    kind = get(item, "spec.paramKind")
    text = _UNSET if kind is None else f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}"
    return [item["metadata"]["name"], len(get(item, "spec.validations", ())), text, age(item)]


def _policy_binding(item: Item) -> list[Any]:
    reference = get(item, "spec.paramRef")
    text = _UNSET
    if reference is not None:
        place, name = reference.get("namespace"), reference.get("name")
        text = f"{place}/{name}" if place else f"*/{name}" if name else str(reference.get("selector"))
    return [item["metadata"]["name"], get(item, "spec.policyName", ""), text, age(item)]


def _csi_driver(item: Item) -> list[Any]:
    spec = item.get("spec") or {}
    attached = spec.get("attachRequired", True)
    requests = [entry.get("audience", "") for entry in spec.get("tokenRequests") or ()]
    row = [item["metadata"]["name"], attached, bool(spec.get("podInfoOnMount")), bool(spec.get("storageCapacity"))]
    row += [",".join(requests) if requests else _UNSET, bool(spec.get("requiresRepublish"))]
    return [*row, ",".join(spec.get("volumeLifecycleModes") or ()) or NONE, age(item)]


def _csi_node(item: Item) -> list[Any]:
    return [item["metadata"]["name"], len(get(item, "spec.drivers", ())), age(item)]


def _attachment(item: Item) -> list[Any]:
    spec = item.get("spec") or {}
    volume = get(spec, "source.persistentVolumeName", "")
    row = [item["metadata"]["name"], spec.get("attacher", ""), volume, spec.get("nodeName", "")]
    return [*row, bool(get(item, "status.attached", False)), age(item)]


def _ip_address(item: Item) -> list[Any]:
    parent = get(item, "spec.parentRef", {})
    parts = [parent.get("group"), parent.get("resource"), parent.get("namespace"), parent.get("name")]
    return [item["metadata"]["name"], "/".join(part for part in parts if part), age(item)]


def _service_cidr(item: Item) -> list[Any]:
    return [item["metadata"]["name"], ",".join(get(item, "spec.cidrs", ())), age(item)]


def _resource_claim(item: Item) -> list[Any]:
    status, states = item.get("status") or {}, []
    if item["metadata"].get("deletionTimestamp"):
        states.append("deleted")
    if status.get("allocation") is None:
        states += [] if states else ["pending"]
    else:
        states += ["allocated", *(["reserved"] if status.get("reservedFor") else [])]
    return [item["metadata"]["name"], ",".join(states), age(item)]


def _resource_slice(item: Item) -> list[Any]:
    spec = item.get("spec") or {}
    return [item["metadata"]["name"], spec.get("nodeName", ""), spec.get("driver", ""), get(spec, "pool.name", ""),
            age(item)]  # fmt: skip


def _mutating_policy(item: Item) -> list[Any]:
    name, _, kind, since = _policy(item)
    return [name, len(get(item, "spec.mutations", ())), kind, since]


RARE_CELLS: dict[str, Callable[[Item], list[Any]]] = {
    "podtemplates": _pod_template,
    "controllerrevisions.apps": _revision,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "ipaddresses.networking.k8s.io": _ip_address,
    "servicecidrs.networking.k8s.io": _service_cidr,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _webhooks,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _mutating_policy,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "csidrivers.storage.k8s.io": _csi_driver,
    "csinodes.storage.k8s.io": _csi_node,
    "volumeattachments.storage.k8s.io": _attachment,
    "resourceclaims.resource.k8s.io": _resource_claim,
    "resourceslices.resource.k8s.io": _resource_slice,
}

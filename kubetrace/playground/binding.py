"""Bindings: a scheduler's word on which node a pod runs (pkg/registry/core/pod/storage/storage.go)."""

from __future__ import annotations

import copy
from typing import Any

from kubetrace.playground import status
from kubetrace.playground.bodies import check_body
from kubetrace.playground.objects import Object, now
from kubetrace.playground.pods import with_condition
from kubetrace.playground.status import ApiError
from kubetrace.playground.verbs import Verbs
from kubetrace.playground.write import Write


def bind(verbs: Verbs, namespace: str, name: str, body: Any, write: Write) -> Object:
    """Assigns the pod to the body's target. `name` is the URL's; empty in a POST to bindings, whose body has it."""
    resource = verbs.catalog.find("", "v1", "bindings")
    assert resource is not None
    binding = check_body(verbs.catalog, resource, body, namespace, write)
    metadata = binding["metadata"]
    if not name and not metadata.get("name"):
        raise ApiError(400, "Name parameter required.")
    if name and metadata.get("name", "") != name:
        raise ApiError(400, "name in URL does not match name in Binding object")
    node = _target(binding)
    pods = verbs.catalog.find("", "v1", "pods")
    assert pods is not None
    pod = copy.deepcopy(verbs.read(pods, namespace, metadata["name"]))
    _check_preconditions(metadata, pod["metadata"])
    if why := _hindrance(pod):
        raise status.conflict("pods/binding", "", metadata["name"], why)
    for part in ("annotations", "labels"):
        if metadata.get(part):
            pod["metadata"][part] = (pod["metadata"].get(part) or {}) | metadata[part]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
    assign(pod, node, scheduled)
    if not write.dry_run:
        verbs.store.put("pods", pod)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def assign(pod: Object, node: str, scheduled: Object) -> None:
    """Gives the pod its node; `scheduled` is its condition PodScheduled."""
    pod["spec"]["nodeName"] = node
    pod["status"].pop("nominatedNodeName", None)
    pod["status"]["conditions"] = with_condition(pod, scheduled)


def _target(binding: Object) -> str:
    """The node's name. Raises what ValidatePodBinding finds, which is no 422."""
    target = binding.get("target") or {}
    wrong = []
    if target.get("kind", "") not in ("Node", ""):
        wrong.append(f'target.kind: Unsupported value: "{target["kind"]}": supported values: "Node", "<empty>"')
    if not target.get("name"):
        wrong.append("target.name: Required value")
    if wrong:
        raise ApiError(500, wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]", "")
    return str(target["name"])


def _check_preconditions(wanted: Object, found: Object) -> None:
    for name, title in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(name) and wanted[name] != found[name]:
            told = (
                f"Precondition failed: {title} in precondition: {wanted[name]}, {title} in object meta: {found[name]}"
            )
            key = f"/registry/pods/{found['namespace']}/{found['name']}"
            why = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {told}"
            raise status.conflict("pods", "", found["name"], why)


def _hindrance(pod: Object) -> str:
    name = pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp"):
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if pod["spec"].get("nodeName"):
        return f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
    return f"pod {name} has non-empty .spec.schedulingGates" if pod["spec"].get("schedulingGates") else ""

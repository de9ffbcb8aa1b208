"""ControllerRevisions: the templates that a StatefulSet or DaemonSet had (pkg/controller/history)."""

from __future__ import annotations

import copy

import msgspec

from kubetrace.playground.controllers.base import Controller, owner_reference
from kubetrace.playground.controllers.template_hash import in_letters, template_hash
from kubetrace.playground.encoding import html_safe
from kubetrace.playground.objects import Object

KEY = "controllerrevisions.apps"
LABEL = "controller-revision-hash"
"""The pods' label: a DaemonSet's has the hash alone, a StatefulSet's the revision's whole name."""
_STATEFUL_LABEL = "controller.kubernetes.io/hash"


def snapshot(template: Object) -> Object:
    """With its keys in order, as it was a map."""
    data: Object = {"spec": {"template": template | {"$patch": "replace"}}}
    ordered: Object = msgspec.json.decode(msgspec.json.encode(data, order="sorted"))
    return ordered


def template_of(revision: Object) -> Object:
    found: Object = copy.deepcopy(revision["data"]["spec"]["template"])
    found.pop("$patch", None)
    return found


def current(controller: Controller, item: Object) -> tuple[Object, list[Object]]:
    """(the revision of the template as it is, all revisions oldest first); makes or renumbers as needed."""
    revisions = sorted(controller.owned(KEY, item), key=lambda entry: entry["revision"])
    data = snapshot(item["spec"]["template"])
    found = next((entry for entry in revisions if entry["data"] == data), None)
    newest = revisions[-1]["revision"] if revisions else 0
    if found is None:
        return (made := _make(controller, item, data, newest + 1)), [*revisions, made]
    if found["revision"] < newest:
        found = controller.store.put(KEY, found | {"revision": newest + 1})
        revisions = sorted(controller.owned(KEY, item), key=lambda entry: entry["revision"])
    return found, revisions


def _make(controller: Controller, item: Object, data: Object, number: int) -> Object:
    metadata, digest = item["metadata"], ""
    for collisions in range(100):
        digest = _digest(item, data, collisions)
        there = controller.store.get(KEY, metadata["namespace"], f"{metadata['name']}-{digest}")
        if there is None:
            break
        if there["data"] == data:  # of a set that had the name before
            return there
    label = _STATEFUL_LABEL if item["kind"] == "StatefulSet" else LABEL
    labels = dict((item["spec"]["template"].get("metadata") or {}).get("labels") or {}) | {label: digest}
    annotations = dict(metadata.get("annotations") or {})
    own: Object = {"name": f"{metadata['name']}-{digest}", "labels": labels, "ownerReferences": [owner_reference(item)]}
    own |= {"annotations": annotations} if annotations else {}
    return controller.create(KEY, metadata["namespace"], {"metadata": own, "data": data, "revision": number})


def _digest(item: Object, data: Object, collisions: int) -> str:
    """A StatefulSet's is of the revision's JSON (HashControllerRevision), a DaemonSet's of its template."""
    if item["kind"] != "StatefulSet":
        return template_hash(item["spec"]["template"], collisions or None)
    value = 0x811C9DC5
    for byte in html_safe(msgspec.json.encode(data)) + str(collisions).encode():
        value = (value * 0x01000193 % (1 << 32)) ^ byte
    return in_letters(value)


def mark(revision: Object) -> str:
    """The value of the label of pods of that revision."""
    labels = revision["metadata"]["labels"]
    return str(labels[LABEL] if LABEL in labels else revision["metadata"]["name"])


def clean_up(controller: Controller, item: Object, revisions: list[Object], live: set[str]) -> None:
    """Keeps revisionHistoryLimit of those that no pod has."""
    spare = [entry for entry in revisions if entry["metadata"]["name"] not in live]
    limit = item["spec"].get("revisionHistoryLimit", 10)
    for entry in spare[: max(0, len(spare) - limit)]:
        controller.delete(KEY, entry)

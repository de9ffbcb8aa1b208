"""What a controller leaves in the objects that it makes: itself as their owner, and a hash on the pod templates of a
deployment's replica sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = Mapping[str, Any]

_HASH_LABEL = "pod-template-hash"


def controller_of(value: Object) -> Object | None:
    """The owner that controls an object (metav1.GetControllerOf)."""
    owners = (value.get("metadata") or {}).get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def is_controlled_by(value: Object, owner: Object) -> bool:
    """metav1.IsControlledBy."""
    found = controller_of(value)
    return found is not None and found.get("uid") == (owner.get("metadata") or {}).get("uid")


def without_hash(template: Object | None) -> dict[str, Any]:
    """A pod template as the deployment has it: without the label that tells its replica sets apart, and without the
    creationTimestamp null that servers before 1.34 write and Go's types leave out. Keys stay in their order."""
    metadata = {key: item for key, item in ((template or {}).get("metadata") or {}).items() if item is not None}
    metadata["labels"] = {key: text for key, text in (metadata.get("labels") or {}).items() if key != _HASH_LABEL}
    if not metadata["labels"]:
        del metadata["labels"]
    return {**(template or {}), "metadata": metadata}


def same_template(left: Object | None, right: Object | None) -> bool:
    """Whether two pod templates differ in nothing but the hash; an empty field of their metadata is as good as none
    (deploymentutil.EqualIgnoreHash)."""
    return _comparable(left) == _comparable(right)


def _comparable(template: Object | None) -> dict[str, Any]:
    result = without_hash(template)
    result["metadata"] = {key: item for key, item in result["metadata"].items() if item}
    return result

"""Lists as kubectl takes them apart where it has a struct for each object (FlattenListVisitor, runtime.DecodeList)."""

from __future__ import annotations

from typing import Any

from kubetrace.api.aggregates import AggregateError
from kubetrace.api.built import is_list
from kubetrace.api.manifest_objects import typed_problem
from kubetrace.api.manifest_stream import Parsed
from kubetrace.api.typed_kinds import KUBECTL_SCHEME
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_struct import typed

Object = dict[str, Any]

_NO_TYPE = "unable to get type info from the object"
_UNKNOWN = (
    f'{_NO_TYPE} "*runtime.Unknown": no kind is registered for the type runtime.Unknown in scheme "{KUBECTL_SCHEME}"'
)
_NOTHING = f"{_NO_TYPE} %!q(<nil>): expected pointer, but got invalid kind"


def typed_items(value: Object) -> list[Object | KubetraceError]:
    """The objects in a list and in the lists in it, which come last; an object of an unknown kind is its error.
    Raises AggregateError where a struct can't hold its object."""
    queue: list[Object | KubetraceError] = [value]
    found: list[Object | KubetraceError] = []
    for current in queue:
        if isinstance(current, KubetraceError) or not is_list(current):
            found.append(current)
        elif (current.get("apiVersion"), current.get("kind")) == ("v1", "List"):
            queue += _any_kinds(current["items"])
        else:
            struct = str(current.get("apiVersion")), str(current.get("kind")).removesuffix("List")
            queue += [typed(item or {}, struct) for item in current["items"]]
    return found


def _any_kinds(items: list[Any]) -> list[Object | KubetraceError]:
    found: list[Object | KubetraceError] = []
    errors = []
    for item in items:
        if item is None:
            found.append(KubetraceError(_NOTHING))
        elif not (problem := typed_problem(Parsed(item))):
            found.append(item)
        elif problem.startswith("no kind "):
            found.append(KubetraceError(_UNKNOWN))
        else:
            errors.append(KubetraceError(problem))
    if errors:
        raise AggregateError(errors)
    return found

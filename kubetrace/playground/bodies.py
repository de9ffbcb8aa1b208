"""What a body says, as an object of the resource that it was sent to: its kind, its place, its fields."""

from __future__ import annotations

import json
from typing import Any

from kubetrace.playground import schemas
from kubetrace.playground.catalog import Catalog, Resource
from kubetrace.playground.objects import Check, Mistyped, Object, type_of, unconvertible, unreadable_kind
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.strict import NotStrict
from kubetrace.playground.validation.causes import bad
from kubetrace.playground.write import Write
from kubetrace.wire import go_decoding
from kubetrace.wire.go_struct import is_registered

_NOTHING: tuple[Any, ...] = (None, "", {}, [])
_BEHIND = 1 << 31
"""The place of what stands nowhere in a body, as in what a patch makes: behind all else."""


def check_body(
    catalog: Catalog, resource: Resource, body: Any, namespace: str, write: Write, keep_empty: bool = False
) -> Object:
    """The body as an object of that resource: kind, namespace, unknown fields."""
    if not isinstance(body, dict):
        raise ApiError(400, "couldn't get version/kind; json parse error: the body is not an object")
    _check_kind(catalog, resource, body, write.patched)
    item: Object = known_fields(resource, body, write, keep_empty)
    item["apiVersion"], item["kind"] = resource.api_version, resource.kind
    metadata = item["metadata"] = item.get("metadata") or {}
    if resource.custom is not None and not keep_empty:  # which is an ObjectMeta there, too
        metadata = item["metadata"] = {name: value for name, value in metadata.items() if value not in _NOTHING}
    place(resource, metadata, namespace)
    return item


def _check_kind(catalog: Catalog, resource: Resource, body: Object, patched: bool) -> None:
    """What an object calls itself must be what the URL is of, or nothing. Raises Mistyped, or 400 for another version
    of the same kind."""
    if why := unreadable_kind(body):
        odd = next(
            (value for name in ("apiVersion", "kind") if not isinstance(value := body.get(name), str | None)), ""
        )
        raise Mistyped(why, why, unconvertible(odd, "string"))
    if resource.custom is not None:
        _check_custom_kind(resource, body, patched)
        return
    api_version, kind = body.get("apiVersion") or resource.api_version, body.get("kind") or resource.kind
    if (api_version, kind) == (resource.api_version, resource.kind):
        return
    version = api_version.rpartition("/")[2]
    if catalog.by_kind(api_version, kind) is None and not is_registered(api_version, kind.removesuffix("List")):
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "pkg/runtime/scheme.go:111"'
    elif kind != resource.kind or kind == "Scale":
        into = f"{resource.package}.{resource.kind}"
        why = _misfit(api_version, kind, body) or f"converting ({version}.{kind}) to ({into}): unknown conversion"
    else:
        wanted = f"the expected API version ({resource.api_version})"
        raise ApiError(400, f"the API version in the data ({api_version}) does not match {wanted}")
    raise Mistyped(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}', why, why)


def _check_custom_kind(resource: Resource, body: Object, patched: bool) -> None:
    """What a custom object calls itself. Raises 400 for another version in a body, 422 where its validator looks."""
    version, kind = body.get("apiVersion") or "", body.get("kind") or resource.kind
    if not patched and version != resource.api_version:
        wanted = f"the expected API version ({resource.api_version})"
        raise ApiError(400, f"the API version in the data ({version}) does not match {wanted}")
    found = (("kind", kind, resource.kind), ("apiVersion", version or resource.api_version, resource.api_version))
    causes = [bad(name, told, f"must be {wanted}") for name, told, wanted in found if told != wanted]
    if causes:
        raise invalid(kind, version.rpartition("/")[0], (body.get("metadata") or {}).get("name") or "", causes)


def as_before(old: Object, new: Object) -> None:
    """A strategic merge patch ends in a struct of the old object's kind, whatever it calls itself: texts there are
    forgotten."""
    for name in ("apiVersion", "kind"):
        if isinstance(new.get(name), str | None):
            new[name] = old[name]


def known_fields(resource: Resource, item: Object, write: Write, keep_empty: bool) -> Object:
    type = type_of(resource)
    if resource.custom is not None:
        unknown: list[str] = []
        item = schemas.prune(resource.custom, item, unknown)
        _report(unknown, write, resource)
        return item
    if type is None:
        return dict(item)
    check = Check(resource, keep_empty)
    try:
        cleaned = check.clean(item, type)
    except Mistyped as error:
        raise _in_go_words(resource, item, error) from None
    _report(check.unknown, write, resource)
    return cleaned


def _misfit(api_version: str, kind: str, item: Object) -> str:
    """What Go's decoder, which reads on after the first problem, says of an object as one of that kind."""
    return go_decoding.problem(api_version, kind, json.dumps(item)) if is_registered(api_version, kind) else ""


def _in_go_words(resource: Resource, item: Object, error: Mistyped) -> Mistyped:
    """The same in the words of Go's decoder."""
    why = _misfit(resource.api_version, resource.kind, item)
    if not why:
        return error
    start = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
    named = why.rpartition(" of type ")[2]
    if error.conversion.startswith("cannot convert ") and "." in named:  # a type of its own, by the decoder's table
        return Mistyped(f"{start}: {why}", why, f"{error.conversion.rpartition(' to ')[0]} to {named}")
    return Mistyped(f"{start}: {why}", why, error.conversion)


def _report(unknown: list[str], write: Write, resource: Resource) -> None:
    """Refuses an object for fields that are unknown or there twice, or warns of them, in the text's order."""
    problems = [(place, f'duplicate field "{name}"') for place, name in write.twice]
    problems += [(write.places.get(name, _BEHIND), f'unknown field "{name}"') for name in unknown]
    problems.sort(key=lambda problem: problem[0])
    told = [text for _, text in problems]
    if told and write.field_validation == "Strict":
        raise NotStrict(resource, told)
    if write.field_validation == "Warn":
        write.warnings += told


def place(resource: Resource, metadata: Object, namespace: str) -> None:
    """Puts an object into the namespace of the URL. Raises 400 where it says another."""
    if not resource.namespaced:
        metadata.pop("namespace", None)
    elif metadata.get("namespace") not in (None, "", namespace):
        told = "the namespace of the provided object does not match the namespace sent on the request"
        raise ApiError(400, told)
    else:
        metadata["namespace"] = namespace


def distinct_owners(item: Object, write: Write) -> None:
    """Equal owner references become one, and whoever wrote them is told (apiserver handlers/rest.go)."""
    metadata = item["metadata"]
    references = metadata.get("ownerReferences") or []
    twice = [each for index, each in enumerate(references) if each in references[:index]]
    if not twice:
        return
    metadata["ownerReferences"] = [each for index, each in enumerate(references) if each not in references[:index]]
    when = " after mutating admission happens" if write.patched or write.applied else ""
    uids = ", ".join(each.get("uid", "") for each in twice)
    told = "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix"
    start = f".metadata.ownerReferences contains duplicate entries{when}; {told}"
    write.warnings.append(f"{start} your requests; duplicate UID(s) observed: {uids}")

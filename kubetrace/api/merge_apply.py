"""Applying a strategic merge patch to an object, and one patch to another (strategicpatch.mergeMap)."""

from __future__ import annotations

from typing import Any

from kubetrace.api.merge_diff import Object
from kubetrace.api.merge_meta import FieldMeta, PatchMeta
from kubetrace.api.merge_order import check_element_order, find_by_key, in_element_order, partition
from kubetrace.api.merge_values import (
    DELETE,
    DELETE_FROM_LIST,
    DIRECTIVE,
    MERGE,
    REPLACE,
    RETAIN_KEYS,
    SET_ELEMENT_ORDER,
    MergeError,
    bad_type,
    deduplicated,
    element_type,
    go_text,
    identity,
    no_merge_key,
    same,
)
from kubetrace.value import Value


class MergeOptions(Value):
    """`directives` acts on $setElementOrder, $deleteFromPrimitiveList and $retainKeys (an object is being patched);
    without, they are kept (two patches become one). `drop_nulls` forgets nulls that delete nothing."""

    directives: bool = True
    drop_nulls: bool = True


def merge_map(original: Object | None, patch: Object, meta: PatchMeta, options: MergeOptions) -> Object:
    """`patch` merged into `original`. Both may be changed by it. Raises MergeError."""
    if DIRECTIVE in patch:
        return _directed(patch)
    original = {} if original is None else original
    _apply_retain_keys(original, patch, options)
    for key in [key for key in patch if key.startswith(SET_ELEMENT_ORDER)]:
        _apply_element_order(key, original, patch, meta, options)
    for key, value in patch.items():
        if not key.startswith(DELETE_FROM_LIST):
            _merge_field(key, original, value, meta, options, deletes=False)
        elif not options.directives:
            original[key] = value
        else:
            _merge_field(_behind(key, "primitive list"), original, value, meta, options, deletes=True)
    return original


def _directed(patch: Object) -> Object:
    """`$patch: replace` takes the patch as it is, `$patch: delete` empties the object."""
    directive = patch[DIRECTIVE]
    if directive == REPLACE:
        del patch[DIRECTIVE]
        return patch
    if directive == DELETE:
        return {}
    raise MergeError(f"unknown patch type: {go_text(directive)} in map: {go_text(patch)}")


def _behind(key: str, what: str) -> str:
    """The field that a directive is about: "$setElementOrder/containers"."""
    prefix, slash, name = key.partition("/")
    if not slash or prefix not in (SET_ELEMENT_ORDER, DELETE_FROM_LIST):
        raise MergeError(f"invalid patch format of {what}")
    return name


def _apply_retain_keys(original: Object, patch: Object, options: MergeOptions) -> None:
    if RETAIN_KEYS not in patch:
        return
    retained = patch.pop(RETAIN_KEYS)
    if not options.directives:
        if not same(original.setdefault(RETAIN_KEYS, retained), retained):
            raise MergeError(
                f"{go_text(original[RETAIN_KEYS])} and {go_text(retained)} are not deep equal: "
                "this may happen when calculating the 3-way diff patch"
            )
        return
    if not isinstance(retained, list):
        raise MergeError("invalid patch format of retainKeys")
    for key, value in patch.items():
        if value is not None and not key.startswith((DELETE_FROM_LIST, SET_ELEMENT_ORDER)) and key not in retained:
            raise MergeError("invalid patch format of retainKeys")
    for key in [key for key in original if key not in retained]:
        del original[key]


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise bad_type([], value)
    return value


def _apply_element_order(key: str, original: Object, patch: Object, meta: PatchMeta, options: MergeOptions) -> None:
    """mergePatchIntoOriginal, one list: merged and brought into order. Takes both keys out of the patch."""
    order = patch.pop(key)
    if not options.directives and not same(original.setdefault(key, order), order):
        raise MergeError("invalid patch format of setElementOrder list")
    order, name = _as_list(order), _behind(key, "setElementOrder list")
    old = _as_list(original[name]) if name in original else None
    new = _as_list(patch[name]) if name in patch else None
    field = meta.field(name, is_list=True)
    check_element_order(new or [], order, field.merge_key)
    if old is not None and new is not None:
        merged = _merge_list(old, new, field, False, options)
    elif old is not None:
        merged = old
    elif new is not None:
        merged = _without_directives(new)[0]
    else:
        return
    patched, server_only = partition(merged, order, field.merge_key)
    kind = element_type(old or [], new or [])
    original[name] = in_element_order(patched, server_only, order, old or [], field.merge_key, kind)
    patch.pop(name, None)


def _without_directives(value: Any) -> tuple[Any, bool]:
    """The value without directive objects in it, and whether anything is left (removeDirectives)."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return None, False
        kept = {key: _without_directives(item) for key, item in value.items()}
        value.clear()
        value.update({key: item for key, (item, keep) in kept.items() if keep})
    elif isinstance(value, list):
        return [item for item, keep in map(_without_directives, value) if keep], True
    return value, True


def _drop_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            _drop_nulls(item)


def _put(key: str, original: Object, value: Any, options: MergeOptions) -> None:
    if options.drop_nulls:
        _drop_nulls(value)
    result, keep = _without_directives(value)
    if keep:
        original[key] = result
    else:
        original.pop(key, None)


def _merge_field(key: str, original: Object, value: Any, meta: PatchMeta, options: MergeOptions, deletes: bool) -> None:
    if value is None:
        original.pop(key, None)
        if options.drop_nulls:
            return
    if key not in original or type(original[key]) is not type(value):
        if not deletes:
            _put(key, original, value, options)
    elif isinstance(value, dict):
        field = meta.field(key, is_list=False)
        replaced = field.strategy == REPLACE
        original[key] = value if replaced else merge_map(original[key], value, field.inner, options)
    elif isinstance(value, list):
        original[key] = _merge_list(original[key], value, meta.field(key, is_list=True), deletes, options)
    else:
        original[key] = value


def _merge_list(
    original: list[Any], patch: list[Any], field: FieldMeta, deletes: bool, options: MergeOptions
) -> list[Any]:
    """mergeSliceHandler and mergeSlice."""
    if field.strategy != MERGE and not deletes:
        return patch
    if not original and not patch:
        return original
    kind = element_type(original, patch)
    if kind is not dict:
        if options.directives and deletes:
            gone = {identity(item) for item in patch}
            return [item for item in original if identity(item) not in gone]
        merged = deduplicated(original + patch)
    else:
        if not field.merge_key:
            raise MergeError(f"cannot merge lists without merge key for {field.inner.name}")
        original, patch = _apply_list_directives(original, patch, field.merge_key)
        merged = _merge_entries(original, patch, field, options)
    patched, server_only = partition(merged, patch, field.merge_key)
    return in_element_order(patched, server_only, patch, original, field.merge_key, kind)


def _apply_list_directives(original: list[Any], patch: list[Any], merge_key: str) -> tuple[list[Any], list[Any]]:
    """mergeSliceWithSpecialElements: entries that are directives act and disappear."""
    plain: list[Any] = []
    replaces = False
    for item in patch:
        if DIRECTIVE not in item:
            plain.append(item)
        elif item[DIRECTIVE] == DELETE:
            if merge_key not in item:
                raise no_merge_key(item, merge_key)
            while (place := find_by_key(original, merge_key, item[merge_key])) is not None:
                original = original[:place] + original[place + 1 :]
        elif item[DIRECTIVE] == REPLACE:
            replaces = True
        elif item[DIRECTIVE] == MERGE:
            raise MergeError("merging lists cannot yet be specified in the patch")
        else:
            raise MergeError(f"unknown patch type: {go_text(item[DIRECTIVE])} in map: {go_text(item)}")
    return (plain, []) if replaces else (original, plain)


def _merge_entries(original: list[Any], patch: list[Any], field: FieldMeta, options: MergeOptions) -> list[Any]:
    """mergeSliceWithoutSpecialElements: by merge key, new ones at the end."""
    merged = list(original)
    for item in patch:
        if field.merge_key not in item:
            raise no_merge_key(item, field.merge_key)
        place = find_by_key(merged, field.merge_key, item[field.merge_key])
        if place is None:
            merged.append(item)
        else:
            merged[place] = merge_map(merged[place], item, field.inner, options)
    return merged

"""Which fields somebody manages: FieldsV1 trees and the values behind their paths (sigs.k8s.io/structured-merge-diff).

A tree is what metadata.managedFields holds: {"f:spec": {"f:containers": {"k:{…}": {".": {}, "f:image": {}}}}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from kubetrace.wire.schema import Type, built_in

Tree = dict[str, Any]
Path = tuple[str, ...]
Kind = Literal["leaf", "map", "listmap", "set"]
KEY_DEFAULTS: dict[str, Any] = {"protocol": "TCP", "port": 0, "containerPort": 0}
"""What stands for a key that an entry lacks (the defaults of the OpenAPI document); the empty text for all others."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value divides into fields: as an object of a built-in type, by a custom schema, or (neither) freely."""

    kind: Kind = "map"
    type: Type | None = None
    schema: dict[str, Any] | None = None
    keys: tuple[str, ...] = ()
    values: Shape | None = None
    """What a map with free keys holds."""

    def child(self, name: str) -> Shape:
        if self.values is not None:
            return self.values
        if self.type is not None:
            return self._built_in(self.type, name)
        part = ((self.schema or {}).get("properties") or {}).get(name)
        if part is None:
            extra = (self.schema or {}).get("additionalProperties")
            part = extra if isinstance(extra, dict) else None
        return _custom(part)

    def declares(self, name: str) -> bool:
        """Whether a field of that name is in the schema, not just free to be."""
        if self.values is not None:
            return False
        return self.type is not None or name in ((self.schema or {}).get("properties") or {})

    @staticmethod
    def _built_in(type: Type, name: str) -> Shape:
        field, inner = type.field(name), type.descend(name)
        if field is None:
            return Shape("leaf")
        whole = inner is not None and inner.atomic and field.map_type != "granular"
        atomic = field.map_type == "atomic" or (whole and not field.list)
        entry = Shape("leaf") if inner is None or inner.scalar or whole else Shape(type=inner)
        if field.map:
            return Shape("leaf") if atomic else Shape(values=Shape("leaf") if field.list else entry)
        if field.list:
            if field.list_type == "map":
                return Shape("listmap", type=inner, keys=field.list_map_keys)
            return Shape("set" if field.list_type == "set" else "leaf")
        return Shape("leaf") if atomic else entry


def _custom(part: dict[str, Any] | None) -> Shape:
    if part is None:
        return Shape()
    kind, list_type = part.get("type"), part.get("x-kubernetes-list-type", "atomic")
    if kind == "array":
        keys = tuple(part.get("x-kubernetes-list-map-keys") or ())
        if list_type == "map":
            return Shape("listmap", schema=part.get("items"), keys=keys)
        return Shape("set" if list_type == "set" else "leaf")
    if part.get("x-kubernetes-map-type") == "atomic" or kind not in ("object", None):
        return Shape("leaf")
    return Shape(schema=part)


def _entry_shape(shape: Shape) -> Shape:
    if shape.type is not None and shape.type.atomic:
        return Shape("leaf")
    return Shape(type=shape.type, schema=shape.schema)


def shape_at(shape: Shape, path: Path) -> Shape:
    """The shape of what is at a path."""
    for name in path:
        shape = shape.child(name[2:]) if name[:2] == "f:" else _entry_shape(shape)
    return shape


def item_key(item: Any, keys: tuple[str, ...]) -> str:
    found = {key: item.get(key, KEY_DEFAULTS.get(key, "")) for key in keys}
    present = {key: value for key, value in sorted(found.items()) if value is not None}
    return "k:" + json.dumps(present, separators=(",", ":"), ensure_ascii=False)


def _set_key(value: Any) -> str:
    return "v:" + json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tree_of(value: Any, shape: Shape, dots: bool = False, root: bool = False) -> Tree:
    """The fields that a value has. `dots`: what has fields or entries counts itself, too, as in the sets of updates."""
    if shape.kind == "map" and isinstance(value, dict):
        itself: Tree = {".": {}} if dots and value and not root else {}
        fields = {name: entry for name, entry in value.items() if not _is_nothing(name, entry, shape)}
        trees = {name: tree_of(entry, shape.child(name), dots) for name, entry in fields.items()}
        trees = {
            name: tree for name, tree in trees.items() if tree or not _has_no_owner(fields[name], shape.child(name))
        }
        # What no schema declares counts itself (toFieldSetWalker.visitMapItems).
        return itself | {f"f:{n}": {".": {}} | t if t and not shape.declares(n) else t for n, t in trees.items()}
    if shape.kind == "listmap" and isinstance(value, list):
        inner = _entry_shape(shape)
        list_itself: Tree = {".": {}} if dots and value else {}
        return list_itself | {item_key(entry, shape.keys): {".": {}} | tree_of(entry, inner, dots) for entry in value}
    if shape.kind == "set" and isinstance(value, list):
        set_itself: Tree = {".": {}} if dots and value else {}
        return set_itself | {_set_key(entry): {} for entry in value}
    return {}


def _has_no_owner(value: Any, shape: Shape) -> bool:
    """Whether a map without a tree has fields, of which none can be owned."""
    return shape.kind == "map" and isinstance(value, dict) and bool(value)


def _is_nothing(name: str, value: Any, shape: Shape) -> bool:
    """An empty list, whose entries are owned one by one, is nobody's."""
    return value == [] and shape.child(name).kind in ("listmap", "set")


@cache
def _metadata_shape() -> Shape:
    """ObjectMeta's, which custom resources have, too, whatever their schemas say."""
    return Shape(type=built_in().type("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))


def object_tree(item: dict[str, Any], shape: Shape, dots: bool = False) -> Tree:
    """The fields of a whole object that managers can own: not its identity, not what the server sets."""
    tree = tree_of(
        {name: value for name, value in item.items() if name not in ("apiVersion", "kind")}, shape, dots, True
    )
    metadata = tree_of(item.get("metadata") or {}, _metadata_shape(), dots, True)
    owned = ("labels", "annotations", "finalizers", "ownerReferences", "generateName")
    kept = {name: part for name, part in metadata.items() if name[2:] in owned}
    tree.pop("f:metadata", None)
    return ({"f:metadata": kept} if kept else {}) | tree


def is_tree(value: Any) -> bool:
    """Whether that can be read as FieldsV1."""
    if not isinstance(value, dict):
        return False
    return all((name == "." or name[:2] in ("f:", "k:", "v:", "i:")) and is_tree(part) for name, part in value.items())


def paths(tree: Tree, prefix: Path = ()) -> Iterator[Path]:
    """Every path that a tree names: its leaves, and list entries themselves (".")."""
    for name, part in tree.items():
        if name == ".":
            yield prefix
        elif part:
            yield from paths(part, (*prefix, name))
        else:
            yield (*prefix, name)


def tree_from(found: set[Path]) -> Tree:
    root: Tree = {}
    for path in sorted(found):
        node = root
        for name in path:
            node = node.setdefault(name, {})
    for path in found:
        node = root
        for name in path:
            node = node[name]
        if node and path:
            node["."] = {}
    return _sorted(root)


def _sorted(tree: Tree) -> Tree:
    return {name: _sorted(tree[name]) for name in sorted(tree)}


_MISSING = object()


def value_at(value: Any, path: Path) -> Any:
    """The value at a path, or a mark that equals nothing else where there is none."""
    for name in path:
        value = _step(value, name)
        if value is _MISSING:
            return _MISSING
    return value


def missing(value: Any) -> bool:
    return value is _MISSING


def _step(value: Any, name: str) -> Any:
    kind, text = name[:2], name[2:]
    if kind == "f:":
        return value.get(text, _MISSING) if isinstance(value, dict) else _MISSING
    if not isinstance(value, list):
        return _MISSING
    wanted = json.loads(text)
    if kind == "v:":
        return wanted if wanted in value else _MISSING
    return next((entry for entry in value if _matches(entry, wanted)), _MISSING)


def _matches(entry: Any, wanted: dict[str, Any]) -> bool:
    return isinstance(entry, dict) and all(entry.get(k, KEY_DEFAULTS.get(k, "")) == v for k, v in wanted.items())


def remove_at(value: Any, path: Path) -> None:
    """Takes a field or list entry out, in place, and with the last one what it was in (removingWalker)."""
    parent = value_at(value, path[:-1])
    kind, text = path[-1][:2], path[-1][2:]
    if kind == "f:" and isinstance(parent, dict):
        parent.pop(text, None)
    elif isinstance(parent, list):
        wanted = json.loads(text)
        parent[:] = [e for e in parent if not (e == wanted if kind == "v:" else _matches(e, wanted))]
    outer = value_at(value, path[:-2]) if len(path) > 1 else None
    if parent in ({}, []) and path[-2][:2] == "f:" and isinstance(outer, dict):
        outer.pop(path[-2][2:], None)


def merge(old: Any, new: Any, shape: Shape) -> Any:
    """`new` laid over `old`: maps by name, keyed lists by key, sets as unions, all else replaced."""
    if new is None and old is not None and shape.kind == "map":
        return old
    if shape.kind == "map" and isinstance(old, dict) and isinstance(new, dict):
        return old | {name: merge(old.get(name), value, shape.child(name)) for name, value in new.items()}
    if shape.kind == "listmap" and isinstance(old, list) and isinstance(new, list):
        return _merge_entries(old, new, shape)
    if shape.kind == "set" and isinstance(old, list) and isinstance(new, list):
        return [*(entry for entry in old if entry not in new), *new]
    return new


def _merge_entries(old: list[Any], new: list[Any], shape: Shape) -> list[Any]:
    """Entries by key, in the order of mergingWalker.visitListItems (structured-merge-diff typed/merge.go): that of
    `new`, and what only `old` has stays behind what it followed there."""
    inner = _entry_shape(shape)
    left = [(item_key(entry, shape.keys), entry) for entry in old]
    right = [(item_key(entry, shape.keys), entry) for entry in new]
    before, incoming = dict(left), dict(right)
    shared = [key for key, _ in right if key in before]
    done: set[str] = set()
    result: list[Any] = []

    def take(key: str, entry: Any) -> None:
        done.add(key)
        result.append(merge(before[key], entry, inner) if key in before else entry)
        if shared and shared[0] == key:
            shared.pop(0)

    i = j = 0
    while i < len(left) or j < len(right):
        key = left[i][0] if i < len(left) else None
        if key is not None and j < len(right):
            if key == right[j][0]:
                take(*right[j])
                i, j = i + 1, j + 1
                continue
            if key in incoming and shared and shared[0] != key:
                i += 1  # comes when `new` wants it
                continue
        if key is not None:
            if key not in incoming:
                result.append(left[i][1])
                i += 1
                continue
            if key in done:
                i += 1
        if j < len(right):
            take(*right[j])
            j += 1
    return result


def path_text(path: Path) -> str:
    """As conflicts name it: .spec.containers[name="web"].image."""
    text = ""
    for name in path:
        kind, rest = name[:2], name[2:]
        if kind == "f:":
            text += f".{rest}"
        elif kind == "v:":
            text += f"[={rest}]"
        else:
            pairs = json.loads(rest).items()
            text += "[" + ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in pairs) + "]"
    return text

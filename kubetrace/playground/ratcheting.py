"""Values that an update leaves as they were: what is wrong with them stays allowed, so that a stricter schema does not
keep its older objects from being changed elsewhere (apiserver pkg/cel/common/equality.go, since Kubernetes 1.33)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubetrace.playground.schemas import Schema


@dataclass(frozen=True, slots=True)
class Earlier:
    """What stood where a value stands now. None in its place: nothing that can be found again."""

    schema: Schema
    old: Any
    new: Any

    def is_same(self) -> bool:
        """Field by field where a schema knows the fields; entries of a list that is a map may have moved."""
        old, new = self.old, self.new
        if isinstance(old, dict) and isinstance(new, dict):
            parts = [self.at_key(name) for name in new]
            return len(old) == len(new) and all(part is not None and part.is_same() for part in parts)
        if isinstance(old, list) and isinstance(new, list):
            if len(old) != len(new):
                return False
            if self.schema.get("x-kubernetes-list-type") != "map":
                return _equal(old, new)
            parts = [self.at_index(index) for index in range(len(new))]
            return all(part is not None and part.is_same() for part in parts)
        return _equal(old, new)

    def at_key(self, name: str) -> Earlier | None:
        if not (isinstance(self.old, dict) and isinstance(self.new, dict) and name in self.old and name in self.new):
            return None
        extra = self.schema.get("additionalProperties")
        part = (self.schema.get("properties") or {}).get(name, extra if isinstance(extra, dict) else None)
        return Earlier(part, self.old[name], self.new[name]) if part is not None else None

    def at_index(self, index: int) -> Earlier | None:
        """By its keys; entries of other lists can't be found again."""
        if self.schema.get("x-kubernetes-list-type") != "map" or not isinstance(self.old, list):
            return None
        entry, keys = self.new[index], self.schema.get("x-kubernetes-list-map-keys") or ()
        if not isinstance(entry, dict):
            return None
        wanted = [entry.get(key) for key in keys]
        for old in self.old:
            if isinstance(old, dict) and _equal([old.get(key) for key in keys], wanted):
                return Earlier(self.schema.get("items") or {}, old, entry)
        return None


def _equal(old: Any, new: Any) -> bool:
    """Python's equality, but for true, which is not 1 here, and whole floats."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_equal(old[name], new[name]) for name in new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_equal, old, new))
    return type(old) is type(new) and bool(old == new)

"""Objects of built-in kinds as kubectl's Go structs read and write them.

kubectl's typed commands decode an object into a struct and encode it again: keys then stand in the struct's order,
empty fields are gone unless their tag keeps them (`status: {}`), unknown fields are lost, quantities and times are
canonical. `typed` does the same with an object's JSON. The table is generated (tests/tools/generate_struct_facts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Kind = int | str
"""Another struct's number, or one letter (struct_facts.go)."""
Fields = list[tuple[str, Kind, str]]
"""Name, kind, flags."""

_ZERO: dict[str, Any] = {"s": "", "i": 0, "b": False, "f": 0, "q": "0", "x": 0, "d": "0s", "t": None, "u": None,
                         "r": None, "y": None}  # fmt: skip


class TypedObject(dict[str, Any]):
    """An object that is a Go struct in kubectl: JSON keeps the order of its keys, and jsonpath sees its numbers as
    floats. `struct` is the kind whose struct it is, where it calls itself something else: an item of a typed list."""

    struct: tuple[str, str] | None = None


@cache
def structs() -> tuple[list[Fields], dict[str, int]]:
    """The fields of every struct, and the number of each kind's ("apps/v1/Deployment")."""
    import gzip
    from importlib import resources

    import msgspec

    packed = (resources.files("kubetrace.wire") / "data" / "structs-1.36.json.gz").read_bytes()
    facts = msgspec.json.decode(gzip.decompress(packed))
    return facts["types"], facts["kinds"]


def is_registered(api_version: str, kind: str) -> bool:
    """Does kubectl have a struct for this kind (its scheme's IsRegistered)?"""
    return f"{api_version}/{kind}" in structs()[1]


def go_type(api_version: str, kind: str) -> str:
    """The struct's name as %T prints a pointer to it: "*v1.Pod"."""
    return f"*{api_version.rpartition('/')[2]}.{kind}"


def struct_of(value: Mapping[str, Any]) -> tuple[str, str]:
    """apiVersion and kind of the struct that an object is; mostly what it says itself."""
    written = str(value.get("apiVersion") or ""), str(value.get("kind") or "")
    return (value.struct if isinstance(value, TypedObject) else None) or written


def go_type_of(value: Mapping[str, Any]) -> str:
    """ "*v1.Deployment", as messages name what an object is."""
    return go_type(*struct_of(value))


def typed(value: dict[str, Any], struct: tuple[str, str] | None = None) -> TypedObject:
    """The object as its kind's struct has it, or as `struct` has it. Raises KeyError for a kind that is not
    registered, ValueError for a quantity that is none."""
    version, kind = struct = struct or struct_of(value)
    found = TypedObject(_struct(structs()[1][f"{version}/{kind}"], value))
    if struct != struct_of(found):
        found.struct = struct
    return found


def _struct(number: int, value: Any) -> dict[str, Any]:
    found = value if isinstance(value, dict) else {}
    result: dict[str, Any] = {}
    for name, kind, flags in structs()[0][number]:
        encoded = encode(kind, flags, found.get(name), _struct)
        if not _is_omitted(kind, flags, encoded):
            result[name] = encoded
    return result


def _is_omitted(kind: int | str, flags: str, encoded: Any) -> bool:
    """omitempty leaves out zero scalars, nil pointers, and lists and maps without entries, but never a struct."""
    if "z" in flags and encoded is None:
        return True
    if "o" not in flags:
        return False
    if flags[0] in "lm":
        return not encoded
    if flags[0] == "p":
        return encoded is None
    return kind in ("s", "i", "b", "f", "y") and not encoded


def encode(kind: Kind, flags: str, value: Any, struct: Callable[[int, Any], Any]) -> Any:
    """A value of a field as its JSON is; `struct` encodes what is the struct of that number."""
    container = flags[:1]
    if container == "p":
        return None if value is None else encode(kind, flags[1:], value, struct)
    if container == "l":
        return [encode(kind, flags[1:], item, struct) for item in value] if isinstance(value, list) else None
    if container == "m":
        if not isinstance(value, dict):
            return None
        return {key: encode(kind, flags[1:], value[key], struct) for key in sorted(value)}
    return struct(kind, value) if isinstance(kind, int) else _scalar(kind, value)


def _scalar(kind: str, value: Any) -> Any:
    """A value of what is one letter in the tables, as its JSON is; None is its zero value."""
    if value is None:
        return _ZERO[kind]
    if kind == "q":
        import msgspec

        from kubetrace.wire.quantity import canonical

        return canonical(value if isinstance(value, str) else msgspec.json.encode(value).decode())
    if kind in ("t", "u") and isinstance(value, str):
        return _time(value, "seconds" if kind == "t" else "microseconds")
    return value


def _time(text: str, precision: str) -> str:
    """RFC 3339 in UTC; what is no time stays."""
    import datetime

    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    return moment.astimezone(datetime.UTC).isoformat(timespec=precision).replace("+00:00", "Z")

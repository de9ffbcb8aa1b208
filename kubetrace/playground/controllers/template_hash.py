"""The hash of a pod's template, by which ReplicaSets and the revisions of DaemonSets are named: FNV-1a of how Go's spew
prints the struct (ComputeHash in pkg/controller/controller_utils.go, k8s.io/utils/dump)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from kubetrace.playground.catalog import recorded
from kubetrace.playground.objects import NAME_LETTERS, Object

_PLAIN = {"string": "", "bool": "false"}
_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_QUANTITY = re.compile(r"(-?)(\d*)(?:\.(\d*))?([KMGTPE]i|[numkMGTPE]?)")

Type = list[Any]


@cache
def _structs() -> dict[str, list[tuple[str, str, Type]]]:
    found: dict[str, list[tuple[str, str, Type]]] = recorded("template-structs-1.36.json.gz")
    return found


def template_hash(template: Object, collisions: int | None = None) -> str:
    """`collisions`: how often the name was taken (the owner's status.collisionCount)."""
    value = 0x811C9DC5
    data = f"(v1.PodTemplateSpec){_struct('v1.PodTemplateSpec', template)}".encode()
    if collisions is not None:
        data += collisions.to_bytes(4, "little").ljust(8, b"\0")
    for byte in data:
        value = (value ^ byte) * 0x01000193 % (1 << 32)
    return in_letters(value)


def in_letters(value: int) -> str:
    """A number's digits as letters that make no words (rand.SafeEncodeString)."""
    return "".join(NAME_LETTERS[ord(digit) % len(NAME_LETTERS)] for digit in str(value))


def _struct(name: str, item: Any) -> str:
    if name == "v1.Time":
        return "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"
    if name == "resource.Quantity":
        return _quantity("" if item is None else str(item))
    if name == "intstr.IntOrString":
        number, text = (1, item) if isinstance(item, str) else (0, "")
        count = 0 if isinstance(item, str) or item is None else item
        return f"{{Type:(intstr.Type){number} IntVal:(int32){count} StrVal:(string){text}}}"
    item = item or {}
    fields = []
    for called, key, kind in _structs()[name]:
        fields.append(f"{called}:({kind[1]}){_value(kind, item.get(key) if key else item)}")
    return "{" + " ".join(fields) + "}"


def _value(kind: Type, value: Any) -> str:
    if kind[0] == "struct":
        return _struct(kind[1], value)
    if kind[0] == "ptr":
        return "<nil>" if value is None else _value(kind[2], value)
    if kind[0] == "slice":
        return "[" + " ".join(_value(kind[2], entry) for entry in value) + "]" if value else "<nil>"
    if kind[0] == "map":
        pairs = (f"{name}:{_value(kind[2], value[name])}" for name in sorted(value or ()))
        return f"map[{' '.join(pairs)}]" if value else "<nil>"
    if value is None:
        return _PLAIN.get(kind[0], "0")
    return str(value).lower() if kind[0] == "bool" else str(value)


def _quantity(text: str) -> str:
    """As ParseQuantity keeps it where an int64 has room for it: with its text where that is short already."""
    match = _QUANTITY.fullmatch(text)
    sign, whole, part, suffix = match.groups(default="") if match else ("", "", "", "")
    digits, binary = whole + part, _BINARY.get(suffix)
    number = int(digits or 0) << (binary or 0)
    scale = 0 if binary else _SUFFIXES[suffix] - len(part)
    if binary:
        is_short = bool(int(digits) & 7)
    else:
        is_short = text == "0" or (scale % 3 == 0 and not digits.endswith("000") and not digits.startswith("0"))
    amount = f"{{value:(int64){sign}{number} scale:(resource.Scale){scale}}}"
    kept = f"i:(resource.int64Amount){amount} d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}}"
    form = "BinarySI" if binary else "DecimalSI" if text else ""
    return f"{{{kept} s:(string){text if is_short else ''} Format:(resource.Format){form}}}"

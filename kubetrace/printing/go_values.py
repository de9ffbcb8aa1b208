"""JSON values as Go's fmt prints them: %v for people, %#v for debugging, and the names of their types."""

from __future__ import annotations

from typing import Any

from kubetrace.wire.go_numbers import general_float


class Int(int):
    """Go's `int`: what templates count with. An integer from JSON is an `int64`."""


class Uint8(int):
    """Go's `uint8`: a byte of a text."""


def sprint(value: Any) -> str:
    """fmt.Sprint of one value."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return general_float(value)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{sprint(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(sprint, value)) + "]"
    if isinstance(value, complex):
        imaginary = general_float(value.imag)
        return f"({general_float(value.real)}{'' if imaginary.startswith('-') else '+'}{imaginary}i)"
    return int.__repr__(value)


def go_syntax(value: Any) -> str:
    """%#v of data decoded from JSON."""
    if isinstance(value, str):
        from kubetrace.wire.go_quote import quote

        return quote(value)
    if value is None:
        return "interface {}(nil)"
    if isinstance(value, float):
        return general_float(value)
    if isinstance(value, dict):
        pairs = ", ".join(f"{go_syntax(key)}:{go_syntax(value[key])}" for key in sorted(value))
        return "map[string]interface {}{" + pairs + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(go_syntax, value)) + "}"
    return sprint(value)


_TYPE_NAMES: dict[type, str] = {
    dict: "map[string]interface {}",
    list: "[]interface {}",
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    complex: "complex128",
    Int: "int",
    Uint8: "uint8",
}


def type_name(value: Any) -> str:
    """reflect's name of the type that a value has in Go."""
    return _TYPE_NAMES.get(type(value), "<nil>")

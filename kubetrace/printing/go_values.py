"""JSON values as Go's fmt prints them: %v for people, %#v for debugging, and the names of their types."""

from __future__ import annotations

from typing import Any

from kubetrace.wire.go_numbers import general_float


def sprint(value: Any) -> str:
    """fmt.Sprint."""
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
    return str(value)


def go_syntax(value: Any) -> str:
    """%#v of data decoded from JSON."""
    if isinstance(value, str):
        from kubetrace.trace.go_text import quote

        return quote(value).decode()
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


def type_name(value: Any) -> str:
    """reflect's name of the type that JSON decodes to."""
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool", int: "int64"}
    return names.get(type(value), "float64" if isinstance(value, float) else "<nil>")

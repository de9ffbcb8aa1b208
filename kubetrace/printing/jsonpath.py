"""kubectl's jsonpath dialect, evaluated over JSON data (client-go util/jsonpath/jsonpath.go)."""

from __future__ import annotations

from typing import Any

from kubetrace.printing.go_values import Int, Uint8, sprint, type_name
from kubetrace.printing.jsonpath_parser import (
    Constant,
    Field,
    Filter,
    Identifier,
    JSONPathError,
    Node,
    Recursive,
    Sequence,
    Slice,
    Text,
    Union,
    Wildcard,
    parse,
)
from kubetrace.wire.go_json import dumps, dumps_indented
from kubetrace.wire.go_quote import as_bytes

_NOTHING: Any = object()
"""What a range without results walks over, and one over null: reflect's invalid value."""


class JSONPath:
    """A parsed template. `allow_missing_keys` turns "not found" into no result."""

    def __init__(self, template: str, allow_missing_keys: bool = False) -> None:
        self._nodes = parse(template)
        self._allow_missing_keys = allow_missing_keys
        self._begin_range = self._in_range = self._end_range = 0
        self._last_end: Node | None = None

    def render(self, data: Any) -> str:
        """The template's text. Raises JSONPathError."""
        return "".join(" ".join(map(_text, results)) for results in self.find(data))

    def render_json(self, data: Any) -> str:
        """The results as JSON arrays (-o jsonpath-as-json)."""
        return "".join(
            dumps_indented([_encodable(result) for result in results]).decode() + "\n" for results in self.find(data)
        )

    def find(self, data: Any) -> list[list[Any]]:
        """The results, a list a node of the template. Raises JSONPathError.

        As in client-go a range leaves the template cut: the next call begins with what stands behind the last range.
        """
        nodes = self._nodes
        full: list[list[Any]] = []
        at = 0
        while at < len(nodes):
            node = nodes[at]
            results = self._walk([data], node)
            at += 1
            if 0 < self._end_range <= self._in_range:
                self._end_range -= 1
                self._last_end = node
                break
            if self._begin_range > 0:
                self._begin_range -= 1
                self._in_range += 1
                rest = nodes[at:]
                for value in results:
                    self._nodes = rest
                    full.extend(self.find(_NOTHING if value is None else value))
                if not results:
                    self._nodes = rest
                    self.find(_NOTHING)
                self._in_range -= 1
                at = next((i + 1 for i in range(at, len(nodes)) if nodes[i] is self._last_end), at)
                continue
            full.append(results)
        return full

    def _walk(self, values: list[Any], node: Node) -> list[Any]:
        match node:
            case Sequence(nodes):
                for inner in nodes:
                    values = self._walk(values, inner)
                return values
            case Text(text):
                return [text]
            case Field(name):
                return self._field(values, name)
            case Slice():
                return _sliced(values, node)
            case Filter():
                return self._filtered(values, node)
            case Constant(constant):
                return [Int(constant) if type(constant) is int else constant] * len(values)
            case Wildcard():
                return [child for value in values for child in _children(value)]
            case Recursive():
                return _descendants(values)
            case Union(branches):
                try:
                    return [result for branch in branches for result in self._walk(values, branch)]
                except JSONPathError as error:
                    raise JSONPathError(str(error), kept=values) from None
            case Identifier(name):
                return self._identifier(values, name)

    def _identifier(self, values: list[Any], name: str) -> list[Any]:
        if name == "range":
            self._begin_range += 1
            return values
        if name == "end":
            if self._in_range == 0:
                raise JSONPathError("not in range, nothing to end")
            self._end_range += 1
            return []
        raise JSONPathError(f"unrecognized identifier {name}", kept=values)

    def _field(self, values: list[Any], name: str) -> list[Any]:
        if not values:
            return []
        results = [value[name] for value in values if isinstance(value, dict) and name in value]
        if not results and not self._allow_missing_keys:
            raise JSONPathError(f"{name} is not found")
        return results

    def _filtered(self, values: list[Any], node: Filter) -> list[Any]:
        results: list[Any] = []
        for value in values:
            if not isinstance(value, list):
                shown = "<invalid reflect.Value>" if value is _NOTHING else sprint(value)
                raise JSONPathError(f"{shown} is not array or slice and cannot be filtered", kept=values)
            for item in value:
                if self._passes(item, node, values, results):
                    results.append(item)
        return results

    def _passes(self, item: Any, node: Filter, values: list[Any], results: list[Any]) -> bool:
        """Does the filter let an item of one of the values through? `results` are those that came before it."""
        if node.operator == "exists":
            return self._exists(item, node)
        sides = self._sides(item, node, values)
        try:
            return sides is not None and _compare(sides[0], node.operator, sides[1])
        except JSONPathError as error:
            raise JSONPathError(str(error), kept=results) from None

    def _exists(self, item: Any, node: Filter) -> bool:
        """An error is no hindrance: `[?(@.list[7])]` passes a list that is too short."""
        try:
            return bool(self._walk([item], node.left))
        except JSONPathError as error:
            return bool(error.kept)

    def _sides(self, item: Any, node: Filter, values: list[Any]) -> tuple[Any, Any] | None:
        """What stands left and right of the operator; None where a side has no value."""
        sides = []
        for side in (node.left, node.right):
            try:
                found = self._walk([item], side)
            except JSONPathError as error:
                raise JSONPathError(str(error), kept=values) from None
            if not found:
                return None
            if len(found) > 1:
                raise JSONPathError("can only compare one element at a time", kept=values)
            sides.append(found[0])
        return sides[0], sides[1]


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return value
    return [Uint8(byte) for byte in as_bytes(value)] if isinstance(value, str) else []


def _descendants(values: list[Any]) -> list[Any]:
    result = []
    for value in values:
        children = _children(value)
        if children:
            result.append(value)
            result.extend(_descendants(children))
    return result


def _sliced(values: list[Any], node: Slice) -> list[Any]:
    result: list[Any] = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, list):
            raise JSONPathError(f"{type_name(value)} is not array or slice", kept=values)
        bounds = _bounds(node, len(value), values)
        if bounds is None:
            return result
        if node.step is not None and node.step <= 0:
            raise JSONPathError("step must be > 0", kept=values)
        result.extend(value[bounds[0] : bounds[1] : node.step or 1])
    return result


def _bounds(node: Slice, length: int, values: list[Any]) -> tuple[int, int] | None:
    """Where the slice begins and ends; None for an empty one, which ends the whole evaluation of the step."""
    start = node.start or 0
    stop = (start + 1 if node.single else length) if node.stop is None else node.stop
    if start < 0:
        start += length
    if stop < 0 or (stop == 0 and node.single):
        stop += length
    if start == stop:
        return None
    for index, limit, shown in ((start, length - 1, start), (stop, length, stop - 1)):
        if not 0 <= index <= limit:
            raise JSONPathError(f"array index out of bounds: index {shown}, length {length}", kept=values)
    if start > stop:
        raise JSONPathError(f"starting index {start} is greater than ending index {stop}", kept=values)
    return start, stop


def _kind(value: Any) -> str:
    """What template's basicKind tells apart; only these can be compared."""
    for kind, types in (("bool", bool), ("uint", Uint8), ("int", int), ("float", float), ("string", str)):
        if isinstance(value, types):
            return kind
    raise JSONPathError("invalid type for comparison")


def _compare(left: Any, operator: str, right: Any) -> bool:
    if operator not in ("<", ">", "==", "!=", "<=", ">="):
        raise JSONPathError(f"unrecognized filter operator {operator}")
    kind = _kind(left)
    if kind != _kind(right):
        raise JSONPathError("incompatible types for comparison")
    if operator in ("==", "!="):
        return bool((left == right) == (operator == "=="))
    if kind == "bool":
        raise JSONPathError("invalid type for comparison")
    if kind == "string":
        left, right = as_bytes(left), as_bytes(right)
    less, equal = left < right, left == right
    return bool({"<": less, "<=": less or equal, ">": not (less or equal), ">=": not less}[operator])


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return dumps(value).decode()
    if value is _NOTHING:
        return "<no value>"
    return "null" if value is None else sprint(value)


def _encodable(value: Any) -> Any:
    """The value as JSON's encoder takes it."""
    if value is _NOTHING:  # kubectl panics
        raise JSONPathError("reflect: call of reflect.Value.Interface on zero Value")
    return int(value) if isinstance(value, Int | Uint8) else value

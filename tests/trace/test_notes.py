"""Every note that any module emits is known to the dialects, with the values that its line needs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kubetrace
from kubetrace.trace.dialects.notes import NOTES

PACKAGE = Path(kubetrace.__file__).parent
MADE_BY_DIALECTS = {"feature-gates"}
"""Written as one line a gate."""


def _emitted() -> Iterator[tuple[str, str, set[str] | None]]:
    """Place, name and (where they are written out) value names of each emitted note."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.is_relative_to(PACKAGE / "playground"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            name = node.args[0]
            if called not in ("note", "_note", "Note") or not isinstance(name, ast.Constant):
                continue
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "attr", "") == "dialect":
                continue  # asks how a note is worded
            values = {keyword.arg or "**" for keyword in node.keywords}
            for value in node.args[1:]:
                if isinstance(value, ast.Dict):
                    values |= {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
                else:
                    values.add("**")
            yield f"{path.relative_to(PACKAGE)}:{node.lineno}", str(name.value), None if "**" in values else values


def test_notes_are_known_to_the_dialects() -> None:
    found = list(_emitted())
    assert len(found) > 15
    unknown = [(place, name) for place, name, _ in found if name not in NOTES and name not in MADE_BY_DIALECTS]
    assert unknown == []


def test_notes_bring_the_values_of_their_lines() -> None:
    wrong = [
        (place, name, sorted(values))
        for place, name, values in _emitted()
        if name in NOTES and values is not None and values != set(NOTES[name].values)
    ]
    assert wrong == []

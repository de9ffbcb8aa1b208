"""Sequences of requests (sequences/*.jsonl), each within a namespace of its own: NS in paths and bodies.

One request a line: method, path, body (JSON) or raw (latin-1), type where it is not JSON; `setup`: of its answer only
the status counts, because the rest is chance or the controllers' work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.playground.answers import plain

FOLDER = Path(__file__).parent / "sequences"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
GOLDEN = Path(__file__).parent / "golden" / "sequences-1.36.json"
Call = Callable[[str, str, Any, str], tuple[int, Any]]
"""Method, path, body (bytes or None), content type: status and answer."""


def requests(name: str, namespace: str) -> list[tuple[dict[str, Any], bytes | None]]:
    """(the line, the body) of each."""
    found = []
    for line in (FOLDER / f"{name}.jsonl").read_text().splitlines():
        row = json.loads(re.sub(r"\bNS\b", namespace, line))
        body = row["raw"].encode("latin-1") if "raw" in row else None
        found.append((row, json.dumps(row["body"]).encode() if "body" in row else body))
    return found


def answers(name: str, namespace: str, call: Call) -> list[Any]:
    found: list[Any] = []
    for row, body in requests(name, namespace):
        status, answer = call(row["method"], row["path"], body, row.get("type", "application/json"))
        found.append(status if row.get("setup") else plain(status, answer, namespace))
    return found

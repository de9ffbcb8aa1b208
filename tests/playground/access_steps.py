"""Who may what: tokens, impersonation, escalation, names, reviews.

The steps of access_steps.jsonl, in order, in one new namespace (NS): who asks (a context of the kubeconfig, or anon),
for what, and whether the answer's token is kept for the steps that follow (@TOK@)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Call = Callable[[str, str, str, Any, dict[str, str]], tuple[int, Any]]
"""(user, method, path, body, headers) to (status, answer)"""
_CHANGING = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[0-9:]+Z|X509SHA256=\w+")


def steps() -> list[dict[str, Any]]:
    lines = (Path(__file__).parent / "access_steps.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def _plain(status: int, answer: Any, namespace: str) -> list[Any]:
    text = _CHANGING.sub("*", json.dumps(answer, sort_keys=True).replace(namespace, "NS"))
    text = re.sub(r'"resourceVersion": "\d+"', '"resourceVersion": "*"', text)
    return [status, json.loads(re.sub(r'"token": "[^"]+"', '"token": "*"', text))]


def answers(call: Call, namespace: str, settle: Callable[[], None]) -> dict[str, Any]:
    """What a server says, by the steps' names. `settle` waits until a role has come to whom it concerns."""
    told, token = {}, ""
    for step in steps():
        asked = json.loads(json.dumps(step).replace("NS", namespace).replace("@TOK@", token))
        status, answer = call(step["who"], step["method"], asked["path"], asked.get("body"), asked.get("headers", {}))
        if step.get("keep"):
            token = answer["status"]["token"]
        if step.get("settle"):
            settle()
        told[step["name"]] = _plain(status, answer, namespace)
    return told

"""docs/playground-parity.md: the score, and each command whose answer differs, with its reason."""

from __future__ import annotations

import fnmatch
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conformance.playground import Verdict

REASONS = Path(__file__).parent / "playground_reasons.toml"


def _reason(verdict: Verdict, reasons: list[dict[str, str]]) -> str:
    for entry in reasons:
        if fnmatch.fnmatchcase(verdict.lesson, entry["lesson"]) and fnmatch.fnmatchcase(verdict.line, entry["command"]):
            return entry["reason"]
    return "not yet explained"


def markdown(verdicts: list[Verdict]) -> str:
    reasons = tomllib.loads(REASONS.read_text())["reason"]
    equal = sum(verdict.equal for verdict in verdicts)
    exits = sum(not verdict.differences["exit"] for verdict in verdicts)
    lines = [
        "# The playground beside a real kube-apiserver",
        "",
        "Written by `python -m tests.conformance --playground --report docs/playground-parity.md`: kubectl 1.36 on the",
        "embedded engine and on the envtest engine (kube-apiserver 1.36, etcd, kube-controller-manager, kube-scheduler",
        "and kwok). Compared are stdout, stderr, exit code, and calls with their status codes, after times, uids,",
        "versions, addresses and generated names are made equal.",
        "",
        f"**{equal} of {len(verdicts)} commands are equal in all four ({100 * equal / len(verdicts):.1f} %)**; the",
        f"exit code is equal for {exits}.",
        "",
        "| lesson | commands | equal |",
        "| --- | ---: | ---: |",
    ]  # fmt: skip
    for name in dict.fromkeys(verdict.lesson for verdict in verdicts):
        own = [verdict for verdict in verdicts if verdict.lesson == name]
        lines.append(f"| {name} | {len(own)} | {sum(verdict.equal for verdict in own)} |")
    lines += ["", "## Differences", "", "| lesson | command | differs in | reason |", "| --- | --- | --- | --- |"]
    for verdict in verdicts:
        if not verdict.equal:
            where = ", ".join(name for name, found in verdict.differences.items() if found)
            command = verdict.line.replace("|", "\\|")
            lines.append(f"| {verdict.lesson} | `{command}` | {where} | {_reason(verdict, reasons)} |")
    return "\n".join([*lines, ""])

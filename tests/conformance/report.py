"""docs/parity.md: one row a command, verdict by verdict; every difference with its reason."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.conformance.case import FOLDER
from tests.conformance.run import VERDICTS

UNEXPLAINED = "open: to be fixed"
_MARK = {True: "✓", False: "✗"}
_HEAD = """\
# Parity with kubectl

Written by `python -m tests.conformance --report docs/parity.md` (see tests/conformance); do not edit.

Each command runs with the real kubectl and with kubetrace, both at `-v=8`, against two equal real control planes with
the same objects. kubetrace writes kubectl 1.36's dialect (`KUBETRACE_LIKE=1.36`). Five verdicts:

- **calls**: method, URI and status of every call, in order, from the server's audit log (old discovery asks all groups
  in parallel: as a set)
- **bodies**: what was sent, as the server decoded it
- **stdout**, **exit**: every byte, the code
- **log**: stderr, line for line: the -v=8 log and the error messages

Times, uids, resource versions, ports, generated names, user agents, Content-Length (HTTP/2 counts bodies that HTTP/1.1
sends in chunks) and the widths of age and address columns are made
equal first; in the log, so is the text after the first 700 characters (or the first managedFields) of
a body that kubectl truncates. A difference
counts when it shows twice, because servers race with their clients.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a difference is there: for cases (a glob) and verdicts, on one server's line or on all."""

    cases: str
    verdicts: tuple[str, ...]
    why: str
    server: str = ""

    def explains(self, case: str, verdict: str, server: str) -> bool:
        return (
            fnmatch.fnmatchcase(case, self.cases) and verdict in self.verdicts and server.startswith(f"v{self.server}")
        )


def load_reasons() -> list[Reason]:
    document = tomllib.loads((FOLDER / "reasons.toml").read_text())
    return [Reason(r["cases"], tuple(r["verdicts"]), r["why"], r.get("server", "")) for r in document.get("reason", ())]


def reason_for(reasons: Sequence[Reason], case: str, verdict: str, server: str) -> str:
    return next((reason.why for reason in reasons if reason.explains(case, verdict, server)), "")


def totals(rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """For each verdict, how many commands are equal; "all" counts those equal in every verdict."""
    counts = {name: sum(not _differences(row)[name] for row in rows) for name in VERDICTS}
    counts["all"] = sum(not any(_differences(row).values()) for row in rows)
    return counts


def markdown(runs: Sequence[Mapping[str, object]]) -> str:
    reasons = load_reasons()
    parts = [_HEAD, _summary(runs)]
    parts += [_table(run) for run in runs]
    parts += [_explained(run, reasons) for run in runs]
    return "\n".join(parts)


def _summary(runs: Sequence[Mapping[str, object]]) -> str:
    lines = ["## Totals", "", f"| server | commands | {' | '.join(VERDICTS)} | all five |", "|---|---|" + "---|" * 6]
    for run in runs:
        rows = _rows(run)
        counts = totals(rows)
        lines.append(f"| {run['title']} | {len(rows)} | {' | '.join(str(count) for count in counts.values())} |")
    lines += ["", *(f"- {run['title']}: {run['versions']}" for run in runs), ""]
    return "\n".join(lines)


def _table(run: Mapping[str, object]) -> str:
    lines = [f"## {run['title']}", "", f"| command | cache | {' | '.join(VERDICTS)} |", "|---|---|" + "---|" * 5]
    for row in _rows(run):
        marks = " | ".join(_MARK[not _differences(row)[name]] for name in VERDICTS)
        argv = str(row["argv"]).strip().replace("|", "\\|")
        lines.append(f"| `{argv}` <sub>{row['name']}</sub> | {row['cache']} | {marks} |")
    return "\n".join([*lines, ""])


def _explained(run: Mapping[str, object], reasons: Sequence[Reason]) -> str:
    """Differences by reason, the unexplained first with the first lines that differ."""
    by_reason: dict[str, list[str]] = {}
    for row in _rows(run):
        for verdict, difference in _differences(row).items():
            if difference:
                why = reason_for(reasons, str(row["name"]), verdict, str(run["server"])) or UNEXPLAINED
                by_reason.setdefault(why, []).append(f"{row['name']} ({verdict})")
    lines = [f"## Differences: {run['title']}", ""]
    if not by_reason:
        lines += ["None.", ""]
    for why, where in sorted(by_reason.items(), key=lambda item: item[0] != UNEXPLAINED):
        lines += [f"- **{why}**: {', '.join(where)}"]
    return "\n".join([*lines, ""])


def _rows(run: Mapping[str, object]) -> list[Mapping[str, object]]:
    rows = run["rows"]
    assert isinstance(rows, list)
    return rows


def _differences(row: Mapping[str, object]) -> dict[str, list[str]]:
    differences = row["differences"]
    assert isinstance(differences, dict)
    return differences

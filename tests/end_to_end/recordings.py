"""What a capture does not tell of itself: the environment of its run, and how its words were quoted."""

from __future__ import annotations

import re
from pathlib import Path

from tests.end_to_end.answers import RECORDED_HERE, answers_of
from tests.end_to_end.program import Ports
from tests.trace.capture import Capture

ARGV = {
    "y-as-special": ['--as=a"b$c`d\\e f', "--as-group=g é"],
    "y-urlquote2": ["-l=app in (a,b)", "--field-selector", "metadata.name=it's"],
    "y-urlquote-": ["/version?x='y'&z=\"q\"$HOME"],
}
"""Words that cannot be read back from the captures' unquoted command lines."""

ENVIRON = {
    "x-kubeconfig-missing": {"KUBECONFIG": "/nonexistent-a:HOME/.kube/config:HOME/.kube/config2"},
    "x-kubeconfig-unset": {"HOME": "HOME/nobody"},
    "y-confnotfound": {"KUBECONFIG": "/nonexistent-a"},
    "y-envgate-": {"KUBE_FEATURE_WatchListClient": "false"},
    "y-envgatebad-": {"KUBE_FEATURE_WatchListClient": "maybe"},
    "x-tz-": {"TZ": "America/New_York"},
}


def _of(table: dict[str, object], name: str) -> object:
    return next((value for start, value in table.items() if f"{name}-".startswith(start)), None)


def argv_of(capture: Capture, ports: Ports) -> list[str]:
    """The command line, its ports those of this run."""
    words = [word.strip("'") if capture.version in RECORDED_HERE else word for word in capture.command]
    special = _of(ARGV, capture.name)  # type: ignore[arg-type]
    if special == ARGV["y-as-special"]:
        words = [*ARGV["y-as-special"], *(word for word in words if word.startswith("-v=")), "get", "pods"]
    elif special == ARGV["y-urlquote2"]:
        words = [*(word for word in words if word.startswith("-v=")), "get", "pods", *ARGV["y-urlquote2"]]
    elif special:
        words = [*(word for word in words if word.startswith("-v=")), "get", "--raw", *ARGV["y-urlquote-"]]
    mine = {"38472": str(ports.tls), "38471": str(ports.plain)}
    return [re.sub(r"(?<=127\.0\.0\.1:)(38472|38471)", lambda match: mine[match[1]], word) for word in words]


def environ_of(capture: Capture, home: Path) -> dict[str, str]:
    special = _of(ENVIRON, capture.name) or {}  # type: ignore[arg-type]
    return {name: text.replace("HOME", str(home)) for name, text in special.items()}  # type: ignore[attr-defined]


def warm_up(capture: Capture, argv: list[str]) -> list[str] | None:
    """The command that fills the discovery cache as it was before the recording; None where it was empty."""
    asked = [key[1] for key, _ in answers_of(capture)]
    if capture.version in RECORDED_HERE:
        uncached = capture.name.startswith(("dead", "not-found", "version", "raw")) or capture.name == "get-pods-v1"
        return None if uncached else ["get", "pods"]
    invalidates = any(b"Invalidating" in entry.message for entry in capture.entries)
    if (not asked and capture.verbosity >= 6) or "cold" in capture.name or ("/api" in asked and not invalidates):
        return None
    return ["get", "pods", *(word for word in argv if word.startswith(("--context=", "--kubeconfig=", "--server=")))]

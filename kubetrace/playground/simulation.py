"""What a simulated container does: which state it is in, what it logs. No process is ever started."""

from __future__ import annotations

import shlex
from typing import Any

from kubetrace.playground.objects import Object


def is_broken(image: str) -> bool:
    """An image named …:broken can't be pulled, so that debugging can be practised."""
    return image.rpartition(":")[2] == "broken"


def exit_code(container: Object) -> int | None:
    """The code with which a container's command ends at once; None: it goes on running."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if not words:
        return None
    name = words[0].rpartition("/")[2]
    if name in ("sh", "bash", "ash") and "-c" in words[:3] and len(words) > words.index("-c") + 1:
        return _script_code(words[words.index("-c") + 1])
    return _command_code(name, words[1:])


def _command_code(name: str, rest: list[str]) -> int | None:
    if name == "false":
        return 1
    if name == "exit":
        return int(rest[0]) if rest and rest[0].isdigit() else 0
    if name in ("true", "echo", "date", "printf", "env", "hostname", "ls", "cat", "perl", "expr", "pwd", "id"):
        return 0
    if name == "sleep" and rest and rest[0].isdigit() and int(rest[0]) < 60:
        return 0
    return None


def _script_code(script: str) -> int | None:
    code: int | None = 0
    for part in script.replace("&&", ";").replace("\n", ";").split(";"):
        try:
            words = shlex.split(part)
        except ValueError:
            return 2
        if not words:
            continue
        if words[0] in ("while", "until", "for", "do"):
            return None
        code = _command_code(words[0].rpartition("/")[2], words[1:])
        if code is None or words[0] == "exit":
            return code
    return code


def _echoed(container: Object) -> list[str]:
    """What the echoes of a container's command print."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if words and words[0].rpartition("/")[2] in ("sh", "bash", "ash") and "-c" in words[:3]:
        script = words[words.index("-c") + 1] if len(words) > words.index("-c") + 1 else ""
        parts = script.replace("&&", ";").replace("\n", ";").split(";")
    else:
        parts = [shlex.join(words)]
    lines = []
    for part in parts:
        try:
            found = shlex.split(part)
        except ValueError:
            continue
        if found and found[0].rpartition("/")[2] == "echo":
            lines.append(" ".join(found[1:]))
    return lines


def log_lines(pod: Object, name: str) -> list[tuple[str, str]]:
    """(RFC 3339 time, text) of each line that a container has logged."""
    spec: dict[str, Any] = pod["spec"]
    groups = ("containers", "initContainers", "ephemeralContainers")
    container = next(c for group in groups for c in spec.get(group) or () if c["name"] == name)
    started = (pod.get("status") or {}).get("startTime") or pod["metadata"]["creationTimestamp"]
    lines = _echoed(container)
    if exit_code(container) is None:
        lines = [
            f"[simulated] container {name} of pod {pod['metadata']['name']} runs no process",
            f"[simulated] image {container.get('image', '')} started on {spec.get('nodeName', '')}",
            *lines,
        ]
    return [(f"{started[:-1]}.{index:09d}Z", text) for index, text in enumerate(lines)]

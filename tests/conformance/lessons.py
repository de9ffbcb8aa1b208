"""Lessons: what people do with a cluster, as lists of real-kubectl commands (see the files in lessons/).

A `[[lesson]]` has `name`, `commands` (one a line, in order, in a namespace of the lesson's own) and `files` (name →
content, in the working directory). A line may begin with `setup:` (run, but not compared) or with VARIABLE=value words;
single quotes keep blanks together, everything else is taken as it stands.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "lessons"
FILES = (
    *("basics", "apply", "workloads", "cluster", "changing", "refusing", "asking", "kinds", "wide", "fresh"),
    *("tasks_config", "tutorials", "tasks_cluster", "everyday", "rules", "describing", "operations", "autoscaling"),
    "whole",
    "behind",
)
_SETUP = "setup: "
_WORD = re.compile(r"(?:[^\s']|'[^']*')+")
_VARIABLE = re.compile(r"([A-Z_]+)=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """One command line of a lesson."""

    line: str

    @property
    def compared(self) -> bool:
        return not self.line.startswith(_SETUP)

    @property
    def words(self) -> list[str]:
        """kubectl's arguments."""
        return self._all()[len(self.variables) :]

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables; they stand before the first argument."""
        found = {}
        for word in self._all():
            match = _VARIABLE.fullmatch(word)
            if match is None:
                break
            found[match[1]] = match[2]
        return found

    def _all(self) -> list[str]:
        return [word.replace("'", "") for word in _WORD.findall(self.line.removeprefix(_SETUP))]


@dataclass(frozen=True, slots=True)
class Lesson:
    name: str
    steps: tuple[Step, ...]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return f"lesson-{self.name}"


def load_lessons() -> list[Lesson]:
    lessons = []
    for file in FILES:
        for entry in tomllib.loads((FOLDER / f"{file}.toml").read_text())["lesson"]:
            steps = tuple(Step(line) for line in entry["commands"].splitlines() if line and not line.startswith("#"))
            lessons.append(Lesson(entry["name"], steps, entry.get("files", {})))
    return lessons

"""One kubectl command as data: see the files in cases/.

Keys of a `[[case]]`: `name` (unique), `argv` (one line, split as a shell splits it), `stdin`, `files` (name → content,
beside the shared ones of manifests/), `setup` (kubectl command lines, run by the real kubectl on both planes first),
`cache` ("warm", the default, or "cold": what the discovery cache on disk holds), `namespace` (default: one of its own),
`environ` (variables besides the harness's own, for `setup`, too; `EDITOR` and the like), `unordered` (kubectl makes its
calls in an order that differs from run to run), `after` (kubectl command lines that take away what would disturb other
cases; they may fail). `@namespace@` in argv, stdin, files, setup, after and environ is the case's own namespace: part
of each cluster-scoped name that a case makes, so that it can run twice.
A file's `[defaults]` hold for its cases.
"""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
MANIFESTS = FOLDER / "manifests"
# Readers first: what a later case leaves behind cannot disturb them.
READERS = ("get", "reads", "server")
FILES = (*READERS, *sorted({path.stem for path in (FOLDER / "cases").glob("*.toml")} - {*READERS}))


@dataclass(frozen=True, slots=True)
class Case:
    """One command, and the world it runs in."""

    name: str
    argv: str
    stdin: str = ""
    files: dict[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    cache: str = "warm"
    namespace: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    unordered: bool = False
    after: tuple[str, ...] = ()
    group: str = ""
    run: str = ""

    @property
    def words(self) -> list[str]:
        return shlex.split(self.filled(self.argv))

    @property
    def own_namespace(self) -> str:
        return self.namespace or f"c-{self.name}{self.run}"

    def filled(self, text: str) -> str:
        """With the case's own namespace in it."""
        return text.replace("@namespace@", self.own_namespace)


def load_cases() -> list[Case]:
    return [case for group in FILES for case in _load(group)]


def _load(group: str) -> Iterator[Case]:
    document = tomllib.loads((FOLDER / "cases" / f"{group}.toml").read_text())
    for entry in document["case"]:
        values = {**document.get("defaults", {}), **entry, "group": group}
        values |= {key: tuple(values.get(key, ())) for key in ("setup", "after")}
        yield Case(**values)

"""Runs a Go program of one file against modules of Kubernetes, for tools that record what Go does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any


def outcome(
    source: Path, modules: dict[str, str], given: Any = None, replaced: Mapping[str, str] = MappingProxyType({})
) -> Any:
    """The JSON that the program prints; it reads `given` as JSON. `modules`: versions by path; `replaced`: those of
    modules whose versions other modules ask for in vain."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(source, Path(folder, "main.go"))
        wanted = "".join(f"\t{path} {version}\n" for path, version in modules.items())
        instead = "".join(f"replace {path} => {path} {version}\n" for path, version in replaced.items())
        Path(folder, "go.mod").write_text(f"module {source.stem}\n\ngo 1.25\n\nrequire (\n{wanted})\n{instead}")
        environ = {**os.environ, "GOFLAGS": "-mod=mod"}
        text = json.dumps(given, ensure_ascii=False)
        done = subprocess.run(
            ["go", "run", "."], cwd=folder, env=environ, input=text, stdout=subprocess.PIPE, text=True
        )
        done.check_returncode()
    return json.loads(done.stdout)

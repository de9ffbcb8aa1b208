"""Records what the real kubectl says to every case of config_cases.py:

    python -m tests.tools.record_config path/to/kubectl

The result, tests/commands/golden/config.json, names the version it came from.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.tools.config_cases import CASES, Case

GOLDEN = Path(__file__).parents[1] / "commands" / "golden" / "config.json"


def prepare(case: Case, folder: Path) -> dict[str, str]:
    """Writes the case's files and returns its environment."""
    for name, text in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    environ = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    if case.kubeconfig:
        environ["KUBECONFIG"] = case.kubeconfig
    return environ


def changed_files(case: Case, folder: Path) -> dict[str, str]:
    """Every file that the command wrote, by name."""
    found = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "cache" not in path.parts
    }
    return {name: text.replace(str(folder), "$DIR") for name, text in found.items() if case.files.get(name) != text}


def without_addresses(text: str) -> str:
    """Go prints pointers in some messages, and a stack where it panics."""
    return "(panic)" if text.startswith("panic: ") else re.sub("[: ]0x[0-9a-f]+", "", text)


def record(kubectl: str, case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environ = prepare(case, folder)
        done = subprocess.run(
            [kubectl, "config", *case.argv], cwd=folder, env=environ, capture_output=True, check=False
        )
        stdout = done.stdout.decode().replace(str(folder), "$DIR")
        return {
            "argv": list(case.argv),
            "stdout": "(help)" if "\nUsage:\n" in stdout else stdout,
            "stderr": without_addresses(done.stderr.decode().replace(str(folder), "$DIR")),
            "exit": done.returncode,
            "files": changed_files(case, folder),
        }


def main(kubectl: str) -> None:
    version = json.loads(subprocess.check_output([kubectl, "version", "--client", "-o", "json"]))
    golden = {
        "recorded from": f"kubectl {version['clientVersion']['gitVersion']}",
        "by": "python -m tests.tools.record_config KUBECTL",
        "cases": {case.name: record(kubectl, case) for case in CASES},
    }
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

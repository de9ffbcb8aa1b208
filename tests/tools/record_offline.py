"""Records what the real kubectl does without a server, for tests/commands/test_offline_golden.py.

    python -m tests.tools.record_offline KUBECTL

Runs every conformance case of the groups below with a kubeconfig whose server does not answer, and keeps those in which
kubectl never asked for it: client-side dry runs, --local, refused flags. The file says which kubectl it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.case import MANIFESTS, Case, load_cases

GOLDEN = Path(__file__).parents[1] / "commands" / "golden" / "offline.json"
GROUPS = ("create_kinds", "metadata", "changes", "scale", "run_expose", "completion", "edit", "prune", "more",
          "decoding", "overrides")  # fmt: skip
DEAD_SERVER = "http://127.0.0.1:1"
_STAMP = re.compile(r"(?m)^([WE])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ ")


def offline_cases() -> Iterator[Case]:
    """The cases that need nothing but what is in them."""
    for case in load_cases():
        if case.group in GROUPS and not case.setup:
            yield case


def prepare(case: Case, folder: Path) -> None:
    """The folder that a case runs in, with a kubeconfig beside it."""
    shutil.copytree(MANIFESTS, folder / "work")
    for name, content in case.files.items():
        path = folder / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(case.filled(content))
    contexts = [
        {"name": name, "context": {"cluster": "dead", "user": name, "namespace": case.own_namespace}}
        for name in ("admin", "nobody")
    ]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "admin",
        "contexts": contexts,
        "clusters": [{"name": "dead", "cluster": {"server": DEAD_SERVER}}],
        "users": [{"name": name, "user": {}} for name in ("admin", "nobody")],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))


def steady(text: str) -> str:
    """Without what a log line's head says of the moment."""
    return _STAMP.sub(r"\1 ", text)


def record(kubectl: str) -> dict[str, Any]:
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    found = {}
    for case in offline_cases():
        with tempfile.TemporaryDirectory() as folder:
            prepare(case, Path(folder))
            environ = {"HOME": folder, "KUBECONFIG": f"{folder}/kubeconfig", "LC_ALL": "C.UTF-8", **case.environ}
            link = Path(folder, "kubectl")  # its name is part of what it says
            link.symlink_to(os.path.realpath(kubectl))
            done = subprocess.run([str(link), *case.words], cwd=Path(folder, "work"), env=environ,
                                  input=case.filled(case.stdin), capture_output=True, text=True)  # fmt: skip
            if "127.0.0.1:1" in done.stderr:
                continue
            found[case.name] = {"exit": done.returncode, "stdout": done.stdout, "stderr": steady(done.stderr)}
    return {"version": version.splitlines()[0], "cases": found}


if __name__ == "__main__":
    recorded = record(sys.argv[1])
    GOLDEN.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(recorded['cases'])} cases of {recorded['version']}")

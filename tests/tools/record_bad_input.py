"""Records what kubectl says when something goes wrong: tests/bad_input/golden/kubectl.json.

    python -m tests.tools.record_bad_input PATH-OF-KUBECTL [NAME-PATTERN]

Each case of tests/bad_input/cases.py runs in an empty home against a server of its own. With a pattern (a regular
expression) only those cases are recorded anew.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bad_input.cases import Case, cases, normal
from tests.bad_input.server import answers, authority, door

GOLDEN = Path(__file__).parent.parent / "bad_input" / "golden" / "kubectl.json"
WORKERS = 6


def prepare(case: Case, home: Path) -> None:
    for name, data in case.files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_bytes(data)


def record(kubectl: str, case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, door(case.door, Path(folder)) as server:
        home = Path(folder)
        prepare(case, home)
        server.be(case.fault, answers(server)[case.answer] if case.answer else b"")
        environ = {"HOME": folder, "PATH": os.environ["PATH"], "TZ": "UTC"}
        done = subprocess.run(
            [kubectl, *case.words],
            cwd=home,
            env=environ,
            input=case.stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        out, err = (normal(data.decode("utf-8", "backslashreplace"), home) for data in (done.stdout, done.stderr))
        return {"words": list(case.words), "code": done.returncode, "stdout": out, "stderr": err}


def main() -> None:
    kubectl, pattern = sys.argv[1], re.compile(sys.argv[2] if len(sys.argv) > 2 else "")
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    known = json.loads(GOLDEN.read_text())["cases"] if GOLDEN.exists() and pattern.pattern else {}
    authority()  # once, before threads need it
    chosen = [case for case in cases() if pattern.search(case.name)]
    with ThreadPoolExecutor(WORKERS) as pool:
        fresh = dict(
            zip((case.name for case in chosen), pool.map(lambda case: record(kubectl, case), chosen), strict=True)
        )
    names = [case.name for case in cases()]
    told = {name: found for name in names if (found := fresh.get(name, known.get(name)))}
    GOLDEN.write_text(json.dumps({"kubectl": version.splitlines(), "cases": told}, indent=1) + "\n")


if __name__ == "__main__":
    main()

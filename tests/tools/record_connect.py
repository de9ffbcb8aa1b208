"""Records what the real kubectl makes of every kubeconfig of connect_cases.py (`get --raw /`, against closed ports):

python -m tests.tools.record_connect path/to/kubectl
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tools.connect_cases import CASES, URLS, Case

GOLDEN = Path(__file__).parents[1] / "kubeconfig" / "golden" / "connect.json"


def prepare(case: Case, folder: Path) -> dict[str, str]:
    """Writes the case's kubeconfig and returns its environment."""
    if case.text is not None:
        (folder / "config").write_text(case.text, encoding="utf-8")
    return {"HOME": str(folder), "KUBECONFIG": "config", "PATH": "/usr/bin:/bin", **dict(case.variables)}


def record(kubectl: str, case: Case) -> str:
    with tempfile.TemporaryDirectory() as folder:
        environ = prepare(case, Path(folder))
        done = subprocess.run(
            [kubectl, "get", "--raw", "/", *case.flags], cwd=folder, env=environ, capture_output=True, check=False
        )
        return done.stderr.decode().replace(folder, "$DIR")


def main(kubectl: str) -> None:
    version = json.loads(subprocess.check_output([kubectl, "version", "--client", "-o", "json"]))
    golden = {
        "recorded from": f"kubectl {version['clientVersion']['gitVersion']}",
        "by": "python -m tests.tools.record_connect KUBECTL",
        "cases": {case.name: record(kubectl, case) for case in (*CASES, *URLS)},
    }
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

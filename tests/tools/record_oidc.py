"""Records what kubectl does with the auth provider `oidc`: tests/transport/golden/oidc.json.

python -m tests.tools.record_oidc PATH-OF-KUBECTL
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bad_input.cases import normal
from tests.transport.oidc_cases import CASES, OIDCCase, servers, steady, told

GOLDEN = Path(__file__).parents[1] / "transport" / "golden" / "oidc.json"


def record(kubectl: str, case: OIDCCase) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, servers(case, Path(folder)) as (server, issuer):
        environ = {"HOME": folder, "PATH": os.environ["PATH"], "TZ": "UTC"}
        done = subprocess.run(
            [kubectl, *case.words], cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        kept = (Path(folder) / ".kube" / "config").read_text()
        texts = {"stdout": done.stdout, "stderr": done.stderr, "config": kept}
        used = {value for asked in server.asked for name, value in asked.headers if name == "Authorization"}
        return {
            "words": list(case.words),
            "code": done.returncode,
            **{name: steady(normal(text, Path(folder))) for name, text in texts.items()},
            "issuer": told(issuer.asked),
            "used": [steady(value) for value in used],
        }


def main() -> None:
    kubectl = sys.argv[1]
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    cases = {name: record(kubectl, case) for name, case in CASES.items()}
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps({"kubectl": version.splitlines(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Writes kubetrace/wire/data/structs-1.36.json.gz: the fields of every built-in kind's Go struct, in Go's order.

    python tests/tools/generate_struct_facts.py CLIENT_GO_VERSION        (for example v0.36.3; needs Go)

struct_facts.go reads them off kubectl's own types by reflection; this wraps it in a module and packs what it prints.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("struct_facts.go")
TARGET = Path(__file__).parents[2] / "kubetrace" / "wire" / "data" / "structs-1.36.json.gz"


def facts(version: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(SOURCE, Path(folder, "main.go"))
        Path(folder, "go.mod").write_text(f"module facts\n\ngo 1.25\n\nrequire k8s.io/client-go {version}\n")
        environ = {**os.environ, "GOFLAGS": "-mod=mod"}
        done = subprocess.run(["go", "run", "."], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    version = sys.argv[1]
    found = {"version": version, **facts(version)}
    del found["names"]
    text = json.dumps(found, separators=(",", ":")).encode()
    TARGET.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

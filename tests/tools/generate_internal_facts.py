"""Writes what kube-apiserver's internal Go structs look like in JSON to kubetrace/playground/data:
internal-1.36.json.gz.

    python -m tests.tools.generate_internal_facts v1.36.3        (a version of k8s.io/kubernetes; needs Go)

internal_facts.go reads them off the server's own types by reflection; this packs what it prints.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.tools.generate_struct_facts import write
from tests.tools.go_program import outcome

SOURCE = Path(__file__).with_name("internal_facts.go")
TARGET = Path(__file__).parents[2] / "kubetrace" / "playground" / "data" / "internal-1.36.json.gz"


def main() -> None:
    version = sys.argv[1]
    whole = f"k8s.io/kubernetes@{version}"
    told = subprocess.run(["go", "mod", "download", "-json", whole], stdout=subprocess.PIPE, check=True)
    wanted = Path(json.loads(told.stdout)["GoMod"]).read_text()
    staging = dict.fromkeys(re.findall(r"^\s*(k8s\.io/\S+) v0\.0\.0$", wanted, re.MULTILINE), f"v0{version[2:]}")
    write(TARGET, {"version": version, **outcome(SOURCE, {"k8s.io/kubernetes": version}, replaced=staging)})


if __name__ == "__main__":
    main()

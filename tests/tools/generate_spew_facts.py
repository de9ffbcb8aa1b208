"""Writes the Go structs of a pod's template to kubetrace/playground/data/template-structs-1.36.json.gz, by whose
values the real controllers name ReplicaSets.

    python -m tests.tools.generate_spew_facts API_VERSION        (for example v0.36.3; needs Go)
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.tools.generate_struct_facts import write
from tests.tools.go_program import outcome

SOURCE = Path(__file__).with_name("spew_facts.go")
TARGET = Path(__file__).parents[2] / "kubetrace" / "playground" / "data" / "template-structs-1.36.json.gz"


def main() -> None:
    version = sys.argv[1]
    write(TARGET, outcome(SOURCE, {"k8s.io/api": version, "k8s.io/apimachinery": version}))


if __name__ == "__main__":
    main()

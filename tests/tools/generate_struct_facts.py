"""Writes what the Go struct of every built-in kind looks like to two files in kubetrace/wire/data: structs-1.36.json.gz
has the fields, in Go's order; struct-words-1.36.json.gz has what errors of decoding call them and their types.

    python -m tests.tools.generate_struct_facts CLIENT_GO_VERSION        (for example v0.36.3; needs Go)

struct_facts.go reads them off kubectl's own types by reflection; this packs what it prints.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

from tests.tools.go_program import outcome

SOURCE = Path(__file__).with_name("struct_facts.go")
DATA = Path(__file__).parents[2] / "kubetrace" / "wire" / "data"


def main() -> None:
    version = sys.argv[1]
    found = {"version": version, **outcome(SOURCE, {"k8s.io/client-go": version})}
    words = {
        "names": found.pop("names"),
        "fields": [["|".join(field) for field in fields] for fields in found.pop("words")],
    }
    write(DATA / "structs-1.36.json.gz", found)
    write(DATA / "struct-words-1.36.json.gz", words)


def write(target: Path, content: object) -> None:
    target.write_bytes(gzip.compress(json.dumps(content, separators=(",", ":")).encode(), 9, mtime=0))
    print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""Writes kubetrace/wire/data/protobuf-1.36.json.gz from a table of field numbers and the Go types' sources.

    python tests/tools/generate_protobuf_facts.py FIELDS.json GO_MODULES_K8S_IO VERSION

FIELDS.json maps messages to fields (read off the Go types' struct tags). What it does not say is which numbers and
booleans are pointers, that is where zero means something: that comes from the sources (k8s.io/api@vVERSION …).
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[2] / "kubetrace" / "wire" / "data" / "protobuf-1.36.json.gz"
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
POINTER = re.compile(r'^\s+\w+\s+\*(?:int32|int64|bool|string|float64|[A-Z]\w+)\s+`json:"(\w+)', re.MULTILINE)
SLICES = r"(?:\w+\.)?(?:Verbs|ValidationRules|ExtraValue)\b"
"""Named types that are lists."""
PLAIN = re.compile(rf'^\s+\w+\s+(?!\[|map\[|{SLICES})\*?[\w.]+\s+`json:"([\w-]+)', re.MULTILINE)
LISTS = re.compile(r'^\s+\w+\s+\[\](?!byte\b)\*?[\w.]+\s+`json:"(\w+)', re.MULTILINE)


def lists(package: Path) -> dict[str, set[str]]:
    """Fields that are lists, whatever their tags say (CertificateSigningRequestSpec.usages is tagged "opt")."""
    text = "\n".join(path.read_text() for path in package.glob("*.go") if "zz_" not in path.name)
    return {name: set(LISTS.findall(body)) for name, body in STRUCT.findall(text)}


def plain(package: Path) -> dict[str, set[str]]:
    """Fields that are one value, whatever their tags say (SubjectRulesReviewStatus.incomplete is tagged "rep")."""
    text = "\n".join(path.read_text() for path in package.glob("*.go") if "zz_" not in path.name)
    return {name: set(PLAIN.findall(body)) for name, body in STRUCT.findall(text)}


def pointers(package: Path) -> dict[str, set[str]]:
    text = "\n".join(path.read_text() for path in package.glob("*.go") if "zz_" not in path.name)
    return {name: set(POINTER.findall(body)) for name, body in STRUCT.findall(text)}


def main() -> None:
    facts = json.loads(Path(sys.argv[1]).read_text())
    modules, version = Path(sys.argv[2]), sys.argv[3]
    packages: dict[str, dict[str, set[str]]] = {}
    singles: dict[str, dict[str, set[str]]] = {}
    several: dict[str, dict[str, set[str]]] = {}
    for message, fields in facts["messages"].items():
        path, _, name = message.rpartition(".")
        if path not in packages:
            module, _, rest = path.partition("/")
            folder = modules / f"{module}@v{version}" / rest
            packages[path], singles[path], several[path] = pointers(folder), plain(folder), lists(folder)
        known, single = packages[path].get(name, set()), singles[path].get(name, set())
        for row in fields.values():
            if row[2:] == ["list"] and row[0] in single:
                row.pop()
            if len(row) == 2 and row[0] in several[path].get(name, set()):
                row.append("list")
            if row[0] in known and "/" not in row[1] and len(row) == 2:
                row.append("pointer")
    TARGET.write_bytes(gzip.compress(json.dumps(facts, separators=(",", ":")).encode(), 9, mtime=0))
    print(TARGET.name, TARGET.stat().st_size)


if __name__ == "__main__":
    main()

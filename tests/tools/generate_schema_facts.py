"""Writes kubetrace/wire/data/schema-1.36.json.gz: what the built-in kinds look like, as one compact table.

    python tests/tools/generate_schema_facts.py        (needs the development dependency kubernetes-validate)

The package's definitions are Kubernetes' own OpenAPI document, x-kubernetes-* extensions included. The table keeps
fields, types, required fields and merge rules, and leaves the sentences out.
"""

from __future__ import annotations

import gzip
import json
from importlib import resources
from pathlib import Path
from typing import Any

VERSION = "1.36"
TARGET = Path(__file__).parents[2] / "kubetrace" / "wire" / "data" / f"schema-{VERSION}.json.gz"


def definitions() -> dict[str, Any]:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{VERSION}.0-local"
    document = json.loads((folder / "_definitions.json").read_text())
    result: dict[str, Any] = document["$defs"]
    return result


def scalar(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "any")
    name = next(entry for entry in kind if entry != "null") if isinstance(kind, list) else kind
    return f"{name}:{schema['format']}" if "format" in schema else str(name)


def reference(schema: dict[str, Any], numbers: dict[str, int]) -> int | str:
    if "$ref" in schema:
        return numbers[schema["$ref"].rsplit("/", 1)[1]]
    return scalar(schema)


def field_facts(schema: dict[str, Any], numbers: dict[str, int]) -> list[Any]:
    """[type, container, list or map type, list-map keys, patch strategies, patch merge key], shortened at the end."""
    container, inner = "", schema
    if "additionalProperties" in schema:
        container, inner = "m", schema["additionalProperties"]
        if "items" in inner:
            container, inner = "ml", inner["items"]
    elif "items" in schema:
        container, inner = "l", schema["items"]
    facts: list[Any] = [
        reference(inner, numbers),
        container,
        schema.get("x-kubernetes-list-type") or schema.get("x-kubernetes-map-type") or "",
        schema.get("x-kubernetes-list-map-keys", []),
        schema.get("x-kubernetes-patch-strategy", ""),
        schema.get("x-kubernetes-patch-merge-key", ""),
    ]
    while len(facts) > 1 and not facts[-1]:
        facts.pop()
    return facts


def type_facts(schema: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "f": {name: field_facts(part, numbers) for name, part in schema.get("properties", {}).items()}
    }
    if "required" in schema:
        facts["r"] = schema["required"]
    if schema.get("x-kubernetes-map-type") == "atomic":
        facts["a"] = 1
    if "properties" not in schema:
        facts["s"] = scalar(schema)
        del facts["f"]
    return facts


def kinds(schemas: dict[str, Any], numbers: dict[str, int]) -> dict[str, int]:
    found = {}
    for name, schema in schemas.items():
        for gvk in schema.get("x-kubernetes-group-version-kind", []):
            version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            found[f"{version}/{gvk['kind']}"] = numbers[name]
    return dict(sorted(found.items()))


def main() -> None:
    schemas = dict(sorted(definitions().items()))
    numbers = {name: number for number, name in enumerate(schemas)}
    table = {
        "version": VERSION,
        "source": "kubernetes-validate",
        "names": list(schemas),
        "types": [type_facts(schema, numbers) for schema in schemas.values()],
        "kinds": kinds(schemas, numbers),
    }
    text = json.dumps(table, separators=(",", ":")).encode()
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"{TARGET.name}: {len(schemas)} types, {len(table['kinds'])} kinds, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

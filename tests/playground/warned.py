"""Objects that warnings come with (warned.yaml), as requests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubetrace.playground.catalog import Catalog
from kubetrace.wire import yaml_reader

FILE = Path(__file__).parent / "warned.yaml"


def requests(namespace: str) -> Iterator[tuple[str, Any]]:
    """(path, body) of a creation by dry run of each object."""
    catalog = Catalog()
    for document in FILE.read_bytes().split(b"\n---\n"):
        item = yaml_reader.loads(document)
        resource = catalog.by_kind(item["apiVersion"], item["kind"])
        assert resource is not None, item["kind"]
        place = f"/namespaces/{namespace}" if resource.namespaced else ""
        yield f"{resource.prefix}{place}/{resource.name}?dryRun=All", item

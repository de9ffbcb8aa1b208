"""Writes tests/playground/golden/custom-openapi-1.36.json: custom_openapi.yaml's kinds as a real kube-apiserver
publishes them in OpenAPI v2 and v3, without sentences.

python -m tests.tools.record_custom_openapi KUBECONFIG        (a server's own, with a token and a CA file)
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubetrace.wire import yaml_reader
from tests.tools.record_answers import server_of
from tests.tools.record_server_facts import without_sentences

SOURCE = Path(__file__).parents[1] / "playground" / "custom_openapi.yaml"
TARGET = SOURCE.parent / "golden" / "custom-openapi-1.36.json"
PLACE = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def custom_definitions() -> list[dict[str, Any]]:
    return [yaml_reader.loads(part.encode()) for part in SOURCE.read_text().split("---\n")]


def published(get: Callable[[str], Any]) -> dict[str, Any]:
    """What the documents say of the definitions' kinds and paths."""
    found: dict[str, Any] = {}
    for definition in custom_definitions():
        group, version = definition["spec"]["group"], definition["spec"]["versions"][0]["name"]
        package = ".".join(reversed(group.split(".")))
        for place in ("/openapi/v2", f"/openapi/v3/apis/{group}/{version}"):
            document = get(place)
            schemas = document.get("definitions") or document["components"]["schemas"]
            kinds = {name: schema for name, schema in schemas.items() if name.startswith(f"{package}.{version}.")}
            paths = {path: item for path, item in document["paths"].items() if f"/{group}/" in path}
            found[f"{group} {place}"] = without_sentences({"kinds": kinds, "paths": paths})
    return found


def main() -> None:
    host, tls, token = server_of(sys.argv[1])

    def call(method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPSConnection(host, context=tls)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse().read()
        connection.close()
        return json.loads(answer)

    definitions = custom_definitions()
    for definition in definitions:
        call("POST", PLACE, definition)
    time.sleep(5)  # until both are published
    golden = published(lambda path: call("GET", path))
    for definition in definitions:
        call("DELETE", f"{PLACE}/{definition['metadata']['name']}")
    head = {"server": call("GET", "/version")["gitVersion"], "command": "tests/tools/record_custom_openapi.py"}
    TARGET.write_text(json.dumps(head | {"documents": golden}, indent=1, sort_keys=True) + "\n")
    print(TARGET.name, [len(part["kinds"]) for part in golden.values()])


if __name__ == "__main__":
    main()

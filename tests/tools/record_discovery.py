"""Records a real API server's discovery documents and the cache files that the real kubectl makes of them.

    python -m tests.tools.record_discovery KUBECTL KUBECONFIG > tests/api/data/discovery.json

KUBECONFIG must name a server that aggregates discovery. The old documents are asked for with `Accept:
application/json`, as a client of old would.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)


def record(kubectl: str, kubeconfig: str) -> dict[str, object]:
    from kubetrace.cmdline.global_options import GlobalOptions
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call

    environment = Environment.standard()
    environment.options = GlobalOptions(kubeconfig=kubeconfig)

    def get(path: str, accept: str) -> dict[str, str]:
        answer = environment.client.send(Call("GET", path, headers=(("Accept", accept),)))
        return {"contentType": answer.header("Content-Type") or "", "body": answer.body.decode()}

    old = {path: get(path, "application/json") for path in ("/api", "/apis")}
    groups = json.loads(old["/apis"]["body"])["groups"]
    for version in ["v1", *(version["groupVersion"] for group in groups for version in group["versions"])]:
        path = f"/api/{version}" if version == "v1" else f"/apis/{version}"
        old[path] = get(path, "application/json")
    with tempfile.TemporaryDirectory() as folder:
        command = [kubectl, "--kubeconfig", kubeconfig, "--cache-dir", folder, "api-resources", "-o", "wide"]
        table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        root = next(Path(folder, "discovery").iterdir())
        files = {str(path.relative_to(root)): path.read_text() for path in sorted(root.rglob("*.json"))}
    version = subprocess.run([kubectl, "version", "--client"], check=True, capture_output=True, text=True).stdout
    return {
        "recorded": {"command": "kubectl api-resources -o wide", "version": version.splitlines()[0]},
        "aggregated": {path: get(path, AGGREGATED) for path in ("/api", "/apis")},
        "old": old,
        "cacheFiles": files,
        "table": table,
        "version": get("/version", "application/json"),
    }


if __name__ == "__main__":
    json.dump(record(sys.argv[1], sys.argv[2]), sys.stdout, indent=1)
    sys.stdout.write("\n")

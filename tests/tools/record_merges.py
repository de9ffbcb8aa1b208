"""Records what apimachinery makes of the random objects in tests/api/data/merges.json: patches, objects, errors.

    python -m tests.tools.record_merges KUBECTL KUBECONFIG APIMACHINERY_VERSION     (v0.36.3; needs Go)

merge_patches.go calls the functions that kubectl calls; how fields merge is what the OpenAPI documents of
KUBECONFIG's server say. The objects stay, their outcomes are recorded anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.tools.go_program import outcome

SOURCE = Path(__file__).with_name("merge_patches.go")
GOLDEN = Path(__file__).parents[1] / "api" / "data" / "merges.json"
PATCH_LIBRARY = "v4.13.0"
"""gopkg.in/evanphx/json-patch.v4, in kubectl's go.mod."""


def path_of(api_version: str) -> str:
    return f"/openapi/v3/{'apis' if '/' in api_version else 'api'}/{api_version}"


def documents(kubectl: str, kubeconfig: str, versions: set[str]) -> dict[str, Any]:
    def fetch(version: str) -> Any:
        words = [kubectl, "--kubeconfig", kubeconfig, "get", "--raw", path_of(version)]
        return json.loads(subprocess.run(words, capture_output=True, check=True).stdout)

    return {version: fetch(version) for version in sorted(versions)}


def outcomes(cases: list[dict[str, Any]], found: dict[str, Any], version: str) -> list[dict[str, str]]:
    modules = {"k8s.io/apimachinery": version, "gopkg.in/evanphx/json-patch.v4": PATCH_LIBRARY}
    result: list[dict[str, str]] = outcome(SOURCE, modules, {"cases": cases, "documents": found})
    return result


def main() -> None:
    kubectl, kubeconfig, version = sys.argv[1:4]
    known = json.loads(GOLDEN.read_text())["cases"]
    asked = [{key: value for key, value in case.items() if key not in ("patch", "error")} for case in known]
    found = documents(kubectl, kubeconfig, {case["apiVersion"] for case in asked})
    cases = [{**case, **outcome} for case, outcome in zip(asked, outcomes(asked, found, version), strict=True)]
    recorded = (
        f"k8s.io/apimachinery {version} with the OpenAPI v3 documents of a kube-apiserver, and "
        f"gopkg.in/evanphx/json-patch.v4 {PATCH_LIBRARY}, on random objects (tests/tools/record_merges.py)"
    )
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases)
    GOLDEN.write_text(f'{{"recorded": {json.dumps(recorded)},\n"cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()

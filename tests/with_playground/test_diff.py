"""`trace diff`: what another way of saying it, or another kubectl, does on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Kubetrace, Outcome

CAPTURES = Path(__file__).parents[1] / "trace" / "captures"


def test_server_side_apply_is_one_call(run: Callable[..., Outcome], namespace: str, tmp_path: Path) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"a": "b"}}
    (tmp_path / "one.json").write_text(json.dumps(config))
    client, server = str(tmp_path / "client.jsonl"), str(tmp_path / "server.jsonl")
    apply = ["apply", "-f", str(tmp_path / "one.json"), "-n", namespace]
    assert run(*apply, "--trace", client).code == 0
    assert run("delete", "configmap", "one", "-n", namespace).code == 0
    assert run(*apply, "--server-side", "--trace", server).code == 0
    done = run("trace", "diff", client, server, "--resource", "configmaps")
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    assert done.code == 1
    signs = [(line[0], line.split(" ", 2)[2]) for line in done.out.splitlines()]
    assert signs == [
        ("-", f"GET {maps}/one → 404"),
        ("-", f"POST {maps}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict → 201"),
        ("+", f"PATCH {maps}/one?fieldManager=kubectl&fieldValidation=Strict&force=false → 201"),
    ]
    assert run("trace", "diff", client, client).out == ""


def test_what_a_newer_kubectl_does(kubetrace: Kubetrace, tmp_path: Path) -> None:
    """The logs are kubectl's own: since 1.25 it says how fields are to be checked."""
    paths = []
    for release in ("1.20.2", "1.36.4"):
        paths.append(tmp_path / release)
        paths[-1].write_text(kubetrace("trace", "import", str(CAPTURES / release / "create-secret-v8.log")).out)
    done = kubetrace("trace", "diff", *map(str, paths))
    assert (done.code, done.out) == (
        1,
        "~ #1 → #1 POST /api/v1/namespaces/default/secrets\n    + ?fieldValidation=Ignore\n",
    )

"""`apply --prune` and `diff --prune`: what was applied once and is in no manifest now."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome
from tests.playground.conftest import Client

Run = Callable[..., Outcome]
ON = {"KUBECTL_APPLYSET": "true"}
CONFIG_MAPS = "--prune-allowlist=core/v1/ConfigMap"
DEPRECATED = "] Deprecated: kubectl apply will no longer prune non-namespaced resources by default"


def config(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": "web"}}}


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A manifest of one object, and one of this and another."""
    both = {"apiVersion": "v1", "kind": "List", "items": [config("one"), config("two")]}
    for name, value in (("one", config("one")), ("both", both)):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    return str(tmp_path / "one.json"), str(tmp_path / "both.json")


def names(server: Client, namespace: str) -> list[str]:
    found = server.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]
    return sorted(item["metadata"]["name"] for item in found if item["metadata"]["name"] != "kube-root-ca.crt")


def test_what_is_in_no_manifest_goes(run: Run, server: Client, namespace: str, files: tuple[str, str]) -> None:
    one, both = files
    assert run("apply", "-f", both, "-n", namespace).code == 0
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", config("made-otherwise"))
    done = run("apply", "-f", one, "-n", namespace, "--prune", "-l", "app=web", CONFIG_MAPS)
    assert (done.code, done.out, done.err) == (0, "configmap/one unchanged\nconfigmap/two pruned\n", "")
    assert names(server, namespace) == ["made-otherwise", "one"]


def test_without_a_list_many_kinds_are_searched(
    run: Run, server: Client, namespace: str, files: tuple[str, str]
) -> None:
    one, both = files
    assert run("apply", "-f", both, "-n", namespace).code == 0
    dry = run("apply", "-f", one, "-n", namespace, "--prune", "-l", "app=web", "--dry-run=client", "-v=6")
    assert dry.out == "configmap/one unchanged (dry run)\nconfigmap/two pruned (dry run)\n"
    assert DEPRECATED in dry.err
    assert dry.err.count("?labelSelector=app%3Dweb 200 OK") == 16
    assert names(server, namespace) == ["one", "two"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["--prune"],
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass ",
        ),
        (["--prune", "--all", "--prune-allowlist=v1/Pod"], "invalid GroupVersionKind format: v1/Pod, please follow "),
        (
            ["--prune", "--all", "--server-side"],
            "--prune is in alpha and doesn't currently work on objects created by ",
        ),
        (["--prune", "--all", "--prune-allowlist=core/v1/Nothing"], 'no matches for kind "Nothing" in version "v1"'),
        (["--prune", "--applyset=set"], "unknown flag: --applyset\nSee 'kubetrace apply --help' for usage."),
    ],
)
def test_what_is_refused(run: Run, namespace: str, files: tuple[str, str], words: list[str], error: str) -> None:
    done = run("apply", "-f", files[0], "-n", namespace, *words)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {error}")


def test_an_applyset_remembers_its_members(run: Run, server: Client, namespace: str, files: tuple[str, str]) -> None:
    one, both = files
    words = ("-n", namespace, "--prune", "--applyset=secret/set")
    made = run("apply", "-f", both, *words, environ=ON)
    assert (made.code, made.out, made.err) == (0, "configmap/one created\nconfigmap/two created\n", "")
    parent = server.get(f"/api/v1/namespaces/{namespace}/secrets/set")["metadata"]
    assert parent["annotations"]["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap"
    assert parent["annotations"]["applyset.kubernetes.io/tooling"].startswith("kubectl/v1.36.")
    members = server.get(f"/api/v1/namespaces/{namespace}/configmaps/two")["metadata"]["labels"]
    assert members["applyset.kubernetes.io/part-of"] == parent["labels"]["applyset.kubernetes.io/id"]
    again = run("apply", "-f", one, *words, environ=ON)
    assert (again.code, again.out) == (0, "configmap/one unchanged\nconfigmap/two pruned\n")
    assert names(server, namespace) == ["one"]


def test_an_applyset_needs_a_parent_that_is_its_own(
    run: Run, server: Client, namespace: str, files: tuple[str, str]
) -> None:
    words = ("apply", "-f", files[0], "--prune", "--applyset=configmap/set")
    assert run(*words, environ=ON).err == "error: namespace is required to use namespace-scoped ApplySet\n"
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "set"}})
    assert run(*words, "-n", namespace, environ=ON).err == (
        'error: ApplySet parent object "configmaps./set" already exists and is missing required annotation '
        '"applyset.kubernetes.io/tooling"\n'
    )
    assert names(server, namespace) == ["set"]


def test_diff_shows_what_would_go(run: Run, server: Client, namespace: str, files: tuple[str, str]) -> None:
    one, both = files
    assert run("apply", "-f", both, "-n", namespace).code == 0
    words = ("diff", "-f", one, "-n", namespace, "--prune", "-l", "app=web", CONFIG_MAPS)
    done = run(*words, environ={"PATH": os.environ["PATH"]})
    assert done.code == 1
    assert "\n-  name: two\n" in done.out and "name: one" not in done.out
    assert names(server, namespace) == ["one", "two"]

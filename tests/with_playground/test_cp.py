"""`cp`: files into containers and out of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary

Run = Callable[..., Outcome]
TAR_SAYS = "tar: Removing leading `/' from member names\n"


@pytest.fixture(scope="module")
def pods(playground: manager.Playground) -> Iterator[str]:
    client = Client(playground.folder, playground.port)
    name: str = client.post("/api/v1/namespaces", {"metadata": {"generateName": "cp-"}})["metadata"]["name"]
    path = f"/api/v1/namespaces/{name}/pods"
    for pod, containers in (("web", ("c",)), ("two", ("a", "b"))):
        spec = {"containers": [{"name": container, "image": "nginx"} for container in containers]}
        client.post(path, {"metadata": {"name": pod}, "spec": spec})
        client.until(f"{path}/{pod}", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    yield name
    client.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def copy(run: Run, pods: str) -> Run:
    return lambda *words: run("-n", pods, "cp", *words)


@pytest.fixture
def there(run: Run, pods: str) -> Callable[[str], str]:
    return lambda script: run("-n", pods, "exec", "web", "--", "sh", "-c", script).out


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = tmp_path / "tree"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "deep" / "er" / "file").write_bytes(os.urandom(200_000))
    (source / "one").write_text("1")
    (source / "link").symlink_to("one")
    return source


def test_a_folder_there_and_back(copy: Run, there: Callable[[str], str], tree: Path, tmp_path: Path) -> None:
    assert copy(str(tree), "web:/there") == Outcome(0, "", "")
    assert there("cd /there; find . | sort; readlink link").split() == [
        *(".", "./deep", "./deep/er", "./deep/er/file", "./empty", "./link", "./one"),
        "one",
    ]
    back = tmp_path / "back"
    outcome = copy("web:/there", str(back))
    assert (outcome.code, outcome.out) == (0, TAR_SAYS)
    assert outcome.err.startswith(
        f'warning: skipping symlink: "{back}/link" -> "one" (consider using "kubetrace exec -n '
    )
    assert (back / "deep" / "er" / "file").read_bytes() == (tree / "deep" / "er" / "file").read_bytes()
    assert (back / "empty").is_dir() and not (back / "link").exists()


def test_into_a_folder_that_is_there(copy: Run, there: Callable[[str], str], tree: Path) -> None:
    there("mkdir -p /dest")
    assert copy(str(tree / "one"), "web:/dest").code == 0
    assert there("cat /dest/one") == "1"


def test_a_folder_that_is_not_there(copy: Run, tree: Path) -> None:
    outcome = copy(str(tree / "one"), "web:/no/such/folder/one")
    assert outcome.code == 1
    assert outcome.err.endswith("command terminated with exit code 1\n")


def test_with_retries(copy: Run, there: Callable[[str], str], tmp_path: Path) -> None:
    there("echo it''s > \"/with ' quote\"")
    assert copy("web:/with ' quote", str(tmp_path / "x"), "--retries=2").code == 0
    assert (tmp_path / "x").read_text() == "its\n"


def test_which_container(copy: Run, tree: Path, tmp_path: Path) -> None:
    assert copy(str(tree / "one"), "two:/one").err == 'Defaulted container "a" out of: a, b\n'
    assert copy("two:/one", str(tmp_path / "x")).out == f'Defaulted container "a" out of: a, b\n{TAR_SAYS}'
    assert copy("two:/one", str(tmp_path / "y"), "-c", "b").out.startswith("tar: /one: ")


@pytest.mark.parametrize(
    ("words", "err"),
    [
        (("a",), "source and destination are required"),
        (("a", "b"), "one of src or dest must be a remote file specification"),
        (("a:x", "b:y"), "one of src or dest must be a local file specification"),
        ((":a", "b"), "filespec must match the canonical format: [[namespace/]pod:]file/path"),
        (("a/b/c:x", "b"), "filespec must match the canonical format: [[namespace/]pod:]file/path"),
        (("web:", "b"), "filepath can not be empty"),
        (("/no/such/file", "web:/x"), "/no/such/file doesn't exist in local filesystem"),
        (("web:/etc", "x", "-c", "z"), "container z is not valid for pod web out of: c"),
    ],
)
def test_refusals(words: tuple[str, ...], err: str, copy: Run) -> None:
    assert copy(*words) == Outcome(1, "", f"error: {err}\n")


@pytest.mark.parametrize(
    "words",
    [
        ("web:/etc/hostname", "x"),
        ("web:/etc/hostname", "/proc/nope/x"),
        ("web:/etc/hostname", "."),
        ("web:etc/../etc", "x"),
        ("web:./etc", "x"),
        ("web:/nosuch", "x"),
        ("nosuch:/etc", "x"),
        ("two:/etc/hostname", "x"),
        ("web:/etc/hostname", "x", "--retries=1"),
    ],
    ids=" ".join,
)
def test_kubectl_does_the_same(
    words: tuple[str, ...], playground: manager.Playground, pods: str, run: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    binary = kubectl_binary()
    if binary is None:
        pytest.skip("no kubectl-1.36 in KUBEBUILDER_ASSETS")
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig)}
    ran = subprocess.run(
        [binary, "-n", pods, "cp", *words], capture_output=True, text=True, env=environ, cwd=theirs, check=False
    )
    monkeypatch.chdir(ours)
    outcome = run("-n", pods, "cp", *words)
    assert (outcome.code, outcome.out, outcome.err) == (ran.returncode, ran.stdout, ran.stderr)
    assert {path.name: path.read_bytes() for path in ours.iterdir()} == {
        path.name: path.read_bytes() for path in theirs.iterdir()
    }

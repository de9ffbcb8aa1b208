"""-k and `kustomize`: what kubetrace makes of the program `kustomize`, here a script that answers as the real one does.

The words are kubectl 1.36's.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Kubetrace

PROGRAM = """\
#!/bin/sh
echo "$@" > "$0.argv"
case "$*" in
*bad*) echo "# Warning: old" >&2; echo "Error: accumulating resources: no" >&2; exit 1;;
*) echo "# Warning: old" >&2; printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: built\\n';;
esac
"""
BUILT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: built\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / "kustomize"
    file.write_text(PROGRAM)
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return file


def argv(program: Path) -> list[str]:
    return Path(f"{program}.argv").read_text().split()


def test_the_program_builds_and_its_warnings_are_passed_on(kubetrace: Kubetrace, program: Path) -> None:
    done = kubetrace("kustomize", "some/folder", "--enable-helm", "-e", "A=b", "--env=C=d", "--load-restrictor", "x")
    assert (done.code, done.out, done.err) == (0, BUILT, "# Warning: old\n")
    flags = ["--enable-helm=true", "--env=A=b", "--env=C=d", "--load-restrictor=x"]
    assert argv(program) == ["build", *flags, "--", "some/folder"]


def test_its_errors_are_errors_of_ours(kubetrace: Kubetrace, program: Path) -> None:
    done = kubetrace("kustomize", "bad")
    assert (done.code, done.out) == (1, "")
    assert done.err == "# Warning: old\nerror: accumulating resources: no\n"


def test_no_folder_is_the_current_one(kubetrace: Kubetrace, program: Path) -> None:
    assert kubetrace("kustomize").code == 0
    assert argv(program) == ["build"]


def test_two_folders_are_one_too_many(kubetrace: Kubetrace) -> None:
    done = kubetrace("kustomize", "a", "b")
    assert (done.code, done.err) == (1, "error: specify one path to kustomization.yaml\n")


def test_a_manifest_of_k_has_the_old_order(kubetrace: Kubetrace, program: Path) -> None:
    done = kubetrace("label", "--local", "-k", "some/folder", "a=b", "-o", "name")
    assert (done.code, done.out, done.err) == (0, "configmap/built\n", "# Warning: old\n")
    assert argv(program) == ["build", "--reorder=legacy", "--", "some/folder"]


class TestWithoutTheProgram:
    @pytest.fixture(autouse=True)
    def nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")

    def test_it_is_named(self, kubetrace: Kubetrace, tmp_path: Path) -> None:
        (tmp_path / "kustomization.yaml").write_text("resources: []\n")
        done = kubetrace("kustomize", str(tmp_path))
        assert done.code == 1
        assert done.err.startswith("error: the 'kustomize' program is not in PATH")
        assert done.err.count("\n") == 1

    def test_what_is_no_kustomization_is_told_as_kubectl_tells_it(self, kubetrace: Kubetrace, tmp_path: Path) -> None:
        told = kubetrace("kustomize", str(tmp_path)).err
        names = "'kustomization.yaml', 'kustomization.yml' or 'Kustomization'"
        assert told == f"error: unable to find one of {names} in directory '{tmp_path}'\n"
        file = tmp_path / "file"
        file.touch()
        told = kubetrace("kustomize", str(file)).err
        assert told == f"error: must build at directory: '{file}': file is not directory\n"
        told = kubetrace("kustomize", f"{tmp_path}/no/where").err
        assert told == (
            "error: must build at directory: not a valid directory: evalsymlink failure on "
            f"'{tmp_path}/no/where' : lstat {tmp_path}/no: no such file or directory\n"
        )

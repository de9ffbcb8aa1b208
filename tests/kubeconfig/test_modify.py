"""Writing a kubeconfig: locks, whole replacement, modes, links, and nothing lost on the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubetrace.kubeconfig import modify as module
from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.kubeconfig.loader import Sources, starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.sections import Context
from kubetrace.value import replace

TEXT = "current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"


def sources(path: Path, *more: Path) -> Sources:
    return Sources.of({"KUBECONFIG": os.pathsep.join(map(str, (path, *more)))})


def rename_current(files: Sources, name: str = "b") -> None:
    modify(files, replace(starting_config(files), current_context=name))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config"
    rename_current(sources(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "current-context: b\n" in path.read_text(encoding="utf-8")


def test_the_mode_stays(config: Path) -> None:
    config.chmod(0o640)
    rename_current(sources(config))
    assert stat.S_IMODE(config.stat().st_mode) == 0o640


def test_a_link_goes_on_pointing(config: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(config)
    rename_current(sources(link))
    assert link.is_symlink()
    assert "current-context: b\n" in config.read_text(encoding="utf-8")


def test_a_lock_of_somebody_else_is_respected(config: Path) -> None:
    lock = config.with_name("config.lock")
    lock.touch()
    with pytest.raises(ConfigError, match=rf"open {lock}: file exists"):
        rename_current(sources(config))
    assert lock.exists()
    assert config.read_text(encoding="utf-8") == TEXT


def test_all_locks_go_when_one_is_taken(config: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    (tmp_path / "second.lock").touch()
    with pytest.raises(ConfigError):
        rename_current(sources(config, second))
    assert not config.with_name("config.lock").exists()


def test_nothing_is_left_behind(config: Path) -> None:
    rename_current(sources(config))
    assert [path.name for path in config.parent.iterdir()] == ["config"]


def test_no_change_no_write(config: Path) -> None:
    files = sources(config)
    modify(files, starting_config(files))
    assert config.read_text(encoding="utf-8") == TEXT


def test_a_full_disk_loses_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(ConfigError, match=rf"open {config}: no space left on device"):
        rename_current(sources(config))
    assert config.read_text(encoding="utf-8") == TEXT
    assert [path.name for path in config.parent.iterdir()] == ["config"]


def test_a_mounted_file_is_written_in_place(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(source: str, target: str) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(module.os, "replace", busy)
    rename_current(sources(config))
    assert "current-context: b\n" in config.read_text(encoding="utf-8")


def test_an_entry_is_written_where_it_stands(config: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.write_text("contexts:\n- name: z\n  context: {cluster: c, user: u}\n", encoding="utf-8")
    files = sources(config, second)
    old = starting_config(files)
    entry = replace(old.contexts["z"], namespace="ns")
    modify(files, replace(old, contexts={**old.contexts, "z": entry, "neu": Context()}))
    assert config.read_text(encoding="utf-8").count("name: ") == 2  # a and neu
    assert "namespace: ns" in second.read_text(encoding="utf-8")

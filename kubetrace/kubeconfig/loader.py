"""Which files are read, in which order, and how they become one (client-go tools/clientcmd/loader.go, config.go).

The first file that has a cluster, user or context of some name wins, whole; single values go to the first file that
sets them. Relative paths belong to the folder of the file they stand in.
"""

# ruff: noqa: PTH100, PTH110, PTH117, PTH118, PTH120  (paths stay texts, joined and cleaned as Go's filepath does it)

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kubetrace.errors import os_words, read_words
from kubetrace.kubeconfig.decode import decode
from kubetrace.kubeconfig.errors import ConfigError, MissingConfig, SeveralErrors
from kubetrace.kubeconfig.sections import Cluster, Config, Exec, Preferences, User
from kubetrace.value import Value, replace

NoteTaker = Callable[..., object]
"""Told of ("config-loaded", path=…) and ("config-not-found", paths=…), in the order of client-go's log lines."""

_Entry = TypeVar("_Entry", Cluster, User)


def _no_note(name: str, **values: object) -> None:
    """Nobody listens."""


class Sources(Value):
    """The files that a command's kubeconfig comes from. `explicit` is the --kubeconfig flag's."""

    explicit: str
    listed: tuple[str, ...]
    home: str
    note: NoteTaker = _no_note

    @classmethod
    def of(cls, environ: Mapping[str, str], explicit: str = "", note: NoteTaker | None = None) -> Sources:
        """From the environment: KUBECONFIG's list without repetitions, or $HOME/.kube/config."""
        listed = environ.get("KUBECONFIG", "")
        files = tuple(dict.fromkeys(listed.split(os.pathsep))) if listed else ()
        return cls(explicit, files, os.path.join(environ.get("HOME", ""), ".kube", "config"), note or _no_note)

    def precedence(self) -> list[str]:
        """The files in the order in which they count."""
        if self.explicit:
            return [self.explicit]
        return list(self.listed) or [self.home]

    def default_file(self) -> str:
        """Where a new entry goes (PathOptions.GetDefaultFilename)."""
        if self.explicit:
            return self.explicit
        if len(self.listed) > 1:
            return next((path for path in self.listed if os.path.exists(path)), self.listed[-1])
        return self.listed[0] if self.listed else self.home


def load(sources: Sources, resolve_paths: bool = True) -> Config:
    """All files merged. Raises MissingConfig where the explicit file is not there, ConfigError where one is broken."""
    _migrate(sources.home)
    if sources.explicit:
        _must_exist(sources.explicit)
    loaded: list[Config] = []
    missing: list[str] = []
    problems: list[str] = []
    for path in filter(None, sources.precedence()):
        try:
            loaded.append(load_file(path, sources.note))
        except MissingConfig:
            missing.append(path)
        except ConfigError as error:
            problems.append(f'error loading config file "{path}": {error}')
    if sources.listed and missing and not loaded:
        sources.note("config-not-found", paths=", ".join(missing))
    if problems:
        raise ConfigError(problems[0]) if len(problems) == 1 else SeveralErrors(problems)
    merged = merge(loaded)
    return with_absolute_paths(merged) if resolve_paths else merged


def starting_config(sources: Sources) -> Config:
    """What a `config` command begins with: paths as they are written, a missing explicit file taken as empty."""
    try:
        return load(sources, resolve_paths=False)
    except MissingConfig:
        return Config()


def load_file(path: str, note: NoteTaker = _no_note) -> Config:
    """One file. Raises MissingConfig or ConfigError (without the file's name where the content is at fault)."""
    config = decode(_read(path))
    note("config-loaded", path=path)
    return replace(
        config,
        clusters={name: replace(entry, origin=path) for name, entry in config.clusters.items()},
        users={name: replace(entry, origin=path) for name, entry in config.users.items()},
        contexts={name: replace(entry, origin=path) for name, entry in config.contexts.items()},
    )


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise MissingConfig(read_words(path, error)) from None
    except (OSError, ValueError) as error:
        raise ConfigError(read_words(path, error)) from None


def _must_exist(path: str) -> None:
    try:
        Path(path).stat()
    except FileNotFoundError as error:
        raise MissingConfig(os_words("stat", path, error)) from None
    except (OSError, ValueError):
        return  # reading it will say what is wrong


def _migrate(home: str) -> None:
    """Once upon a time the file was called ~/.kube/.kubeconfig; client-go still copies it to its new name."""
    destination, source = Path(home), Path(home).with_name(".kubeconfig")
    try:
        if not destination.exists() and source.is_file():
            destination.write_bytes(source.read_bytes())
    except OSError:
        return


# --- merging ----------------------------------------------------------------------------------------------------------


def merge(configs: Sequence[Config]) -> Config:
    """The first file wins: entry by entry, and value by value for what is no entry."""
    return Config(
        preferences=Preferences(
            any(config.preferences.colors for config in configs),
            _first_wins([config.preferences.extensions or {} for config in configs]) or None,
        ),
        clusters=_first_wins([config.clusters for config in configs]),
        users=_first_wins([config.users for config in configs]),
        contexts=_first_wins([config.contexts for config in configs]),
        current_context=next((config.current_context for config in configs if config.current_context), ""),
        extensions=_first_wins([config.extensions or {} for config in configs]),
    )


def _first_wins(maps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for each in reversed(maps):
        merged.update(each)
    return merged


# --- paths ------------------------------------------------------------------------------------------------------------


def with_absolute_paths(config: Config) -> Config:
    """Relative paths resolved against the folder of the file that an entry came from."""
    return replace(
        config,
        clusters={name: absolute(entry) for name, entry in config.clusters.items()},
        users={name: absolute(entry) for name, entry in config.users.items()},
    )


def absolute(entry: _Entry) -> _Entry:
    """The entry with its file references made absolute."""
    return _with_paths(entry, lambda path, base: path if os.path.isabs(path) else os.path.normpath(f"{base}/{path}"))


def relative(entry: _Entry) -> _Entry:
    """The entry with its file references relative to its file's folder where that takes no "..", as client-go writes
    them."""

    def relativize(path: str, base: str) -> str:
        short = os.path.relpath(path, base)
        return path if short == ".." or short.startswith("../") else short

    return _with_paths(absolute(entry), relativize)


def _with_paths(entry: _Entry, change: Callable[[str, str], str]) -> _Entry:
    if not entry.origin:
        return entry
    base = os.path.abspath(os.path.dirname(entry.origin))
    if isinstance(entry, Cluster):
        path = entry.certificate_authority
        return replace(entry, certificate_authority=change(path, base)) if path else entry
    names = ("client_certificate", "client_key", "token_file")
    given = {name: getattr(entry, name) for name in names if getattr(entry, name)}
    changed: dict[str, Any] = {name: change(path, base) for name, path in given.items()}
    plugin = entry.exec
    if isinstance(plugin, Exec) and "/" in plugin.command:  # a bare name is looked for on PATH
        changed["exec"] = replace(plugin, command=change(plugin.command, base))
    return replace(entry, **changed) if changed else entry

"""Writing changes back, each into the file it belongs to (client-go tools/clientcmd/config.go, ModifyConfig).

Every file of the list is locked by `FILE.lock`, created exclusively and removed afterwards. Unlike client-go, a file is
replaced as a whole (a temporary file beside it, then a rename), so that a crash or a full disk leaves the old one; its
mode stays, a new one is 0600, and a symbolic link goes on pointing to it.
"""

# ruff: noqa: PTH105, PTH110, PTH116, PTH119, PTH120  (paths stay texts, as Go treats them)

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kubetrace.errors import os_words
from kubetrace.kubeconfig.encode import to_yaml
from kubetrace.kubeconfig.errors import ConfigError, MissingConfig
from kubetrace.kubeconfig.loader import Sources, load_file, relative, starting_config
from kubetrace.kubeconfig.sections import Cluster, Config, Context, Preferences, User
from kubetrace.value import replace

Entry = Cluster | User | Context

_KEPT_IN_PLACE = (errno.EBUSY, errno.EXDEV)
"""A mounted file can't be renamed over: it is written in place, as kubectl does it."""


def modify(sources: Sources, new: Config, relativize: bool = True) -> None:
    """Writes what differs between the files and `new`. `relativize` shortens file references to their file's folder.
    Raises ConfigError; what could not be written is unchanged."""
    with _locked(sources):
        old = starting_config(sources)
        if old == new:
            return
        if old.current_context != new.current_context:
            starting_config(sources)  # client-go looks once more, and logs it
            _write_current_context(sources, new.current_context)
        if old.preferences != new.preferences:
            starting_config(sources)
            _write_preferences(sources, new.preferences)
        for section in ("clusters", "contexts", "users"):
            _write_changed(sources, section, getattr(old, section), getattr(new, section), relativize)
        for section in ("clusters", "contexts", "users"):
            _delete_missing(sources, section, getattr(old, section), getattr(new, section))


def keep_provider_settings(sources: Sources, user: str, changed: Mapping[str, str]) -> None:
    """Writes new values into the settings of a user's auth provider. Raises ConfigError."""
    config = starting_config(sources)
    entry = config.users.get(user)
    if entry is None or entry.auth_provider is None:
        return
    settings = {**(entry.auth_provider.config or {}), **changed}
    provider = replace(entry.auth_provider, config=settings)
    modify(sources, replace(config, users={**config.users, user: replace(entry, auth_provider=provider)}), False)


def _write_changed(
    sources: Sources, section: str, old: Mapping[str, Any], new: Mapping[str, Any], relativize: bool
) -> None:
    changes: dict[str, dict[str, Any]] = {}
    for name, entry in new.items():
        if old.get(name) != entry:
            changes.setdefault(entry.origin or sources.default_file(), {})[name] = entry
    for path, entries in changes.items():
        written = {name: _prepared(entry, path, relativize) for name, entry in entries.items()}
        config = _existing(sources, path)
        _write(_with(config, section, {**getattr(config, section), **written}), path)


def _prepared(entry: Any, path: str, relativize: bool) -> Any:
    entry = replace(entry, origin=path)
    if not relativize or isinstance(entry, Context):
        return entry
    return relative(entry)


def _delete_missing(sources: Sources, section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    gone: dict[str, set[str]] = {}
    for name, entry in old.items():
        if name not in new:
            gone.setdefault(entry.origin or sources.default_file(), set()).add(name)
    for path, names in gone.items():
        config = _existing(sources, path)
        for _ in range(len(names) - 1):  # client-go reads and writes the file anew for every entry; once will do
            sources.note("config-loaded", path=path)
        kept = {name: entry for name, entry in getattr(config, section).items() if name not in names}
        _write(_with(config, section, kept), path)


def _with(config: Config, section: str, entries: Mapping[str, Entry]) -> Config:
    changed: dict[str, Any] = {section: entries}
    return replace(config, **changed)


def _write_current_context(sources: Sources, name: str) -> None:
    if sources.explicit or name:
        path = sources.default_file()
        _write(replace(_existing(sources, path), current_context=name), path)
        return
    for path in sources.precedence():  # clearing it: in the first file that sets it
        if os.path.exists(path) and (config := _existing(sources, path)).current_context:
            _write(replace(config, current_context=""), path)
            return
    raise ConfigError("no config found to write context")


def _write_preferences(sources: Sources, preferences: Preferences) -> None:
    for path in sources.precedence():
        config = _existing(sources, path)
        if sources.explicit or config.preferences != preferences:
            _write(replace(config, preferences=preferences), path)
            return
    raise ConfigError("no config found to write preferences")


def _existing(sources: Sources, path: str) -> Config:
    try:
        return load_file(path, sources.note)
    except MissingConfig:
        return Config()


# --- files ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _locked(sources: Sources) -> Iterator[None]:
    """Locks all files in the order of their names, so that two commands can't wait for each other."""
    with contextlib.ExitStack() as locks:
        for path in sorted(sources.precedence()):
            locks.enter_context(_lock(path))
        yield


@contextlib.contextmanager
def _lock(path: str) -> Iterator[None]:
    lock = f"{path}.lock"
    _make_folder(path)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0))
    except (OSError, ValueError) as error:
        raise ConfigError(os_words("open", lock, error)) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            Path(lock).unlink()


def _make_folder(path: str) -> None:
    folder = os.path.dirname(path)
    if not folder or os.path.exists(folder):
        return
    try:
        Path(folder).mkdir(mode=0o755, parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ConfigError(os_words("mkdir", folder, error)) from None


def _write(config: Config, path: str) -> None:
    _make_folder(path)
    try:
        content = to_yaml(config)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    try:
        replace_file(path, content)
    except (OSError, ValueError) as error:
        raise ConfigError(os_words("open", path, error)) from None


def replace_file(path: str, content: bytes) -> None:
    """Replaces a file's content at one stroke. Raises OSError; the file is then as it was."""
    target = os.path.realpath(path)
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | 0o600
    else:
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    if not stat.S_ISREG(mode):
        Path(target).write_bytes(content)
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(target)}.", dir=os.path.dirname(target))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        if error.errno not in _KEPT_IN_PLACE:
            raise
        Path(target).write_bytes(content)

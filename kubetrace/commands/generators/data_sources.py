"""Keys and values for ConfigMaps and Secrets: from literals, files, folders and env files (kubectl pkg/util/util.go,
pkg/cmd/util/env_file.go). Values are bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from kubetrace.api import names
from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError, os_words, read_words

Entry = tuple[str, bytes]
_BOM = b"\xef\xbb\xbf"
_BLANK = " \t\n\v\f\r\x85\xa0"
_MAX_LINE = 64 * 1024
"""Bytes; bufio.Scanner ends at a longer line without a word."""


def literals(sources: Iterable[str]) -> Iterator[Entry]:
    """--from-literal. Raises KubetraceError."""
    for source in sources:
        key, equals, value = source.partition("=")
        if not key or not equals:
            raise KubetraceError(f"invalid literal source {source}, expected key=value")
        yield key, value.encode("utf-8", "surrogateescape")


def text_literals(sources: Iterable[str]) -> Iterator[Entry]:
    """The same for values that are text whatever they are: Go writes U+FFFD for each byte that is no UTF-8."""
    for key, value in literals(sources):
        text = value.decode("utf-8", "surrogateescape")
        yield key, "".join("\ufffd" if "\udc80" <= sign <= "\udcff" else sign for sign in text).encode()


def files(sources: Iterable[str]) -> Iterator[Entry]:
    """--from-file: a file, KEY=FILE, or a folder whose regular files are taken. Raises KubetraceError."""
    for source in sources:
        key, path = _file_source(source)
        if stat.S_ISDIR(_mode(path)):
            if "=" in source:
                raise KubetraceError("cannot give a key name for a directory path")
            yield from _folder(path)
        else:
            yield key, read(path)


def _file_source(source: str) -> tuple[str, str]:
    """ParseFileSource."""
    separators = source.count("=")
    if separators == 0:
        return _base(source), source
    if separators > 1:
        raise KubetraceError("key names or file paths cannot contain '='")
    key, _, path = source.partition("=")
    if not key:
        raise KubetraceError(f"key name for file path {path} missing")
    if not path:
        raise KubetraceError(f"file path for key name {key} missing")
    return key, path


def _base(path: str) -> str:
    """path.Base."""
    return path.rstrip("/").rpartition("/")[2] or ("/" if path else ".")


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode  # noqa: PTH116 (a Path forgets a slash at the end)
    except OSError as error:
        raise KubetraceError(f"error reading {path}: {_words(error)}") from None


def _folder(path: str) -> Iterator[Entry]:
    try:
        entries = sorted(Path(path).iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise KubetraceError(f"error listing files in {path}: {os_words('open', path, error)}") from None
    for entry in entries:
        if stat.S_ISREG(entry.lstat().st_mode):
            yield entry.name, read(str(entry))


def read(path: str) -> bytes:
    """A file's bytes. Raises KubetraceError."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise KubetraceError(read_words(path, error)) from None


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def env_files(paths: Iterable[str], kind: str, environ: Mapping[str, str]) -> Iterator[Entry]:
    """--from-env-file: lines KEY=VALUE; a KEY alone is taken from the environment. `kind` is "config" or "secret", for
    messages. Raises KubetraceError."""
    for path in paths:
        if stat.S_ISDIR(_mode(path)):
            raise KubetraceError(f"env {kind} file cannot be a directory")
        for number, line in enumerate(_lines(read(path)), 1):
            yield from _env_line(line, path, number, environ)


def _lines(data: bytes) -> Iterator[bytes]:
    """Lines as bufio.ScanLines gives them, until one is too long."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        if len(line) >= _MAX_LINE:
            return
        yield line.removesuffix(b"\r")


def _env_line(line: bytes, path: str, number: int, environ: Mapping[str, str]) -> Iterator[Entry]:
    try:
        text = line.removeprefix(_BOM).decode() if number == 1 else line.decode()
    except UnicodeDecodeError:
        shown = "[" + " ".join(map(str, line)) + "]"
        raise KubetraceError(f"env file {path} contains invalid utf8 bytes at line {number}: {shown}") from None
    text = text.lstrip(_BLANK)
    if not text or text.startswith("#"):
        return
    key, equals, value = text.partition("=")
    if problems := names.environment_name(key):
        raise KubetraceError(f"{quoted(key)} is not a valid key name: {';'.join(problems)}")
    yield key, (value if equals else environ.get(key, "")).encode("utf-8", "surrogateescape")


def collect(entries: Iterable[Entry], check: Callable[[str, dict[str, bytes]], None]) -> dict[str, bytes]:
    """All entries; `check` raises KubetraceError for a key that can't be added."""
    found: dict[str, bytes] = {}
    for key, value in entries:
        check(key, found)
        found[key] = value
    return found

"""Where manifests come from: files, folders, patterns, standard input and URLs (cli-runtime pkg/resource/builder.go
FilenameParam, visitor.go FileVisitor and URLVisitor)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kubetrace.api.aggregates import raise_all
from kubetrace.api.go_paths import glob, join
from kubetrace.api.go_words import bracketed, quoted
from kubetrace.api.manifest_stream import Parsed, documents
from kubetrace.errors import KubetraceError, os_words, read_words
from kubetrace.value import Value

EXTENSIONS = (".json", ".yaml", ".yml")

_URL_PREFIXES = ("http://", "https://")


class FilenameOptions(Value):
    """-f, -k and -R."""

    filenames: tuple[str, ...] = ()
    kustomize: str = ""
    recursive: bool = False

    def require_any(self) -> None:
        if not self.filenames and not self.kustomize:
            raise KubetraceError("must specify one of -f and -k")


class Source(Value):
    """One file, URL or the standard input; `name` is how messages call it. Nothing is read before `documents`."""

    name: str
    read: Callable[[], bytes]

    def documents(self) -> Iterator[Parsed]:
        """The documents in it. Raises KubetraceError."""
        return documents(self.read(), self.name)


class Sources(Value):
    """All sources of a command, in order, and whether they can be but one object."""

    sources: tuple[Source, ...]
    single_item_implied: bool


def find_sources(
    options: FilenameOptions, read_stdin: Callable[[], bytes], write_error: Callable[[bytes], object] = bytes
) -> Sources:
    """The sources that the options name; kustomize's warnings go to `write_error`. Raises KubetraceError (all that is
    wrong with them)."""
    _check(options)
    found: list[Source] = []
    errors: list[KubetraceError] = []
    stream = folder = False
    for name in options.filenames:
        if name == "-":
            if stream:
                errors.append(KubetraceError("standard input cannot be used for multiple arguments"))
            stream = True
            found.append(Source("STDIN", read_stdin))
        elif name.startswith(_URL_PREFIXES):
            try:
                found.append(_url_source(name))
            except KubetraceError as error:
                errors.append(error)
        else:
            paths: Sequence[str] = ()
            try:
                paths = _expanded(name)
            except KubetraceError as error:
                errors.append(error)
                continue
            for path in paths:
                try:
                    files = list(_files(path, options.recursive))
                except KubetraceError as error:
                    errors.append(error)
                    continue
                folder = folder or len(files) > 1
                found += files
            if not found and not errors:
                known = bracketed(EXTENSIONS)
                errors.append(
                    KubetraceError(f"error reading {bracketed(paths)}: recognized file extensions are {known}")
                )
    raise_all(errors)
    if options.kustomize:
        found.append(_kustomize_source(options.kustomize, write_error))
    return Sources(tuple(found), not folder and not stream and len(found) == 1)


def _check(options: FilenameOptions) -> None:
    problems = []
    if options.filenames and options.kustomize:
        problems.append(KubetraceError("only one of -f or -k can be specified"))
    if options.kustomize and options.recursive:
        problems.append(KubetraceError("the -k flag can't be used with -f or -R"))
    raise_all(problems)


def _kustomize_source(folder: str, write_error: Callable[[bytes], object]) -> Source:
    def read() -> bytes:
        from kubetrace.api.kustomize import build

        return build(folder, write_error)

    return Source(folder, read)


def _expanded(name: str) -> Sequence[str]:
    """The name where it exists or can't be looked at, else what it matches as a pattern (expandIfFilePattern)."""
    try:
        os.stat(name)  # noqa: PTH116 (a Path of no name is this folder)
    except FileNotFoundError:
        pass
    except OSError:
        return [name]
    else:
        return [name]
    try:
        matches = glob(name)
    except KubetraceError as error:
        raise KubetraceError(f"pattern {quoted(name)} is not valid: {error}") from None
    if not matches:
        raise KubetraceError(f"the path {quoted(name)} does not exist")
    return matches


def _files(path: str, recursive: bool) -> Iterator[Source]:
    """A file, or the manifests of a folder in lexical order. A link to a folder is no folder (filepath.Walk)."""
    try:
        os.stat(path)  # noqa: PTH116 (a Path forgets a slash at the end)
    except FileNotFoundError:
        raise KubetraceError(f"the path {quoted(path)} does not exist") from None
    except OSError as error:
        raise KubetraceError(f"the path {quoted(path)} cannot be accessed: {os_words('stat', path, error)}") from None
    if stat.S_ISDIR(os.lstat(path).st_mode):
        yield from _walk(path, path, recursive)
    else:
        yield _file_source(path)


def _walk(root: str, folder: str, recursive: bool) -> Iterator[Source]:
    try:
        names = sorted(entry.name for entry in Path(folder).iterdir())
    except OSError as error:
        raise KubetraceError(f"error reading {quoted(root)}: {os_words('open', folder, error)}") from None
    for name in names:
        path = join(folder, name)
        if stat.S_ISDIR(Path(path).lstat().st_mode):
            if recursive:
                yield from _walk(root, path, recursive)
        elif name.endswith(EXTENSIONS):
            yield _file_source(path)


def _file_source(path: str) -> Source:
    def read() -> bytes:
        try:
            return Path(path).read_bytes()
        except IsADirectoryError as error:  # a link to one; Go opens it without a complaint
            raise KubetraceError(f"error parsing {path}: {read_words(path, error)}") from None
        except OSError as error:
            raise KubetraceError(read_words(path, error)) from None

    return Source(path, read)


def _url_source(url: str) -> Source:
    """Raises KubetraceError for what is no URL."""
    from kubetrace.api.manifest_urls import check_url, read_url

    check_url(url)
    return Source(url, lambda: read_url(url))

"""-k and `kustomize`: kubectl has kustomize built in, kubetrace runs the `kustomize` program.

The program's output is kubectl's byte for byte (the same library writes it); its errors differ in a capital letter.
What is wrong with a folder as such is told without the program, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from kubetrace.errors import KubetraceError

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_REMOTE = re.compile(r"[a-z+]+://|git@|[\w.-]+\.(?:com|org|net|io|dev)[/:]")
_DEPRECATION = b"Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.\n"


class MissingKustomizeError(KubetraceError):
    """The program is not there."""

    def __init__(self) -> None:
        super().__init__(
            "the 'kustomize' program is not in PATH (kubectl has it built in, kubetrace runs it): install it, "
            "or build the folder where it is installed and pipe the result to -f -"
        )


def build(
    folder: str, write_error: Callable[[bytes], object], flags: Sequence[str] = (), legacy_order: bool = True
) -> bytes:
    """The manifests that a kustomization stands for; the program's warnings go to `write_error`.

    -k has the order of kustomize's old days (namespaces first), whatever the program's default is. Raises
    KubetraceError with kustomize's words.
    """
    import shutil
    import subprocess

    program = shutil.which("kustomize")
    if program is None:
        _check_folder(folder)
        raise MissingKustomizeError
    order = ["--reorder=legacy"] if legacy_order else []
    words = [program, "build", *order, *flags, *(["--", folder] if folder else [])]
    done = subprocess.run(words, capture_output=True, check=False)
    told = done.stderr.removeprefix(_DEPRECATION)  # who wrote the flag has been told by us
    if done.returncode == 0:
        if told:
            write_error(told)
        return done.stdout
    warnings, error = _parted(told)
    if warnings:
        write_error(warnings)
    raise KubetraceError(error.decode("utf-8", "surrogateescape").removesuffix("\n"))


def _parted(told: bytes) -> tuple[bytes, bytes]:
    """Warnings, and the error behind them, without its "Error: "."""
    match = re.search(rb"(?m)^Error: ", told)
    return (told[: match.start()], told[match.end() :]) if match else (b"", told)


def _check_folder(folder: str) -> None:
    """Raises KubetraceError for what kustomize refuses before it reads anything."""
    path = Path(folder or ".")
    if _REMOTE.match(folder):
        return
    absolute = Path(os.path.abspath(folder or "."))  # noqa: PTH100 (as Go joins paths: links are not followed)
    if not path.exists():
        missing = next(part for part in (*reversed(absolute.parents), absolute) if not part.exists())
        raise KubetraceError(
            f"must build at directory: not a valid directory: evalsymlink failure on '{absolute}' : "
            f"lstat {missing}: no such file or directory"
        )
    if not path.is_dir():
        raise KubetraceError(f"must build at directory: '{folder}': file is not directory")
    if not any((path / name).exists() for name in FILES):
        first, second, third = FILES
        where = absolute.resolve()
        raise KubetraceError(f"unable to find one of '{first}', '{second}' or '{third}' in directory '{where}'")

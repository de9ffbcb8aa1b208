"""kubectl's plugins: programs in PATH whose names begin with "kubectl-" (kubectl pkg/cmd/cmd.go HandlePluginCommand).

`kubetrace foo bar-baz -x` runs kubectl-foo-bar_baz or, where that is not there, kubectl-foo with bar-baz; what follows
the name is handed on, and the plugin takes this process's place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

from kubetrace.errors import os_words

PREFIX = "kubectl-"


def find_plugin(argv: Sequence[str], environ: Mapping[str, str], least_words: int = 1) -> tuple[str, list[str]] | None:
    """The program whose name takes most of argv's words (before the first flag, `least_words` at least), and the
    arguments left for it; None where there is none."""
    words: list[str] = []
    for argument in argv:
        if argument.startswith("-"):
            break
        words.append(argument.replace("-", "_"))
    while len(words) >= max(least_words, 1):
        program = shutil.which(PREFIX + "-".join(words), path=environ.get("PATH", ""))
        if program is not None:
            return program, list(argv[len(words) :])
        words.pop()
    return None


def run_plugin(program: str, arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Becomes the plugin, with its path as its name, as kubectl does. Raises OSError."""
    os.execve(program, [program, *arguments], dict(environ))


def plugin_files(environ: Mapping[str, str], skipped: Callable[[str], object]) -> Iterator[str]:
    """Every file in PATH that is named as a plugin, folder by folder; `skipped` is told of folders that can't be
    read."""
    from kubetrace.wire.go_strconv import go_quote

    for folder in dict.fromkeys(environ.get("PATH", "").split(":")):
        if not folder.strip():
            continue
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            words = os_words("open", folder, error)
            skipped(f"Unable to read directory {go_quote(folder)} from your PATH: {words}. Skipping...\n")
            continue
        for entry in found:
            if entry.name.startswith(PREFIX) and not entry.is_dir(follow_symlinks=False):
                yield os.path.normpath(f"{folder}/{entry.name}")

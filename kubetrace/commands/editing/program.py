"""Which program edits a text, and the temporary file that it is given (kubectl pkg/cmd/util/editor: editor.go,
launcher_others.go)."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.api.go_words import quoted
from kubetrace.cmdline.command import PROGRAM
from kubetrace.errors import KubetraceError, os_words
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubetrace.environment import Environment

_DEFAULT_EDITOR = "vi"
_DEFAULT_SHELL = "/bin/bash"


class Editor(Value):
    """A program and its first arguments; with `shell` the last of them is a line for a shell, which ends with the
    file's name."""

    words: tuple[str, ...]
    shell: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Editor:
        """$KUBE_EDITOR, else $EDITOR, else vi. A line with quotes is the shell's to read."""
        line = environ.get("KUBE_EDITOR") or environ.get("EDITOR") or _DEFAULT_EDITOR
        if " " in line and any(sign in line for sign in "\"'\\"):
            return cls((environ.get("SHELL") or _DEFAULT_SHELL, "-c", line), shell=True)
        return cls(tuple(line.split(" ")))

    def command(self, path: str) -> list[str]:
        if self.shell:
            return [*self.words[:-1], f"{self.words[-1]} {quoted(path)}"]
        return [*self.words, path]

    def edit(self, environment: Environment, path: str) -> None:
        """Returns when the editor has ended. Raises KubetraceError where it could not be started, or failed."""
        command = self.command(str(Path(path).absolute()))
        environment.note("editor-opened", command="[" + " ".join(command) + "]")
        shown = quoted(" ".join(self.words))
        searched = bool(command[0]) and "/" not in command[0]  # an empty name is not looked for (Go's os/exec)
        if searched and shutil.which(command[0], path=environment.environ.get("PATH", "")) is None:
            raise KubetraceError(f"unable to launch the editor {shown}")
        environment.stdout.flush()
        environment.stderr.flush()
        try:
            with _terminal_kept():
                done = subprocess.run(command, env=dict(environment.environ), check=False)
        except OSError:
            raise KubetraceError(f"there was a problem with the editor {shown}") from None
        if done.returncode:
            raise KubetraceError(f"there was a problem with the editor {shown}")


@contextlib.contextmanager
def _terminal_kept() -> Iterator[None]:
    """On a terminal, a signal ends the program quietly, and the terminal is then as it was (term.TTY.Safe)."""
    import termios

    from kubetrace.commands.interrupts import ending_quietly

    with contextlib.ExitStack() as stack:
        state = _terminal_state(stack)
        if state is None:
            yield
            return
        descriptor, attributes = state
        try:
            with ending_quietly():
                yield
        finally:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSADRAIN, attributes)


def _terminal_state(stack: contextlib.ExitStack) -> tuple[int, list[Any]] | None:
    """The terminal of standard input, or else of the process; None without one."""
    import termios

    with contextlib.suppress(termios.error):
        return 0, termios.tcgetattr(0)
    try:
        descriptor = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return None
    stack.callback(os.close, descriptor)
    with contextlib.suppress(termios.error):
        return descriptor, termios.tcgetattr(descriptor)
    return None


def temporary_file(environ: Mapping[str, str], extension: str, text: bytes) -> str:
    """The path of a new file in $TMPDIR that only the user may read, with the text in it. Raises KubetraceError."""
    folder = environ.get("TMPDIR") or "/tmp"
    path = f"{folder.rstrip('/')}/{PROGRAM}-edit-{secrets.randbits(32)}{extension}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
    except OSError as error:
        raise KubetraceError(os_words("open", path, error)) from None
    return path

"""The few kinds of error that end a command, and what each prints.

    KubetraceError          one line "error: …", exit 1
    ├── UsageError          … and "See 'kubetrace COMMAND --help' for usage."
    ├── PlainError          the text as it stands ("Error from server (NotFound): …"), exit 1
    └── SilentExit          nothing more to say, only an exit code
    PlanEnd                 no error: a plan has come to its end, exit 0

Rooms raise these (or subclasses that carry more, such as `kubetrace.api.status.StatusError`); `kubetrace.cli` turns
them into text and an exit code, as kubectl's `cmdutil.CheckErr` does, and nobody else exits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable


class KubetraceError(Exception):
    """A failure that has been explained. Printed as "error: MESSAGE" unless the message already starts so."""

    exit_code = 1
    problems: tuple[str, ...] = ()
    """What an error consists of that is a list of problems itself."""

    def lines(self) -> list[str]:
        """What goes to stderr, a line an entry; an empty last one says that the text ends with its newline."""
        message = str(self)
        return [message if message.startswith("error: ") else f"error: {message}"]

    def lines_of_only(self) -> list[str]:
        """The same where it is the only one of several that there might have been."""
        return self.lines()


class UsageError(KubetraceError):
    """The command line was wrong; `command_path` ("kubetrace get") makes kubectl's "See … --help" line."""

    def __init__(self, message: str, command_path: str | None = None) -> None:
        super().__init__(message)
        self.command_path = command_path

    def lines(self) -> list[str]:
        lines = super().lines()
        if self.command_path:
            lines.append(f"See '{self.command_path} --help' for usage.")
        return lines


class PlainError(KubetraceError):
    """An error whose text is printed without the "error: " prefix."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code

    def lines(self) -> list[str]:
        return str(self).split("\n")


class PlanEnd(Exception):
    """A plan (--plan) cannot go on: what the next call would be depends on an answer that nobody has given. No failure,
    and none that a command may handle."""


class SilentExit(KubetraceError):
    """Ends the command with an exit code; everything has been said."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit {exit_code}")
        self.exit_code = exit_code

    def lines(self) -> list[str]:
        return []


def aggregate_text(texts: Iterable[str]) -> str:
    """Several errors' texts as one (apimachinery's util/errors.Aggregate)."""
    distinct = list(dict.fromkeys(texts))
    return distinct[0] if len(distinct) == 1 else "[" + ", ".join(distinct) + "]"


def os_words(operation: str, path: object, error: OSError | ValueError) -> str:
    """A failed system call as Go words it: "open /x: permission denied"."""
    if isinstance(error, OSError) and error.errno is not None:
        reason = os.strerror(error.errno)
        return f"{operation} {path}: {reason[:1].lower()}{reason[1:]}"
    return f"{operation} {path}: invalid argument"


def read_words(path: object, error: OSError | ValueError) -> str:
    """The same of a file that could not be read: Go opens a folder without a complaint."""
    return os_words("read" if isinstance(error, IsADirectoryError) else "open", path, error)

"""What came of an edit, and why the file is opened again: the comments above it (editoptions.go: editHeader,
editResults)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubetrace.api import status
from kubetrace.api.go_words import quoted
from kubetrace.value import Mutable, Value, fresh

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.errors import KubetraceError

OBJECTS_HEADER = """\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
LAST_APPLIED_HEADER = """\
# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""


class Reason(Value):
    """One reason for another look at the file."""

    head: str
    causes: tuple[str, ...] = ()

    def comment(self) -> str:
        lines = [f"# {_commented(self.head)}{':' if self.causes else ''}"]
        lines += [f"# * {_commented(cause)}" for cause in self.causes]
        return "\n".join([*lines, "#", ""])


def _commented(text: str) -> str:
    """Every line of a text but the first as a comment, where it is none yet (hashOnLineBreak)."""
    return re.sub(r"\n(?=[^#])", "\n# ", text)


class Results(Mutable):
    """What became of the objects of one pass. `file` is where the pass left its text."""

    file: str = ""
    reasons: list[Reason] = fresh(list)
    retryable: int = 0
    not_found: int = 0
    invalid: int = 0

    def add_error(self, error: KubetraceError, info: Info) -> str:
        """Counts the error, and says what to tell the user."""
        if status.is_invalid(error):
            assert isinstance(error, status.StatusError)
            causes = [cause for cause in error.details.get("causes") or () if isinstance(cause, dict)]
            texts = (f"{cause.get('field') or ''}: {cause.get('message') or ''}" for cause in causes)
            return self.add_invalid(info, tuple(texts))
        if status.is_not_found(error):
            self.not_found += 1
            return f"error: {_subject(info)} could not be found on the server"
        self.retryable += 1
        return f"error: {_subject(info)} could not be patched: {error}"

    def add_invalid(self, info: Info, causes: tuple[str, ...]) -> str:
        """Counts an object that has to be edited again, and says what to tell the user."""
        self.invalid += 1
        self.reasons.append(Reason(f"{_subject(info)} was not valid", causes))
        return f"error: {_subject(info)} is invalid"


def _subject(info: Info) -> str:
    assert info.mapping is not None
    return f"{info.mapping.resource.group_resource} {quoted(info.name)}"

"""--record: the command line in the annotation kubernetes.io/change-cause of what it changes (cli-runtime
pkg/genericclioptions/record_flags.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.api.metadata import set_field, string_map
from kubetrace.cmdline.command import PROGRAM
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

ANNOTATION = "kubernetes.io/change-cause"


class Recorder(Value):
    """Writes the cause into objects; an empty cause is none."""

    cause: str = ""

    @classmethod
    def of(cls, environment: Environment, options: Value, record: bool) -> Recorder:
        """The recorder of this run, silent unless `record`."""
        return cls(_command_line(environment, type(options)) if record else "")

    def record(self, value: dict[str, Any]) -> None:
        """Annotates the object."""
        if self.cause:
            set_field(value, "annotations", {**string_map(value, "annotations"), ANNOTATION: self.cause})

    def merge_patch(self, value: dict[str, Any]) -> bytes:
        """The merge patch that would annotate the object; empty where there is nothing to record."""
        from copy import deepcopy

        from kubetrace.api.json_merge import merge_patch_text

        if not self.cause:
            return b""
        recorded = deepcopy(value)
        self.record(recorded)
        return merge_patch_text(value, recorded)


def _command_line(environment: Environment, options: type[Value]) -> str:
    """The words as they were typed, then the flags in their long form (parseCommandArguments)."""
    from kubetrace.cmdline.flags import bind
    from kubetrace.cmdline.global_options import GLOBAL_FLAGS
    from kubetrace.cmdline.parser import FlagSet

    parsed = FlagSet((*GLOBAL_FLAGS, *bind(options))).parse(environment.argv)
    flags = (f"--{name}={text}" for name, text in parsed.occurrences)
    return " ".join((PROGRAM, *parsed.words, *flags))

"""A command as data: a row in the lazy table, what its module declares, and what it is given when it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from kubetrace.errors import KubetraceError, UsageError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment

PROGRAM = "kubetrace"


class NoOptions(Value):
    """The options of a command that has no flags of its own."""


class Entry(Value):
    """One row of the command table: enough for help and search without importing the command. `module` holds the
    `COMMAND` (None: a mere group, whose help is shown; `usage` is its line there, where it has one of its own, and
    `bare` what its call comes to: the help as an "error", or as "output" of a failure, or "help", whatever words
    follow). `group` is the heading it stands under in the root's help."""

    name: str
    summary: str
    module: str | None = None
    group: str = "Other Commands:"
    aliases: tuple[str, ...] = ()
    suggest_for: tuple[str, ...] = ()
    children: tuple[Entry, ...] = ()
    description: str = ""
    usage: str = ""
    attribute: str = "COMMAND"
    bare: Literal["error", "output", "help"] = "error"
    hidden: bool = False

    def child(self, word: str) -> Entry | None:
        return next((c for c in self.children if word == c.name or word in c.aliases), None)

    def load(self) -> Command | None:
        """Imports the command's module; None for a mere group."""
        if self.module is None:
            return None
        import importlib

        command: Command = getattr(importlib.import_module(self.module), self.attribute)
        return command

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Entry]]:
        """Every entry below this one with its path of names."""
        for child in self.children:
            here = (*path, child.name)
            yield here, child
            yield from child.walk(here)


class Command(Value):
    """What a command's module declares. `run` returns an exit code (None: 0). `usage` is the line below "Usage:"
    without the program's name. `words` says what completion offers for the words: "resources" (types, then names;
    "resources:a,b": of these types), "resource:a,b" (the same for one object), "names:pods" (one name of that type),
    "pods" (a pod, or TYPE/NAME of what has some), "pods-containers" and "pods-ports" (and then one of its containers,
    its ports), "files-in-pods", "context", "cluster", "user" (the first word only), or "=a,b" (these)."""

    run: Callable[[Environment, Any, Arguments], int | None]
    usage: str
    description: str
    options: type[Value] = NoOptions
    examples: str = ""
    words: str = ""
    error_exit: int = 1
    """Exit code of a wrong command line, where 1 means something else."""
    errs_on_stdout: bool = False
    """What cobra has to say of it goes to stdout (Command.SetErr)."""
    may_take_long: bool = False
    """Shows on a terminal that it is still at it."""


class Arguments(Value):
    """What argv said besides the options: the words, which flags were given, and where `--` stood."""

    path: tuple[str, ...]
    words: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()
    dash: int | None = None
    called_as: str = ""

    @property
    def command_path(self) -> str:
        """ "kubetrace config view", as messages name the command."""
        return " ".join((PROGRAM, *self.path))

    def changed(self, field: str) -> bool:
        """Was this flag given (pflag's Changed)? By the options' field name."""
        return field in self.given

    def usage_error(self, message: str) -> UsageError:
        """cmdutil.UsageErrorf: the message, then where help is."""
        return HelpHintError(message, self.command_path)

    def no_words(self) -> None:
        """Refuses any word, as cobra.NoArgs users in kubectl do."""
        if self.words:
            raise self.usage_error(f"unexpected arguments: [{' '.join(self.words)}]")


class HelpHintError(UsageError):
    """kubectl's UsageErrorf: "See 'kubectl get -h' for help and examples"."""

    def lines(self) -> list[str]:
        return [*KubetraceError.lines(self), f"See '{self.command_path} -h' for help and examples"]

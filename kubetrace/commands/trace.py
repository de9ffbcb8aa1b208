"""`trace har|mermaid|stats|…`: the views that turn a trace's exchanges into one text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.trace_source import FilterOptions, exchanges

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_WHERE = "FILE|FOLDER|-|last …"


def _printing(name: str) -> Callable[[Environment, FilterOptions, Arguments], int | None]:
    def run(environment: Environment, options: FilterOptions, arguments: Arguments) -> int | None:
        from kubetrace.trace.views import view

        for piece in view(name)(exchanges(environment, options, arguments.words)):
            environment.stdout.write(piece)
        return None

    return run


def _command(name: str, description: str, examples: str) -> Command:
    return Command(
        run=_printing(name),
        usage=f"trace {name} [{_WHERE}] [flags] [options]",
        description=description,
        options=FilterOptions,
        examples=examples,
    )


HAR = _command(
    "har",
    """
    Print a trace as HAR 1.2, which browsers, mitmproxy and many other tools read.

    Credentials are masked in traces, and so they are here.
    """,
    """
    # For the network tab of a browser
    kubetrace trace har last > calls.har
    """,
)
MERMAID = _command(
    "mermaid",
    """
    Print a trace as a sequence diagram in mermaid's language, for pages that draw it (GitHub, GitLab and others do).
    """,
    """
    # Only the calls that changed something
    kubetrace trace mermaid last --verb create,update,patch,delete
    """,
)
STATS = _command(
    "stats",
    """
    Print a trace's calls by endpoint: how many, how many failed, their median and 95th percentile, and their bytes.
    """,
    """
    # Everything that was ever traced
    kubetrace trace stats "$KUBETRACE_TRACE"
    """,
)
LINT = _command(
    "lint",
    """
    Print what a trace shows that could be better, each finding with its exchanges: the same read again and again, lists
    without a limit, polling, cold discovery, deprecated APIs, conflicts, throttling, failures.
    """,
    """
    # What a controller wastes
    kubetrace trace lint controller.jsonl
    """,
)
HTML = _command(
    "html",
    """
    Print a trace as one page for a browser: a waterfall, search, headers and bodies. The page needs no network.
    """,
    """
    # A page to attach to a bug report
    kubetrace trace html last > calls.html
    """,
)

"""`trace show`: a trace as a table, one exchange in full, or the log that kubectl would have written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, events
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchanges import Filter, chosen, numbered
from kubetrace.trace.records import Timed

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_PLAIN_WIDTH = 200
_PAGE = 1000
"""Rows of one table: a longer trace has several, each with its own waterfall."""


class ShowOptions(FilterOptions):
    follow: bool = flag(False, "f", help="Go on as the file grows, until interrupted.")
    limit: int = flag(1000, help="Show at most this many rows; 0 shows all.")


def run(environment: Environment, options: ShowOptions, arguments: Arguments) -> int | None:
    if options.limit < 0:
        raise arguments.usage_error("--limit is a number of rows, or 0 for all")
    words = list(arguments.words)
    numbers = _numbers(words)
    found = events(environment, words, options.follow)
    if environment.options.v >= 6:
        _log(environment, _wanted(found, options.filter(environment), numbers))
    elif numbers:
        _in_full(environment, found, numbers)
    elif options.follow:
        _follow(environment, options, found)
    else:
        _table(environment, options, found)
    return None


def _numbers(words: list[str]) -> set[int]:
    """Takes the last words, as far as they are exchanges' numbers and no files."""
    numbers = set()
    while words and words[-1].isdecimal() and not os.path.exists(words[-1]):  # noqa: PTH110
        numbers.add(int(words.pop()))
    return numbers


def _wanted(found: Iterable[Timed], wanted: Filter, numbers: set[int]) -> Iterable[Timed]:
    """All events, or those of the exchanges that filters or numbers choose."""
    if not numbers and not wanted.active:
        return found
    return chosen(found, lambda recorded: (not numbers or recorded.number in numbers) and wanted.takes(recorded))


def _in_full(environment: Environment, found: Iterable[Timed], numbers: set[int]) -> None:
    from kubetrace.trace.views.show import full

    left = set(numbers)
    for recorded in numbered(found):
        if recorded.number in left:
            environment.stdout.write(("" if left == numbers else "\n") + "".join(full(recorded)))
            left.remove(recorded.number)
            if not left:
                return
    missing = ", ".join(map(str, sorted(left)))
    raise KubetraceError(f"the trace has no exchange {missing}")


def _table(environment: Environment, options: ShowOptions, found: Iterable[Timed]) -> None:
    from kubetrace.trace.views import show

    rows = show.joined(show.rows(found, options.filter(environment)))
    page = list(islice(rows, min(options.limit or _PAGE, _PAGE)))
    if not page:
        environment.stderr.write("No exchanges found\n")
        return
    console = _console(environment)
    shown = 0
    while page:
        console.print(show.table(page, console.width))
        shown += len(page)
        page = list(islice(rows, min(options.limit - shown, _PAGE) if options.limit else _PAGE))
    left = sum(1 for _ in rows)
    if left:
        environment.stdout.write(f"… and {left} more rows (--limit 0 shows all, filters show fewer)\n")


def _console(environment: Environment) -> Any:
    from rich.console import Console

    color = environment.colors(environment.stdout)
    width = None if environment.stdout.isatty() else _PLAIN_WIDTH
    return Console(
        file=environment.stdout,
        force_terminal=color,
        no_color=not color,
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _follow(environment: Environment, options: ShowOptions, found: Iterable[Timed]) -> None:
    from kubetrace.trace.views import show

    for row in show.joined(show.rows(found, options.filter(environment), live=True)):
        environment.stdout.write(show.line(row))
        environment.stdout.flush()


def _log(environment: Environment, found: Iterable[Timed]) -> None:
    """The events once more through the log's writer, with the times they had."""
    from kubetrace.trace.klog import KlogObserver
    from kubetrace.trace.masking import Masker

    now = 0.0

    def write(line: bytes) -> None:
        environment.stdout.write(line.decode("utf-8", "surrogateescape"))

    # What a trace holds is masked already (or --unmask was given): masking again would number secrets anew.
    observer = KlogObserver(
        write,
        verbosity=environment.options.v,
        vmodule=environment.options.vmodule,
        like=environment.like,
        masker=Masker(unmask=True),
        clock=lambda: now + 2e-7,  # written times were rounded, the log cuts off
        is_terminal=environment.stdout.isatty(),
        color=environment.colors(environment.stdout),
    )
    for timed in found:
        now = timed.at
        observer(timed.event)


COMMAND = Command(
    run=run,
    usage="trace show [FILE|FOLDER|-|last …] [NUMBER …] [flags] [options]",
    description="""
    Show a trace: every exchange with its answer, time and size, and when it happened.

    With numbers these exchanges are shown in full. With -v=6 to -v=10 the trace is printed as the log that kubectl
    would have written, in the words of the version that --like names. Without a file the newest trace of the folder
    KUBETRACE_TRACE is shown.
    """,
    options=ShowOptions,
    examples="""
    # Keep a trace, then look at it
    kubetrace get pods --trace pods.jsonl
    kubetrace trace show pods.jsonl

    # The third exchange, with headers and bodies
    kubetrace trace show pods.jsonl 3

    # What went wrong, or took long
    kubetrace trace show last --status failed
    kubetrace trace show last --slower 100ms

    # As kubectl 1.29 would have logged it
    kubetrace trace show last -v=8 --like 1.29
    """,
)

"""`trace diff`: which calls another run made, left out, or made otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.trace_source import FilterOptions, exchanges
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_TROUBLE = 2
"""The exit code where nothing could be compared, as in diff(1) and `kubectl diff`."""


def run(environment: Environment, options: FilterOptions, arguments: Arguments) -> int:
    try:
        return _compare(environment, options, arguments)
    except OSError as error:
        if error.filename is None:
            raise
        trouble = KubetraceError(f"{error.strerror}: {error.filename}")
    except KubetraceError as error:
        trouble = error
    trouble.exit_code = _TROUBLE
    raise trouble


def _compare(environment: Environment, options: FilterOptions, arguments: Arguments) -> int:
    from kubetrace.trace.views.diff import render

    if len(arguments.words) != 2:
        raise arguments.usage_error("two traces are compared: name both")
    before, after = (exchanges(environment, options, [word]) for word in arguments.words)
    different = 0
    for piece in render(before, after):
        environment.stdout.write(piece)
        different |= not piece.startswith("#")
    return different


COMMAND = Command(
    run=run,
    usage="trace diff BEFORE AFTER [flags] [options]",
    description="""
    Compare two traces: calls that came (+), went (-) or changed (~). Ids, times and resource versions are set aside.

    The exit code is 1 where the traces differ, 2 where they can't be compared.
    """,
    options=FilterOptions,
    examples="""
    # What server-side apply does differently
    kubetrace apply -f web.yaml --trace client.jsonl
    kubetrace apply -f web.yaml --server-side --trace server.jsonl
    kubetrace trace diff client.jsonl server.jsonl
    """,
)

"""`trace audit`: what the server's audit log says about a trace's requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, exchanges, open_lines, short_lines
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.trace.audit_log import AuditEvent


class AuditOptions(FilterOptions):
    log: tuple[str, ...] = flag((), help="The server's audit log (.gz may be packed); repeat for several.",
                                completion="file")  # fmt: skip


def run(environment: Environment, options: AuditOptions, arguments: Arguments) -> None:
    from kubetrace.trace.views.audit import render

    if not options.log:
        raise arguments.usage_error("--log names the server's audit log")
    found = exchanges(environment, options, arguments.words)
    for piece in render(found, _events(environment, options.log), environment.masker.text):
        environment.stdout.write(piece)


def _events(environment: Environment, names: tuple[str, ...]) -> Iterator[AuditEvent]:
    """Those of all logs. A log without any is named; it is an error where none has one."""
    from kubetrace.trace.audit_log import events

    empty = []
    for name in names:
        with open_lines(environment, None if name == "-" else Path(name)) as lines:
            first = next(found := events(short_lines(lines)), None)
            if first is None:
                empty.append(name)
                continue
            yield first
            yield from found
    problem = f"{', '.join(empty)} holds no audit events (audit.k8s.io, one JSON object a line)"
    if len(empty) == len(names):
        raise KubetraceError(problem)
    if empty:
        environment.warn(problem)


COMMAND = Command(
    run=run,
    usage="trace audit [FILE|FOLDER|-|last …] --log FILE [flags] [options]",
    description="""
    Print a trace's requests with what the API server's audit log says about each: whom the server saw, why it allowed
    or refused the request, what admission noted, and how long it took.

    Requests are found by the Audit-Id of their answers. The log is a file of audit.k8s.io events, one a line, as
    kube-apiserver's --audit-log-path writes it.
    """,
    options=AuditOptions,
    examples="""
    # Why was that allowed?
    kubetrace get secrets -n kube-system --trace secrets.jsonl
    kubetrace trace audit secrets.jsonl --log /var/log/kubernetes/audit.log
    """,
)

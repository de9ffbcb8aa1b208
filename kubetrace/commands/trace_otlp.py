"""`trace otlp`: a trace as OpenTelemetry spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, exchanges

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class OtlpOptions(FilterOptions):
    endpoint: str = flag("", help="Send the spans to this OTLP/HTTP endpoint (https://…/v1/traces) instead.")


def run(environment: Environment, options: OtlpOptions, arguments: Arguments) -> None:
    from kubetrace.trace.body_text import counted
    from kubetrace.trace.views.otlp import render, send

    found = exchanges(environment, options, arguments.words)
    if options.endpoint:
        count = send(found, options.endpoint)
        environment.stderr.write(f"{counted(count, 'span')} sent to {environment.masker.url(options.endpoint)}\n")
        return
    for piece in render(found):
        environment.stdout.write(piece)


COMMAND = Command(
    run=run,
    usage="trace otlp [FILE|FOLDER|-|last …] [--endpoint URL] [flags] [options]",
    description="""
    Print a trace as OpenTelemetry spans (OTLP's JSON, a line a batch), or send them to a collector. Needs the packages
    of the extra kubetrace[otel].

    With --traceparent on the traced command, the API server's own spans join these.
    """,
    options=OtlpOptions,
    examples="""
    # To a collector on this machine
    kubetrace apply -f web.yaml --traceparent --trace web.jsonl
    kubetrace trace otlp web.jsonl --endpoint http://localhost:4318/v1/traces
    """,
)

"""`trace serve`: an API server on loopback that answers with a trace's answers."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, exchanges
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class ServeOptions(FilterOptions):
    port: int = flag(0, help="Port on 127.0.0.1; 0 takes a free one.")
    http: bool = flag(False, help="Serve plain HTTP, to anybody on this machine, instead of TLS with a token.")


def run(environment: Environment, options: ServeOptions, arguments: Arguments) -> None:
    from kubetrace.trace.replay import Answers
    from kubetrace.trace.replay_server import ReplayServer, kubeconfig_text

    answers = Answers(exchanges(environment, options, arguments.words))
    if not answers.count:
        raise KubetraceError("the trace holds no answers")

    def tell(text: str) -> None:
        environment.write_error_bytes(environment.shown(text + "\n"))

    try:
        server = ReplayServer(answers, plain=options.http, port=options.port, tell=tell)
    except (OSError, OverflowError) as error:
        raise KubetraceError(f"cannot listen on 127.0.0.1:{options.port}: {error}") from None
    server.start()
    environment.stdout.write(kubeconfig_text(server.kubeconfig()))
    environment.stdout.flush()
    how = "" if answers.has_discovery else " (without discovery: what its requests tell of it is served)"
    tell(f"serving {answers.count} answers at {server.url}{how}; Ctrl-C ends it")
    _until_interrupted()
    server.stop()


def _until_interrupted() -> None:
    """Returns at SIGINT or SIGTERM."""
    over = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
    over.wait()


COMMAND = Command(
    run=run,
    usage="trace serve [FILE|FOLDER|-|last …] [--port PORT] [--http] [flags] [options]",
    description="""
    Serve a trace's answers on this machine, so that kubectl and other clients run against the cluster of then, offline.
    A kubeconfig for it is printed.

    The same question is answered as it was, several times in the same order, and as the last time from then on. What
    the trace never asked is answered 404, with a Status that says so. Watches stay open without events. Nothing is
    written anywhere. What was masked in the trace stays masked.

    For a trace that knows everything a client asks first, record it with an empty --cache-dir and --trace-bodies=all.
    """,
    options=ServeOptions,
    examples="""
    # Yesterday's cluster on a train
    kubetrace get pods -A --cache-dir "$(mktemp -d)" --trace-bodies=all --trace pods.jsonl
    kubetrace trace serve pods.jsonl > kubeconfig &
    kubectl --kubeconfig kubeconfig get pods -A
    """,
)

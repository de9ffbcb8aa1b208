"""What every test may ask for: the program run in this process, with streams and environment of its own."""

from __future__ import annotations

import io
import signal
import ssl
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams

# A busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command line came to."""

    code: int
    out: str
    err: str


Kubetrace = Callable[..., Outcome]


def pytest_configure() -> None:
    """Signals that the tests' parent ignores (nohup, a shell's background job) would be ignored by what they start."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    _close_what_tls_leaves()


def _close_what_tls_leaves() -> None:
    """Python's `SSLSocket._create` leaves its socket open where the other side resets before the handshake: some later
    test would be told of it. It is within reach by the exception's frames only."""
    create = ssl.SSLSocket._create.__func__  # type: ignore[attr-defined]

    def closing(cls: type[ssl.SSLSocket], *args: Any, **options: Any) -> Any:
        try:
            return create(cls, *args, **options)
        except OSError as error:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                left = frame.f_locals.get("self")
                if isinstance(left, ssl.SSLSocket):
                    left.close()
            raise

    ssl.SSLSocket._create = classmethod(closing)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _bugs_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with KUBETRACE_DEBUG: an exception that nobody foresaw fails the test instead of becoming a line of text."""
    monkeypatch.setattr(Environment, "debug", True)


@pytest.fixture
def kubetrace(tmp_path: Path) -> Kubetrace:
    """Runs one command line in this process with an empty HOME: kubetrace("get", "pods", environ={…}, stdin=b"…")."""

    def run(*argv: str, environ: dict[str, str] | None = None, stdin: bytes = b"") -> Outcome:
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n") for _ in range(2))
        streams = Streams(io.BytesIO(stdin), out, err)
        code = main(list(argv), Environment(streams, {"HOME": str(tmp_path), **(environ or {})}))
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode("utf-8", "surrogateescape"))  # type: ignore[attr-defined]
            stream.close()
        return Outcome(code, *texts)

    return run

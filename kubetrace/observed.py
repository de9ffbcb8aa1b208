"""A run's streams, and who watches it: the log, the trace, the plan, each made when it is first needed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, Self, TextIO

from kubetrace.cmdline.global_options import GlobalOptions, OwnOptions
from kubetrace.errors import KubetraceError
from kubetrace.streams import Streams, nowhere, silence

if TYPE_CHECKING:
    from pathlib import Path

    from kubetrace.api.planning import Plan
    from kubetrace.cmdline.kuberc import Preferences
    from kubetrace.trace.events import Events
    from kubetrace.trace.exchange import Event
    from kubetrace.trace.klog import KlogObserver
    from kubetrace.trace.masking import Masker
    from kubetrace.trace.plan import PlanObserver
    from kubetrace.trace.progress import Progress
    from kubetrace.trace.record_file import RecordObserver
    from kubetrace.trace.run_stats import RunStats
    from kubetrace.trace.why import WhyObserver


FRAME_CONTENT = 256 * 1024
"""Bytes of a frame that --unmask shows: whatever passes a shell or a port may be a secret."""


class _WarningCount:
    """Counts the warnings of a run."""

    follows_frames = False

    def __init__(self, run: ObservedRun) -> None:
        self._run = run

    def __call__(self, event: Event) -> None:
        from kubetrace.trace.exchange import WarningReceived

        if isinstance(event, WarningReceived):
            self._run.warnings += 1


_DEFAULTS, _OWN_DEFAULTS = GlobalOptions(), OwnOptions()


class ObservedRun:
    """One run of the program. `options` and `own` are set once argv is parsed; `begun` is when it started
    (time.perf_counter's clock)."""

    def __init__(
        self,
        streams: Streams,
        environ: Mapping[str, str],
        options: GlobalOptions = _DEFAULTS,
        own: OwnOptions = _OWN_DEFAULTS,
        preferences: Preferences | None = None,
        begun: float | None = None,
    ) -> None:
        self.streams = streams
        self.environ = environ
        self.options = options
        self.own = own
        self.preferences = preferences
        self.command_path: tuple[str, ...] = ()
        self.argv: tuple[str, ...] = ()
        self.warnings = 0
        self.manifest_read = False
        self.begun = time.perf_counter() if begun is None else begun
        self._progress: Progress | None = None

    @classmethod
    def standard(cls) -> Self:
        # What a process did before it came here was computing: Python's own start.
        return cls(Streams.standard(), os.environ, begun=time.perf_counter() - time.process_time())

    # --- streams and terminal ------------------------------------------------------------------------------------

    @property
    def stdin(self) -> BinaryIO:
        return self.streams.stdin

    def read_manifest(self) -> bytes:
        """All of standard input, which nobody else can have from here on."""
        self.manifest_read = True
        return self.stdin.read()

    @cached_property
    def stdout(self) -> TextIO:
        """Where the command's output goes; with --plan nowhere, as the plan is what was asked for."""
        return nowhere() if self.own.plan else self.streams.stdout

    @property
    def stderr(self) -> TextIO:
        return self.streams.stderr

    def write_error_bytes(self, data: bytes) -> None:
        """One write to stderr, as it happens: a log line is never torn. Where nothing can be written (a full disk), the
        log is lost and the command goes on, as with klog."""
        try:
            self.stderr.flush()
            raw = getattr(self.stderr, "buffer", None)
            if raw is None:
                self.stderr.write(data.decode("utf-8", "replace"))
            else:
                raw.write(data)
                raw.flush()
        except BrokenPipeError:
            raise
        except OSError:
            silence(2)

    def colors(self, stream: TextIO) -> bool:
        """May this stream carry colour? A terminal may, unless NO_COLOR or TERM=dumb says no; --color overrides."""
        if self.own.color != "auto":
            return self.own.color == "always"
        return stream.isatty() and not self.environ.get("NO_COLOR") and self.environ.get("TERM") != "dumb"

    @property
    def debug(self) -> bool:
        """KUBETRACE_DEBUG: an error that nobody foresaw ends in Python's traceback, which may show what the server
        said, instead of in one line."""
        return bool(self.environ.get("KUBETRACE_DEBUG"))

    @property
    def help_width(self) -> int | None:
        """The width that help is wrapped to; None where it is not wrapped (kubectl's responsive writer)."""
        if not self.stdout.isatty():
            return None
        from kubetrace.cmdline.help import wrap_width

        try:
            return wrap_width(os.get_terminal_size(self.stdout.fileno()).columns)
        except OSError:
            return None

    @property
    def home(self) -> Path:
        """$HOME; where there is none, the root folder, as Go's homedir falls back to an empty path."""
        from pathlib import Path

        return Path(self.environ.get("HOME") or "/")

    # --- the trace -----------------------------------------------------------------------------------------------

    @cached_property
    def masker(self) -> Masker:
        from kubetrace.trace.masking import Masker

        return Masker(unmask=self.own.unmask)

    @cached_property
    def events(self) -> Events:
        """The observers of this run: the log, and the count of warnings."""
        from kubetrace.trace.events import Events

        events = Events(on_failure=self._observer_failed)
        events.add(_WarningCount(self))
        if self.options.v > 0 or self.options.vmodule:
            events.add(self.log)
        else:
            from kubetrace.trace.quiet import QuietLog

            events.add(QuietLog(lambda: self.log))
        if self.own.unmask and (self.options.v >= 6 or self.options.vmodule or self.recorder is not None):
            self.stderr.write("Credentials and Secret values are shown (--unmask)\n")
            events.contents = FRAME_CONTENT
        if self.recorder is not None:
            from kubetrace.trace.record_file import parse_bodies

            events.add(self.recorder)
            events.streamed = parse_bodies(self.own.trace_bodies)
        if self.own.plan:
            events.add(self.plan_observer)
        if self.explainer is not None:
            events.add(self.explainer)
        if self.run_stats is not None:
            events.add(self.run_stats)
        return events

    @cached_property
    def log(self) -> KlogObserver:
        """Who writes the log. Raises UnknownDialect or VModuleError where --like or --vmodule can't be meant."""
        from kubetrace.trace.klog import KlogObserver

        return KlogObserver(
            self.write_error_bytes,
            verbosity=self.options.v,
            vmodule=self.options.vmodule,
            like=self.like,
            masker=self.masker,
            is_terminal=self.stderr.isatty(),
            color=self.colors(self.stderr),
            decode_protobuf=True,
            tells_streams=self.options.v >= 9,
        )

    def logs(self, level: int, source: str) -> bool:
        """Does the log of this source file go to that level (klog.V)?"""
        return bool(self.options.v or self.options.vmodule) and self.log.verbosity.enabled(level, source)

    def ends_log_with(self, text: str) -> bool:
        """Writes a command's last words as a fatal line, where the release whose log this is did so at this level."""
        if not self.options.v and not self.options.vmodule:
            return False
        try:
            return self.log.ends_with(text)
        except KubetraceError:  # it is --like or --vmodule that can't be meant
            return False

    @cached_property
    def recorder(self) -> RecordObserver | None:
        """What writes this run's trace: --trace FILE, or a file of its own in the folder KUBETRACE_TRACE."""
        folder = self.environ.get("KUBETRACE_TRACE", "")
        if not self.own.trace and not folder:
            return None
        from kubetrace.trace.recording import recorder

        return recorder(
            self.own.trace,
            folder,
            bodies=self.own.trace_bodies,
            command=("kubetrace", *self.argv),
            name=self.command_path,
            masker=self.masker,
            warn=lambda text: self.stderr.write(f"warning: {text}\n"),
        )

    @cached_property
    def plan(self) -> Plan:
        """--plan: what decides which calls are sent."""
        from kubetrace.api.planning import Plan

        return Plan(self.events.emit)

    @cached_property
    def plan_observer(self) -> PlanObserver:
        """--plan: what prints the requests."""
        from kubetrace.trace.plan import PlanObserver

        return PlanObserver(lambda text: self.streams.stdout.write(text), self.masker)

    @cached_property
    def trace_id(self) -> str:
        """--traceparent: the trace that this run's requests belong to; empty for none. Raises KubetraceError."""
        if not self.own.traceparent:
            return ""
        from kubetrace.trace.traceparent import trace_id

        return trace_id(self.own.traceparent)

    @cached_property
    def explainer(self) -> WhyObserver | None:
        """--why: what tells the purpose of each call and the meaning of each answer."""
        if not self.own.why:
            return None
        from kubetrace.trace.sentences import language
        from kubetrace.trace.why import WhyObserver

        return WhyObserver(
            lambda text: self.write_error_bytes(self.shown(text)),
            language=language(self.own.lang, self.environ),
            masker=self.masker,
            command=self.command_path,
            argv=("kubetrace", *self.argv),
        )

    @cached_property
    def run_stats(self) -> RunStats | None:
        """--stats: what counts this run's calls."""
        if not self.own.stats:
            return None
        from kubetrace.trace.run_stats import RunStats

        return RunStats()

    def shown(self, text: str) -> bytes:
        """Text for standard error; on a terminal, without what could command it."""
        data = text.encode("utf-8", "surrogateescape")
        if not self.stderr.isatty():
            return data
        from kubetrace.trace.terminal import visible

        return visible(data)

    @property
    def like(self) -> str:
        """Whose log lines to write: --like, then KUBETRACE_LIKE, then the default dialect."""
        from kubetrace.trace.dialects import DEFAULT_LIKE

        return self.own.like or self.environ.get("KUBETRACE_LIKE") or DEFAULT_LIKE

    def show_progress(self) -> None:
        """Has a line on standard error show that a long run is still at it: only on a terminal that can take it away
        again, and where no log tells more."""
        own = self.own
        if not self.stderr.isatty() or self.environ.get("TERM", "dumb") == "dumb":
            return
        if self.options.v > 0 or self.options.vmodule or own.why or own.plan:
            return
        from kubetrace.trace.progress import progress_on

        streams = self.streams
        self._progress = progress = progress_on(
            self.stderr, " ".join(self.command_path), lambda: time.perf_counter() - self.begun, self.colors(self.stderr)
        )
        self.events.add(progress)
        out = progress.shared(streams.stdout) if streams.stdout.isatty() else streams.stdout
        self.streams = Streams(streams.stdin, out, progress.shared(streams.stderr))

    def note(self, name: str, **values: object) -> None:
        """Something kubectl logs besides its calls."""
        from kubetrace.trace.exchange import Note

        self.events.emit(Note(name, values))

    def _observer_failed(self, observer: object, error: Exception) -> None:
        name = type(observer).__name__
        self.stderr.write(f"warning: {name} stopped watching: {type(error).__name__}: {error}\n")

    def warn(self, text: str) -> None:
        """A warning for people, as kubectl's warning printer writes it."""
        word = "\x1b[33;1mWarning:\x1b[0m" if self.colors(self.stderr) else "Warning:"
        self.stderr.write(f"{word} {text}\n")

    def close(self) -> None:
        """Ends what watches."""
        if self._progress is not None:
            self._progress.close()
        for name in ("recorder", "explainer"):
            observer = self.__dict__.get(name)
            if observer is not None:
                observer.close()
        if self.own.stats:
            self._tell_stats()

    def _tell_stats(self) -> None:
        import contextlib

        from kubetrace.trace.run_stats import RunStats

        stats = self.__dict__.get("run_stats") or RunStats()
        with contextlib.suppress(OSError):
            self.stderr.write(stats.line(time.perf_counter() - self.begun))
            self.stderr.flush()

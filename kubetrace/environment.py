"""Everything outside the program in one lazy object: streams, terminal facts, environment variables, kubeconfig, log,
and the client. Commands receive it, tests build their own; nothing is read from outside at import.

This is the one place where the kubeconfig meets the transport.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, TextIO

from kubetrace.cmdline.global_options import GlobalOptions, OwnOptions
from kubetrace.streams import Streams, nowhere

if TYPE_CHECKING:
    from pathlib import Path

    from kubetrace.api.cluster import Cluster
    from kubetrace.api.planning import Plan
    from kubetrace.cmdline.kuberc import Preferences
    from kubetrace.kubeconfig.config import Config, Overrides
    from kubetrace.kubeconfig.connection import Connection
    from kubetrace.trace.exchange import Event, Events
    from kubetrace.trace.klog import KlogObserver
    from kubetrace.trace.masking import Masker
    from kubetrace.trace.plan import PlanObserver
    from kubetrace.trace.progress import Progress
    from kubetrace.trace.record_file import RecordObserver
    from kubetrace.trace.run_stats import RunStats
    from kubetrace.trace.why import WhyObserver
    from kubetrace.transport.answer import ClientAnswer
    from kubetrace.transport.call import Call
    from kubetrace.transport.client import Client


FRAME_CONTENT = 256 * 1024
"""Bytes of a frame that --unmask shows: whatever passes a shell or a port may be a secret."""


def _random_uuid() -> str:
    """A UUID of version 4 (RFC 9562); the standard library's module for them takes longer to load than to use."""
    number = bytearray(os.urandom(16))
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    digits = number.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class _LazyClient:
    """The environment's client, made when it is first needed: what is wrong with a command's arguments is told before
    a client exists, and kubectl's log shows when it is made."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def server(self) -> str:
        return self._environment.client.server

    def send(self, call: Call) -> ClientAnswer:
        return self._environment.client.send(call)


class _WarningCount:
    """Counts the warnings of a run."""

    follows_frames = False

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __call__(self, event: Event) -> None:
        from kubetrace.trace.exchange import WarningReceived

        if isinstance(event, WarningReceived):
            self._environment.warnings += 1


_DEFAULTS, _OWN_DEFAULTS = GlobalOptions(), OwnOptions()


class Environment:
    """What a command may touch. `options` and `own` are set once argv is parsed; `begun` is when the program started
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
    def standard(cls) -> Environment:
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
        """One write to stderr, as it happens: a log line is never torn."""
        self.stderr.flush()
        raw = getattr(self.stderr, "buffer", None)
        if raw is None:
            self.stderr.write(data.decode("utf-8", "replace"))
        else:
            raw.write(data)
            raw.flush()

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
        from kubetrace.trace.exchange import Events

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
            events.add(self.recorder)
        if self.own.plan:
            events.add(self.plan_observer)
        if self.explainer is not None:
            events.add(self.explainer)
        if self.run_stats is not None:
            events.add(self.run_stats)
        return events

    @cached_property
    def log(self) -> KlogObserver:
        """Who writes the log. Raises ValueError where --like or --vmodule can't be meant."""
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
        )

    def logs(self, level: int, source: str) -> bool:
        """Does the log of this source file go to that level (klog.V)?"""
        return bool(self.options.v or self.options.vmodule) and self.log.verbosity.enabled(level, source)

    def tell_frames(self) -> None:
        """From here on the log has, from -v=9 on, lines for what passes over a stream; kubectl's has none."""
        if self.options.v >= 9:
            self.log.tells_streams = True

    def ends_log_with(self, text: str) -> bool:
        """Writes a command's last words as a fatal line, where the release whose log this is did so at this level."""
        if not self.options.v and not self.options.vmodule:
            return False
        try:
            return self.log.ends_with(text)
        except ValueError:
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

    # --- kubeconfig and client -----------------------------------------------------------------------------------

    @cached_property
    def kubeconfig_path(self) -> str:
        """The explicit kubeconfig: --kubeconfig, or the playground's own with --playground; empty for the default."""
        if not self.own.playground:
            return self.options.kubeconfig
        from kubetrace.playground.manager import ensure_running

        path, started = ensure_running(self.environ)
        if started:
            self.stderr.write("playground: started (stop it with 'kubetrace playground down')\n")
        return str(path)

    @cached_property
    def kubeconfig(self) -> Config:
        from kubetrace.kubeconfig.config import load

        return load(self.environ, explicit_path=self.kubeconfig_path, note=self.note, prompt=self._ask_for_user)

    def _ask_for_user(self) -> tuple[str, str]:
        from kubetrace.kubeconfig.prompt import Prompt

        def say(text: str) -> None:
            self.stdout.write(text)
            self.stdout.flush()

        return Prompt(self.stdin, say)()

    @cached_property
    def overrides(self) -> Overrides:
        from kubetrace.kubeconfig.config import Overrides

        return Overrides.from_options(self.options)

    @cached_property
    def connection(self) -> Connection:
        return self.admitted(self.kubeconfig.connect(self.overrides))

    def admitted(self, connection: Connection) -> Connection:
        """A connection that the user's preferences allow; its credentials are masked from here on."""
        if self.preferences is not None and connection.exec_plugin is not None:
            from kubetrace.cmdline.kuberc import check_plugin

            check_plugin(self.preferences, connection.exec_plugin.command, self.environ)
        if connection.token:
            self.masker.register(connection.token)
        if connection.password:
            self.masker.register(connection.password, connection.username)
        if connection.client_key_data:
            self.masker.register(connection.client_key_data)
        return connection

    @cached_property
    def _namespace(self) -> tuple[str, bool]:
        return self.kubeconfig.namespace(self.overrides)

    @property
    def namespace(self) -> str:
        """The namespace the command works in: --namespace, the context's, or "default"."""
        return self._namespace[0]

    @property
    def namespace_given(self) -> bool:
        """Was the namespace given on the command line? (Manifests of another namespace are then refused.)"""
        return self._namespace[1]

    @cached_property
    def request_timeout(self) -> float | None:
        """--request-timeout in seconds; None for none."""
        from kubetrace.kubeconfig.overrides import parse_timeout

        return parse_timeout(self.options.request_timeout) or None

    @cached_property
    def cache_dir(self) -> Path:
        """Where discovery is cached: --cache-dir, KUBECACHEDIR, or ~/.kube/cache."""
        from pathlib import Path

        return Path(self.options.cache_dir) if self.options.cache_dir else self.default_cache_dir

    @property
    def default_cache_dir(self) -> Path:
        from pathlib import Path

        return Path(self.environ.get("KUBECACHEDIR") or self.home / ".kube" / "cache")

    @cached_property
    def client(self) -> Client:
        from kubetrace.transport.client import Client
        from kubetrace.transport.http_cache import HTTPCache

        timeout = self.request_timeout
        self.note_transport()
        return Client(
            self.connection,
            events=self.events,
            user_agent=self.user_agent,
            command_headers=(
                ("Kubectl-Command", " ".join(("kubectl", *self.command_path))),
                ("Kubectl-Session", _random_uuid()),
            ),
            request_timeout=timeout,
            environ=self.environ,
            http_cache=HTTPCache(self.cache_dir / "http"),
            learn=self.masker.register,
            keep=self._keep_tokens,
            plan=self.plan if self.own.plan else None,
            trace_id=self.trace_id,
            manifest_read=lambda: self.manifest_read,
        )

    def _keep_tokens(self, changed: Mapping[str, str]) -> None:
        """Writes the tokens that an auth provider renewed to where they came from (PersisterForUser)."""
        from kubetrace.kubeconfig.loader import Sources
        from kubetrace.kubeconfig.modify import keep_provider_settings

        assert self.connection.oidc is not None
        sources = Sources.of(self.environ, self.kubeconfig_path, self.note)
        keep_provider_settings(sources, self.connection.oidc.user, changed)

    def note_transport(self) -> None:
        """What kubectl logs when it makes its first transport."""
        connection = self.connection
        self.note("feature-gates", overrides=self._feature_gates)
        if connection.client_certificate and connection.client_key and not connection.client_certificate_data:
            self.note("cert-rotation")

    @property
    def _feature_gates(self) -> dict[str, bool]:
        """client-go's feature gates that KUBE_FEATURE_* sets: they are in the log, though nothing here obeys them."""
        true, false = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
        found = {name.removeprefix("KUBE_FEATURE_"): name for name in self.environ if name.startswith("KUBE_FEATURE_")}
        return {gate: self.environ[name] in true for gate, name in found.items() if self.environ[name] in true + false}

    @cached_property
    def cluster(self) -> Cluster:
        """The server's kinds and objects. With --match-server-version, only a server of our release will do."""
        from kubetrace.api.cluster import Cluster

        cluster = Cluster(
            _LazyClient(self), self.cache_dir, events=self.events, timeout=self.request_timeout, warn=self.warn
        )
        if self.options.match_server_version:
            from kubetrace.client_version import client_version

            cluster.require_version(client_version())
        return cluster

    def warn(self, text: str) -> None:
        """A warning for people, as kubectl's warning printer writes it."""
        word = "\x1b[33;1mWarning:\x1b[0m" if self.colors(self.stderr) else "Warning:"
        self.stderr.write(f"{word} {text}\n")

    @property
    def user_agent(self) -> str:
        from kubetrace import __version__
        from kubetrace.client_version import platform

        return f"kubetrace/v{__version__} ({platform()})"

    def close(self) -> None:
        """Ends what this run opened."""
        if self._progress is not None:
            self._progress.close()
        client = self.__dict__.get("client")
        if client is not None:
            client.close()
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

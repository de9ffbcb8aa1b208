"""One server as commands see it: its kinds, its objects, its release (cli-runtime's ConfigFlags.ToDiscoveryClient and
ToRESTMapper)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from kubetrace.api.discovery import Discovery
from kubetrace.api.discovery_cache import DiscoveryFiles, discovery_folder
from kubetrace.api.go_words import quoted
from kubetrace.api.mapper import Mapper
from kubetrace.api.objects import Objects, Transform
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.transport.call import ClientMaker, Sender


class Cluster:
    """Made from a sender; discovery is read on first use. `timeout` (seconds) is --request-timeout, `warn` gets
    warnings for people, `origin` lends what it has discovered. Satisfies what `kubetrace.api.builder` asks with."""

    def __init__(
        self,
        sender: Sender,
        cache_dir: Path,
        *,
        events: Events | None = None,
        timeout: float | None = None,
        warn: Callable[[str], None] | None = None,
        transform: Transform | None = None,
        typed: bool = False,
        origin: Cluster | None = None,
    ) -> None:
        self.sender = sender
        self.events = events or Events()
        self.objects = Objects(sender, self.events, transform, typed)
        self._cache_dir = cache_dir
        self._timeout = timeout
        self._warn = warn
        self._origin = origin

    def make_client(self, maker: ClientMaker = "builder") -> None:
        """Where kubectl makes a client for what it is about to ask."""
        self.sender.another(maker)

    @cached_property
    def discovery(self) -> Discovery:
        if self._origin is not None:
            return self._origin.discovery
        self.make_client("discovery")
        files = DiscoveryFiles(discovery_folder(self._cache_dir, self.sender.server))
        return Discovery(self.sender, files, events=self.events, timeout=self._timeout)

    @cached_property
    def mapper(self) -> Mapper:
        if self._origin is not None:
            return self._origin.mapper
        return Mapper(self.discovery, events=self.events, warn=self._warn)

    def transformed(self, transform: Transform) -> Cluster:
        """The same server; every call on objects goes through `transform` first."""
        return self._with(transform=transform)

    @cached_property
    def typed(self) -> Cluster:
        """The same server, asked as kubectl's typed clients ask it (`Objects.typed`)."""
        return self._with(typed=True)

    def _with(self, transform: Transform | None = None, typed: bool = False) -> Cluster:
        return Cluster(
            self.sender,
            self._cache_dir,
            events=self.events,
            timeout=self._timeout,
            warn=self._warn,
            transform=transform,
            typed=typed,
            origin=self,
        )

    def require_version(self, client: Mapping[str, str]) -> None:
        """--match-server-version: the server must be of the client's release. Raises KubetraceError.

        kubectl compares the builds (discovery.MatchesServerVersion); kubetrace has no build of its own, so the release
        whose behaviour it has is compared: build metadata (after "+") does not count.
        """
        try:
            server = self.discovery.server_version()
        except KubetraceError as error:
            raise KubetraceError(f"couldn't read version from server: {error}") from None
        if _release(server.get("gitVersion")) != _release(client.get("gitVersion")):
            raise KubetraceError(
                f"server version (&{version_syntax(server)}) differs from client version ({version_syntax(client)})"
            )


def _release(version: object) -> str:
    return str(version or "").partition("+")[0]


_FIELDS = (
    ("Major", "major"),
    ("Minor", "minor"),
    ("EmulationMajor", "emulationMajor"),
    ("EmulationMinor", "emulationMinor"),
    ("MinCompatibilityMajor", "minCompatibilityMajor"),
    ("MinCompatibilityMinor", "minCompatibilityMinor"),
    ("GitVersion", "gitVersion"),
    ("GitCommit", "gitCommit"),
    ("GitTreeState", "gitTreeState"),
    ("BuildDate", "buildDate"),
    ("GoVersion", "goVersion"),
    ("Compiler", "compiler"),
    ("Platform", "platform"),
)
VERSION_KEYS = tuple(key for _, key in _FIELDS)
"""version.Info's keys, in the order in which Go writes them."""


def version_syntax(info: Mapping[str, Any]) -> str:
    """A version.Info as Go's %#v writes it."""
    return "version.Info{" + ", ".join(f"{name}:{quoted(str(info.get(key) or ''))}" for name, key in _FIELDS) + "}"

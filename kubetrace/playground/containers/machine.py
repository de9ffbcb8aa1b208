"""What a simulated command sees of its container: files, environment, names, other simulated servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kubetrace.playground.containers.filesystem import FileSystem, absolute
from kubetrace.playground.containers.pipes import Lines, Sink
from kubetrace.playground.containers.signals import Traps

_RATE = 300.0
"""Commands a second that a container may run for long; a busy loop must not take the playground's processor."""
_BURST = 1500.0
_REFRESH_SECONDS = 2.0
"""So often a running container looks whether its volumes have changed; a kubelet takes up to a minute."""


class Network(Protocol):
    """The simulated network, seen from one pod."""

    def addresses(self, host: str, namespace: str) -> list[str]:
        """The addresses of a name; empty where it is unknown."""

    def full_name(self, host: str, namespace: str) -> str:
        """A name as DNS knows it, with its domain."""

    def is_api(self, host: str, port: int, namespace: str) -> bool:
        """Whether the API server answers there, which speaks TLS only."""

    def is_pod(self, address: str) -> bool:
        """Whether a pod has that address."""

    async def request(self, host: str, port: int, namespace: str, raw: bytes, tls: bool = False) -> bytes:
        """A whole HTTP exchange. Raises ConnectionRefusedError, LookupError for unknown hosts, TimeoutError."""


@dataclass(slots=True)
class Machine:
    """One container, as its processes see it."""

    pod: dict[str, Any]
    container: dict[str, Any]
    files: FileSystem
    environment: dict[str, str]
    network: Network
    minimal: bool = False
    """Whether the image is known to hold nothing but what is simulated, so that other commands are `not found`."""
    rows: int = 24
    columns: int = 80
    processes: dict[int, str] = field(default_factory=dict)
    """Process id → command line."""
    main_traps: Traps | None = None
    """The traps of the main process, where that is a shell."""
    main_output: Sink | None = None
    """Where /proc/1/fd/1 leads: the container's log."""
    _credit: float = _BURST
    _counted: float = 0.0
    _refreshed: float = 0.0
    refresh: Callable[[], None] | None = None
    """Brings volumes that follow ConfigMaps and Secrets up to date."""
    handlers: dict[int, Callable[[str], None]] = field(default_factory=dict)
    """Process id → what a signal, by its name, does to it."""
    _last_id: int = 1

    @property
    def hostname(self) -> str:
        spec = self.pod["spec"]
        return str(spec.get("hostname") or self.pod["metadata"]["name"])

    @property
    def context(self) -> dict[str, Any]:
        """The security context: the container's over the pod's."""
        return {**(self.pod["spec"].get("securityContext") or {}), **(self.container.get("securityContext") or {})}

    @property
    def user(self) -> int:
        return int(self.context.get("runAsUser") or 0)

    @property
    def group(self) -> int:
        return int(self.context.get("runAsGroup") or 0)

    @property
    def groups(self) -> list[int]:
        context = self.context
        more = [*(context.get("supplementalGroups") or ()), *([context["fsGroup"]] if context.get("fsGroup") else ())]
        return sorted({self.group, *map(int, more)})

    def owner(self, number: int) -> str:
        """A user's or group's name as ls shows it."""
        return "root" if number == 0 else str(number)

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"].get("namespace", "default"))

    @property
    def address(self) -> str:
        return str((self.pod.get("status") or {}).get("podIP", ""))

    async def pace(self) -> None:
        """Called before each command."""
        now = asyncio.get_running_loop().time()
        if self.refresh is not None and now - self._refreshed > _REFRESH_SECONDS:
            self._refreshed = now
            self.refresh()
        self._credit = min(_BURST, self._credit + (now - self._counted) * _RATE)
        self._counted = now
        self._credit -= 1
        await asyncio.sleep(-self._credit / _RATE if self._credit < 0 else 0)

    def start(self, line: str) -> int:
        """Notes a process; the answer is its id."""
        self._last_id += 1
        self.processes[self._last_id] = line
        return self._last_id

    def end(self, number: int) -> None:
        self.processes.pop(number, None)
        self.handlers.pop(number, None)

    def signal(self, number: int, name: str) -> bool:
        """Sends a signal; whether there is such a process."""
        if number not in self.processes and number not in self.handlers:
            return False
        handler = self.handlers.get(number)
        if handler is not None and name != "EXIT":
            handler(name)
        return True


@dataclass(slots=True)
class Process:
    """One command that runs: its words, its streams and where it stands."""

    machine: Machine
    words: list[str]
    input: Lines
    output: Sink
    error: Sink
    environment: dict[str, str]
    folder: str
    terminal: bool = False
    run: Callable[[list[str]], Awaitable[int]] = None  # type: ignore[assignment]
    """Runs another command in this one's place (env, xargs, sh)."""

    @property
    def name(self) -> str:
        return self.words[0].rpartition("/")[2]

    @property
    def arguments(self) -> list[str]:
        return self.words[1:]

    @property
    def files(self) -> FileSystem:
        return self.machine.files

    def path(self, text: str) -> str:
        return absolute(text, self.folder)

    async def say(self, text: str) -> None:
        await self.output.write(text.encode("utf-8", "surrogateescape"))

    async def complain(self, text: str) -> None:
        """One line on stderr, after the command's name."""
        await self.error.write(f"{self.name}: {text}\n".encode("utf-8", "surrogateescape"))


Program = Callable[[Process], Awaitable[int]]

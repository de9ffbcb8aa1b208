"""One simulated container from its start to its end. No process is ever started on the host."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Callable
from typing import Any

from kubetrace.playground.containers.environment import environment, expanded
from kubetrace.playground.containers.filesystem import FileSystem
from kubetrace.playground.containers.images import ends_at_once, is_minimal, reads_input
from kubetrace.playground.containers.logs import Log
from kubetrace.playground.containers.machine import Machine, Network, Process
from kubetrace.playground.containers.pipes import Kept, Lines, Nothing, Pipe
from kubetrace.playground.containers.signals import HARMLESS, NUMBERS
from kubetrace.playground.containers.terminal import Many, Terminal, TerminalOutput
from kubetrace.playground.containers.volumes import LIVE, MountFailure, Volumes
from kubetrace.playground.objects import now
from kubetrace.playground.storage import Store


class StartFailure(Exception):
    """A container's command is not there: exit code 128, reason StartError."""


class Container:
    """A run of a container: it ends once, and the next run is another Container."""

    def __init__(self, pod: dict[str, Any], spec: dict[str, Any], identifier: str) -> None:
        self.pod, self.spec, self.id = pod, spec, identifier
        self.log = Log()
        self.started_at, self.finished_at = now(), ""
        self.exit_code: int | None = None
        self.message = ""
        """The termination message, where the container wrote one."""
        self.started = asyncio.get_running_loop().time()
        self.files = FileSystem()
        self.input: Pipe | Terminal | None = None
        self.output = Many(lambda data: self.log.write("stdout", data))
        self.error = Many(lambda data: self.log.write("stderr", data))
        self.machine: Machine
        self._task: asyncio.Task[int] | None = None
        self._forced: int | None = None
        self._told = False
        self._ended = asyncio.Event()

    def prepare(self, store: Store, volumes: Volumes, network: Network) -> None:
        """Makes files and environment. Raises ConfigFailure and MountFailure."""
        values = environment(store, self.pod, self.spec)
        volumes.fill(self.files, self.pod, self.spec)
        minimal = is_minimal(self.spec.get("image", ""))
        self.machine = Machine(self.pod, self.spec, self.files, values, network, minimal)
        self.machine.main_output = self.output
        if any(LIVE & set(volume) for volume in self.pod["spec"].get("volumes") or ()):
            self.machine.refresh = lambda: self._refresh(volumes)
        machine, files = self.machine, self.files
        files.uid, files.gid, files.groups = machine.user, machine.group, frozenset(machine.groups)
        files.read_only = bool(machine.context.get("readOnlyRootFilesystem"))

    def _refresh(self, volumes: Volumes) -> None:
        with contextlib.suppress(MountFailure):
            volumes.refresh(self.files, self.pod, self.spec)

    def words(self) -> list[str]:
        """The main process's command; empty where the image has its own."""
        words = [*(self.spec.get("command") or ()), *(self.spec.get("args") or ())]
        return [expanded(word, self.machine.environment) for word in words]

    def start(self, ended: Callable[[], None]) -> None:
        """Raises StartFailure. `ended` is called when the main process is over."""
        from kubetrace.playground.containers.programs import PROGRAMS

        words = self.words()
        name = words[0].rpartition("/")[2] if words else ""
        if words and self.machine.minimal and name not in PROGRAMS and name not in ("sh", "ash"):
            raise StartFailure(words[0])
        self.machine.handlers[1] = self._signalled
        self.machine.processes[1] = " ".join(words) or self.spec.get("image", "")
        if self.spec.get("stdin"):
            self.input = Terminal(self.output) if self.spec.get("tty") else Pipe()
        self._task = asyncio.create_task(self._run(words))
        self._task.add_done_callback(lambda task: self._over(task, ended))

    def _over(self, task: asyncio.Task[int], ended: Callable[[], None]) -> None:
        if self.exit_code is not None:
            return
        code = 137 if self._forced is None else self._forced
        if not task.cancelled():
            failure = task.exception()
            if failure is not None:
                traceback.print_exception(failure, file=sys.stderr)
            code = 255 if failure is not None else task.result() if self._forced is None else self._forced
        self.exit_code, self.finished_at = code & 255, now()
        self.message = self._last_message()
        self.log.end()
        self._ended.set()
        ended()

    def _last_message(self) -> str:
        node = self.files.find(self.spec.get("terminationMessagePath") or "/dev/termination-log")
        text = bytes(getattr(node, "data", b""))[:4096].decode("utf-8", "replace")
        if not text and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError" and self.exit_code:
            text = b"".join(line.text for line in list(self.log.lines)[-80:])[-2048:].decode("utf-8", "replace")
        return text

    async def _run(self, words: list[str]) -> int:
        from kubetrace.playground.containers.expansion import Exit
        from kubetrace.playground.containers.redirections import Streams
        from kubetrace.playground.containers.shell import Shell

        terminal = bool(self.spec.get("tty") and self.spec.get("stdin"))
        source = self.input if isinstance(self.input, Terminal) else Lines(self.input or Nothing())
        if not words:
            if self.input is None:
                return await self._serve()
            words = ["sh"]
        output = TerminalOutput(self.output) if terminal else self.output
        error = output if terminal else self.error
        shell = Shell.fresh(self.machine, Streams(source, output, error, terminal))
        shell.unknown = None if self.machine.minimal else self._unknown
        try:
            return await shell.run(words, 1)
        except Exit as leave:
            return leave.code
        except (BrokenPipeError, ConnectionError):
            return 141

    async def _serve(self) -> int:
        """An image's own program: it runs until it is stopped. A Job's shell has nothing to read, and ends."""
        spec, metadata = self.pod["spec"], self.pod["metadata"]
        text = f"[simulated] container {self.spec['name']} of pod {metadata['name']} runs no process\n"
        text += f"[simulated] image {self.spec.get('image', '')} started on {spec.get('nodeName', '')}\n"
        await self.output.write(text.encode())
        kinds = [owner.get("kind") for owner in metadata.get("ownerReferences") or ()]
        if "Job" not in kinds or not reads_input(self.spec.get("image", "")):
            await asyncio.Event().wait()
        return 0

    async def _unknown(self, process: Process) -> int:
        """A program that is not simulated: known to end, or taken for a server."""
        words = process.words
        ends = ends_at_once(words)
        told = "it ends at once" if ends else "it runs until the container stops"
        text = f"[simulated] container {self.spec['name']} of pod {self.pod['metadata']['name']} runs no process\n"
        await process.output.write(f"{text}[simulated] {words[0]} is not simulated: {told}\n".encode())
        if not ends:
            await asyncio.Event().wait()
        return 0

    @property
    def running(self) -> bool:
        return self._task is not None and self.exit_code is None

    async def over(self) -> int:
        """Waits for the end of the main process."""
        await self._ended.wait()
        return self.exit_code or 0

    def _signalled(self, name: str) -> None:
        """A signal to the main process that no trap takes care of."""
        if name not in HARMLESS:
            self.stop(128 + NUMBERS[name])

    def terminate(self) -> bool:
        """Whether the main process has a trap for SIGTERM and takes its time; it gets the signal, once."""
        traps = self.machine.main_traps
        if not self.running or traps is None or "TERM" not in traps.commands:
            return False
        if not self._told:
            self._told = True
            self.machine.signal(1, "TERM")
        return True

    def stop(self, code: int) -> None:
        """Ends the main process with that exit code."""
        if self._task is not None and self.exit_code is None:
            self._forced = code
            self._task.cancel()

    async def execute(self, words: list[str], streams: Any) -> int:
        """A command beside the main process; its files and environment are the container's."""
        from kubetrace.playground.containers.expansion import Exit
        from kubetrace.playground.containers.shell import Shell

        shell = Shell.fresh(self.machine, streams)
        try:
            return await shell.run(words)
        except Exit as leave:
            return leave.code

    async def check(self, words: list[str], seconds: float) -> tuple[int, str]:
        """(exit code, output) of a short command, such as a probe's; 124 where it takes too long."""
        from kubetrace.playground.containers.redirections import Streams

        kept = Kept(10 * 1024)
        with contextlib.suppress(TimeoutError):
            code = await asyncio.wait_for(self.execute(words, Streams(Lines(Nothing()), kept, kept)), seconds)
            return code, kept.data.decode("utf-8", "replace")
        return 124, ""

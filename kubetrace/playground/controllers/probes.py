"""Probes of simulated containers: exec runs in the simulated shell, the others ask whether somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from kubetrace.playground.containers.container import Container
from kubetrace.playground.containers.network import listens, port_number
from kubetrace.playground.containers.pipes import Bytes, Kept
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.events import Recorder
from kubetrace.playground.objects import Object
from kubetrace.playground.storage import Store

_TITLES = {"startupProbe": "Startup", "readinessProbe": "Readiness", "livenessProbe": "Liveness"}


class Probes:
    """Those of one run of a container. `started` and `ready` are what the kubelet reports."""

    def __init__(
        self, runtime: Runtime, store: Store, events: Recorder, container: Container, changed: Callable[[], None]
    ) -> None:
        self._runtime, self._store, self._events = runtime, store, events
        self._container, self._changed = container, changed
        spec = container.spec
        self.started = "startupProbe" not in spec
        self.ready = self.started and "readinessProbe" not in spec
        self.killed_by = ""
        """Why the container was killed: "liveness" or "startup"."""
        wanted = [kind for kind in _TITLES if kind in spec]
        self._tasks = [asyncio.create_task(self._run(kind, spec[kind])) for kind in wanted]

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _run(self, kind: str, probe: Object) -> None:
        begun = self._container.started
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, begun + probe.get("initialDelaySeconds", 0) - loop.time()))
        good = bad = 0
        while self._container.running:
            if kind == "startupProbe" or self.started:
                why = await self._outcome(probe)
                if not self._container.running:
                    return
                good, bad = (good + 1, 0) if why is None else (0, bad + 1)
                if why is not None:
                    told = f"{_TITLES[kind]} probe failed: {why}"
                    self._tell(told)
                if self._judged(kind, probe, good, bad):
                    return
            await asyncio.sleep(
                max(1, probe.get("periodSeconds", 10)) if kind == "startupProbe" or self.started else 0.2
            )

    def _judged(self, kind: str, probe: Object, good: int, bad: int) -> bool:
        """Draws the consequences; True where this probe is over."""
        spec = self._container.spec
        if good >= probe.get("successThreshold", 1):
            if kind == "startupProbe":
                self.started = True
                self.ready = "readinessProbe" not in spec
                self._changed()
                return True
            if kind == "readinessProbe" and not self.ready:
                self.ready = True
                self._changed()
        if bad >= probe.get("failureThreshold", 3):
            if kind == "readinessProbe":
                if self.ready:
                    self.ready = False
                    self._changed()
                return False
            self.killed_by = _TITLES[kind].lower()
            name = spec["name"]
            pod = self._container.pod
            told = f"Container {name} failed {self.killed_by} probe, will be restarted"
            self._events.normal(pod, "Killing", told, f"spec.containers{{{name}}}", pod["spec"].get("nodeName", ""))
            self._container.stop(137)
            return True
        return False

    def _tell(self, text: str) -> None:
        pod, name = self._container.pod, self._container.spec["name"]
        self._events.warning(pod, "Unhealthy", text, f"spec.containers{{{name}}}", pod["spec"].get("nodeName", ""))

    def _pod(self) -> Object:
        metadata = self._container.pod["metadata"]
        return self._store.get("pods", metadata["namespace"], metadata["name"]) or self._container.pod

    async def _outcome(self, probe: Object) -> str | None:
        """None for success, else what the event says."""
        seconds = max(1, probe.get("timeoutSeconds", 1))
        if "exec" in probe:
            code, output = await self._container.check(probe["exec"].get("command") or ["true"], seconds)
            if code == 124:
                return f"command timed out after {seconds}s"
            return None if code == 0 else output
        part = next((part for part in ("httpGet", "tcpSocket", "grpc") if part in probe), None)
        if part is None:
            return None
        pod, action = self._pod(), probe[part]
        own = {"spec": {"containers": [self._container.spec]}}
        number = port_number(own, action.get("port", 0))
        address = action.get("host") or (pod.get("status") or {}).get("podIP", "")
        if number is None:
            return f'couldn\'t find port by name "{action.get("port")}"'
        refused = f"dial tcp {address}:{number}: connect: connection refused"
        path = action.get("path") or "/"
        url = (
            f"{action.get('scheme', 'HTTP').lower()}://{address}:{number}{path if path.startswith('/') else '/' + path}"
        )
        if not listens(pod, number):
            if part == "grpc":
                return f'error: failed to connect service "{address}:{number}": connection error: desc = "{refused}"'
            return f'Get "{url}": {refused}' if part == "httpGet" else refused
        if part == "httpGet":
            with contextlib.suppress(ConnectionRefusedError):
                lines = [f"GET {path} HTTP/1.1", f"Host: {address}:{number}", "User-Agent: kube-probe/1.36"]
                raw = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1", "replace")
                await self._runtime.network.serve(pod, number, Bytes(raw), Kept())
        return None

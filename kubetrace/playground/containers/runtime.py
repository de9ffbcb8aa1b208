"""The simulated container runtime: the containers that exist now, by pod and name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from kubetrace.playground.containers.container import Container
from kubetrace.playground.containers.network import PodNetwork
from kubetrace.playground.containers.volumes import Volumes
from kubetrace.playground.objects import new_uid
from kubetrace.playground.storage import Store
from kubetrace.playground.tokens import Signer


class Runtime:
    def __init__(self, store: Store, signer: Signer | None) -> None:
        self._store = store
        self.network = PodNetwork(store, self)
        self.volumes = Volumes(store, signer)
        self._containers: dict[tuple[str, str], Container] = {}
        self._previous: dict[tuple[str, str], Container] = {}

    def find(self, pod: dict[str, Any], name: str) -> Container | None:
        """The latest run of a container, which may be over."""
        return self._containers.get((pod["metadata"]["uid"], name))

    def previous(self, pod: dict[str, Any], name: str) -> Container | None:
        return self._previous.get((pod["metadata"]["uid"], name))

    def make(self, pod: dict[str, Any], spec: dict[str, Any]) -> Container:
        """A new run. Raises ConfigFailure and MountFailure."""
        key = (pod["metadata"]["uid"], spec["name"])
        identifier = f"simulated://{hashlib.sha256(new_uid().encode()).hexdigest()}"
        container = Container(pod, spec, identifier)
        container.prepare(self._store, self.volumes, self.network)
        old = self._containers.get(key)
        if old is not None:
            self._previous[key] = old
        self._containers[key] = container
        return container

    def start(self, container: Container, ended: Callable[[], None]) -> None:
        """Raises StartFailure."""
        container.start(ended)

    def of(self, pod: dict[str, Any]) -> list[Container]:
        uid = pod["metadata"]["uid"]
        return [container for (owner, _), container in self._containers.items() if owner == uid]

    def forget(self, uid: str) -> None:
        """A pod is gone, and with it all that it ran."""
        for kept in (self._containers, self._previous):
            for key in [key for key in kept if key[0] == uid]:
                container = kept.pop(key)
                container.stop(137)
                container.log.end()
        self.volumes.forget(uid)

    def note(self, pod: dict[str, Any], port: int, text: str) -> None:
        """A request's line in the log of the container that answered it."""
        specs = pod["spec"]["containers"]
        named = [c for c in specs for entry in c.get("ports") or () if entry.get("containerPort") == port]
        container = self.find(pod, (named or specs)[0]["name"])
        if container is not None and container.running:
            container.log.write("stdout", f"{text}\n".encode())

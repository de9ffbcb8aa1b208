"""The pods and containers that `debug` sends (kubectl pkg/cmd/debug/debug.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from kubetrace.api.containers import CONTAINERS, EPHEMERAL_CONTAINERS, container_names, containers_in, find_container
from kubetrace.commands.debugging.custom import customize
from kubetrace.commands.debugging.profiles import Profile, Style
from kubetrace.commands.generators.metadata import new_object, random_suffix
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

Object = dict[str, Any]


class Making(Value):
    """What the flags say of the container to debug with. `tell` gets what people are told; `share_processes` is None
    where the flag was not given."""

    profile: Profile
    custom: Object | None
    tell: Callable[[str], object]
    container: str
    image: str
    command: tuple[str, ...]
    arguments_only: bool
    env: Mapping[str, str]
    pull_policy: str
    stdin: bool
    tty: bool
    target: str
    copy_to: str
    same_node: bool
    set_images: Mapping[str, str]
    share_processes: bool | None

    # --- a container in the running pod ------------------------------------------------------------------------------

    def with_ephemeral_container(self, pod: Object) -> tuple[Object, Object]:
        """A copy of the pod that has one more container, and that container. Raises KubetraceError."""
        name = self._container_name(pod)
        changed = deepcopy(pod)
        added = self._container(name)
        if self.target:
            added["targetContainerName"] = self.target
        changed["spec"]["ephemeralContainers"] = [*containers_in(pod, EPHEMERAL_CONTAINERS), added]
        self.profile.apply(changed, name, Style.EPHEMERAL)
        if self.custom is not None:
            customize(changed, EPHEMERAL_CONTAINERS, name, self.custom)
        return changed, changed["spec"]["ephemeralContainers"][-1]

    # --- a copy of the pod -------------------------------------------------------------------------------------------

    def copy_of(self, pod: Object) -> tuple[Object, str]:
        """The copy, and the name of its container to debug with (empty where only images change).

        Raises KubetraceError."""
        copy = self._copy(pod)
        name = self.container
        found = find_container(copy, name) if name else None
        if found is None:
            if not self.image:
                if self.set_images:
                    return copy, ""
                raise KubetraceError("you must specify image when creating new container")
            name = name or self._container_name(copy)
            container: Object = {"name": name, "terminationMessagePolicy": "File"}
            copy["spec"]["containers"] = [*containers_in(copy, CONTAINERS), container]
        else:
            container = found[0]
        self._change(container)
        self.profile.apply(copy, name, Style.COPY)
        if self.custom is not None:
            customize(copy, CONTAINERS, name, self.custom)
        return copy, name

    def _copy(self, pod: Object) -> Object:
        """The pod under its new name, with the images that --set-image gives."""
        metadata = pod["metadata"]
        copy = new_object("v1", "Pod", self.copy_to, metadata.get("namespace") or "")
        for field in ("annotations", "labels"):
            if metadata.get(field):
                copy["metadata"][field] = dict(metadata[field])
        spec = copy["spec"] = deepcopy(pod["spec"])
        spec.pop("ephemeralContainers", None)
        if self.share_processes is not None:
            spec["shareProcessNamespace"] = self.share_processes
        if not self.same_node:
            spec.pop("nodeName", None)
        for container in containers_in(copy, CONTAINERS):
            image = self.set_images.get(container["name"], self.set_images.get("*", ""))
            if image:
                container["image"] = image
        return copy

    def _change(self, container: Object) -> None:
        """What the flags change of a container."""
        if self.command:
            container["args" if self.arguments_only else "command"] = list(self.command)
            if not self.arguments_only:
                container.pop("args", None)
        if self.env:
            container["env"] = self._env()
        if self.image:
            container["image"] = self.image
        if self.pull_policy:
            container["imagePullPolicy"] = self.pull_policy
        container["stdin"] = self.stdin
        container["tty"] = self.tty

    # --- a pod on a node ---------------------------------------------------------------------------------------------

    def on_node(self, node: str) -> Object:
        """A pod that runs on the node, whatever its taints. Raises KubetraceError."""
        container_name = self.container or "debugger"
        name = f"node-debugger-{node}-{random_suffix()}"
        self.tell(f"Creating debugging pod {name} with container {container_name} on node {node}.\n")
        pod = new_object("v1", "Pod", name)
        pod["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "kubectl-debug"}
        pod["spec"] = {
            "containers": [self._container(container_name)],
            "nodeName": node,
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists"}],
        }
        self.profile.apply(pod, container_name, Style.NODE)
        if self.custom is not None:
            customize(pod, CONTAINERS, container_name, self.custom)
        return pod

    # --- what they share ---------------------------------------------------------------------------------------------

    def _container(self, name: str) -> Object:
        return {
            "name": name,
            "env": self._env(),
            "image": self.image,
            "imagePullPolicy": self.pull_policy,
            "stdin": self.stdin,
            "terminationMessagePolicy": "File",
            "tty": self.tty,
            "args" if self.arguments_only else "command": list(self.command),
        }

    def _env(self) -> list[Object]:
        return [{"name": key, "value": text} for key, text in self.env.items()]

    def _container_name(self, pod: Object) -> str:
        """The name that was given, or one that no container has."""
        if self.container:
            return self.container
        taken = set(container_names(pod))
        while (name := f"debugger-{random_suffix()}") in taken:
            pass
        self.tell(f"Defaulting debug container name to {name}.\n")
        return name


def needs_root(container: Object | None, pod: Object) -> bool:
    """Does the container get powers that its pod's user, who is not root, cannot use? (displayWarning)"""
    if container is None or not ((pod["spec"].get("securityContext") or {}).get("runAsUser") or 0):
        return False
    security = container.get("securityContext")
    if security is None or security.get("runAsUser") == 0:
        return False
    return bool(security.get("privileged") or (security.get("capabilities") or {}).get("add"))

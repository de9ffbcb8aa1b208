"""Images, as a kubelet pulls them, or fails to (pkg/kubelet/images/image_manager.go)."""

from __future__ import annotations

from typing import Protocol

from kubetrace.playground.containers.images import full_name, is_broken
from kubetrace.playground.controllers.podstatus import part_of, waiting
from kubetrace.playground.controllers.worker import BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, RESTART_SECONDS, Worker
from kubetrace.playground.objects import Object


class Tell(Protocol):
    def __call__(self, pod: Object, reason: str, text: str, field: str = "", bad: bool = False) -> None:
        """Records an event about a part of a pod."""


class Pulls:
    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._present: set[str] = set()

    def pull(self, pod: Object, container: Object, entry: Object, worker: Worker) -> bool:
        """Whether the image is there; what hinders it is told in the container's state."""
        image, place = container.get("image", ""), part_of(pod, container["name"])
        policy = container.get("imagePullPolicy", "IfNotPresent")
        if is_broken(image):
            if policy == "Never":
                self._never(pod, image, entry, place)
                worker.wakes.append(BACKOFF_SECONDS)
            else:
                self._fail(pod, container, entry, worker)
            return False
        if policy != "Always" and (image in self._present or policy == "Never"):
            told = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._tell(pod, "Pulled", told, place)
            return True
        self._present.add(image)
        self._tell(pod, "Pulling", f'Pulling image "{image}"', place)
        mark = sum(image.encode())
        size, took = 1_000_000 + mark * 10_007, f"{200 + mark % 300}ms"
        told = f'Successfully pulled image "{image}" in {took} ({took} including waiting). Image size: {size} bytes.'
        self._tell(pod, "Pulled", told, place)
        return True

    def _never(self, pod: Object, image: str, entry: Object, place: str) -> None:
        told = f'Container image "{image}" is not present with pull policy of Never'
        self._tell(pod, "ErrImageNeverPull", told, place, bad=True)
        self._tell(pod, "Failed", "Error: ErrImageNeverPull", place, bad=True)
        entry["state"] = waiting("ErrImageNeverPull", told)

    def _fail(self, pod: Object, container: Object, entry: Object, worker: Worker) -> None:
        """ErrImagePull for a moment, then ImagePullBackOff until the next try."""
        image, name, place = container.get("image", ""), container["name"], part_of(pod, container["name"])
        full = full_name(image)
        told = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {full}: not found'
        told = f"rpc error: code = NotFound desc = {told}"
        reason, failures = (entry["state"].get("waiting") or {}).get("reason"), worker.pulls.get(name, 0)
        shown, again = f"pull {name} shown", f"pull {name}"
        pause = min(BACKOFF_SECONDS * 2 ** max(0, failures - 1), MAX_BACKOFF_SECONDS)
        if reason == "ErrImagePull" and worker.wait(shown, RESTART_SECONDS):
            return
        if failures and (reason == "ErrImagePull" or worker.wait(again, pause)):
            backing = f'Back-off pulling image "{image}"'
            entry["state"] = waiting("ImagePullBackOff", f"{backing}: ErrImagePull: {told}")
            if reason == "ErrImagePull":
                worker.wait(again, pause)
                self._tell(pod, "BackOff", backing, place)
                self._tell(pod, "Failed", "Error: ImagePullBackOff", place, bad=True)
            return
        worker.pulls[name] = failures + 1
        self._tell(pod, "Pulling", f'Pulling image "{image}"', place)
        self._tell(pod, "Failed", f'Failed to pull image "{image}": {told}', place, bad=True)
        self._tell(pod, "Failed", "Error: ErrImagePull", place, bad=True)
        entry["state"] = waiting("ErrImagePull", told)
        worker.wait(shown, RESTART_SECONDS)

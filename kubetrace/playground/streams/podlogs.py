"""pods/log: a simulated container's lines, chosen and followed as a kubelet does (pkg/kubelet/kubelet_pods.go)."""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator

from kubetrace.playground.containers.container import Container
from kubetrace.playground.containers.logs import Line, Log
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.http import Answer, Request, Stream
from kubetrace.playground.objects import Object
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.streams.commands import container_name

_TEXT = "text/plain"


def read(runtime: Runtime, request: Request, pod: Object, choice: Choice) -> Answer | Stream:
    """Raises 400 for containers that have no log yet."""
    name = container_name(pod, request.parameter("container"))
    if not pod["spec"].get("nodeName"):
        return Answer(204, b"", "")
    previous = request.flag("previous")
    log = _log(runtime, pod, name, previous)
    chosen, seen = choice.select(log), log.written
    if request.flag("follow") and not previous and not log.ended:
        return Stream(_follow(log, chosen, seen, choice), content_type=_TEXT)
    body = b"".join(choice.shown(line) for line in chosen)
    return Answer(200, body if choice.limit is None else body[: choice.limit], _TEXT)


def _log(runtime: Runtime, pod: Object, name: str, previous: bool) -> Log:
    status, pod_name = pod.get("status") or {}, pod["metadata"]["name"]
    groups = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    entry = next((e for group in groups for e in status.get(group) or () if e["name"] == name), None)
    if entry is None:
        raise ApiError(400, f'container "{name}" in pod "{pod_name}" is not available')
    state, last = entry.get("state") or {}, (entry.get("lastState") or {}).get("terminated")
    container: Container | None
    if previous:
        if not last or not last.get("containerID"):
            raise ApiError(400, f'previous terminated container "{name}" in pod "{pod_name}" not found')
        container = _by_id(runtime, pod, name, last["containerID"]) or runtime.previous(pod, name)
    elif "running" in state:
        container = runtime.find(pod, name)
    elif "terminated" in state or last:
        found = (state.get("terminated") or {}).get("containerID") or (last or {}).get("containerID")
        if not found:
            raise ApiError(400, f'container "{name}" in pod "{pod_name}" is terminated')
        container = _by_id(runtime, pod, name, found) or runtime.find(pod, name)
    else:
        reason = (state.get("waiting") or {}).get("reason", "")
        known = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}
        told = f'container "{name}" in pod "{pod_name}" is waiting to start: {known.get(reason, reason)}'
        raise ApiError(400, told if reason else f"{told.removesuffix(': ')} - no logs yet")
    if container is None:
        log = Log()
        log.end()
        return log
    return container.log


def _by_id(runtime: Runtime, pod: Object, name: str, identifier: str) -> Container | None:
    both = (runtime.find(pod, name), runtime.previous(pod, name))
    return next((container for container in both if container is not None and container.id == identifier), None)


class Choice:
    """PodLogOptions (ValidatePodLogOptions). Raises 400 and 422 for options that can't be."""

    def __init__(self, request: Request, name: str) -> None:
        self._name = name
        self.tail = self._number(request, "tailLines")
        self.limit = self._number(request, "limitBytes")
        seconds = self._number(request, "sinceSeconds")
        self._timestamps = request.flag("timestamps")
        time = request.parameter("sinceTime")
        causes = []
        if self.tail is not None and self.tail < 0:
            why = f"Invalid value: {self.tail}: must be greater than or equal to 0"
            causes.append(("tailLines", "FieldValueInvalid", why))
        if self.limit is not None and self.limit < 1:
            causes.append(("limitBytes", "FieldValueInvalid", f"Invalid value: {self.limit}: must be greater than 0"))
        if seconds is not None and time:
            why = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
            causes.append(("[]", "FieldValueForbidden", why))
        elif seconds is not None and seconds < 1:
            causes.append(("sinceSeconds", "FieldValueInvalid", f"Invalid value: {seconds}: must be greater than 0"))
        if request.parameter("stream"):  # the feature gate PodLogsQuerySplitStreams is off
            causes.append(("stream", "FieldValueForbidden", "Forbidden: may not be specified"))
        if causes:
            raise invalid("PodLogOptions", "", name, causes)
        self._since = ""
        if seconds is not None:
            start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=min(seconds, 10**9))
            self._since = f"{start:%Y-%m-%dT%H:%M:%S.%f}000Z"
        elif time:
            self._since = self._moment(time)

    def _number(self, request: Request, name: str) -> int | None:
        text = request.parameter(name)
        if not text:
            return None
        if not re.fullmatch(r"[-+]?\d{1,18}", text):
            raise ApiError(400, f'strconv.ParseInt: parsing "{text}": invalid syntax')
        return int(text)

    @staticmethod
    def _moment(text: str) -> str:
        try:
            found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            told = f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
            raise ApiError(400, told) from None
        if found.tzinfo is None:
            found = found.replace(tzinfo=datetime.UTC)
        return f"{found.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"

    def fits(self, line: Line) -> bool:
        return line.when >= self._since

    def select(self, log: Log) -> list[Line]:
        """A kubelet counts the tail first, over all lines, then looks at times."""
        lines = list(log.lines)
        if self.tail is not None:
            lines = lines[-self.tail :] if self.tail else []
        return [line for line in lines if self.fits(line)]

    def shown(self, line: Line) -> bytes:
        return f"{line.when} ".encode() + line.text if self._timestamps else line.text


async def _follow(log: Log, chosen: list[Line], seen: int, choice: Choice) -> AsyncIterator[bytes]:
    left = choice.limit
    start = b"".join(choice.shown(line) for line in chosen)
    if left is not None:
        start, left = start[:left], left - len(start)
    yield start
    if left is not None and left <= 0:
        return
    async for line in log.follow(seen):
        if not choice.fits(line):
            continue
        data = choice.shown(line)
        if left is not None:
            data, left = data[:left], left - len(data)
        yield data
        if left is not None and left <= 0:
            return

"""Commands in containers: the call that opens them, and what the server says when they are over (client-go
tools/remotecommand, kubectl's createExecutor)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kubetrace.api import verbs
from kubetrace.api.go_words import quoted
from kubetrace.api.typed_kinds import PODS
from kubetrace.errors import KubetraceError, PlainError
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.call import Call
from kubetrace.value import Value, replace
from kubetrace.wire import go_json

if TYPE_CHECKING:
    from kubetrace.transport.channels import Channels, Note
    from kubetrace.transport.client import Client

_NEWEST = "v5.channel.k8s.io"
_OLDER = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
_WITH_STATUS = (_NEWEST, _OLDER[0])
"""Protocols whose error channel carries a Status; before, it was plain text."""
_NO_RESIZE = ("v2.channel.k8s.io", "channel.k8s.io", "")


class RemoteCommand(Value):
    """What to open, and which streams: `subresource` is "exec" or "attach", `command` is exec's."""

    subresource: str
    namespace: str
    pod: str
    container: str
    purpose: Purpose
    command: tuple[str, ...] = ()
    stdin: bool = False
    stdout: bool = True
    stderr: bool = True
    tty: bool = False

    def call(self, method: str) -> Call:
        """PodExecOptions and PodAttachOptions as a query: what is false is not there."""
        flags = ("stdin", "stdout", "stderr", "tty")
        query = (
            ("container", self.container),
            *(("command", word) for word in self.command),
            *((name, "true") for name in flags if getattr(self, name)),
        )
        path = verbs.get(PODS, self.namespace, self.pod, self.subresource).path
        given = tuple(pair for pair in query if pair[0] == "command" or pair[1])
        return Call(method, path, given, operation="stream", purpose=self.purpose, log_request_body=False)

    def names(self, stderr: bool) -> list[str]:
        """The channels of the session, in the order in which client-go makes them. `stderr`: does the client have
        somewhere to write it?"""
        wanted = {"stdin": self.stdin, "stdout": self.stdout, "stderr": stderr and not self.tty, "resize": self.tty}
        return ["error", *(name for name, given in wanted.items() if given)]


def open_channels(
    client: Client, wanted: RemoteCommand, stderr: bool, note: Note, *, tells_writes: bool = True
) -> Channels:
    """A WebSocket where the server does that, else SPDY (FallbackExecutor). `tells_writes`: does anybody want a note of
    every message? Raises KubetraceError."""
    from kubetrace.transport.channels import SpdyChannels, WebSocketChannels
    from kubetrace.transport.upgrade import SPDY, WEBSOCKET, Offer, UpgradeRefused

    names = wanted.names(stderr)
    try:
        connection = client.upgrade(wanted.call("GET"), Offer(WEBSOCKET, (_NEWEST,)))
    except UpgradeRefused as refusal:
        note("exec-fallback", error=str(refusal))
        fallback = replace(wanted, purpose=Purpose(wanted.purpose.tag, f"{wanted.subresource}: the same over SPDY"))
        connection = client.upgrade(fallback.call("POST"), Offer(SPDY, (_NEWEST, *_OLDER)))
        if connection.subprotocol in _NO_RESIZE and "resize" in names:
            names.remove("resize")
        return SpdyChannels(connection, names)
    note("subprotocol", protocol=connection.subprotocol)
    return WebSocketChannels(connection, names, note, tells_writes=tells_writes)


def check_ending(protocol: str, said: bytes) -> None:
    """What the error channel said, all of it. Raises KubetraceError, for an exit code PlainError with that code
    (errorDecoderV4, errorDecoderV2)."""
    if not said:
        return
    if protocol not in _WITH_STATUS:
        raise KubetraceError(f"error executing remote command: {said.decode('utf-8', 'replace')}")
    try:
        status = go_json.loads(said)
    except go_json.InvalidJSON as error:
        raise KubetraceError(f"error stream protocol error: {error} in {quoted(_text(said))}") from None
    if not isinstance(status, dict):
        raise KubetraceError("error stream protocol error: unknown error")
    if status.get("status") == "Success":
        return
    if status.get("status") != "Failure":
        raise KubetraceError("error stream protocol error: unknown error")
    if status.get("reason") == "NonZeroExitCode":
        raise _exit(status)
    raise KubetraceError(str(status.get("message") or ""))


def _exit(status: dict[str, Any]) -> KubetraceError:
    details = status.get("details")
    if not isinstance(details, dict):
        return KubetraceError("error stream protocol error: details must be set")
    for cause in details.get("causes") or ():
        if isinstance(cause, dict) and cause.get("reason") == "ExitCode":
            text = str(cause.get("message") or "")
            if not re.fullmatch("[0-9]+", text, re.ASCII) or int(text) > 255:
                return KubetraceError(f"error stream protocol error: invalid exit code value {quoted(text)}")
            return PlainError(f"command terminated with exit code {int(text)}", int(text))
    return KubetraceError("error stream protocol error: no ExitCode cause given")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")

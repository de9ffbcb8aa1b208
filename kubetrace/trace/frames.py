"""Which frames pass over an upgraded connection, and what for: exec, attach and port-forward, in WebSocket, in SPDY,
and in SPDY within WebSocket."""

from __future__ import annotations

import functools
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from kubetrace.trace.exchange import Direction
from kubetrace.trace.spdy_frames import SPDYReader
from kubetrace.trace.websocket_frames import WebSocketReader

Tell = Callable[[Direction, str, int, str | None, bytes | None], None]
"""Told of each frame: direction, kind, payload bytes, channel, and its content where that is kept."""
FrameWatcher = Callable[[bool, bytes], None]
"""Given the bytes of the connection: whether the client sent them, and what they are."""

CHANNELS = ("stdin", "stdout", "stderr", "error", "resize")
"""The channels of *.channel.k8s.io, in the order of their numbers."""
CLOSE = 255
"""v5.channel.k8s.io's channel that says which stream has ended."""
_TUNNEL = "portforward.k8s.io"


def frame_watcher(protocol: str, subprotocol: str, url: str, tell: Tell, keep: int = 0) -> FrameWatcher | None:
    """What tells of the frames of a connection that was upgraded to `protocol` for the request `url`; None for a
    protocol that nobody here reads. `keep` is how many bytes of each frame are kept to be told: with 0 a frame is told
    as it begins, else when it is whole."""
    if protocol.lower() == "websocket":
        if subprotocol.startswith("SPDY/") and subprotocol.endswith(_TUNNEL):
            return _tunnel(tell, keep)
        return _websocket(subprotocol, url, tell, keep)
    return _spdy(tell, keep) if protocol.upper().startswith("SPDY/3") else None


def _websocket(subprotocol: str, url: str, tell: Tell, keep: int) -> FrameWatcher:
    has_channels = subprotocol.endswith("channel.k8s.io")
    is_text = subprotocol.startswith("base64.")
    ports = parse_qs(urlsplit(url).query).get("ports", [])
    forwards = urlsplit(url).path.endswith("/portforward")
    readers = {sent: WebSocketReader(has_channels, keep=keep) for sent in (True, False)}

    def watch(sent: bool, data: bytes) -> None:
        for kind, size, number, content in readers[sent].feed(data):
            number = number - ord("0") if number is not None and is_text else number
            tell(_direction(sent), kind, size, _channel(number, ports if forwards else None), content)

    return watch


def _channel(number: int | None, ports: list[str] | None) -> str | None:
    """What a channel's number stands for; with `ports` it is one of port-forward's, two a port."""
    if number is None:
        return None
    if ports is not None:
        port = ports[number // 2] if number // 2 < len(ports) else str(number // 2)
        return f"{'error' if number % 2 else 'data'} {port}"
    if number == CLOSE:
        return "close"
    return CHANNELS[number] if 0 <= number < len(CHANNELS) else str(number)


def _spdy(tell: Tell, keep: int) -> FrameWatcher:
    channels: dict[int, str] = {}
    readers = {sent: SPDYReader(channels, keep) for sent in (True, False)}

    def watch(sent: bool, data: bytes) -> None:
        for kind, size, channel, content in readers[sent].feed(data):
            tell(_direction(sent), kind, size, channel, content)

    return watch


def _tunnel(tell: Tell, keep: int) -> FrameWatcher:
    """SPDY within WebSocket, kubectl's way to forward ports since 1.31: the frames inside are the ones that mean
    something, and of those outside the ones that carry none."""
    inner = _spdy(tell, keep)
    readers = {sent: WebSocketReader(False, functools.partial(inner, sent)) for sent in (True, False)}

    def watch(sent: bool, data: bytes) -> None:
        for kind, size, _, _ in readers[sent].feed(data):
            if kind not in ("binary", "text", "continuation"):
                tell(_direction(sent), kind, size, None, None)

    return watch


def _direction(sent: bool) -> Direction:
    return "sent" if sent else "received"

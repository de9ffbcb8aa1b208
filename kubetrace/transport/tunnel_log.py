"""What client-go logs of a tunnel, byte by byte: each read and each write of its SPDY library (client-go
tools/portforward/tunneling_connection.go, moby/spdystream spdy/read.go and spdy/write.go).

kubetrace reads and writes whole frames; the lines tell them in the portions in which that library asks for them. What
passes through the ports may be a secret: it is left out unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

MASKED = "<masked>"
_CONTROL = 1 << 31
_LENGTH = 0xFFFFFF
_FIELDS = {1: (4, 4, 1, 1), 2: (4,), 3: (4, 4), 6: (4,), 7: (4, 4), 8: (4,), 9: (4, 4)}
"""The sizes of what stands before a control frame's headers, by the frame's type."""
_HEADERS_AT_ONCE = 4096
"""The buffer of Go's inflating reader."""

_Portions = Generator[tuple[int, bool], bytes, None]
"""How many bytes are asked for, and whether they are data of a port; takes what came, which may be less."""


class TunnelLog:
    """Takes what passes, tells it with `note`. `shows_data`: what passes through the ports, too."""

    def __init__(self, note: Callable[..., object], *, shows_data: bool) -> None:
        self._note = note
        self._shows_data = shows_data
        self._asked = _asked()
        self._wanted, self._is_data = next(self._asked)
        note("tunnel-read")
        note("tunnel-next")

    def message(self, size: int) -> None:
        """The server begins a message."""
        self._note("tunnel-in-progress")
        if not size:
            self._note("tunnel-next")

    def received(self, piece: bytes, *, over: bool) -> None:
        """A piece of a message has come, its last if the message is `over`."""
        while piece:
            portion, piece = piece[: self._wanted], piece[self._wanted :]
            self._tell("tunnel-read-data", portion, self._is_data)
            self._note("tunnel-read-done")
            self._wanted, self._is_data = self._asked.send(portion)
            self._note("tunnel-read")
            self._note("tunnel-in-progress")
        if over:
            self._note("tunnel-next")

    def ended(self, why: str) -> None:
        """Nothing more will come; `why` is empty where the server has said goodbye."""
        if why:
            self._note("tunnel-read-failed", error=why)
        self._note("tunnel-read-nothing", size=0, data="", error=why or "EOF")
        self._note("tunnel-read-cut" if why else "tunnel-read-ended")

    def writing(self, frame: bytes) -> None:
        """A whole frame is sent."""
        for portion, is_data in _written(frame):
            self._tell("tunnel-write", portion, is_data)
            self._note("tunnel-write-done")

    def closing(self) -> None:
        """We say goodbye."""
        self._note("tunnel-close")

    def _tell(self, name: str, portion: bytes, is_data: bool) -> None:
        shown = MASKED if is_data and portion and not self._shows_data else portion.hex(" ").upper()
        self._note(name, size=len(portion), data=shown, error=None)


def _asked() -> _Portions:
    """What the library asks for, frame after frame."""
    while True:
        first = yield from _word()
        left = (yield from _word()) & _LENGTH
        if not first & _CONTROL:
            yield from _all(left, is_data=True)
            continue
        for size in _FIELDS.get(first & 0xFFFF, ()):
            yield from _all(min(size, left))
            left -= min(size, left)
        while left:
            left -= len((yield min(left, _HEADERS_AT_ONCE), False))


def _word() -> Generator[tuple[int, bool], bytes, int]:
    data = b""
    while len(data) < 4:
        data += yield 4 - len(data), False
    return int.from_bytes(data, "big")


def _all(size: int, *, is_data: bool = False) -> _Portions:
    while size:
        size -= len((yield size, is_data))


def _written(frame: bytes) -> Iterator[tuple[bytes, bool]]:
    """The portions in which the library writes a frame."""
    first = int.from_bytes(frame[:4], "big")
    is_data = not first & _CONTROL
    at = 0
    for size in (4, 4) if is_data else (2, 2, 4, *_FIELDS.get(first & 0xFFFF, ())):
        yield frame[at : at + size], False
        at += size
    if is_data or at < len(frame):
        yield frame[at:], is_data

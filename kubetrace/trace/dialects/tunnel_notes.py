"""Notes of what passes through port-forward's tunnel (client-go tools/portforward/tunneling_connection.go)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec

_FILE = "tunneling_connection.go"
_PORTION = (("length", "size"), ("data", "bytes:data"))
_READ_OVER = "Tunneling connection read...complete"


def _old(text: str, number: int) -> dict[str, Line]:
    return {"1.30": Line(f"{_FILE}:{number}", f"client:{text}")}


def _new(text: str, number: int, pairs: tuple[tuple[str, str], ...] = (), below: int | None = None) -> dict[str, Line]:
    """Structured; kubectl's loggers have no names (logs.InitLogs turns contextual logging off)."""
    return {"1.37": Line(f"{_FILE}:{number}", text, pairs, below=below)}


def _read_over(number: int) -> NoteSpec:
    """Three places end a read in the older form, one in the newer."""
    return NoteSpec(7, (), {**_old(" tunneling connection read...complete", number), **_new(_READ_OVER, 72, below=8)})


TUNNEL_NOTES: Mapping[str, NoteSpec] = {
    "tunnel-read": NoteSpec(
        7, (), {**_old(" tunneling connection read...", 56), **_new("Tunneling connection read...", 67)}
    ),
    "tunnel-next": NoteSpec(
        8,
        (),
        {
            **_old(" tunneling connection read before NextReader()...", 60),
            **_new("Tunneling connection read before NextReader()...", 77),
        },
    ),
    "tunnel-in-progress": NoteSpec(
        8,
        (),
        {
            **_old(" tunneling connection read in progress message...", 75),
            **_new("Tunneling connection read in progress...", 92),
        },
    ),
    # Its newest form tells the bytes and the end of the read in one line, or only the end at a lower level.
    "tunnel-read-data": NoteSpec(
        8,
        ("size", "data", "error"),
        {
            **_old(" read {size} bytes, error=<nil>, bytes={data}", 80),
            **_new(_READ_OVER, 70, (*_PORTION, ("err", "error"))),
        },
    ),
    "tunnel-read-done": _read_over(81),
    "tunnel-read-failed": NoteSpec(
        4,
        ("error",),
        {
            **_old("tunneling connection NextReader() error: {error}", 67),
            **_new("Tunneling connection NextReader() failed", 84, (("err", "error"),)),
        },
    ),
    "tunnel-read-cut": _read_over(68),
    "tunnel-read-ended": _read_over(65),
    "tunnel-read-nothing": NoteSpec(8, ("size", "data", "error"), _new(_READ_OVER, 70, (*_PORTION, ("err", "error")))),
    "tunnel-write": NoteSpec(
        7,
        ("size", "data"),
        {
            **_old(" write: {size} bytes, bytes={data}", 90),
            **_new("Tunneling connection write", 106, _PORTION),
        },
    ),
    "tunnel-write-done": NoteSpec(
        7,
        (),
        {**_old(" tunneling connection write...complete", 106), **_new("Tunneling connection write...complete", 107)},
    ),
    "tunnel-close": NoteSpec(
        7, (), {**_old(" tunneling connection Close()...", 114), **_new("Tunneling connection Close()...", 130)}
    ),
}

"""Notes of port-forward (client-go tools/portforward)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, lines, structured

_RELEASES = ("1.19", "1.23", "1.26", "1.27", "1.30", "1.31", "1.32", "1.36")

_PORTS = (("err", "error"), ("localPort", "local"), ("remotePort", "remote"))


def _error(text: str, now: tuple[str, int], *numbers: int, values: tuple[str, ...] = ("local", "remote")) -> NoteSpec:
    """An error that runtime.HandleError writes: structured since 1.31, with words and values of its own since 1.37."""
    found: dict[str, Line] = {}
    for release, number in zip(_RELEASES, numbers, strict=True):
        source = f"portforward.go:{number}"
        if release < "1.31":
            found[release] = Line(source, text)
        else:
            found[release] = Line(source, "Unhandled Error", (("err", f"={text}"),))
    pairs = tuple([pair for pair in _PORTS if pair[1] == "error" or pair[1] in values])
    found["1.37"] = Line(f"portforward.go:{now[1]}", now[0], pairs)
    return NoteSpec(0, (*values, "error"), found, "E")


FORWARD_NOTES: Mapping[str, NoteSpec] = {
    "forward-not-accepted": _error(
        "error accepting connection on port {local}: {error}",
        ("Error accepting connection", 431),
        *(306, 311, 310, 312, 316, 316, 322, 420),
        values=("local",),
    ),
    "forward-no-error-stream": _error(
        "error creating error stream for port {local} -> {remote}: {error}",
        ("Error creating error stream", 466),
        *(340, 346, 345, 347, 351, 351, 357, 455),
    ),
    "forward-no-forwarding-stream": _error(
        "error creating forwarding stream for port {local} -> {remote}: {error}",
        ("Error creating forwarding stream", 491),
        *(362, 368, 368, 370, 374, 374, 380, 478),
    ),
    "forward-write-error": _error(
        "error copying from remote stream to local connection: {error}",
        ("Error copying from remote stream to local connection", 502),
        *(372, 378, 379, 381, 385, 385, 391, 489),
    ),
    "forward-read-error": _error(
        "error copying from local connection to remote stream: {error}",
        ("Error copying from local connection to remote stream", 515),
        *(385, 391, 392, 394, 398, 398, 404, 502),
    ),
    "forward-failed": _error(
        "an error occurred forwarding {local} -> {remote}: {error}",
        ("An error occurred forwarding", 539),
        *(400, 406, 407, 409, 413, 413, 424, 522),
    ),
    "tunnel-negotiating": NoteSpec(
        4,
        (),
        {
            **lines("tunneling_dialer.go", "Before WebSocket Upgrade Connection...", {"1.30": 75, "1.36": 96}),
            **structured("tunneling_dialer.go", "Before WebSocket Upgrade Connection...", (), {"1.37": 120}),
        },
    ),
    "tunnel-negotiated": NoteSpec(
        4,
        ("protocol",),
        {
            **lines("tunneling_dialer.go", "negotiated protocol: {protocol}", {"1.30": 85, "1.36": 106}),
            **structured("tunneling_dialer.go", "Negotiation complete", (("protocol", "protocol"),), {"1.37": 130}),
        },
    ),
    "tunnel-fallback": NoteSpec(
        4,
        ("error",),
        lines(
            "fallback_dialer.go",
            "fallback to secondary dialer from primary dialer err: {error}",
            {"1.30": 53, "1.36": 84, "1.37": 85},
        ),
    ),
}

"""Notes of the streams of exec and attach (client-go tools/remotecommand)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, lines


def _of_stream(level: int, what: str, numbers: Mapping[str, int]) -> NoteSpec:
    """What a stream of exec or attach does; the newest release leaves out which (websocket.go)."""
    number = numbers["1.36"]
    older = {release: line for release, line in numbers.items() if release != "1.36"}
    newest = {"1.36": Line(f"websocket.go:{number}", f"{what} on stream", ())}
    return NoteSpec(level, ("id",), {**_old(f"{what} on stream {{id}}", 4, older), **newest})


def _old(text: str, level: int, numbers: Mapping[str, int]) -> dict[str, Line]:
    """Lines in words; `level` is that of the releases before 1.33."""
    return {
        release: Line(f"websocket.go:{number}", text, level=level if release < "1.33" else None)
        for release, number in numbers.items()
    }


def _copying(text: str, older: int, newer: int) -> NoteSpec:
    """A stream that broke off (client-go tools/remotecommand/v2.go)."""
    pairs = (("err", "error"),)
    found = {
        "1.19": Line(f"v2.go:{older}", "{error}"),
        "1.31": Line(f"v2.go:{older}", "Unhandled Error", pairs),
        "1.36": Line(f"v2.go:{newer}", text, pairs),
    }
    return NoteSpec(0, ("error",), found, "E")


STREAM_NOTES: Mapping[str, NoteSpec] = {
    "exec-fallback": NoteSpec(
        4,
        ("error",),
        {
            "1.31": Line("fallback.go:56", "RemoteCommand fallback: {error}"),
            "1.36": Line("fallback.go:56", "RemoteCommand fallback", (("err", "error"),)),
        },
    ),
    "subprotocol": NoteSpec(
        4,
        ("protocol",),
        {
            **lines("websocket.go", "The subprotocol is {protocol}", {"1.29": 137, "1.30": 133}),
            "1.36": Line("websocket.go:134", "Subprotocol negotiated", (("protocol", "protocol"),)),
        },
    ),
    "websocket-reading": NoteSpec(
        5,
        ("deadline",),  # a Go duration: "1m1s"
        {
            **lines("websocket.go", "Websocket initial read deadline: {deadline}", {"1.33": 251, "1.34": 265}),
            "1.36": Line("websocket.go:269", "Websocket read starts", (("deadline", "deadline"),)),
        },
    ),
    "websocket-closed": NoteSpec(
        5,
        (),
        {
            **_old("closed channel--returning", 8, {"1.29": 477, "1.30": 490, "1.33": 491, "1.34": 505}),
            "1.36": Line("websocket.go:512", "Closed channel -- returning", ()),
        },
    ),
    "websocket-ping": NoteSpec(
        6,
        (),
        {
            **_old("Websocket Ping succeeeded", 8, {"1.29": 484, "1.30": 497, "1.33": 498, "1.34": 512}),
            "1.36": Line("websocket.go:519", "Websocket Ping succeeeded", ()),
        },
    ),
    "websocket-pong": NoteSpec(
        6,
        ("message",),
        {
            **_old("Pong message received ({message})--resetting read deadline", 8,
                   {"1.29": 442, "1.30": 455, "1.33": 456, "1.34": 470}),
            "1.36": Line("websocket.go:477", "Pong message received -- resetting read deadline",
                         (("message", "message"),)),
        },
    ),
    "stream-write": _of_stream(8, "Write()", {"1.29": 344, "1.30": 357, "1.33": 358, "1.34": 372, "1.36": 377}),
    "stream-write-done": _of_stream(8, "Write() done",
                                    {"1.29": 377, "1.30": 390, "1.33": 391, "1.34": 405, "1.36": 411}),
    "stream-close": _of_stream(6, "Close()", {"1.29": 382, "1.30": 395, "1.33": 396, "1.34": 410, "1.36": 415}),
    "stream-close-done": _of_stream(6, "Close() done",
                                    {"1.29": 392, "1.30": 405, "1.33": 406, "1.34": 420, "1.36": 425}),
    "unknown-stream": NoteSpec(
        0,
        ("id",),
        {
            **lines("websocket.go", "Unknown stream id {id}, discarding message",
                    {"1.29": 289, "1.30": 296, "1.33": 297, "1.34": 311}),
            "1.36": Line("websocket.go:315", "Unknown stream, discarding message", (("id", "id"),)),
        },
        "E",
    ),
    "stdin-wait-failed": _copying("Waiting for server to close stdin failed", 129, 130),
    "stdout-copy-failed": _copying("Copying stdout failed", 150, 151),
    "stderr-copy-failed": _copying("Copying stderr failed", 167, 168),
}  # fmt: skip

"""Logs in pieces: whatever the pieces, the same bytes come out, and each line has its source before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.commands.log_streams import _prefixed, whole_lines
from kubetrace.errors import KubetraceError

PIECES = st.lists(st.text(alphabet="a\n\r", min_size=1, max_size=6).map(str.encode))


@given(PIECES)
def test_pieces_end_with_lines(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    found = list(whole_lines(iter(pieces)))
    assert b"".join(found) == whole
    assert all(piece.endswith(b"\n") for piece in found[:-1])
    assert all(found)


@given(PIECES)
def test_each_line_has_its_source(pieces: list[bytes]) -> None:
    lines = b"".join(pieces).split(b"\n")
    expected = b"".join(b"[p] " + line + b"\n" for line in lines[:-1]) + (b"[p] " + lines[-1] if lines[-1] else b"")
    assert b"".join(_prefixed(piece, b"[p] ") for piece in whole_lines(iter(pieces))) == expected


def test_what_came_before_a_failure_is_not_lost() -> None:
    def broken() -> object:
        yield b"one\ntw"
        raise KubetraceError("unexpected EOF")

    found = []
    with pytest.raises(KubetraceError):
        found += [found.append(piece) for piece in whole_lines(broken())]  # type: ignore[arg-type, func-returns-value]
    assert found == [b"one\n", b"tw"]

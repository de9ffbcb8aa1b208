"""The frames that are made here are those that a library reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from kubetrace.transport.websocket import binary_frame


def _read(frame: bytes) -> tuple[int, bytes]:
    reader = FrameProtocol(client=False, extensions=[])
    reader.receive_bytes(frame)
    frames = list(reader.received_frames())
    assert all(each.message_finished for each in frames[-1:])
    return frames[0].opcode, b"".join(bytes(each.payload) for each in frames)


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_message_arrives_as_it_was_sent(payload: bytes, key: bytes) -> None:
    assert _read(bytes(binary_frame(payload, key))) == (Opcode.BINARY, payload)


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 100_001])
def test_every_form_of_length(size: int) -> None:
    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    frame = binary_frame(payload, b"\x01\x80\xff\x00")
    assert _read(bytes(frame)) == (Opcode.BINARY, payload)
    assert frame[1] & 0x80 and len(frame) == size + 6 + (0 if size < 126 else 2 if size < 65536 else 8)

"""Heads and bodies: what is read, where it ends, and what is refused because it could be read in two ways."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.recorder.framing import Chunked, Counted, Framing, Nothing, UntilClose, of_request, of_response
from kubetrace.recorder.heads import LIMIT, BadMessage, request_head, response_head, split, written

REQUEST = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nAccept:  a, b \t\r\n"


def test_a_request_head() -> None:
    head = request_head(REQUEST + b"\r\n")
    assert (head.method, head.target, head.minor) == (b"POST", b"/a?b=c", 1)
    assert head.fields == [(b"Host", b"x"), (b"X-Empty", b""), (b"Accept", b"a, b")]
    assert head.keeps_alive and isinstance(of_request(head), Nothing)
    assert (
        written(b"POST / HTTP/1.1", head.fields) == b"POST / HTTP/1.1\r\nHost: x\r\nX-Empty: \r\nAccept: a, b\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("line", "reason"), [("HTTP/1.1 200 OK", b"OK"), ("HTTP/1.1 200 ", b""), ("HTTP/1.1 200", None)]
)
def test_a_status_line(line: str, reason: bytes | None) -> None:
    head = response_head(line.encode() + b"\r\n\r\n")
    assert (head.status, head.reason, head.fields) == (200, reason, [])


@pytest.mark.parametrize(
    ("fields", "minor", "expected"),
    [
        ("", 1, True),
        ("Connection: close\r\n", 1, False),
        ("Connection: Upgrade, Close\r\n", 1, False),
        ("", 0, False),
        ("Connection: Keep-Alive\r\n", 0, True),
    ],
)
def test_keep_alive(fields: str, minor: int, expected: bool) -> None:
    head = request_head(f"GET / HTTP/1.{minor}\r\nHost: x\r\n{fields}\r\n".encode())
    assert head.keeps_alive is expected


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\nC: d\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(head: bytes) -> None:
    with pytest.raises(BadMessage):
        request_head(head)
        of_request(request_head(head))


def test_a_head_without_end_is_given_up() -> None:
    assert split(b"GET / HTTP/1.1\r\nA: b\r\n") == 0
    assert split(REQUEST + b"\r\nrest") == len(REQUEST) + 2
    with pytest.raises(BadMessage):
        split(b"x" * (LIMIT + 1))


# --- bodies -----------------------------------------------------------------------------------------------------------


def fed(framing: Framing, data: bytes, cuts: list[int]) -> tuple[bytes, int]:
    """Content and used bytes of data that comes in pieces."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    content, used = b"", 0
    for start, end in itertools.pairwise(edges):
        piece, count = framing.feed(data[start:end])
        content, used = content + piece, used + count
        if framing.complete:
            break
    return content, used


@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    st.sampled_from([b"", b";a=b", b' ; q="x y"']),
    st.sampled_from([b"", b"X-Sum: 1\r\n", b"A: b\r\nC: d\r\n"]),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_chunks_in_any_pieces(chunks: list[bytes], extension: bytes, trailers: bytes, cuts: list[int]) -> None:
    body = b"".join(b"%X%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    body += b"0" + extension + b"\r\n" + trailers + b"\r\n"
    framing = Chunked()
    content, used = fed(framing, body + b"HTTP/1.1 200 OK", cuts)
    assert framing.complete and content == b"".join(chunks)
    assert used == len(body)


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n", b"-1\r\n", b"0x1\r\n", b"\r\n", b"1\na\r\n", b"1\r\nab\r\n", b"1\r\na\n\n", b" 1\r\na\r\n",
        b"1_0\r\n",
        b"1" * 16 + b"\r\n", b"1;" + b"x" * 5000, b"0\r\n" + b"A: b\r\n" * 20_000,
    ],
)  # fmt: skip
def test_broken_chunks_are_refused(body: bytes) -> None:
    framing = Chunked()
    with pytest.raises(BadMessage):
        framing.feed(body)


@given(st.integers(0, 60), st.binary(max_size=80), st.lists(st.integers(0, 90), max_size=6))
def test_a_counted_body_in_any_pieces(length: int, data: bytes, cuts: list[int]) -> None:
    framing = Counted(length)
    content, used = fed(framing, data, cuts)
    assert content == data[:length] and used == len(content)
    assert framing.complete == framing.closed() == (len(data) >= length)


@pytest.mark.parametrize(
    ("head", "method", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"GET", Counted),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"HEAD", Nothing),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"GET", Nothing),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"GET", Nothing),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"GET", Nothing),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", b"GET", Chunked),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"GET", UntilClose),
    ],
)
def test_how_an_answer_ends(head: bytes, method: bytes, kind: type) -> None:
    assert type(of_response(response_head(head), method)) is kind

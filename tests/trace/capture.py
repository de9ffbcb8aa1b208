"""Reads a capture of a real kubectl: its command line, log entries, plain lines, exchanges, stdout and exit code.

A capture file holds `$ COMMAND`, `--- stderr` and the log, `--- stdout` and the output, `--- rc=N` (goroutine dumps of
old kubectls are left out). Reusable: a scripted server can answer with `Capture.exchanges`, and a test can compare with
`Capture.entries`, `stdout` and `exit_code`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

CAPTURES = Path(__file__).parent / "captures"

HEADER = re.compile(rb"^([IWEF])(\d{4}) (\d\d:\d\d:\d\d\.\d{6}) ([ \d]{6,}\d) ([^ \]]+:\d+)\] ", re.MULTILINE)
_PLAIN = re.compile(
    rb"^(?:Warning: |WARNING: |\x1b\[33;1mWarning|[Ee]rror: |Error from server|The connection to the server"
    rb"|Unable to connect"
    rb"|See 'kubectl|Usage:|Please enter|To further debug|Kubernetes |goroutine \d+ \[|pod/|I/O|Defaulted container"
    rb"|command terminated|No resources found)",
    re.MULTILINE,
)
_GO_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_GO_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


@dataclass(frozen=True)
class LogEntry:
    """One klog entry, its final newline cut off. `stamp` is "1123 14:01:53.982565"."""

    severity: str
    stamp: str
    pid: int
    source: str
    message: bytes

    @property
    def seconds(self) -> float:
        """The time of day, for whoever needs a clock."""
        hours, minutes, seconds = self.stamp[5:].split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@dataclass(frozen=True)
class PlainLine:
    """A line (or lines) on stderr that is no klog entry."""

    text: bytes


@dataclass
class CapturedExchange:
    """One round trip as far as the log tells it. `body` is None where it is not in the log; `complete` False where it
    was cut. `status` is Go's Response.Status, empty where there was no answer."""

    method: str
    url: str
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    request_body: bytes | None = None
    status: str = ""
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | None = None
    complete: bool = True
    milliseconds: int = 0


@dataclass(frozen=True)
class Capture:
    """One recorded run of kubectl."""

    version: str
    name: str
    command: list[str]
    stderr: list[LogEntry | PlainLine]
    stdout: bytes
    exit_code: int

    @property
    def like(self) -> str:
        return ".".join(self.version.split(".")[:2])

    @property
    def entries(self) -> list[LogEntry]:
        return [item for item in self.stderr if isinstance(item, LogEntry)]

    @property
    def verbosity(self) -> int:
        """The last -v of the command line; 0 where it is missing or no number."""
        level = "0"
        for word, following in zip(self.command, [*self.command[1:], ""], strict=True):
            match = re.fullmatch(r"--?v(?:=?(-?\d+))?", word)
            if match:
                level = match[1] or following
        return int(level) if re.fullmatch(r"-?\d+", level) else 0

    @property
    def vmodule(self) -> str:
        return next((word.partition("=")[2] for word in self.command if word.startswith("--vmodule=")), "")

    @property
    def exchanges(self) -> list[CapturedExchange]:
        from tests.trace.replay import exchanges_of

        return exchanges_of(self)


def load(path: Path) -> Capture:
    """Reads one capture; its folder is the version."""
    data = path.read_bytes()
    command, rest = data.split(b"\n--- stderr\n", 1)
    stderr, rest = re.split(rb"^--- stdout\n", rest, maxsplit=1, flags=re.MULTILINE)
    stdout, code = re.split(rb"--- rc=", rest, maxsplit=1)
    words = _words(command.decode("utf-8", "surrogateescape").removeprefix("$ kubectl").strip())
    return Capture(path.parent.name, path.stem, words, list(_items(stderr)), stdout, int(code))


def all_captures(folder: Path = CAPTURES) -> list[Path]:
    return sorted(folder.glob("*/*.log"), key=lambda path: (path.parent.name, path.stem))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command) if not re.search(r"""["'{(<]""", command) else command.split()
    except ValueError:
        return command.split()


def _items(stderr: bytes) -> Iterator[LogEntry | PlainLine]:
    starts = list(HEADER.finditer(stderr))
    first = starts[0].start() if starts else len(stderr)
    if stderr[:first]:
        yield PlainLine(stderr[:first])
    for match, following in zip_longest(starts, starts[1:]):
        text = stderr[match.end() : following.start() if following else len(stderr)]
        message, plain = _split_plain(text)
        yield LogEntry(match[1].decode(), f"{match[2].decode()} {match[3].decode()}", int(match[4]),
                       match[5].decode(), message)  # fmt: skip
        if plain:
            yield PlainLine(plain)


def _split_plain(text: bytes) -> tuple[bytes, bytes]:
    """A message, and the plain lines after it (a line of an open block or hexdump is the message's own)."""
    for match in _PLAIN.finditer(text):
        before = text[: match.start()]
        if match.start() and not (b"=<\n" in before and not before.endswith(b">\n") and b"\n >" not in before):
            return before.removesuffix(b"\n"), text[match.start() :]
    return text.removesuffix(b"\n"), b""


def go_unquote(text: bytes) -> bytes:
    """The bytes that a Go-quoted string (with its quotation marks) stands for."""

    def one(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes((int(match[1], 16),))
        if match[2] or match[3]:
            return chr(int(match[2] or match[3], 16)).encode()
        return _GO_SIMPLE.get(match[4], match[4])

    return _GO_ESCAPE.sub(one, text[1:-1])


_KEY = re.compile(rb" ?([A-Za-z]+)=")
QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def parse_structured(message: bytes) -> tuple[str, dict[str, bytes]] | None:
    """Message and values of a structured entry; None for a printf-style one."""
    head = QUOTED.match(message)
    if head is None or (head.end() < len(message) and message[head.end() : head.end() + 1] != b" "):
        return None
    values: dict[str, bytes] = {}
    position = head.end()
    while position < len(message):
        key = _KEY.match(message, position)
        if key is None:
            return None
        position = key.end()
        if message.startswith(b"<\n", position):
            end = message.find(b"\n >", position)
            block = message[position + 2 : end + 1]
            values[key[1].decode()] = re.sub(rb"(?m)^\t", b"", block)
            position = end + 3
        elif message.startswith(b'"', position):
            quoted = QUOTED.match(message, position)
            if quoted is None:
                return None
            values[key[1].decode()] = go_unquote(quoted[0])
            position = quoted.end()
        else:
            end = message.find(b" ", position)
            end = len(message) if end < 0 else end
            values[key[1].decode()] = message[position:end]
            position = end
    return go_unquote(head[0]).decode(), values

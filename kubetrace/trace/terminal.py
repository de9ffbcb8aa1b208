"""What a terminal may see: control characters made visible, and colour that changes no byte besides."""

from __future__ import annotations

import os
import re
from typing import TextIO

_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
# C0 but tab and newline, DEL, C1, bytes that are no UTF-8 (0x9b alone is an escape sequence to some terminals), and the
# marks that reverse the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\udc80-\udcff]")
_RESET = b"\x1b[0m"
_DIM = b"\x1b[2m"
_STYLES = {"request": b"\x1b[1;36m", "curl": b"\x1b[36m", "note": b"\x1b[2m"}
_SEVERITIES = {"W": b"\x1b[33m", "E": b"\x1b[31m", "F": b"\x1b[1;31m"}


def _escape_byte(match: re.Match[bytes]) -> bytes:
    return b"\\r" if match[0] == b"\r" else b"\\x%02x" % match[0][0]


def _escape_char(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code == 0x0D:
        return "\\r"
    if code >= 0xDC80 and code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def visible(text: bytes) -> bytes:
    """The text with everything that could command a terminal written as an escape; newline and tab stay."""
    if text.isascii():
        return _CONTROL_BYTES.sub(_escape_byte, text)
    return _CONTROLS.sub(_escape_char, text.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def paint(header: bytes, message: bytes, kind: str, severity: str, status: int) -> tuple[bytes, bytes]:
    """Header and message with colours around them, for people: dim headers, requests bold, answers by their status."""
    style = _SEVERITIES.get(severity) or (_status_style(status) if kind.startswith("response") else _STYLES.get(kind))
    header = _DIM + header[:-1] + _RESET + b" "
    if not style or kind in ("response-header", "response-headers"):
        return header, message
    end = b"\n" if message.endswith(b"\n") else b""
    return header, style + message.removesuffix(b"\n") + _RESET + end


def _status_style(status: int) -> bytes:
    if 200 <= status < 400:
        return b"\x1b[32m"
    return b"\x1b[33m" if 400 <= status < 500 else b"\x1b[31m"


def columns(terminal: TextIO) -> int:
    """The terminal's width in characters; 80 where it does not tell."""
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except OSError:
        return 80


def in_foreground(terminal: TextIO) -> bool:
    """Is this process one that the terminal's user looks at, not a job in the background?"""
    try:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:  # a terminal that controls nothing
        return True

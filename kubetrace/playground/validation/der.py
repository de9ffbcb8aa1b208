"""Why Go can't read a certificate request (encoding/asn1): the first thing that is wrong with its tags and lengths."""

from __future__ import annotations

_SEQUENCE, _COMPOUND = 0x30, 0x20
_TRUNCATED = "asn1: syntax error: data truncated"
_MOST_LENGTH = 1 << 23


_PARAMETERS = (
    "{optional:false explicit:false application:false private:false defaultValue:<nil> tag:<nil> stringType:0 "
    "timeType:0 set:false omitEmpty:false}"
)


def problem(text: bytes) -> str:
    """What the error says; of what is readable, but no request, that it is truncated."""
    if not text:
        return "asn1: syntax error: sequence truncated"
    offset = 0
    for name in ("certificateRequest", "tbsCertificateRequest"):  # each is in the one before
        tag = text[offset] if offset < len(text) else 0
        length, begin, wrong = _length(text, offset + 1)
        if wrong:
            return wrong
        if tag != _SEQUENCE:
            kind = f"class:{tag >> 6} tag:{tag & 0x1F} length:{length} isCompound:{str(bool(tag & _COMPOUND)).lower()}"
            told = f"tags don't match (16 vs {{{kind}}}) {_PARAMETERS} {name}"
            return f"asn1: structure error: {told} @{begin - offset}"
        if begin + length > len(text):
            return _TRUNCATED
        offset = begin
    return _problem(text) or _TRUNCATED


def _problem(text: bytes) -> str:
    offset = 0
    while offset < len(text):
        tag, offset = text[offset], offset + 1
        length, offset, wrong = _length(text, offset)
        if wrong or offset + length > len(text):
            return wrong or _TRUNCATED
        inner = _problem(text[offset : offset + length]) if tag & _COMPOUND else ""
        if inner:
            return inner
        offset += length
    return ""


def _length(text: bytes, offset: int) -> tuple[int, int, str]:
    """(the length, where the content begins, what is wrong)"""
    cut = "asn1: syntax error: truncated tag or length"
    if offset >= len(text):
        return 0, offset, cut
    first, offset = text[offset], offset + 1
    if first < 0x80:
        return first, offset, ""
    if first == 0x80:
        return 0, offset, "asn1: syntax error: indefinite length found (not DER)"
    length = 0
    for _ in range(first & 0x7F):
        if offset >= len(text):
            return 0, offset, cut
        if length >= _MOST_LENGTH:
            return 0, offset, "asn1: structure error: length too large"
        length, offset = length << 8 | text[offset], offset + 1
        if not length:
            return 0, offset, "asn1: structure error: superfluous leading zeros in length"
    return length, offset, "" if length >= 0x80 else "asn1: structure error: non-minimal length"

"""printf's formats, as printf(1) and awk fill them in."""

from __future__ import annotations

import re

from kubetrace.playground.containers.escapes import unescaped

_DIRECTIVE = re.compile(r"%([-+ 0#]*)(\d+|\*)?(?:\.(\d+|\*)?)?(?:[lhjzt]*)([sdiuxXocbfFeEgGaq%])|[^%]+|%", re.DOTALL)
_WIDEST = 100_000
NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?)")
"""What awk and printf read of a text that begins with a number."""


def printed(form: str, values: list[str], bad: list[str]) -> str:
    """A format used again until no value is left, as printf(1) does; what is no number is put into `bad`."""
    rest, out = list(values), ""
    while True:
        before = len(rest)
        out += _once(form, rest, bad)
        if not rest or len(rest) == before:
            return out


def formatted(form: str, values: list[str]) -> str:
    """A format used once, with numbers read as awk reads them."""
    return _once(form, list(values), None)


def _once(form: str, values: list[str], bad: list[str] | None) -> str:
    out = ""
    for match in _DIRECTIVE.finditer(form):
        kind = match.group(4)
        if kind in (None, "%"):
            out += "%" if kind else match.group()
            continue
        sizes = [match.group(2) or "", match.group(3) or ""]
        for place, size in enumerate(sizes):
            if size == "*":
                sizes[place] = str(_whole(values.pop(0) if values else "0", bad))
        flags, width = match.group(1), sizes[0]
        if width.startswith("-"):
            flags, width = flags + "-", width[1:]
        width = str(min(int(width), _WIDEST)) if width else ""
        dotted = "." in match.group()
        precision = "." + str(min(int(sizes[1] or 0), _WIDEST)) if dotted else ""
        out += _filled(kind, "%" + flags + width, precision, values.pop(0) if values else "", bad)
    return out


def _filled(kind: str, start: str, precision: str, value: str, bad: list[str] | None) -> str:
    if kind in "sbq":
        text = unescaped(value) if kind == "b" else value
        return str((start.replace("0", "", 1) if start[1:2] == "0" else start) + precision + "s") % text
    if kind == "c":
        if bad is None and NUMBER.fullmatch(value):
            return str((start + "s") % chr(int(float(value)) % 0x110000))
        return str((start + "s") % value[:1])
    if kind in "feEgGFa":
        number = _fraction(value, bad)
        return str((start + precision + ("f" if kind == "a" else kind)) % number)
    whole = _whole(value, bad)
    if kind in "uxXo" and whole < 0:
        whole += 1 << 64
    return str((start + precision + ("d" if kind in "iu" else kind)) % whole)


def _fraction(value: str, bad: list[str] | None) -> float:
    try:
        return float(value or 0)
    except ValueError:
        match = NUMBER.match(value)
        if bad is not None:
            bad.append(value)
        return float(match.group()) if match is not None else 0.0


def _whole(value: str, bad: list[str] | None) -> int:
    text = value.strip()
    if bad is None:
        number = _fraction(text, None)
        return int(number) if abs(number) < 1e300 else 0
    if text[:1] in ("'", '"') and len(text) > 1:
        return ord(text[1])
    sign = -1 if text.startswith("-") else 1
    plain = text.lstrip("+-")
    try:
        return sign * (int(plain, 8) if plain.startswith("0") and plain.isdigit() else int(plain or "0", 0))
    except ValueError:
        bad.append(value)
        match = re.match(r"\d+", plain)
        return sign * int(match.group()) if match is not None else 0

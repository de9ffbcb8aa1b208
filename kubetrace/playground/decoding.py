"""Texts that Go decodes further when it reads an object: bytes in base64, moments in RFC 3339."""

from __future__ import annotations

import re

_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
_MICRO_TIME = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
TIMES = {_TIME: "2006-01-02T15:04:05Z07:00", _MICRO_TIME: "2006-01-02T15:04:05.000000Z07:00"}
"""Types of moments with the layouts that they are read by."""

_ALPHABET = re.compile(r"[A-Za-z0-9+/]*")
_MOMENT = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)(T(?P<hour>\d\d)(:(?P<minute>\d\d)(:(?P<second>\d\d)"
    r"(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?)?)?"
)
_PARTS = (("year", "2006"), ("month", "01"), ("day", "02"), ("hour", "15"), ("minute", "04"), ("second", "05"))


def base64_error(text: str) -> int | None:
    """Where it stops being base64 (encoding/base64 StdEncoding, which skips line ends); None where it is fine."""
    plain = text.replace("\r", "").replace("\n", "")
    good = len(_ALPHABET.match(plain).group())  # type: ignore[union-attr]
    over = good % 4
    if good == len(plain):
        return good - over if over else None
    if plain[good] != "=" or over < 2:
        return good
    end = good + 1
    if over == 2:
        if end == len(plain):
            return end
        if plain[end] != "=":
            return good
        end += 1
    return end if end < len(plain) else None


def time_error(text: str, layout: str) -> str:
    """Why it is no moment, in the words of Go's time.Parse; empty where it is one."""
    match = _MOMENT.match(text)
    found = match.groupdict() if match else {}
    wanted = ".000000" in layout
    for name, element in _PARTS:
        if not found.get(name):
            rest = text[match.end() :] if match else text
            rest = rest[1:] if match and rest[:1] in ("-", "T", ":") else rest
            return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as "{element}"'
    if wanted and not re.fullmatch(r"\.\d{6}", found["fraction"] or ""):
        rest = text[match.start("second") + 2 :] if match else text
        return f'parsing time "{text}" as "{layout}": cannot parse "{rest}" as ".000000"'
    if not found["zone"]:
        return f'parsing time "{text}" as "{layout}": cannot parse "" as "Z07:00"'
    return ""

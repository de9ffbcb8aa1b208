"""Formats of texts that custom resources' schemas name (apiextensions validation/formats.go, kube-openapi strfmt)."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from kubetrace.playground.validation.causes import label_name, subdomain


def _reads(reader: Callable[[str], object]) -> Callable[[str], bool]:
    def is_one(text: str) -> bool:
        try:
            reader(text)
        except ValueError:
            return False
        return True

    return is_one


def _like(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


_HEX = "[0-9a-fA-F]"
_LABEL = "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
_NUMBER = r"[0-9]*\.?[0-9]+"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _is_cidr(text: str) -> bool:
    return "/" in text and _reads(lambda found: ipaddress.ip_network(found, strict=False))(text)


def _is_uri(text: str) -> bool:
    """What net/url.ParseRequestURI takes: an absolute URI or an absolute path."""
    try:
        return text.startswith("/") or bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    match = _MOMENT.fullmatch(text)
    return match is not None and _reads(datetime.datetime.fromisoformat)(f"{match[1]}T{match[2]}")


def _is_day(text: str) -> bool:
    return len(text) == 10 and _reads(datetime.date.fromisoformat)(text)


def _uuid(version: str, variant: str = "") -> Callable[[str], bool]:
    third, fourth = version or _HEX, variant or _HEX
    return _like(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{third}{_HEX}{{3}}-?{fourth}{_HEX}{{3}}-?{_HEX}{{12}}")


FORMATS: dict[str, Callable[[str], bool]] = {
    "ipv4": lambda text: _reads(ipaddress.IPv4Address)(re.sub(r"\b0+(?=\d)", "", text)),  # leading zeros are let pass
    "ipv6": _reads(ipaddress.IPv6Address),
    "cidr": _is_cidr,
    "mac": _like(f"({_HEX}{{2}}[:-]){{5,19}}{_HEX}{{2}}|({_HEX}{{4}}\\.){{2,9}}{_HEX}{{4}}|{_HEX}{{12}}"),
    "uri": _is_uri,
    "email": _like(r"(.*<[^@\s<>]+@[^@\s<>]+>|[^@\s<>]+@[^@\s<>]+)"),
    "hostname": _like(rf"{_LABEL}|({_LABEL}\.)+[a-zA-Z]{{2,63}}"),
    "uuid": _uuid(""),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89abAB]"),
    "uuid5": _uuid("5", "[89abAB]"),
    "date": _is_day,
    "datetime": _is_moment,
    "duration": _like(rf"[-+]?0|[-+]?({_NUMBER}\s*[a-zµμ]+\s*)+"),
    "byte": _reads(lambda text: base64.b64decode(text, validate=True)),
    "hexcolor": _like(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "ssn": _like(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "bsonobjectid": _like(f"{_HEX}{{24}}"),
    "k8sshortname": lambda text: not label_name("", text),
    "k8slongname": lambda text: not subdomain("", text),
}
"""By name without dashes; others hold for everything."""
_UNCHECKED = ("isbn", "isbn10", "isbn13", "creditcard", "rgbcolor", "password")
_OF_NUMBERS = {"integer": ("int32", "int64"), "number": ("float", "double")}


def is_known(name: str, kind: str) -> bool:
    """Whether a schema of that type may name the format; others are ignored, with a warning."""
    if kind in _OF_NUMBERS:
        return name in _OF_NUMBERS[kind]
    return kind not in ("", "string") or name.replace("-", "") in (*FORMATS, *_UNCHECKED)


def fits(name: str, text: str) -> bool:
    check = FORMATS.get(name.replace("-", ""))
    return check is None or check(text)

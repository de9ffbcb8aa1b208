"""URLs as Go's net/url reads them: what is refused, and in which words."""

from __future__ import annotations

import re

from kubetrace.value import Value
from kubetrace.wire.go_quote import quote

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_NOT_ESCAPED_IN_HOST = re.compile(r"[^A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>\"%\x80-\xff]")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%]*")
_PORT = re.compile(r"(?::[0-9]*)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


class URLError(ValueError):
    """`url` is none; `reason` says why, the whole text is Go's."""

    def __init__(self, url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"parse {quote(url)}: {reason}")


class URL(Value):
    """A URL's parts. `path` is unescaped, `authority` (user, host and port) and `query` are as they were written."""

    scheme: str = ""
    authority: str = ""
    path: str = ""
    query: str = ""

    @property
    def host(self) -> str:
        """The authority without its user."""
        return self.authority.rpartition("@")[2]

    def query_pairs(self) -> tuple[tuple[str, str], ...]:
        """The query's keys and values; what is not well-formed is left out (URL.Query)."""
        pairs = []
        for part in self.query.split("&"):
            key, _, value = part.partition("=")
            if part and ";" not in part and not _bad_escape(part):
                pairs.append((_unescaped(key.replace("+", " ")), _unescaped(value.replace("+", " "))))
        return tuple(pairs)


def parse(text: str) -> URL:
    """An absolute or relative URL; its fragment is dropped. Raises URLError (url.Parse)."""
    text, hash_, fragment = text.partition("#")
    try:
        url = _parse(_latin(text), via_request=False)
    except _Problem as problem:
        raise URLError(text, problem.reason) from None
    if bad := _bad_escape(fragment):
        raise URLError(f"{text}{hash_}{fragment}", bad)
    return url


def parse_request_uri(text: str) -> URL:
    """A URL that stands in a request: absolute, or a path from the root. Raises URLError (url.ParseRequestURI)."""
    try:
        return _parse(_latin(text), via_request=True)
    except _Problem as problem:
        raise URLError(text, problem.reason) from None


class _Problem(Exception):
    def __init__(self, reason: str) -> None:
        self.reason = reason


def _parse(text: str, *, via_request: bool) -> URL:
    if any(sign < " " or sign == "\x7f" for sign in text):
        raise _Problem("net/url: invalid control character in URL")
    if not text and via_request:
        raise _Problem("empty url")
    if text == "*":
        return URL(path="*")
    scheme, rest = _scheme(text)
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, query=_text(query))
        if via_request:
            raise _Problem("invalid URI for request")
        if ":" in rest.partition("/")[0]:
            raise _Problem("first path segment in URL cannot contain colon")
    authority = ""
    if rest.startswith("//") and (scheme or not (via_request or rest.startswith("///"))):
        authority, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        _check_authority(authority)
    if bad := _bad_escape(rest):
        raise _Problem(bad)
    return URL(scheme, _text(authority), _unescaped(_text(rest)), _text(query))


def _scheme(text: str) -> tuple[str, str]:
    if text.startswith(":"):
        raise _Problem("missing protocol scheme")
    match = _SCHEME.match(text)
    return (match[0][:-1].lower(), text[match.end() :]) if match else ("", text)


def _check_authority(authority: str) -> None:
    user, at, host = authority.rpartition("@")
    _check_host(host)
    if at:
        if not _USERINFO.fullmatch(user):
            raise _Problem("net/url: invalid userinfo")
        if bad := _bad_escape(user):
            raise _Problem(bad)


def _check_host(host: str) -> None:
    opened = host.rfind("[")
    if opened > 0:
        raise _Problem("invalid IP-literal")
    if opened < 0:
        _check_port(host[host.rfind(":") :] if ":" in host else "")
        _check_host_name(host)
        return
    closed = host.rfind("]")
    if closed < 0:
        raise _Problem("missing ']' in host")
    _check_port(host[closed + 1 :])
    name = host[1:closed]
    _check_host_name(name.partition("%25")[0])
    import ipaddress

    try:
        address = ipaddress.ip_address(_unescaped(name))
    except ValueError:
        raise _Problem(f"invalid host: ParseAddr({quote(_unescaped(name))}): unable to parse IP") from None
    if address.version == 4:
        raise _Problem("invalid IP-literal")


def _check_port(text: str) -> None:
    if not _PORT.fullmatch(text):
        raise _Problem(f"invalid port {_quoted(text)} after host")


def _check_host_name(name: str) -> None:
    """In a host, only bytes beyond ASCII may be escaped."""
    if bad := _bad_escape(name):
        raise _Problem(bad)
    for escape in _ESCAPE.findall(name):
        if int(escape[1:], 16) < 0x80 and escape != "%25":
            raise _Problem(f"invalid URL escape {quote(escape)}")
    wrong = _NOT_ESCAPED_IN_HOST.search(name)
    if wrong:
        raise _Problem(f"invalid character {_quoted(wrong[0])} in host name")


def _bad_escape(text: str) -> str:
    """What is wrong with the first "%" that begins no escape; empty if there is none."""
    position = text.find("%")
    while position >= 0:
        if not _ESCAPE.match(text, position):
            return f"invalid URL escape {_quoted(text[position : position + 3])}"
        position = text.find("%", position + 3)
    return ""


def _unescaped(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text, errors="surrogateescape")


def _quoted(latin: str) -> str:
    return quote(latin.encode("latin-1"))


def _latin(text: str) -> str:
    """A character a byte, as Go looks at strings."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _text(latin: str) -> str:
    return latin.encode("latin-1").decode("utf-8", "surrogateescape")

"""Which requests a gateway lets through (FilterServer, kubectl pkg/proxy/proxy_server.go)."""

from __future__ import annotations

from collections.abc import Callable

from kubetrace.value import Value
from kubetrace.wire.go_regexp import Regexp

DEFAULT_ACCEPT_PATHS = "^.*"
DEFAULT_REJECT_PATHS = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach"
DEFAULT_ACCEPT_HOSTS = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$"
DEFAULT_REJECT_METHODS = "^$"

Note = Callable[..., None]
"""Tells the log something by name, with values."""


def regexps(text: str) -> tuple[Regexp, ...]:
    """Expressions between commas. Raises RegexpError."""
    return tuple([Regexp(part) for part in text.split(",")]) if text else ()


class Filter(Value):
    """A request must match an accepted path and host, and no rejected path or method."""

    accept_paths: tuple[Regexp, ...]
    reject_paths: tuple[Regexp, ...]
    accept_hosts: tuple[Regexp, ...]
    reject_methods: tuple[Regexp, ...]

    def accepts(self, method: str, path: str, host: str, note: Note) -> bool:
        def matches(text: str, expressions: tuple[Regexp, ...]) -> bool:
            for expression in expressions:
                if expression.matches(text):
                    note("proxy-matched", text=text, regexp=str(expression))
                    return True
            return False

        rejected = matches(path, self.reject_paths) or matches(method, self.reject_methods)
        accepted = not rejected and matches(path, self.accept_paths) and matches(host, self.accept_hosts)
        note("proxy-accepting" if accepted else "proxy-rejecting", method=method, path=path, host=host)
        return accepted


def host_name(header: str) -> str:
    """The host of a Host field, without its port (net.SplitHostPort, whose failures leave the field as it is)."""
    if header.startswith("["):
        name, closed, port = header[1:].partition("]")
        return name if closed and port.startswith(":") else header
    name, colon, port = header.partition(":")
    return name if colon and ":" not in port else header

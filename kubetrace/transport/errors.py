"""How a call can fail below HTTP: one error type with Go's words, and what kubectl makes of them.

Light on purpose: `kubetrace.api` and the command line catch these without loading requests.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from kubetrace.errors import KubetraceError

Kind = Literal["refused", "dns", "dial", "timeout", "tls", "reset", "eof", "proxy", "credentials", "protocol", "config"]


class DeadlineExceeded(KubetraceError):
    """There was no time left for a call when it was to be sent."""

    def __init__(self) -> None:
        super().__init__("client rate limiter Wait returned an error: context deadline exceeded")


class TransportError(KubetraceError):
    """A call got no answer. `reason` is Go's text of the cause ("dial tcp 127.0.0.1:1: connect: connection refused"),
    `str()` is Go's url.Error around it (`Get "https://…": dial tcp …`). `wrapped` is set where client-go wrapped the
    error once more (an earlier attempt failed otherwise), so that kubectl no longer recognizes it."""

    def __init__(self, method: str, url: str, reason: str, kind: Kind, *, previous: str = "") -> None:
        self.method = method
        self.url = without_password(url)
        self.reason = reason
        self.kind: Kind = kind
        self.previous = previous
        super().__init__(f'{self.operation} "{self.url}": {reason}' + self._tail())

    def _tail(self) -> str:
        return f" - error from a previous attempt: {self.previous}" if self.previous else ""

    @property
    def operation(self) -> str:
        """Go's url.Error.Op: "Get", "Post"."""
        return self.method[:1].upper() + self.method[1:].lower()

    @property
    def recognized(self) -> bool:
        """Whether kubectl still sees Go's url.Error in it, which it has words of its own for."""
        return not self.previous

    @property
    def debug_message(self) -> str:
        """What kubectl logs at -v=4 before it prints the message (StandardErrorMessage, cmd/util/helpers.go)."""
        return f"Connection error: {self.operation} {self.url}: {self.reason}"

    def user_message(self) -> str:
        """The line kubectl ends with (StandardErrorMessage, cmd/util/helpers.go)."""
        if not self.recognized:
            return f"error: {self}"
        if "connection refused" in self.reason:
            host = urlsplit(self.url).netloc.rpartition("@")[2] or self.url
            return f"The connection to the server {host} was refused - did you specify the right host or port?"
        return f"Unable to connect to the server: {self.reason}"

    def lines(self) -> list[str]:
        return self.user_message().split("\n")

    def after(self, previous: TransportError | None) -> TransportError:
        """This error after an earlier attempt failed with another one (WrapPreviousError, rest/with_retry.go)."""
        if previous is None or str(previous) == str(self):
            return self
        return TransportError(self.method, self.url, self.reason, self.kind, previous=previous.reason)


class BodyReadError(TransportError):
    """The answer's headers came, its body did not, or not whole."""

    def __init__(self, method: str, url: str, reason: str, kind: Kind, *, bare: bool) -> None:
        super().__init__(method, url, reason, kind)
        self.bare = bare

    def __str__(self) -> str:
        if self.bare:
            return self.reason
        return f"unexpected error when reading response body. Please retry. Original error: {self.reason}"

    @property
    def recognized(self) -> bool:
        return False


class UnusableURLError(Exception):
    """No request can go to such a URL; `text` is Go's wording."""

    def __init__(self, text: str, kind: Kind) -> None:
        self.text = text
        self.kind: Kind = kind
        super().__init__(text)


class ConnectionConfigError(KubetraceError):
    """The connection's settings can't be used (an unreadable key, a CA that is no certificate): nothing was sent."""


def without_password(url: str) -> str:
    """A URL as Go prints it in errors (url.URL.Redacted): the password, where there is one, becomes "***"."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    credentials, at, host = authority.rpartition("@")
    if not at or ":" not in credentials:
        return url
    return f"{scheme}{separator}{credentials.partition(':')[0]}:***{at}{host}{slash}{path}"

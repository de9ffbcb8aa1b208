"""Who a request is from: bearer tokens, token files, basic auth, and impersonation (client-go's transport package)."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from pathlib import Path

from requests.auth import AuthBase
from requests.models import PreparedRequest

from kubetrace.errors import read_words
from kubetrace.kubeconfig.connection import Connection, Impersonation
from kubetrace.transport.errors import ConnectionConfigError
from kubetrace.transport.headers import wire_text

TOKEN_FILE_LIFETIME = 50.0
"""Seconds for which a token file's content is used: client-go's one minute less ten seconds of leeway."""


class BearerAuth(AuthBase):
    """`Authorization: Bearer …` from a fixed token or a token file, unless the request brings its own."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return _authorize(request, f"Bearer {self._token()}")


class BasicAuth(AuthBase):
    """`Authorization: Basic …` (UTF-8, as Go's SetBasicAuth)."""

    def __init__(self, username: str, password: str) -> None:
        self._value = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return _authorize(request, self._value)


def _authorize(request: PreparedRequest, value: str) -> PreparedRequest:
    if "Authorization" not in request.headers:
        request.headers["Authorization"] = wire_text(value)
    return request


class TokenFile:
    """A token kept in a file that somebody renews (cachingTokenSource, transport/token_source.go). An unreadable file
    is an error at first; later the last token read goes on."""

    def __init__(
        self,
        path: str,
        clock: Callable[[], float] = time.monotonic,
        learn: Callable[[str], object] | None = None,
    ) -> None:
        self._path = path
        self._learn = learn
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def __call__(self) -> str:
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._renew()
            return self._token

    def _renew(self) -> None:
        try:
            token = Path(self._path).read_text(encoding="utf-8", errors="surrogateescape").strip()
            problem = "" if token else f'read empty token from file "{self._path}"'
        except OSError as error:
            token = ""
            problem = f'failed to read token file "{self._path}": {read_words(self._path, error)}'
        if token:
            self._token, self._until = token, self._clock() + TOKEN_FILE_LIFETIME
            if self._learn is not None:
                self._learn(token)
        elif not self._token:
            raise ConnectionConfigError(problem)


def static_auth(connection: Connection, learn: Callable[[str], object] | None = None) -> AuthBase | None:
    """The auth object of a connection's own credentials; None over plain http, where kubectl drops them too, and
    where it has none. `learn` is told what a token file holds."""
    if not connection.server.lower().startswith("https:"):
        return None
    if connection.username and (connection.token or connection.token_file):
        raise ConnectionConfigError("username/password or bearer token may be set, but not both")
    if connection.token_file:
        source = TokenFile(connection.token_file, learn=learn)
        if connection.token:
            return BearerAuth(_first_of(source, connection.token))
        source()
        return BearerAuth(source)
    if connection.token:
        return BearerAuth(lambda: connection.token)
    if connection.username or connection.password:
        return BasicAuth(connection.username, connection.password)
    return None


def authorization(auth: Callable[[PreparedRequest], object] | None) -> str | None:
    """The Authorization field that an auth object gives a request without one. Raises what the object raises."""
    if auth is None:
        return None
    holder = PreparedRequest()
    holder.headers = {}  # type: ignore[assignment]
    auth(holder)
    return holder.headers.get("Authorization")


def _first_of(source: Callable[[], str], token: str) -> Callable[[], str]:
    """The file's token where it can be read, else the fixed one."""

    def read() -> str:
        try:
            return source()
        except ConnectionConfigError:
            return token

    return read


def impersonation_headers(who: Impersonation) -> list[tuple[str, str]]:
    """The Impersonate-* fields (impersonatingRoundTripper, transport/round_trippers.go)."""
    if not who:
        return []
    fields = [("Impersonate-User", who.user)]
    if who.uid:
        fields.append(("Impersonate-Uid", who.uid))
    fields += [("Impersonate-Group", group) for group in who.groups]
    fields += [("Impersonate-Extra-" + escape_key(key), value) for key, values in who.extra for value in values]
    return fields


_LEGAL = frozenset(b"!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def escape_key(key: str) -> str:
    """An extra key as part of a header name: bytes that are no token characters, and "%", are percent-encoded."""
    return "".join(chr(byte) if byte in _LEGAL else f"%{byte:02X}" for byte in key.encode("utf-8", "surrogateescape"))

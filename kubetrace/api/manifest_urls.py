"""Manifests on the web, fetched as kubectl fetches them: with Go's plain http.Get, outside of the cluster's client and
its log, and without its credentials (cli-runtime pkg/resource/visitor.go, URLVisitor)."""

from __future__ import annotations

from kubetrace.api.go_words import quoted
from kubetrace.errors import KubetraceError

HTTP_ATTEMPTS = 3
"""How often a URL is asked for while its server fails, a second apart."""
_AGENT = "Go-http-client/1.1"


def check_url(url: str) -> None:
    """Raises KubetraceError for what is no URL."""
    from kubetrace.wire.go_url import URLError, parse

    try:
        parse(url)
    except URLError as error:
        raise KubetraceError(f"the URL passed to filename {quoted(url)} is not valid: {error}") from None


def read_url(url: str, attempts: int = HTTP_ATTEMPTS, pause: float = 1.0) -> bytes:
    """A manifest on the web; asked for again, `pause` seconds later, while there is no answer or a 5xx one. Raises
    TransportError, KubetraceError."""
    import time

    from kubetrace.transport.errors import BodyReadError, TransportError

    problem = KubetraceError("")
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
        try:
            status, reason, body = _fetched(url)
        except BodyReadError as error:
            raise KubetraceError(f"error parsing {url}: {error.reason}") from None
        except TransportError as error:
            problem = error
            continue
        if status == 200:
            return body
        told = f"server reported {status} {reason}, status code={status}"
        problem = KubetraceError(f"unable to read URL {quoted(url)}, {told}")
        if not 500 <= status < 600:
            break
    raise problem


def _fetched(url: str) -> tuple[int, str, bytes]:
    """One attempt: status, reason, body. Raises TransportError."""
    from urllib.parse import urlsplit

    from kubetrace.kubeconfig.connection import Connection
    from kubetrace.transport.call import Call
    from kubetrace.transport.client import Client

    parts = urlsplit(url)
    target = parts._replace(scheme="", netloc="", fragment="").geturl()
    user = parts.netloc.rpartition("@")[0]
    username, _, password = user.partition(":")
    host = parts.netloc.rpartition("@")[2]
    connection = Connection(f"{parts.scheme}://{host}", username=username, password=password)
    answer = Client(connection, user_agent=_AGENT).send(Call("GET", target, stream=True))
    try:
        body = b"".join(answer.chunks()) if answer.status == 200 else b""
    finally:
        answer.close()
    return answer.status, answer.response.reason or "", body

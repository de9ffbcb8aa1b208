"""--raw: one request to a path of the server, its answer copied as it arrives (kubectl pkg/rawhttp)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from kubetrace.errors import KubetraceError
from kubetrace.streams import writer
from kubetrace.trace.exchange import UNSTATED, Operation, Purpose
from kubetrace.transport.call import Call

if TYPE_CHECKING:
    from kubetrace.environment import Environment

Method = Literal["GET", "POST", "PUT", "DELETE"]

_OPERATIONS: dict[Method, Operation] = {
    "GET": "raw",
    "POST": "raw-create",
    "PUT": "raw-replace",
    "DELETE": "raw-delete",
}
_PURPOSE = Purpose("raw", "raw: what does the server answer at this path?")


def check_raw(path: str, files: Sequence[str], beside: Sequence[tuple[object, str]], *, bare: bool = False) -> None:
    """What kubectl refuses together with --raw: any but one file (`bare`: or none), and the flags `beside` it, each
    with its name. Raises KubetraceError."""
    if len(files) > 1 or not (files or bare):
        raise KubetraceError("--raw can only use a single local file or stdin")
    if files and files[0].startswith(("http://", "https://")):
        raise KubetraceError("--raw cannot read from a url")
    for given, name in beside:
        if given:
            raise KubetraceError(f"--raw and {name} are mutually exclusive")
    check_raw_path(path)


def check_raw_path(text: str) -> None:
    """Refuses what is no path for --raw. Raises KubetraceError."""
    from kubetrace.wire.go_url import URLError, parse_request_uri

    try:
        parse_request_uri(text)
    except URLError as error:
        raise KubetraceError(f"--raw must be a valid URL path: {error}") from None


def raw_call(method: Method, uri: str, body: bytes | None = None) -> Call:
    """The call for a path with a query. They are taken apart and written anew, as client-go does (Request.RequestURI);
    a host in the URI counts for nothing. Raises URLError."""
    from kubetrace.wire.go_url import parse
    from kubetrace.wire.url_path import escape_path

    url = parse(uri)
    return Call(
        method,
        escape_path(_joined(url.path)),
        url.query_pairs(),
        (("Accept", "application/json, */*"),),
        body,
        operation=_OPERATIONS[method],
        purpose=_PURPOSE if method == "GET" else UNSTATED,
        stream=True,
        log_request_body=method == "GET",
    )


def _joined(path: str) -> str:
    """A path below the server's (path.Join), which keeps its last slash (Request.AbsPath)."""
    from posixpath import normpath

    joined = normpath(f"/{path.lstrip('/')}")
    return f"{joined}/" if path.endswith("/") and len(path) > 1 else joined


def print_raw(environment: Environment, method: Method, uri: str, filename: str = "") -> None:
    """Sends a file's bytes as they are and copies the answer to stdout. Raises StatusError for one that is no success,
    KubetraceError, TransportError."""
    from kubetrace.api import status

    client = environment.make_client()
    answer = client.send(raw_call(method, uri, None if method == "GET" else _body(environment, filename)))
    if not status.is_success(answer.status):
        raise status.failure(answer, events=environment.events).without_type()
    write = writer(environment.stdout)
    for chunk in answer.chunks():
        write(chunk)
    answer.close()


def _body(environment: Environment, filename: str) -> bytes:
    from kubetrace.commands.generators.data_sources import read

    if filename == "-":
        return environment.stdin.read()
    return read(filename) if filename else b""

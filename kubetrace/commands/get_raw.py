"""`get --raw`: one GET, its answer copied as it arrives (kubectl pkg/rawhttp)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call


def raw_call(uri: str) -> Call:
    """The call for a path with a query. Path and query are taken apart and written anew, as client-go does; a host in
    the URI counts for nothing."""
    from kubetrace.api.resources import escape_path
    from kubetrace.trace.exchange import Purpose
    from kubetrace.transport.call import Call

    parts = urlsplit(uri)
    return Call(
        "GET",
        escape_path(unquote(parts.path)) or "/",
        tuple(parse_qsl(parts.query, keep_blank_values=True)),
        (("Accept", "application/json, */*"),),
        operation="raw",
        purpose=Purpose("raw", "raw: what does the server answer at this path?"),
        stream=True,
    )


def print_raw(environment: Environment, uri: str) -> None:
    """Copies the answer to stdout. Raises StatusError for an answer that is no success."""
    from kubetrace.api import status

    answer = environment.client.send(raw_call(uri))
    if not 200 <= answer.status < 300:
        raise status.failure(answer, events=environment.events).without_type()
    out = environment.stdout
    out.flush()
    binary = getattr(out, "buffer", None)
    for chunk in answer.chunks():
        if binary is None:
            out.write(chunk.decode("utf-8", "surrogateescape"))
        else:
            binary.write(chunk)
            binary.flush()

"""Exchanges as lines for a shell that send the same requests again with curl.

Bodies travel as here-documents (binary ones through base64), credentials come from the kubeconfig when the line runs:
the token by `$(kubetrace token)`, never as text.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from kubetrace.trace import shell_text
from kubetrace.trace.access import Access, endless, scripted, sent_headers
from kubetrace.trace.exchange import Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.shell_text import material_file, word


def render(exchanges: Iterable[Recorded], access: Access | None = None) -> Iterator[str]:
    access = access or Access()
    yield from scripted(exchanges, access, shell_text.preamble(access), command)


def command(request: Request, access: Access) -> str:
    """One request's lines."""
    url, named = _named(request.url, access)
    options = [
        f"curl -sS{'N' if endless(request) else ''} {_method(request)}",
        *_trust(access),
        *named,
        *_identity(access),
        *_headers(request),
    ]
    if request.body:
        options.append("--data-binary @-")
    whole = shell_text.lines([*options, word(url)])
    return shell_text.with_body(whole, request.body) if request.body else whole + "\n"


def _method(request: Request) -> str:
    return "--head --globoff" if request.method == "HEAD" else f"-X {word(request.method)} --globoff"


def _trust(access: Access) -> Iterator[str]:
    rows = (("--cacert", "ca", access.authority), ("--cert", "cert", access.certificate), ("--key", "key", access.key))
    yield from (f"{option} {material_file(name, found)}" for option, name, found in rows if found is not None)
    if access.insecure:
        yield "--insecure"
    if access.proxy:
        yield f"--proxy {shlex.quote(access.proxy)}"


def _named(url: str, access: Access) -> tuple[str, list[str]]:
    """For a server whose certificate has another name: the URL with that name, and where it really is."""
    if not access.server_name:
        return url, []
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    shown = f"[{host}]" if ":" in host else host
    where = f"--connect-to {word(f'{access.server_name}:{port}:{shown}:{port}')}"
    renamed = parts._replace(netloc=f"{access.server_name}:{port}").geturl()
    return renamed, [where, f"-H {word(f'Host: {parts.netloc}')}"]


def _identity(access: Access) -> Iterator[str]:
    if access.token:
        yield f'-H "Authorization: Bearer $({shlex.join(access.token)})"'
    elif access.password:
        yield f'--user {word(access.username)}:"$({shlex.join(access.password)})"'


def _headers(request: Request) -> Iterator[str]:
    for name, value in sent_headers(request):
        yield f"-H {word(f'{name}: {value}' if value else f'{name};')}"
    names = {name.lower() for name, _ in request.headers}
    if names and "accept" not in names:
        yield "-H Accept:"
    if request.body and "content-type" not in names:
        yield "-H Content-Type:"

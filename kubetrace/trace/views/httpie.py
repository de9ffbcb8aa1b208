"""Exchanges as lines for a shell that send the same requests again with HTTPie; bodies and credentials as in
`kubetrace.trace.views.curl`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from kubetrace.trace import shell_text
from kubetrace.trace.access import Access, endless, scripted, sent_headers
from kubetrace.trace.exchange import Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.shell_text import material_file, word


def render(exchanges: Iterable[Recorded], access: Access | None = None) -> Iterator[str]:
    access = access or Access()
    yield from scripted(exchanges, access, shell_text.preamble(access), command, problem)


def problem(request: Request, access: Access) -> str:
    """What HTTPie's command line cannot say."""
    if not re.fullmatch(r"[A-Za-z]+", request.method):
        return "HTTPie takes no such method"
    if access.server_name:
        return "HTTPie cannot ask a server for a certificate of another name (tls-server-name): use curl"
    if any(re.search(r"\\[:;=@]", f"{name}:{value}") for name, value in sent_headers(request)):
        return "HTTPie cannot send a header with a backslash there: use curl"
    return ""


def command(request: Request, access: Access) -> str:
    """One request's lines."""
    stdin = "" if request.body else " --ignore-stdin"
    stream = " --stream" if endless(request) else ""
    options = [f"http --ignore-netrc{stdin}{stream}", *_trust(access), *_identity(access)]
    whole = shell_text.lines([*options, f"{word(request.method)} {word(request.url)}", *_headers(request, access)])
    return shell_text.with_body(whole, request.body) if request.body else whole + "\n"


def _trust(access: Access) -> Iterator[str]:
    if access.insecure:
        yield "--verify=no"
    elif access.authority is not None:
        yield f"--verify={material_file('ca', access.authority)}"
    if access.certificate is not None:
        yield f"--cert={material_file('cert', access.certificate)}"
    if access.key is not None:
        yield f"--cert-key={material_file('key', access.key)}"
    if access.proxy:
        yield from (f"--proxy={scheme}:{shlex.quote(access.proxy)}" for scheme in ("http", "https"))


def _identity(access: Access) -> Iterator[str]:
    if access.password and not access.token:
        yield f'--auth={word(access.username)}:"$({shlex.join(access.password)})"'


def _headers(request: Request, access: Access) -> Iterator[str]:
    if access.token:
        yield f'"Authorization:Bearer $({shlex.join(access.token)})"'
    for name, value in sent_headers(request):
        # A value that begins like one of HTTPie's other separators would make it another kind of item.
        guard = "\\" if value[:1] in ("=", "@") else ""
        yield word(f"{name}:{guard}{value}" if value else f"{name};")
    names = {name.lower() for name, _ in request.headers}
    yield from (f"{name}:" for name in ("Accept", "User-Agent") if name.lower() not in names)
    if request.body and "content-type" not in names:
        yield "Content-Type:"

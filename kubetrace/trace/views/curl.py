"""Exchanges as lines for a shell that send the same requests again.

Bodies travel as here-documents (binary ones through base64), credentials come from the kubeconfig when the line runs:
the token by `$(kubetrace token)`, never as text.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from kubetrace.trace.body_text import one_line
from kubetrace.trace.exchange import Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Value

_LEFT_OUT = frozenset(
    {"host", "content-length", "accept-encoding", "connection", "authorization", "transfer-encoding", "kubectl-session"}
)
_UPGRADES = frozenset({"upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"})


class Access(Value):
    """How a shell reaches a server, from the kubeconfig: curl's options for trust and identity (quoted already), the
    command that prints the token (empty: none is needed), and the lines that come before all others. Only requests to
    `server` get any of it."""

    server: str = ""
    options: tuple[str, ...] = ()
    token_command: str = ""
    preamble: str = ""


def render(exchanges: Iterable[Recorded], access: Access | None = None) -> Iterator[str]:
    access = access or Access()
    separator = ""
    if access.preamble:
        yield access.preamble
        separator = "\n"
    for recorded in exchanges:
        yield separator + lines(recorded, access)
        separator = "\n"


def lines(recorded: Recorded, access: Access) -> str:
    """One exchange's lines, with a comment that names it."""
    request = recorded.exchange.request
    comment = f"# {recorded.number}. {one_line(request.method)} {one_line(recorded.target)}\n"
    problem = _problem(recorded)
    if problem:
        return f"{comment}# {problem}\n"
    ours = _same_server(request.url, access.server)
    if not ours:
        comment += "# Not the server of the current kubeconfig: sent without credentials.\n"
        access = Access()
    options = ["-sS", *_method(request), *access.options, *_headers(request, access)]
    body = request.body
    if body:
        options += ["--data-binary", "@-"]
    command = " \\\n  ".join([f"curl {' '.join(options[:3])}", *_pairs(options[3:]), _word(request.url)])
    return comment + (_with_body(command, body) if body else command + "\n")


def _problem(recorded: Recorded) -> str:
    """Why a request cannot be sent again as it was."""
    request = recorded.exchange.request
    if not request.url.startswith(("http://", "https://")):
        return "the trace does not hold the request's URL"
    if "request" in recorded.cut:
        return "the trace does not hold the whole request body (--trace-bodies all keeps it)"
    if request.body and b"<masked" in request.body:
        return "the request body holds credentials, which the trace does not (--unmask keeps them)"
    if "<masked" in request.url:
        return "the URL holds credentials, which the trace does not (--unmask keeps them)"
    if any(name.lower() in _UPGRADES for name, _ in request.headers):
        return "the connection was upgraded: curl cannot speak what followed"
    return ""


def _same_server(url: str, server: str) -> bool:
    """Whether a URL belongs to a server; only then may it be sent the server's credentials."""
    try:
        one, other = urlsplit(url), urlsplit(server)
        return bool(server) and (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
    except ValueError:
        return False


def _method(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["--head", "--globoff"]
    return ["-X", _word(request.method), "--globoff"]


def _headers(request: Request, access: Access) -> list[str]:
    options: list[str] = []
    if access.token_command:
        options += ["-H", f'"Authorization: Bearer $({access.token_command})"']
    for name, value in request.headers:
        if name.lower() not in _LEFT_OUT and "<masked" not in value:
            options += ["-H", _word(f"{name}: {value}" if value else f"{name};")]
    names = {name.lower() for name, _ in request.headers}
    options += ["-H", "Accept:"] if names and "accept" not in names else []
    options += ["-H", "Content-Type:"] if request.body and "content-type" not in names else []
    return options


def _word(text: str) -> str:
    """One word for a shell; control characters by printf-like quoting, which every shell here knows."""
    if text.isprintable():
        return shlex.quote(text)
    octal = "".join(f"\\{byte:03o}" for byte in text.encode("utf-8", "surrogateescape"))
    return f"\"$(printf '{octal}')\""


def _pairs(options: list[str]) -> list[str]:
    """Options with their values, a line each."""
    found: list[str] = []
    for option in options:
        if found and found[-1] in (
            "-H",
            "--data-binary",
            "--cacert",
            "--cert",
            "--key",
            "--proxy",
            "--connect-to",
            "-u",
        ):
            found[-1] += " " + option
        else:
            found.append(option)
    return found


def _with_body(command: str, body: bytes) -> str:
    """A here-document whose end is no line of the body; what a here-document can't hold to the byte goes by base64."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if not text.endswith("\n") or not all(one.isprintable() or one in "\n\t" for one in text):
        packed = base64.b64encode(body).decode("ascii")
        if text and len(text) < 1000 and all(one.isprintable() or one in "\n\t" for one in text):
            return f"printf %s {shlex.quote(text)} |\n{command}\n"
        wrapped = "\n".join(packed[at : at + 76] for at in range(0, len(packed), 76))
        return f"base64 -d << 'END' |\n{wrapped}\nEND\n{command}\n"
    end = "END"
    while end in text.split("\n"):
        end += "_"
    return f"{command} << '{end}'\n{text}{end}\n"

"""How a script that sends a trace's requests again reaches the server: by commands that fetch credentials when it runs,
never by credentials in its text. Shared by the views that write such scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from kubetrace.trace.body_text import one_line
from kubetrace.trace.endpoint import endpoint, follows_log
from kubetrace.trace.exchange import Headers, Request
from kubetrace.trace.exchanges import Recorded
from kubetrace.value import Value

Words = tuple[str, ...]
"""A command, word by word."""

_LEFT_OUT = frozenset(
    {"host", "content-length", "accept-encoding", "connection", "authorization", "transfer-encoding", "kubectl-session"}
)
_UPGRADES = frozenset({"upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-protocol"})


class Material(Value):
    """A certificate or a key: a file, or a command that prints it in base64."""

    path: str = ""
    command: Words = ()


class Access(Value):
    """How to reach `server`, and nobody else. Empty fields are not needed. `token` and `password` are commands that
    print them; `server_name` is the name that the server's certificate has."""

    server: str = ""
    authority: Material | None = None
    certificate: Material | None = None
    key: Material | None = None
    insecure: bool = False
    proxy: str = ""
    server_name: str = ""
    token: Words = ()
    username: str = ""
    password: Words = ()

    def to(self, url: str) -> Access:
        """What a request to this URL gets: everything, or nothing where it is another server's."""
        return self if self.reaches(url) else Access()

    def reaches(self, url: str) -> bool:
        """Whether a URL is the server's."""
        try:
            one, other = urlsplit(url), urlsplit(self.server)
            mine = (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)
        except ValueError:
            return False
        return bool(self.server) and mine


def scripted(
    exchanges: Iterable[Recorded],
    access: Access,
    preamble: str,
    write: Callable[[Request, Access], str],
    problem: Callable[[Request, Access], str] = lambda request, access: "",
) -> Iterator[str]:
    """A script: the preamble, then for every exchange a comment that names it and what `write` makes of it, or why it
    cannot be sent again."""
    separator = ""
    if preamble:
        yield preamble
        separator = "\n"
    for recorded in exchanges:
        yield separator + _part(recorded, access, write, problem)
        separator = "\n"


def _part(
    recorded: Recorded,
    access: Access,
    write: Callable[[Request, Access], str],
    problem: Callable[[Request, Access], str],
) -> str:
    request = recorded.exchange.request
    comment = f"# {recorded.number}. {one_line(request.method)} {one_line(recorded.target)}\n"
    granted = access.to(request.url)
    why = _problem(recorded) or problem(request, granted)
    if why:
        return f"{comment}# {why}\n"
    if not access.reaches(request.url):
        comment += "# Not the server of the current kubeconfig: sent without credentials.\n"
    if endless(request):
        comment += "# It goes on until the server or you end it.\n"
    return comment + write(request, granted)


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
        return "the connection was upgraded: what followed is no HTTP"
    return ""


def sent_headers(request: Request) -> Headers:
    """The headers that a script gives itself: those that its program does not make, and no credentials."""
    return tuple(
        (name, value) for name, value in request.headers if name.lower() not in _LEFT_OUT and "<masked" not in value
    )


def endless(request: Request) -> bool:
    """Whether the answer comes bit by bit, until somebody ends it."""
    return endpoint(request).verb == "watch" or follows_log(request)

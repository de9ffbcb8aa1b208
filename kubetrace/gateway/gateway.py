"""The gateway as a whole: where it listens, which server it leads to, whom it lets in, and what is told."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from collections.abc import Callable

from kubetrace.errors import KubetraceError
from kubetrace.gateway.admission import Filter, Note
from kubetrace.gateway.files import Files
from kubetrace.gateway.routes import Routes, Target
from kubetrace.gateway.visit import Visit
from kubetrace.recorder.heads import Fields
from kubetrace.recorder.listener import Listener
from kubetrace.recorder.upstream import Upstream
from kubetrace.trace.events import Events
from kubetrace.trace.masking import Masker
from kubetrace.transport.connections import join_host_port
from kubetrace.transport.headers import canonical
from kubetrace.transport.words import errno_text, lookup_error

BACKLOG = 512


class Gateway:
    """Serves one socket. `server_path` comes before every path; `keep` bounds what is held of a body (None: all);
    `note` tells the log something by name, `write_error` writes to standard error."""

    def __init__(
        self,
        upstream: Upstream,
        routes: Routes,
        *,
        filter: Filter | None,
        files: Files | None,
        server_path: str,
        user_agent: str,
        events: Events,
        keep: int | None,
        masker: Masker,
        note: Note,
        write_error: Callable[[bytes], object],
    ) -> None:
        self.upstream = upstream
        self.routes = routes
        self.filter = filter
        self.files = files
        self.user_agent = user_agent
        self.events = events
        self.keep = keep
        self.note = note
        self._server_path = server_path.rstrip("/")
        self._masker = masker
        self._write_error = write_error
        self._listener = Listener(lambda wire, _: Visit(wire, self).run(), self.complain)

    def start(self, listening: socket.socket) -> None:
        """Lets clients in."""
        self._listener.add("", listening)
        self._listener.start()

    def stop(self) -> None:
        """Lets nobody in any more, and ends what is going on."""
        self._listener.stop()
        self.upstream.close()

    def complain(self, text: str) -> None:
        """A line of Go's own logger."""
        line = f"{time.strftime('%Y/%m/%d %H:%M:%S')} {self._masker.text(text)}\n"
        self._write_error(line.encode("utf-8", "surrogateescape"))

    def location(self, target: Target) -> str:
        """The path at the server (httputil's joinURLPath)."""
        return f"{self._server_path}/{target.escaped.removeprefix('/')}"

    def tell_dialing(self, target: str, fields: Fields) -> None:
        location, headers = self._told(target, fields)
        self.note("proxy-dialing-direct", location=location, headers=headers)
        self.note("proxy-dialing", headers=headers)

    def tell_disconnected(self, target: str, fields: Fields) -> None:
        location, headers = self._told(target, fields)
        self.note("proxy-disconnected", location=location, headers=headers)

    def _told(self, target: str, fields: Fields) -> tuple[str, HeaderMap]:
        texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
        masked = [(name, self._masker.header(name, value)) for name, value in texts]
        return self.upstream.origin + target, HeaderMap.of(masked)


class HeaderMap(dict[str, list[str]]):
    """Go's http.Header as klog writes it: JSON in an entry, map[…] in a line."""

    @classmethod
    def of(cls, fields: list[tuple[str, str]]) -> HeaderMap:
        found = cls()
        for name, value in sorted(fields):
            found.setdefault(canonical(name), []).append(value)
        return found

    def __format__(self, form: str) -> str:
        return "map[" + " ".join(f"{name}:[{' '.join(values)}]" for name, values in self.items()) + "]"


def listen(address: str, port: int) -> socket.socket:
    """A port of this machine, as net.Listen finds one. Raises KubetraceError in Go's words."""
    bracketed = address.startswith("[") and address.endswith("]")
    if ":" in address and not bracketed:
        raise KubetraceError(f"listen tcp: address {address}:{port}: too many colons in address")
    if not 0 <= port <= 65535:
        raise KubetraceError(f"listen tcp: address {port}: invalid port")
    if not address:
        with contextlib.suppress(OSError):
            return socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    try:
        host, family = (address[1:-1], socket.AF_INET6) if bracketed else (address or "0.0.0.0", socket.AF_INET)
        place = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
    except socket.gaierror as error:
        raise KubetraceError(f"listen tcp: {lookup_error(address, error).removeprefix('dial tcp: ')}") from None
    except UnicodeError:
        raise KubetraceError(f"listen tcp: lookup {address}: no such host") from None
    try:
        return socket.create_server((str(place[0]), port), family=family, backlog=BACKLOG)
    except OSError as error:
        where = join_host_port(str(place[0]), port)
        raise KubetraceError(f"listen tcp {where}: bind: {errno_text(error)}") from None


def listen_unix(path: str) -> socket.socket:
    """A socket in the file system, for this user only; an old one there makes room, another file does not. Raises
    KubetraceError."""
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
            os.unlink(path)  # noqa: PTH108
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o077)
    try:
        listening.bind(path)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise KubetraceError(f"listen unix {path}: bind: {errno_text(error)}") from None
    finally:
        os.umask(before)
    return listening


def shown_address(listening: socket.socket) -> str:
    """Where a socket listens, as Go writes it."""
    name = listening.getsockname()
    return name if isinstance(name, str) else join_host_port(str(name[0]), int(name[1]))

"""urllib3 connections that report their phases: look-up, dial, TLS handshake, request written, first byte.

They subclass urllib3's and act in its place through `pool_classes_by_scheme`, its own extension point; nothing is
patched. A connection reports to the exchange its thread is sending (`recording.current`), and without one it is
urllib3's, with the same exceptions.
"""

from __future__ import annotations

import email.parser
import http.client
import socket
import ssl
import time
from io import BufferedReader
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager, ProxyManager

from kubetrace.transport.recording import Recording, current
from kubetrace.transport.tls_words import Peer
from kubetrace.transport.words import CONNECTION_BROKEN, dial_error, lookup_error
from kubetrace.wire.go_quote import quote

HEAD_LIMIT = 10 << 20
"""How many bytes of header fields Go takes."""
_SURELY_TAKEN = 90
"""http.client takes up to 100 lines, of which a few that follow may be framing."""
_FRAMING = (b"content-length", b"transfer-encoding", b"connection", b"content-encoding")
KEEP_ALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


class LookupFailed(NameResolutionError):
    """A host name did not resolve; `text` is Go's wording."""

    def __init__(self, connection: HTTPConnection, host: str, error: socket.gaierror) -> None:
        super().__init__(host, connection, error)
        self.text = lookup_error(host, error)


class DialFailed(NewConnectionError):
    """No address could be connected to; `text` is Go's wording of the first failure."""

    def __init__(self, connection: HTTPConnection, text: str, error: OSError) -> None:
        super().__init__(connection, f"Failed to establish a new connection: {error}")
        self.text = text
        self.error = error


class DialTimedOut(ConnectTimeoutError):
    """The dial took longer than it was given; `text` is Go's wording."""

    def __init__(self, connection: HTTPConnection, text: str) -> None:
        super().__init__(connection, f"Connection to {connection.host} timed out. (connect timeout)")
        self.text = text


class FirstByteResponse(http.client.HTTPResponse):
    """Notices when the first byte of an answer arrives, and keeps the start of its status line."""

    def begin(self) -> None:
        recording = current.get()
        stream = self.fp
        if recording is None or not isinstance(stream, BufferedReader):
            super().begin()
            return
        if stream.peek(1):
            recording.first_byte()
        head = _Head(stream, recording.strict)
        self.fp = cast("Any", head)
        try:
            super().begin()
        finally:
            recording.status_line = head.lines[0] if head.lines else b""
            if cast("Any", self.fp) is head:
                self.fp = stream
        if recording.strict:
            head.check(self.headers.get_all("Content-Length"))
        if head.withheld:
            self.headers = self.msg = head.message()


class _Head:
    """The lines of an answer before its body, kept. With `strict`, Go's limit holds in place of http.client's, which
    takes 100 lines of 64 KiB: it is given those that it must know to find the body, and `message` has them all."""

    def __init__(self, stream: BufferedReader, strict: bool) -> None:
        self._stream = stream
        self._strict = strict
        self._size = 0
        self.lines: list[bytes] = []
        self.withheld = False

    def readline(self, limit: int = -1) -> bytes:
        if not self._strict or not self.lines:
            line = self._stream.readline(limit)
            self.lines.append(line)
            return line
        while True:
            line = self._stream.readline()
            self._size += len(line)
            if self._size > HEAD_LIMIT:
                raise MalformedAnswer(f"net/http: server response headers exceeded {HEAD_LIMIT} bytes; aborted")
            self.lines.append(line)
            if len(self.lines) < _SURELY_TAKEN and len(line) < limit:
                return line
            if line in (b"\r\n", b"\n", b"") or line.partition(b":")[0].strip().lower() in _FRAMING:
                return line
            self.withheld = True

    def close(self) -> None:
        self._stream.close()

    def message(self) -> http.client.HTTPMessage:
        """All header fields."""
        text = b"".join(self.lines[1:]).decode("iso-8859-1")
        return email.parser.Parser(_class=http.client.HTTPMessage).parsestr(text)

    def check(self, lengths: list[str] | None) -> None:
        """Raises MalformedAnswer where Go's net/http would."""
        if self.lines[-1] not in (b"\r\n", b"\n"):
            raise MalformedAnswer("unexpected EOF")
        for line in self.lines[1:-1]:
            text = line.rstrip(b"\r\n")
            if text and b":" not in text and text[:1] not in b" \t" and not text.startswith(b"HTTP/"):
                raise MalformedAnswer(f"malformed MIME header: missing colon: {quote(text)}")
        for length in lengths or ():
            if not (length.strip().isascii() and length.strip().isdigit()):
                raise MalformedAnswer(f"bad Content-Length {quote(length.encode('latin-1'))}")
        if len({length.strip() for length in lengths or ()}) > 1:
            shown = " ".join(quote(length.encode("latin-1")) for length in lengths or ())
            raise MalformedAnswer(f"http: message cannot contain multiple Content-Length headers; got [{shown}]")


class MalformedAnswer(http.client.HTTPException):
    """An answer that is no HTTP; `text` is Go's wording."""

    kind = "protocol"

    def __init__(self, problem: str) -> None:
        self.text = CONNECTION_BROKEN + problem
        super().__init__(self.text)


class TracedConnection(HTTPConnection):
    """A plain connection that reports its phases."""

    response_class = FirstByteResponse

    def _new_conn(self) -> socket.socket:
        recording = current.get() or _silent()
        recording.reused = False
        addresses = self._look_up(recording)
        recording.phase = "dial"
        return self._dial(recording, addresses)

    def _look_up(self, recording: Recording) -> list[tuple[Any, ...]]:
        host = self._dns_host.strip("[]")
        if _is_address(host):
            return socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        recording.phase = "dns"
        start = time.perf_counter()
        try:
            _require_name(host)
            found = socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            recording.resolved(host, (), time.perf_counter() - start)
            failure = error if isinstance(error, socket.gaierror) else socket.gaierror(socket.EAI_NONAME, str(error))
            raise LookupFailed(self, host, failure) from error
        seconds = time.perf_counter() - start
        recording.resolved(host, tuple((*str(entry[4][0]).partition("%")[::2],) for entry in found), seconds)
        return found

    def _dial(self, recording: Recording, addresses: list[tuple[Any, ...]]) -> socket.socket:
        """Connects to the first address that answers, in the resolver's order. Go reports the first failure."""
        first: OSError | None = None
        text = ""
        for family, kind, protocol, _, address in addresses:
            start = time.perf_counter()
            name = join_host_port(str(address[0]), int(address[1]))
            try:
                sock = self._connect_to(recording, family, kind, protocol, address)
            except OSError as error:
                said = dial_error(name, error)
                recording.dialed(name, said, time.perf_counter() - start)
                if first is None:
                    first, text = error, said
                continue
            recording.dialed(name, None, time.perf_counter() - start)
            return sock
        if isinstance(first, TimeoutError) or first is None:
            raise DialTimedOut(self, text) from first
        raise DialFailed(self, text, first) from first

    def _connect_to(
        self, recording: Recording, family: int, kind: int, protocol: int, address: tuple[Any, ...]
    ) -> socket.socket:
        sock = socket.socket(family, kind, protocol)
        try:
            for option in [*(self.socket_options or ()), *KEEP_ALIVE]:
                sock.setsockopt(*option)
            sock.settimeout(_shorter(self.timeout, recording.remaining()))
            if self.source_address:
                sock.bind(self.source_address)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        recording = current.get()
        if recording is None:
            super().request(*args, **kwargs)
            return
        if self.sock is None:
            self.connect()
        recording.watch(self.sock)
        recording.connected(*endpoints(self.sock))
        super().request(*args, **kwargs)
        recording.written()


class TracedTLSConnection(TracedConnection, HTTPSConnection):
    """An https connection that reports its phases, the handshake included."""

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        recording = current.get()
        if recording is not None:
            recording.watch(sock)
            recording.local, recording.address = _name(sock, "getsockname"), _name(sock, "getpeername")
            recording.phase = "proxy" if self.proxy else "tls"
            if recording.handshake_timeout is not None:
                sock.settimeout(_shorter(recording.handshake_timeout, recording.remaining()))
        self._handshake_begun = time.perf_counter()
        return sock

    def _tunnel(self) -> None:
        """CONNECT, as HTTP/1.1 has it: before Python 3.12, http.client asks as HTTP/1.0 and names no host."""
        target: Any = self
        place = join_host_port(target._tunnel_host.strip("[]"), target._tunnel_port)
        headers = {"Host": place, **target._tunnel_headers}
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"CONNECT {place} HTTP/1.1\r\n{fields}\r\n".encode("latin-1"))
        _read_tunnel_answer(self.sock)
        recording = current.get()
        if recording is not None:
            recording.phase = "tls"
        self._handshake_begun = time.perf_counter()

    def connect(self) -> None:
        recording = current.get()
        try:
            super().connect()
        except ssl.SSLCertVerificationError:
            if recording is not None:
                recording.peer = self._peer()
            raise
        if recording is not None and self.sock is not None:
            seconds = time.perf_counter() - self._handshake_begun
            recording.secured(_tls_version(self.sock) or "", seconds)

    def _peer(self) -> Peer:
        """Whom the handshake was with; behind a proxy there is no address to look at again."""
        name = self.server_hostname or self._tunnel_host or self.host
        return Peer(None if self.proxy else (self.host, self.port), name.strip("[]"), self.ssl_context)


def _read_tunnel_answer(sock: Any) -> None:
    """Reads a proxy's answer to CONNECT to its empty line, byte by byte: what follows is the tunnel's. Raises
    TunnelFailed for a refusal, and for what is no answer."""
    head = b""
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        sign = sock.recv(1)
        if not sign:
            line = head.splitlines()[0] if head.splitlines() else b""
            problem = f"malformed HTTP response {quote(line)}" if line and b" " not in line else "unexpected EOF"
            raise TunnelFailed(problem)
        head += sign
        if len(head) > HEAD_LIMIT:
            raise TunnelFailed(f"net/http: server response headers exceeded {HEAD_LIMIT} bytes; aborted")
    line = head.splitlines()[0]
    version, blank, status = line.partition(b" ")
    code = status.partition(b" ")[0]
    if not blank or not version.startswith(b"HTTP/"):
        raise TunnelFailed(f"malformed HTTP response {quote(line)}")
    if code != b"200":
        _, blank, phrase = status.partition(b" ")
        raise TunnelFailed(phrase.decode("latin-1") if blank else "unknown status code")


class TunnelFailed(OSError):
    """The proxy makes no tunnel; `text` is Go's wording."""

    kind = "proxy"

    def __init__(self, problem: str) -> None:
        self.text = problem
        super().__init__(problem)


class TracedPool(HTTPConnectionPool):
    ConnectionCls = TracedConnection


class TracedTLSPool(HTTPSConnectionPool):
    ConnectionCls = TracedTLSConnection

    def _validate_conn(self, conn: Any) -> None:
        """urllib3 warns about every unverified request; whoever hands in a context of their own has decided."""
        if self.conn_kw.get("ssl_context") is None:
            super()._validate_conn(conn)
        elif conn.is_closed:
            conn.connect()


POOLS = {"http": TracedPool, "https": TracedTLSPool}


class TracedPoolManager(PoolManager):
    """A PoolManager whose pools hold traced connections."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool_classes_by_scheme = POOLS


class TracedProxyManager(ProxyManager):
    """The same through an HTTP proxy."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pool_classes_by_scheme = POOLS


def join_host_port(host: str, port: int) -> str:
    """Go's net.JoinHostPort."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _require_name(host: str) -> None:
    """Raises gaierror for a number that the C library takes for an address ("127.1", "0x7f000001"): Go looks it up as a
    name, and there is none of that kind."""
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def _is_address(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host.partition("%")[0])
    except (OSError, ValueError):
        return False
    return True


def _silent() -> Recording:
    from kubetrace.trace.events import Events
    from kubetrace.trace.exchange import Request

    return Recording(Request("", ""), Events(), call=0)


def _shorter(first: float | None, second: float | None) -> float | None:
    known = [seconds for seconds in (first, second) if seconds is not None]
    return max(0.001, min(known)) if known else None


def _name(sock: Any, end: str) -> str | None:
    """One end of a socket's connection as "IP:PORT"; None where it has no such name."""
    try:
        host, port = getattr(sock, end)()[:2]
    except (OSError, AttributeError, ValueError):
        return None
    return join_host_port(str(host), int(port))


def endpoints(sock: Any) -> tuple[str | None, str | None, str | None]:
    """Our end and the other end of a connected socket ("IP:PORT"), and its TLS version."""
    return _name(sock, "getsockname"), _name(sock, "getpeername"), _tls_version(sock)


def _tls_version(sock: Any) -> str | None:
    return sock.version() if isinstance(sock, ssl.SSLSocket) else getattr(sock, "version", lambda: None)()


def proxy_manager(url: str, headers: dict[str, str], **options: Any) -> PoolManager:
    """The pools that reach servers through one proxy: http, https (CONNECT) or SOCKS."""
    if url.lower().startswith("socks"):
        from kubetrace.transport.socks import socks_manager

        return socks_manager(url, **options)
    return TracedProxyManager(url, proxy_headers=headers, **options)

"""A recorder in the test's own process, between raw TLS clients and scripted servers."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kubetrace.kubeconfig.connection import Connection
from kubetrace.recorder.policy import Policy
from kubetrace.recorder.recorder import Recorder
from kubetrace.serving.authority import Authority as OwnAuthority
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Event, Exchange, ExchangeEnded
from kubetrace.trace.masking import Masker
from tests.transport.scripted import Authority, ScriptedServer, Step

TOKEN = "one-time-token-0123456789"
BEARER = f"Authorization: Bearer {TOKEN}\r\n"


@pytest.fixture(scope="package")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="package")
def own_authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Path]:
    """The recorder's CA, and its certificate and key in one file."""
    made = OwnAuthority("test-ca", datetime.timedelta(days=1))
    chain = tmp_path_factory.mktemp("recorder") / "tls.pem"
    chain.write_bytes(b"".join(made.issue("test", hosts=("127.0.0.1",))))
    return made.pem, chain


class RawClient:
    """A client that sends the bytes it is told to, over one connection."""

    def __init__(self, port: int, ca: bytes) -> None:
        context = ssl.create_default_context(cadata=ca.decode())
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        plain = socket.create_connection(("127.0.0.1", port), 10)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        self.file = self.socket.makefile("rb")

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def get(self, path: str = "/api/v1/namespaces", method: str = "GET", headers: str = "") -> tuple[str, bytes]:
        self.send(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{BEARER}{headers}\r\n")
        return self.answer(method)

    def head(self) -> str:
        lines = []
        while (line := self.file.readline()) not in (b"\r\n", b""):
            lines.append(line.decode("latin-1"))
        return "".join(lines)

    def answer(self, method: str = "GET") -> tuple[str, bytes]:
        """Head and body (as it is on the wire); a body without a length is not waited for."""
        head = self.head()
        length = next((line.partition(":")[2] for line in head.lower().splitlines() if "content-length" in line), "0")
        return head, b"" if method == "HEAD" else self.file.read(int(length))

    def rest(self) -> bytes:
        """Everything until the end; raises OSError where it does not come with a word of farewell."""
        return self.file.read()

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@dataclass
class Wrapped:
    """A recorder that runs, and what it has told."""

    recorder: Recorder
    port: int
    ca: bytes
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    clients: list[RawClient] = field(default_factory=list)

    def client(self) -> RawClient:
        made = RawClient(self.port, self.ca)
        self.clients.append(made)
        return made

    def exchanges(self, count: int = 1) -> list[Exchange]:
        """The exchanges that have ended, once there are so many."""
        until(lambda: len(self._ended()) >= count)
        return self._ended()

    def _ended(self) -> list[Exchange]:
        return [event.exchange for event in tuple(self.events) if isinstance(event, ExchangeEnded)]

    def told(self, kind: type) -> list[Event]:
        return [event for event in tuple(self.events) if isinstance(event, kind)]


def until(condition: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


Wrap = Callable[..., Wrapped]


@pytest.fixture
def wrap(own_authority: tuple[bytes, Path], authority: Authority) -> Iterator[Wrap]:
    """wrap(server, policy=…, keep=…): a recorder in front of a scripted server, or of any Connection."""
    ca, chain = own_authority
    with contextlib.ExitStack() as stack:

        def make(
            server: ScriptedServer | Connection,
            *,
            policy: Policy | None = None,
            keep: int | None = 1 << 16,
            observe: bool = True,
            **settings: object,
        ) -> Wrapped:
            if isinstance(server, ScriptedServer):
                trust = {"certificate_authority_data": authority.pem} if server.tls else {}
                connection = Connection(server.url, **{**trust, **settings})  # type: ignore[arg-type]
            else:
                connection = server
            events: list[Event] = []
            warnings: list[str] = []
            recorder = Recorder(
                lambda cluster, user: connection,
                events=Events([events.append]) if observe else Events(),
                masker=Masker(),
                policy=policy or Policy(),
                keep=keep,
                environ={},
                warn=warnings.append,
            )
            port = recorder.listen(["c"])["c"]
            recorder.serve(str(chain), {TOKEN: "u"})
            made = Wrapped(recorder, port, ca, events, warnings)
            stack.callback(_stop, made)
            return made

        yield make


def _stop(made: Wrapped) -> None:
    for client in made.clients:
        client.close()
    made.recorder.stop()
    assert not [warning for warning in made.warnings if "given up" in warning], made.warnings
    names = [thread.name for thread in threading.enumerate() if "kubetrace" in thread.name]
    assert names == []


@pytest.fixture
def served(authority: Authority) -> Iterator[Callable[..., ScriptedServer]]:
    """served(step, …): a TLS server that answers with these steps."""
    with contextlib.ExitStack() as stack:

        def make(*steps: Step, tls: bool = True, clients: bool = False) -> ScriptedServer:
            context = authority.server(clients=clients) if tls else None
            return stack.enter_context(ScriptedServer(list(steps), tls=context))

        yield make

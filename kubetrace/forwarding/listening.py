"""The local ends: which addresses are listened on, and what is said where one is taken (client-go
tools/portforward/portforward.go)."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence

from kubetrace.errors import KubetraceError
from kubetrace.forwarding.ports import Forward
from kubetrace.transport.connections import join_host_port
from kubetrace.transport.words import errno_text
from kubetrace.value import Value

BACKLOG = 512
Say = Callable[[str], object]
"""Told a whole line."""


class Address(Value):
    """An address to listen on. `of_localhost`: it does not matter where the other one of the two is there."""

    host: str
    network: str
    of_localhost: bool = False

    @property
    def family(self) -> int:
        return socket.AF_INET if self.network == "tcp4" else socket.AF_INET6


class Listening(Value):
    """A socket that listens for one pair of ports."""

    socket: socket.socket
    network: str
    forward: Forward


def addresses(texts: Sequence[str]) -> list[Address]:
    """--address. Raises KubetraceError."""
    if not texts:
        raise KubetraceError("you must specify at least 1 address")
    found: dict[str, Address] = {}
    for text in texts:
        if text == "localhost":
            found.setdefault("127.0.0.1", Address("127.0.0.1", "tcp4", True))
            found.setdefault("::1", Address("::1", "tcp6", True))
        else:
            found[text] = Address(text, _network(text))
    return [found[host] for host in sorted(found)]


def _network(text: str) -> str:
    """netutils.ParseIPSloppy: leading zeros are taken, zones are not."""
    sloppy = re.sub(r"(?<![0-9A-Fa-f:.])0+(?=[0-9])|(?<=\.)0+(?=[0-9])", "", text)
    try:
        address = ipaddress.ip_address(sloppy)
    except ValueError:
        raise KubetraceError(f"{text} is not a valid IP") from None
    if isinstance(address, ipaddress.IPv4Address):
        return "tcp4"
    if "%" in text:
        raise KubetraceError(f"{text} is not a valid IP")
    return "tcp4" if address.ipv4_mapped else "tcp6"


def listen(forwards: Sequence[Forward], hosts: Sequence[Address], say: Say, complain: Say) -> list[Listening]:
    """Listens for each pair of ports on each address. Raises KubetraceError where none of the ports can be had."""
    opened: list[Listening] = []
    succeeded = False
    for forward in forwards:
        why = _listen_on(forward, hosts, opened, say)
        succeeded = succeeded or not why
        if why:
            complain(f"Unable to listen on port {forward.local}: {why}")
    if not succeeded:
        for listening in opened:
            listening.socket.close()
        shown = " ".join(map(str, forwards))
        raise KubetraceError(f"unable to listen on any of the requested ports: [{shown}]")
    return opened


def _listen_on(forward: Forward, hosts: Sequence[Address], opened: list[Listening], say: Say) -> str:
    """Why the port counts as one that can't be had; empty where it can."""
    errors: list[str] = []
    failed: list[bool] = []
    for address in hosts:
        try:
            listening = _socket(address, forward.local)
        except OSError as error:
            where = f"{address.network} {join_host_port(address.host, forward.local)}"
            errors.append(f"unable to create listener: Error listen {where}: bind: {errno_text(error)}")
            failed.append(address.of_localhost)
            continue
        forward.local = listening.getsockname()[1]
        say(f"Forwarding from {join_host_port(address.host, forward.local)} -> {forward.remote}")
        opened.append(Listening(listening, address.network, forward))
    both = sum(address.of_localhost for address in hosts)
    if failed.count(False) or (both and failed.count(True) == both):
        return f"Listeners failed to create with the following errors: [{' '.join(errors)}]"
    return ""


def _socket(address: Address, port: int) -> socket.socket:
    """As Go makes one: the address can be had again at once, and an IPv6 one is that only."""
    made = socket.socket(address.family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.network == "tcp6":
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address.host, port))
        made.listen(BACKLOG)
        made.setblocking(False)
    except BaseException:
        made.close()
        raise
    return made

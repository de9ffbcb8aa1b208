"""Socket and TLS failures in the words of Go's net and crypto/tls, which kubectl prints as they are."""

from __future__ import annotations

import errno
import os
import re
import socket

_ERRNO_TEXT = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EPIPE: "broken pipe",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.ETIMEDOUT: "connection timed out",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.EMFILE: "too many open files",
    errno.EINVAL: "invalid argument",
    errno.ECONNABORTED: "software caused connection abort",
}


_LABEL = re.compile(rb"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


def errno_text(error: OSError) -> str:
    """What Go's syscall.Errno says."""
    number = error.errno
    if number in _ERRNO_TEXT:
        return _ERRNO_TEXT[number]
    return os.strerror(number).lower() if number else str(error)


CONNECTION_BROKEN = "net/http: HTTP/1.x transport connection broken: "
"""What stands before the reason why an answer could not be read."""


def malformed_status_line(line: bytes) -> str:
    """What http.ReadResponse has against it."""
    from kubetrace.wire.go_quote import quote

    version, blank, rest = line.partition(b" ")
    code = rest.lstrip(b" ").partition(b" ")[0]
    if not blank:
        return f"malformed HTTP response {quote(line)}"
    if len(code) != 3 or not code.isdigit():
        return f"malformed HTTP status code {quote(code)}"
    return f"malformed HTTP version {quote(version)}"


def dial_error(address: str, error: OSError) -> str:
    """A failed connect: "dial tcp 127.0.0.1:1: connect: connection refused"."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"dial tcp {address}: i/o timeout"
    return f"dial tcp {address}: connect: {errno_text(error)}"


def lookup_error(host: str, error: socket.gaierror) -> str:
    """A failed look-up: "dial tcp: lookup nowhere: no such host"; the name server is told where resolv.conf names
    one, as Go's resolver does."""
    if not _is_domain_name(host):
        return f"dial tcp: lookup {host}: no such host"
    reason = "server misbehaving" if error.errno == socket.EAI_AGAIN else "no such host"
    server = _name_server()
    return f"dial tcp: lookup {host}{f' on {server}' if server else ''}: {reason}"


def _is_domain_name(host: str) -> bool:
    """Would Go's resolver ask a name server for it (isDomainName, net/dnsclient.go)?"""
    name = host.encode("utf-8", "surrogateescape").removesuffix(b".")
    if not 0 < len(name) <= 253:
        return host == "."
    labels = name.split(b".")
    well_formed = all(_LABEL.fullmatch(label) for label in labels)
    return well_formed and any(not (48 <= byte <= 57 or byte == 46) for byte in name)


def _name_server() -> str | None:
    try:
        with open("/etc/resolv.conf", encoding="ascii", errors="replace") as lines:  # noqa: PTH123
            servers = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
    except OSError:
        return None
    if not servers:
        return None
    server = servers[0]
    return f"[{server}]:53" if ":" in server else f"{server}:53"

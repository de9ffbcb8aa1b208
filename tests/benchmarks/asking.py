"""A client that does nothing but ask: kept-alive connections, one small GET after the other, as fast as answers come.

    python -m tests.benchmarks.asking URL TOKEN CA-FILE CONNECTIONS SECONDS PATH

prints one JSON object: requests a second, and the median and 95th percentile of a request's time in microseconds. It
knows just enough HTTP to find the end of an answer, so that the machine's time goes to what is measured. "-" stands for
no token, and for a CA that is not checked.
"""

from __future__ import annotations

import json
import socket
import ssl
import statistics
import sys
import threading
import time
from urllib.parse import urlsplit


class LoadError(Exception):
    """An answer that is none, or not a good one."""


def _connect(url: str, authority: str) -> socket.socket:
    parts = urlsplit(url)
    plain = socket.create_connection((parts.hostname, parts.port), 30)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "http":
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if authority == "-":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        context.load_verify_locations(authority)
    return context.wrap_socket(plain, server_hostname=parts.hostname)


def _once(sock: socket.socket, request: bytes) -> None:
    sock.sendall(request)
    data = sock.recv(65536)
    while b"\r\n\r\n" not in data:
        data += _more(sock)
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise LoadError(f"{head[:100]!r} {rest[:200]!r}")
    lower = head.lower()
    at = lower.find(b"content-length: ")
    if at < 0:
        while not rest.endswith(b"0\r\n\r\n"):
            rest += _more(sock)
        return
    length = int(lower[at + 16 :].partition(b"\r")[0])
    while len(rest) < length:
        rest += _more(sock)


def _more(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise LoadError("the answer ends too early")
    return data


def main(url: str, token: str, authority: str, connections: str, seconds: str, path: str) -> None:
    authorization = "" if token == "-" else f"Authorization: Bearer {token}\r\n"
    agent = "User-Agent: load/1\r\nAccept: application/json\r\n"
    request = f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n{authorization}{agent}\r\n".encode()
    times: list[float] = []
    failures: list[str] = []
    sockets = [_connect(url, authority) for _ in range(int(connections))]
    for sock in sockets:
        _once(sock, request)  # the first request of a connection is another thing
    until = time.perf_counter() + float(seconds)

    def run(sock: socket.socket) -> None:
        mine = []
        try:
            while (begun := time.perf_counter()) < until:
                _once(sock, request)
                mine.append(time.perf_counter() - begun)
        except (OSError, LoadError) as error:
            failures.append(str(error))
        times.extend(mine)

    begun = time.perf_counter()
    threads = [threading.Thread(target=run, args=(sock,)) for sock in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begun
    if failures or len(times) < 2:
        sys.exit(failures[0] if failures else "no answer at all")
    found = {"rate": len(times) / elapsed, "median": statistics.median(times) * 1e6}
    print(json.dumps({**found, "p95": statistics.quantiles(times, n=20)[-1] * 1e6}))


if __name__ == "__main__":
    main(*sys.argv[1:])

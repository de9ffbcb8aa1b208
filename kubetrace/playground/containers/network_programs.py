"""Programs that speak to the simulated network: other pods and Services only, never the host's."""

from __future__ import annotations

from urllib.parse import urlsplit

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.text_programs import program

_UNREACHABLE = "the playground has no network but its own pods and Services"


def _asked(process: Process, url: str, method: str, headers: list[str], body: bytes) -> tuple[str, int, bytes]:
    """(host, port, the request as it goes over the wire)."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.hostname or ""
    host = process.machine.address if host in ("localhost", "127.0.0.1") else host
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UsageFailure(f"bad port in '{url}'") from None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = {line.partition(":")[0].strip().lower() for line in headers}
    lines = [f"{method} {path} HTTP/1.1"]
    if "host" not in named:
        lines.append(f"Host: {parts.netloc}")
    if "user-agent" not in named:
        lines.append(f"User-Agent: {'curl/8.0' if process.name == 'curl' else 'Wget'}")
    lines += headers + ([f"Content-Length: {len(body)}"] if body else []) + ["Connection: close"]
    return host, port, "\r\n".join([*lines, "", ""]).encode() + body


def _split(answer: bytes) -> tuple[bytes, bytes, int]:
    """(head, body, status)."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    return head, body, int(status[0]) if status and status[0].isdigit() else 0


@program
async def _curl(process: Process) -> int:
    long = {"silent": "s", "include": "i", "head": "I", "request": "X", "header": "H", "data": "d", "output": "o"}
    long |= {"max-time": "m", "connect-timeout": "m", "fail": "f", "insecure": "k", "location": "L", "verbose": "v"}
    long |= {"show-error": "S", "write-out": "w", "user-agent": "A"}
    headers = _every(process, ("-H", "--header"))
    flags, urls = options(process, "siIfkLvSgN", "XHdomwA", long)
    if not urls:
        raise UsageFailure("try 'curl --help' for more information")
    body = flags.get("d", "").encode()
    if body and not any(line.lower().startswith("content-type") for line in headers):
        headers.append("Content-Type: application/x-www-form-urlencoded")
    method = flags.get("X") or ("HEAD" if "I" in flags else "POST" if body else "GET")
    code = 0
    for url in urls:
        host, port, raw = _asked(process, url, method, headers, body)
        try:
            answer = await process.machine.network.request(host, port, process.machine.namespace, raw)
        except LookupError:
            code = await _curl_failure(process, flags, 6, f"Could not resolve host: {host}")
            continue
        except ConnectionRefusedError:
            code = await _curl_failure(
                process, flags, 7, f"Failed to connect to {host} port {port}: Connection refused"
            )
            continue
        except TimeoutError:
            code = await _curl_failure(process, flags, 28, f"Connection timed out: {_UNREACHABLE}")
            continue
        head, content, status = _split(answer)
        if "f" in flags and status >= 400:
            code = await _curl_failure(process, flags, 22, f"The requested URL returned error: {status}")
            continue
        shown = (head + b"\r\n\r\n" if {"i", "I"} & set(flags) else b"") + (b"" if "I" in flags else content)
        if flags.get("o") in (None, "-"):
            await process.output.write(shown)
        elif process.path(flags["o"]) != "/dev/null":
            process.files.write(process.path(flags["o"]), shown)
        if "w" in flags:
            await process.say(flags["w"].replace("%{http_code}", str(status)).replace("\\n", "\n"))
    return code


def _every(process: Process, names: tuple[str, ...]) -> list[str]:
    words = process.arguments
    return [words[i + 1] for i, word in enumerate(words[:-1]) if word in names]


async def _curl_failure(process: Process, flags: dict[str, str], code: int, text: str) -> int:
    if "s" not in flags or "S" in flags:
        await process.error.write(f"curl: ({code}) {text}\n".encode())
    return code


@program
async def _wget(process: Process) -> int:
    long = {"quiet": "q", "spider": "s", "timeout": "T", "output-document": "O", "header": "H", "post-data": "d"}
    long |= {"no-check-certificate": "k", "server-response": "S", "tries": "t"}
    headers = _every(process, ("--header",))
    flags, urls = options(process, "qskScx", "TOHdtP", long)
    if not urls:
        raise UsageFailure("missing URL")
    body = flags.get("d", "").encode()
    code = 0
    for url in urls:
        host, port, raw = _asked(process, url, "POST" if body else "GET", headers, body)
        if "q" not in flags:
            await process.error.write(f"Connecting to {host}:{port}\n".encode())
        try:
            answer = await process.machine.network.request(host, port, process.machine.namespace, raw)
        except LookupError:
            await process.complain(f"bad address '{host if port == 80 else f'{host}:{port}'}'")
            code = 1
            continue
        except (ConnectionRefusedError, TimeoutError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            why = f"can't connect to remote host ({host}): Connection refused" if refused else "download timed out"
            await process.complain(why)
            code = 1
            continue
        _, content, status = _split(answer)
        if status >= 400:
            await process.complain(f"server returned error: HTTP/1.1 {status}")
            code = 1
            continue
        if "s" in flags:
            continue
        target = flags.get("O") or (urlsplit(url).path.rpartition("/")[2] or "index.html")
        if target == "-":
            await process.output.write(content)
        elif process.path(target) != "/dev/null":
            process.files.write(process.path(target), content)
    return code


@program
async def _nslookup(process: Process) -> int:
    _, names = options(process, "", "")
    if not names:
        raise UsageFailure("missing name")
    await process.say("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n")
    found = process.machine.network.addresses(names[0], process.machine.namespace)
    if not found:
        await process.say(f"** server can't find {names[0]}: NXDOMAIN\n\n")
        return 1
    for address in found:
        await process.say(f"Name:\t{names[0]}\nAddress: {address}\n")
    await process.say("\n")
    return 0


@program
async def _ping(process: Process) -> int:
    _, names = options(process, "q46", "cWiw")
    host = names[0] if names else ""
    found = process.machine.network.addresses(host, process.machine.namespace)
    if not found:
        await process.complain(f"bad address '{host}'")
        return 1
    await process.say(f"PING {host} ({found[0]}): 56 data bytes\n")
    await process.complain(_UNREACHABLE)
    return 1


@program
async def _nc(process: Process) -> int:
    """Only `nc -z HOST PORT`: whether somebody listens."""
    flags, names = options(process, "zvn", "w")
    if len(names) != 2 or not names[1].isdigit() or "z" not in flags:
        raise UsageFailure("only 'nc -z HOST PORT' is simulated")
    host, port = names[0], int(names[1])
    try:
        await process.machine.network.request(host, port, process.machine.namespace, b"GET / HTTP/1.0\r\n\r\n")
    except LookupError:
        await process.complain(f"bad address '{host}'")
        return 1
    except (ConnectionRefusedError, TimeoutError):
        if "v" in flags:
            await process.complain(f"{host} ({port}): Connection refused")
        return 1
    if "v" in flags:
        await process.error.write(f"{host} ({port}) open\n".encode())
    return 0


PROGRAMS: dict[str, Program] = {
    "curl": _curl,
    "nc": _nc,
    "nslookup": _nslookup,
    "ping": _ping,
    "wget": _wget,
}

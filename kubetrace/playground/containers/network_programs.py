"""Programs that speak to the simulated network: other pods and Services only, never the host's."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from kubetrace.playground.containers.arguments import UsageFailure, number, options
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
    long |= {"show-error": "S", "write-out": "w", "user-agent": "A", "cacert": "C", "cert": "E", "key": "K"}
    long |= {"data-raw": "d", "data-binary": "d", "json": "d", "no-buffer": "N", "globoff": "g", "get": "G"}
    headers = _every(process, ("-H", "--header"))
    flags, urls = options(process, "siIfkLvSgNG", "XHdomwACEKu", long)
    if not urls:
        raise UsageFailure("try 'curl --help' for more information")
    body = flags.get("d", "").encode()
    if body and not any(line.lower().startswith("content-type") for line in headers):
        headers.append("Content-Type: application/x-www-form-urlencoded")
    method = flags.get("X") or ("HEAD" if "I" in flags else "POST" if body else "GET")
    code = 0
    for url in urls:
        host, port, raw = _asked(process, url, method, headers, body)
        network, namespace, tls = process.machine.network, process.machine.namespace, url.startswith("https:")
        if tls and network.is_api(host, port, namespace) and not {"k", "C"} & set(flags):
            told = "SSL certificate problem: unable to get local issuer certificate"
            code = await _curl_failure(process, flags, 60, told)
            continue
        if "C" in flags and process.files.find(process.path(flags["C"])) is None:
            code = await _curl_failure(process, flags, 77, f"error setting certificate file: {flags['C']}")
            continue
        try:
            answer = await network.request(host, port, namespace, raw, tls)
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
            answer = await process.machine.network.request(
                host, port, process.machine.namespace, raw, url.startswith("https:")
            )
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
        full = process.machine.network.full_name(names[0], process.machine.namespace)
        await process.say(f"Name:\t{full}\nAddress: {address}\n")
    await process.say("\n")
    return 0


@program
async def _ping(process: Process) -> int:
    """Pods answer; Services do not, whose addresses are only rules for ports."""
    flags, names = options(process, "q46An", "cWiwsI")
    host = names[0] if names else ""
    machine = process.machine
    found = machine.network.addresses(host, machine.namespace)
    if not found:
        await process.complain(f"bad address '{host}'")
        return 1
    address = found[0]
    await process.say(f"PING {host} ({address}): 56 data bytes\n")
    answers = address in ("127.0.0.1", machine.address) or machine.network.is_pod(address)
    count = number(flags["c"]) if "c" in flags else 0
    seconds = number(flags["w"]) if "w" in flags else 0
    sent = 0
    while True:
        if answers and "q" not in flags:
            await process.say(f"64 bytes from {address}: seq={sent} ttl=64 time=0.050 ms\n")
        sent += 1
        if sent == count or (seconds and sent >= seconds):
            break
        await asyncio.sleep(1)
    received = sent if answers else 0
    lost = 0 if answers else 100
    await process.say(f"\n--- {host} ping statistics ---\n")
    await process.say(f"{sent} packets transmitted, {received} packets received, {lost}% packet loss\n")
    if answers:
        await process.say("round-trip min/avg/max = 0.050/0.050/0.050 ms\n")
    return int(not answers)


def _listening(process: Process) -> list[int]:
    """The ports that the pod's containers declare."""
    containers = process.machine.pod["spec"].get("containers") or ()
    return sorted(int(port["containerPort"]) for each in containers for port in each.get("ports") or ())


async def _netstat(process: Process) -> int:
    """netstat and ss: who listens."""
    if process.name == "ss":
        await process.say("State   Recv-Q  Send-Q   Local Address:Port    Peer Address:Port\n")
        for port in _listening(process):
            await process.say(f"LISTEN  0       511            0.0.0.0:{port:<7} 0.0.0.0:*\n")
        return 0
    await process.say("Active Internet connections (only servers)\n")
    await process.say("Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n")
    for port in _listening(process):
        await process.say(f"tcp        0      0 {f'0.0.0.0:{port}':23} 0.0.0.0:*               LISTEN      \n")
    return 0


async def _ip(process: Process) -> int:
    """ip addr, ip route and ifconfig."""
    own = process.machine.address
    words = [word for word in process.arguments if not word.startswith("-")]
    if process.name == "ifconfig":
        text = "eth0      Link encap:Ethernet  HWaddr 02:42:0A:F4:00:01  \n"
        text += f"          inet addr:{own}  Mask:255.255.255.0\n"
        text += "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n\n"
        text += "lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n"
        text += "          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n\n"
    elif words and "route".startswith(words[0]):
        gateway = f"{own.rpartition('.')[0]}.1"
        text = f"default via {gateway} dev eth0 \n{own.rpartition('.')[0]}.0/24 dev eth0 scope link  src {own} \n"
    elif not words or "address".startswith(words[0]) or "link".startswith(words[0]):
        text = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n"
        text += "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n"
        text += "2: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue \n"
        text += f"    link/ether 02:42:0a:f4:00:01 brd ff:ff:ff:ff:ff:ff\n    inet {own}/24 scope global eth0\n"
    else:
        await process.complain(f"can't find device '{words[0]}'")
        return 1
    await process.say(text)
    return 0


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
    "ifconfig": _ip,
    "ip": _ip,
    "nc": _nc,
    "netstat": _netstat,
    "nslookup": _nslookup,
    "ping": _ping,
    "ss": _netstat,
    "wget": _wget,
}

"""What two logs have in common when times, pids, ports, user agents and Go's random orders are put aside."""

from __future__ import annotations

import re

from tests.trace.capture import HEADER

_DISCOVERY = re.compile(rb"Accept: (?:application/json;g=apidiscovery[^\n\"]*,)?application/json(?:, \*/\*)?(?=[\n\"])")
_OPTION = re.compile(rb' -H "(?:[^"\\]|\\.)*"')
_AGENT = re.compile(rb"(?:kubectl(?:\.1\.\d+)?|kubetrace)/v[\w.+-]+ \(\w+/\w+\)(?: kubernetes/\w+)?")
_PROGRAM = re.compile(rb"\bkubectl\.1\.\d+\b|\bkubetrace\b")
_NUMBERS = re.compile(
    rb'((?:[mM]illiseconds=)|(?: in )|(?:delay="))[\d.]+(\xc2\xb5s|ms|s)?'
    rb"|((?:Waited for|request took|DNSLookup|Dial|TLSHandshake|ServerProcessing|GetConnection|Duration) )[\d.]+"
    rb"( ms|ms|s)"
)
_LATENCY = re.compile(rb" serverProcessingMilliseconds=N| ServerProcessing N(?: ms)?")
_CONNECTION = re.compile(
    rb" dnsLookupMilliseconds=N dialMilliseconds=N tlsHandshakeMilliseconds=N| getConnectionMilliseconds=N"
    rb"| DNSLookup N Dial N TLSHandshake N| GetConnection N"
)
_GROUP = re.compile(rb"/api/v1\?timeout|/apis/[^/?\"']+/[^/?\"']+\?timeout")


def pieces(log: bytes) -> list[bytes]:
    """The entries of a log, and the plain lines between them one by one."""
    found: list[bytes] = []
    for line in log.splitlines(keepends=True):
        starts = HEADER.match(line) or not found
        if starts or _plain(line, found[-1]):
            found.append(line)
        else:
            found[-1] += line
    return found


def _plain(line: bytes, entry: bytes) -> bool:
    if b"=<\n" in entry and entry.count(b"=<\n") > entry.count(b"\n >"):
        return False
    if not HEADER.match(entry):
        return True
    starts = (
        b"Warning: ",
        b"error: ",
        b"Error",
        b"The connection to",
        b"Unable to",
        b"No resources",
        b"See '",
        b"Please",
    )
    return line.startswith(starts)


def normalized(log: bytes, ports: dict[int, int], home: str) -> list[bytes]:
    """The log's entries in comparable form. `ports` maps the run's ports to the recording's. What kubectl accepts of
    discovery changed from release to release, and kubetrace calls as 1.36 does whatever it writes like."""
    log = _DISCOVERY.sub(b"Accept: DISCOVERY", log)
    for ours, theirs in ports.items():
        log = log.replace(b":%d" % ours, b":%d" % theirs).replace(b"_%d" % ours, b"_%d" % theirs)
    log = log.replace(home.encode(), b"/home/user")
    return _ordered([_entry(piece) for piece in pieces(log)])


def _entry(piece: bytes) -> bytes:
    piece = re.sub(rb"^([IWEF])\d{4} [\d:.]+ +\d+ ", rb"\1 ", piece).rstrip(b"\n")
    piece = _NUMBERS.sub(lambda match: (match[1] or match[3]) + b"N", piece)
    piece = re.sub(rb"( lookup [\w.-]+) on [\d.]+:53\b", rb"\1", piece)
    piece = _LATENCY.sub(b"", _PROGRAM.sub(b"kubectl", _AGENT.sub(b"AGENT", piece)))
    if b"curl " in piece:
        options = iter(sorted(_OPTION.findall(piece), key=lambda option: option.split(b": ")[0]))
        piece = _OPTION.sub(lambda _: next(options), piece)
    return piece


def _ordered(entries: list[bytes]) -> list[bytes]:
    """Runs in random order sorted: headers, feature gates, cache files, the groups that are asked in parallel."""
    result: list[bytes] = []
    run: list[bytes] = []
    kind = b""
    for entry in entries:
        found = _run_of(entry, kind)
        if found != kind:
            result += _sorted_run(kind, run)
            run, kind = [], found
            if kind == b"groups" and result and _in_groups(result[-1]):
                run.append(result.pop())
        (run if found else result).append(entry)
    return result + _sorted_run(kind, run)


def _run_of(entry: bytes, current: bytes) -> bytes:
    if current == b"groups" and _in_groups(entry):
        return current
    if _GROUP.search(entry) and b"kubeconfig" not in entry:
        return b"groups"
    match = re.match(
        rb"I (round_trippers\.go:\d+\]    ) |I (envvar\.go)|I (cached_discovery\.go:\d+\] \"?[rR]eturning)", entry
    )
    found = next((group for group in match.groups() if group), b"") if match else b""
    return b"cache" if b"eturning" in found else found


def _in_groups(entry: bytes) -> bool:
    """The bodies, dials and headers of parallel calls tell not which call they belong to."""
    if re.search(rb"helper\.go|raw\.go|helpers\.go|\bclient\.go|/openapi|limit=", entry):
        return False
    return bool(re.match(rb"I (discovery_client|round_trippers|request)\.go", entry)) and b"/namespaces/" not in entry


def _sorted_run(kind: bytes, run: list[bytes]) -> list[bytes]:
    if kind == b"groups":
        kept = (
            _CONNECTION.sub(b"", entry)
            for entry in run
            if not re.search(rb"Dial (?:to|succeed|failed)|DNS Lookup", entry)
        )
        return sorted(kept)
    # A stable sort by name: the values of one header stay in order.
    return sorted(run, key=lambda entry: entry.split(b": ")[0] if kind not in (b"envvar.go", b"cache") else entry)

"""What may differ between two equal runs is made equal: times, uids, versions, ports, generated names.

Everything else stays, so that a comparison of the results is strict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

UID = re.compile(r"(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
KEPT_OF_TRUNCATED_BODY = 700  # uids and versions of other lengths move the cut

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (UID, "<uid>"),
    (re.compile(r"(https?://)?127\.0\.0\.1:\d+"), r"\1<server>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "<time>"),
    (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d (GMT|UTC|[+-]\d{4})"), "<date>"),
    (re.compile(r"\b(Resource Version: +)\d+"), r"\1<rv>"),
    (re.compile(r"/(LIVE|MERGED)-\w+"), r"/\1-<n>"),
    (re.compile(r"(/kubectl-edit-)\d+"), r"\1<n>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}"), "<date>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} UTC"), "<date>"),
    (re.compile(r'(resourceVersion\\*"?:? ?\\*")\d+'), r"\1<rv>"),
    (re.compile(r"(resourceVersion(?:=|%3D))\d+"), r"\1<rv>"),
    (re.compile(r'(/metadata/resourceVersion\\*", ?\\*"value\\*": ?\\*")\d+'), r"\1<rv>"),
    (re.compile(r"(\bresourceVersion:)\d+(?=[] ])"), r"\1<rv>"),  # as Go prints a map
    (re.compile(r"((?:continue=|\"continue\": ?\"|\\\"continue\\\":\\\"))[\w%.=-]{20,}"), r"\1<continue>"),
    (re.compile(r"\btimeout=\w+(&timeoutSeconds=\d+&watch)"), r"timeout=<n>\1"),
    (re.compile(r"(timeoutSeconds=)\d+(&watch)"), r"\1<n>\2"),  # random, so that watches end at different times
    (re.compile(r"\b\d+\.\d+\.\d+\.\d+:\d+\b"), "<address>"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "<ip>"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), "<jwt>"),
    (re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "-<hash>"),
    (re.compile(r"\b(job|(?:node-)?debugger(?:-node-\d)?)-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), r"\1-<n>"),
    (re.compile(r'(\bPort(?:\\*")?: ?)\d{5}\b'), r"\1<port>"),  # kwok's, in a node's status
    (re.compile(r"\bdaemon-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "daemon-<hash>"),
    (re.compile(r'(\\?")(\d+[smhd]){1,2}(\\?")'), r"\1<age>\3"),
    (re.compile(r'((?:service-account|tls)[.-][a-z.]+": ?")[A-Za-z0-9+/=]{100,}'), r"\1<key>"),
)
_EVENTS_SELECTOR = re.compile(r"(fieldSelector=)(involvedObject[^&\s\"]+)")  # in the order of a Go map
_LOG_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?m)^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ "), r"\1 "),
    (re.compile(r"(?m)^(\tUser-Agent: ).*$"), r"\1<agent>"),
    # HTTP/2 (kubectl) counts bodies of up to 4 KB, HTTP/1.1 (kubetrace) of up to 2 KB; longer ones come in chunks.
    (re.compile(r"(?m)^\tContent-Length: \d+\n"), ""),
    (re.compile(r"([mM]illiseconds=)\d+"), r"\1<n>"),
    (re.compile(r'((?:delay|duration)=")[^"]+'), r"\1<duration>"),
    (re.compile(r"(totalItems=)\d+"), r"\1<n>"),
    # Written or not, as the deadline and the end of the stream race.
    (
        re.compile(r'(?m)^I streamwatcher\.go:\d+\] "Unable to decode an event.*(deadline exceeded|reading body\))"\n'),
        "",
    ),
    (re.compile(r"\b0x[0-9a-f]{8,}\b"), "0x<address>"),
    (re.compile(r"\[truncated \d+ chars\]"), "[truncated]"),
    (re.compile(r"(?m)^(\tSec-Websocket-Accept: ).*$"), r"\1<random>"),
    # As often as there is time for it: pings, and a goroutine's last word, which kubectl may not wait for.
    (re.compile(r'(?m)^I websocket\.go:\d+\] "(Websocket Ping|Pong message|Closed channel).*\n'), ""),
)
_TABLE_AGE = re.compile(r"(?m)\b(AGE|(?:\d+[dhms]){1,2})( +|$)")
_TABLE_IP = re.compile(r"(?m)(\bIP|<ip>)( +|$)")
_BODY = re.compile(r'^I \w+\.go:\d+\] "(Request|Response) Body" body=')
_PROTOBUF_DUMP = re.compile(r"\n\t00000000  6b 38 73 00 ")
_WEBSOCKET = re.compile(r"^[IE] websocket\.go:\d+\] ")
_FEATURE_GATE = re.compile(r'^I envvar\.go:\d+\] "Feature gate default state"')


def text(value: str, folder: str, program: str = "") -> str:
    """Any output of a run in `folder`; the program's own name is kubectl's."""
    value = value.replace(folder, "<folder>")
    if program:
        value = re.sub(rf"\b{program}\b", "kubectl", value)
    for pattern, replacement in _RULES:
        value = pattern.sub(replacement, value)
    return _EVENTS_SELECTOR.sub(lambda match: match[1] + "%2C".join(sorted(match[2].split("%2C"))), value)


def table(value: str) -> str:
    """Ages and addresses, with the padding that depends on them."""
    return _TABLE_IP.sub(r"\1 ", _TABLE_AGE.sub(lambda match: ("AGE" if match[1] == "AGE" else "<age>") + " ", value))


def log(value: str) -> list[str]:
    """A -v=8 log (stderr) as comparable lines. Feature gates come in a Go map's order and are sorted; what goroutines
    say of a WebSocket stands at the end, sorted, too."""
    for pattern, replacement in _LOG_RULES:
        value = pattern.sub(replacement, value)
    lines = [_cut(_with_managers_in_order(line)) for line in value.splitlines()]
    gates = sorted(line for line in lines if _FEATURE_GATE.match(line))
    first = next((index for index, line in enumerate(lines) if _FEATURE_GATE.match(line)), 0)
    streams = sorted(line for line in lines if _WEBSOCKET.match(line))
    others = [line for line in lines if not _FEATURE_GATE.match(line) and not _WEBSOCKET.match(line)]
    return others[:first] + gates + others[first:] + streams


def without_protobuf(
    kubectl: Sequence[str], ours: Sequence[str], *, unordered: bool = False
) -> tuple[list[str], list[str]]:
    """Two logs without what differs because kubectl's typed calls speak protobuf and kubetrace's the same in JSON: each
    body that kubectl's log shows as a hexdump of protobuf is left out of both, and the media types are JSON's. What was
    sent is compared as the server decoded it. Bodies are told by their number, or, where calls have no order, by the
    function that logs them: all that it logs is protobuf then."""
    left, right = _entries(kubectl), _entries(ours)
    bodies = [(match[0], entry) for entry in left if (match := _BODY.match(entry))]
    binary = [bool(_PROTOBUF_DUMP.search(entry)) for _, entry in bodies]
    if unordered:
        places = {place for (place, _), dumped in zip(bodies, binary, strict=True) if dumped}
        return _with_bodies(left, _of_places(left, places)), _with_bodies(right, _of_places(right, places))
    return _with_bodies(left, binary), _with_bodies(right, binary)


def _of_places(entries: Sequence[str], places: set[str]) -> list[bool]:
    """For each body, whether it is one that these functions log, and not empty."""
    bodies = [(match[0], entry) for entry in entries if (match := _BODY.match(entry))]
    return [place in places and entry != f'{place}""' for place, entry in bodies]


def _with_bodies(entries: Sequence[str], binary: Sequence[bool]) -> list[str]:
    lines: list[str] = []
    number = 0
    for entry in entries:
        if body := _BODY.match(entry):
            if number < len(binary) and binary[number]:
                entry = f"{body[0]}<protobuf or JSON>"
            number += 1
        entry = entry.replace("application/vnd.kubernetes.protobuf,application/json", "application/json")
        entry = entry.replace("\n\tVary: Accept-Encoding", "")  # JSON is long enough to be compressed sooner
        entry = entry.replace("application/vnd.kubernetes.protobuf;stream=watch", "application/json")
        lines += entry.replace("application/vnd.kubernetes.protobuf", "application/json").split("\n")
    return lines


def unordered(lines: Sequence[str]) -> list[str]:
    """A log of calls made in parallel: its entries in an order of their own."""
    return sorted(_entries(lines))


def _entries(lines: Sequence[str]) -> list[str]:
    entries: list[str] = []
    for line in lines:
        if not line.startswith(("\t", " >")) or not entries:
            entries.append(line)
        else:
            entries[-1] += "\n" + line
    return entries


def body(value: object, folder: str, program: str = "") -> str:
    """A request body as sorted JSON."""
    return text(json.dumps(value, sort_keys=True), folder, program)


def _with_managers_in_order(line: str) -> str:
    """managedFields stand in the order of their times, which are whole seconds: whether two entries have the same one
    is luck."""
    if not line.startswith("\t{") or '"managedFields":' not in line:
        return line
    try:
        value = json.loads(line)
    except ValueError:
        return line
    _sort_managers(value)
    return "\t" + json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _sort_managers(value: object) -> None:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _sort_managers(item)
    if isinstance(value, dict) and isinstance(value.get("managedFields"), list):
        value["managedFields"].sort(key=lambda entry: (entry.get("manager", ""), json.dumps(entry)))


def _cut(line: str) -> str:
    if "[truncated]" not in line:
        return line
    managed = line.find("managedFields")  # in the order of times that are whole seconds
    return line[: min(KEPT_OF_TRUNCATED_BODY, managed if managed > 0 else len(line))] + "…"

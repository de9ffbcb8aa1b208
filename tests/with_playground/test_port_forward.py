"""`port-forward`: the same words, ports and ends as the real kubectl's."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client, kubectl_binary
from tests.with_playground.forwarding import Forwarding, forwarding

Run = Callable[..., Outcome]

KUBETRACE = [sys.executable, "-m", "kubetrace"]
PROGRAMS = ("kubetrace", "kubectl")

SERVICES = {
    "web": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 8080, "targetPort": 80}]},
    "named": {
        "selector": {"app": "web"},
        "ports": [
            {"name": "page", "port": 81, "targetPort": "http"},
            {"name": "dns", "port": 53, "protocol": "UDP"},
            {"name": "lost", "port": 99, "targetPort": "nothing"},
        ],
    },
    "headless": {"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
    "outside": {"type": "ExternalName", "externalName": "example.org"},
}


@pytest.fixture(scope="module")
def place(playground: manager.Playground) -> Iterator[str]:
    """A namespace with pods and services."""
    client = Client(playground.folder, playground.port)
    name: str = client.post("/api/v1/namespaces", {"metadata": {"generateName": "ports-"}})["metadata"]["name"]
    pods = f"/api/v1/namespaces/{name}/pods"
    ports = [{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    spec = {"containers": [{"name": "c", "image": "nginx", "ports": ports}]}
    client.post(pods, {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec})
    client.post(pods, {"metadata": {"name": "waiting"}, "spec": {**spec, "schedulerName": "none"}})
    for service, entry in SERVICES.items():
        client.post(f"/api/v1/namespaces/{name}/services", {"metadata": {"name": service}, "spec": entry})
    client.until(f"{pods}/web", lambda _, value: (value.get("status") or {}).get("phase") == "Running")
    yield name
    client.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def settings(playground: manager.Playground, place: str, tmp_path: Path) -> dict[str, str]:
    own = {"KUBETRACE_LIKE": "1.36", "KUBETRACE_DEBUG": "1"}
    return {"KUBECONFIG": str(playground.kubeconfig), "HOME": str(tmp_path), **own}


def _program(name: str) -> list[str]:
    if name == "kubetrace":
        return KUBETRACE
    binary = kubectl_binary()
    if binary is None:
        pytest.skip("no kubectl-1.36 in KUBEBUILDER_ASSETS")
    return [str(binary)]


def _start(name: str, place: str, settings: dict[str, str], *words: str, lines: int = 2) -> Iterator[Forwarding]:
    return forwarding([*_program(name), "port-forward", "-n", place, *words], settings, lines=lines)  # type: ignore[return-value]


# --- what it says -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("target", ["web", "pod/web", "svc/web"])
def test_a_port_leads_to_the_pods(name: str, target: str, place: str, settings: dict[str, str]) -> None:
    remote = "8080" if target == "svc/web" else "80"
    with _start(name, place, settings, target, f":{remote}") as running:
        assert b"GET /x HTTP/1.1" in running.page("/x")
        assert b"GET /y HTTP/1.1" in running.page("/y", host="::1")
    local = running.port
    assert running.out == [
        f"Forwarding from 127.0.0.1:{local} -> 80",
        f"Forwarding from [::1]:{local} -> 80",
        f"Handling connection for {local}",
        f"Handling connection for {local}",
    ]
    assert (running.err, running.code) == ("", 0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_several_ports_and_one_address(name: str, place: str, settings: dict[str, str]) -> None:
    with _start(name, place, settings, "svc/named", ":page", ":81", "--address=127.0.0.1") as running:
        second = int(running.out[1].partition(":")[2].split()[0])
        assert b"200 OK" in running.page() and b"200 OK" in running.page(port=second)
    assert running.out[2:] == [f"Handling connection for {running.port}", f"Handling connection for {second}"]
    assert running.code == 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_port_that_nobody_serves_ends_it(name: str, place: str, settings: dict[str, str]) -> None:
    with _start(name, place, settings, "web", ":81") as running:
        assert running.page() == b""
        running.end(None)
    assert running.code == 1
    log, last = running.err.splitlines()
    assert last == "error: lost connection to pod"
    said = re.sub(r"^E\d{4} [0-9:.]+ +\d+ ", "", log).partition(" to pod ")[0]
    told = f"an error occurred forwarding {running.port} -> 81: error forwarding port 81"
    assert said == f'portforward.go:522] "Unhandled Error" err="{told}'


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_local_port_that_is_taken(name: str, place: str, settings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, second = taken.getsockname()[1], other.getsockname()[1]
        words = ("web", f"{port}:80", f"{second}:80", "--address=127.0.0.1")
        with _start(name, place, settings, *words, lines=0) as running:
            running.end(None)
    error = "Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4"
    assert running.err.splitlines() == [
        f"Unable to listen on port {number}: {error} 127.0.0.1:{number}: bind: address already in use]"
        for number in (port, second)
    ] + [f"error: unable to listen on any of the requested ports: [{{{port} 80}} {{{second} 80}}]"]
    assert (running.out, running.code) == ([], 1)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["web"], "TYPE/NAME and list of ports are required for port-forward"),
        (["web", "nothing"], "Pod 'web' does not have a named port 'nothing'"),
        (["web", "x:80"], "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
        (["web", "1e5"], "Pod 'web' does not have a named port '1e5'"),
        (["web", "70000"], "error parsing local port '70000': strconv.ParseUint: parsing \"70000\": value out of range"),  # noqa: E501
        (["web", "80:"], "Pod 'web' does not have a named port ''"),
        (["web", "80:0"], "remote port must be > 0"),
        (["web", ":dns"], "UDP protocol is not supported for dns"),
        (["svc/named", ":53"], "UDP protocol is not supported for 53"),
        (["svc/named", ":lost"], "Pod 'web' does not have a named port 'nothing'"),
        (["svc/named", ":none"], "Service 'named' does not have a named port 'none'"),
        (["svc/web", ":80"], "Service web does not have a service port 80"),
        (
            ["svc/outside", "80"],
            "cannot attach to *v1.Service: invalid service 'outside': Service is defined without a selector",
        ),
        (["cm/kube-root-ca.crt", "80"], "cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented"),
        (["waiting", "80"], "unable to forward port because pod is not running. Current status=Pending"),
        (["web", "80", "--address=here"], "here is not a valid IP"),
        (["web", "80", "--address="], "you must specify at least 1 address"),
        (["web", "80", "--pod-running-timeout=0"], "--pod-running-timeout must be higher than zero"),
        (["web/x/y", "80"], "arguments in resource/name form may not have more than one slash"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(
    name: str, words: Sequence[str], error: str, place: str, settings: dict[str, str], run: Run
) -> None:
    if name == "kubetrace":
        outcome = run("port-forward", "-n", place, *words)
        said, code = outcome.err, outcome.code
    else:
        with _start(name, place, settings, *words, lines=0) as running:
            running.end(None)
        said, code = running.err, running.code
    assert (said.splitlines()[0], code) == (f"error: {error}", 1)


def test_no_such_pod(run: Run, place: str) -> None:
    outcome = run("port-forward", "-n", place, "nope", "80")
    assert (outcome.code, outcome.err) == (1, 'Error from server (NotFound): pods "nope" not found\n')


# --- what passes ------------------------------------------------------------------------------------------------------


def test_many_connections_at_once(place: str, settings: dict[str, str]) -> None:
    with _start("kubetrace", place, settings, "web", ":80") as running:
        pages: list[bytes] = []
        threads = [
            threading.Thread(target=lambda n=n: pages.append(running.page(f"/{n:02}" + "x" * 5000))) for n in range(40)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(re.search(rb"GET /(\d\d)x{5000} ", page)[1] for page in pages) == [b"%02d" % n for n in range(40)]  # type: ignore[index]
    assert running.code == 0 and running.out.count(f"Handling connection for {running.port}") == 40


def test_a_client_that_resets_its_connection_is_no_end(place: str, settings: dict[str, str]) -> None:
    with _start("kubetrace", place, settings, "web", ":80") as running:
        with socket.create_connection(("127.0.0.1", running.port), 10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.recv(10)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert b"200 OK" in running.page()
    assert running.code == 0


def test_the_trace_and_the_log_tell_each_frame(place: str, settings: dict[str, str], tmp_path: Path) -> None:
    trace = tmp_path / "t.jsonl"
    with _start("kubetrace", place, settings, "web", ":80", "-v=9", f"--trace={trace}") as running:
        assert b"200 OK" in running.page()
    assert 'kubetrace:0] "Upgraded" protocol="websocket" subprotocol="SPDY/3.1+portforward.k8s.io"' in running.err
    frames = [line for line in running.err.splitlines() if '"Frame"' in line]
    told = [re.sub(r'.*"Frame" (.*?) bytes=.*', r"\1", line) for line in frames]
    assert told[:5] == [
        'direction="sent" type="syn_stream" channel="error 80"',
        'direction="received" type="syn_reply" channel="error 80"',
        'direction="sent" type="data" channel="error 80"',
        'direction="sent" type="syn_stream" channel="data 80"',
        'direction="received" type="syn_reply" channel="data 80"',
    ]
    assert 'direction="received" type="data" channel="data 80"' in told
    assert 'direction="sent" type="rst_stream" channel="data 80"' in told
    assert "tunneling_dialer.go:106] negotiated protocol: portforward.k8s.io" in running.err
    kept = [json.loads(line) for line in trace.read_text().splitlines()]
    assert "upgraded" in {entry.get("event") or entry.get("type") for entry in kept}


def _tunnel_lines(log: str) -> list[str]:
    """The lines of the tunnel without their times, and with the lengths of what is compressed or of the pod's page."""
    found = re.findall(r"(?m)^I\d{4} [0-9:.]+ +\d+ (tunneling_connection\.go:.*)$", log)
    return [re.sub(r"\b([1-9]\d+) bytes", "N bytes", line) for line in found]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_log_tells_each_read_and_write_of_the_tunnel(name: str, place: str, settings: dict[str, str]) -> None:
    with _start(name, place, settings, "web", ":80", "-v=8") as running:
        assert b"200 OK" in running.page()
    lines = _tunnel_lines(running.err)
    writes = [line for line in lines if ":90] " in line]
    sizes = [line.partition("write: ")[2].partition(" bytes")[0] for line in writes]
    opened = ["2", "2", "4", "4", "4", "1", "1", "N"]
    assert sizes[:22] == [*opened, "4", "4", "0", *opened, "4", "4", "N"]
    told = [line.partition("write: ")[2] for line in writes]
    assert told[:2] == ["2 bytes, bytes=80 03", "2 bytes, bytes=00 01"]
    assert told[3:7] == ["4 bytes, bytes=00 00 00 01", "4 bytes, bytes=00 00 00 00", *["1 bytes, bytes=00"] * 2]
    assert told[8:11] == ["4 bytes, bytes=00 00 00 01", "4 bytes, bytes=01 00 00 00", "0 bytes, bytes="]
    assert all("tunneling connection write...complete" in line for line in lines if ":106] " in line)
    reads = [line for line in lines if re.search(r":(56|60|75|80|81)\] ", line)]
    places = [re.findall(r":(\d+)\]", line)[0] for line in reads]
    portion = ["75", "80", "81", "56"]
    assert places[:22] == ["56", "60", *(portion * 4), "75", "60", *portion[:2]]
    sizes = [line.partition("read ")[2].partition(" bytes")[0] for line in reads if ":80] " in line]
    assert sizes[:4] == ["4", "4", "4", "N"]
    assert reads[3] == "tunneling_connection.go:80] client: read 4 bytes, error=<nil>, bytes=80 03 00 02"
    assert reads[2::2][:2] == [
        "tunneling_connection.go:75] client: tunneling connection read in progress message...",
        "tunneling_connection.go:81] client: tunneling connection read...complete",
    ]


def test_what_passes_the_ports_is_masked_in_the_log(place: str, settings: dict[str, str]) -> None:
    for words, shown in (((), "bytes=<masked>"), (("--unmask",), "bytes=47 45 54 20 2F 73 65")):
        with _start("kubetrace", place, settings, "web", ":80", "-v=8", *words) as running:
            assert b"200 OK" in running.page("/secret")
        assert shown in running.err
        assert ("47 45 54 20" in running.err) == bool(words)


def test_the_newest_release_logs_its_tunnel_in_pairs(place: str, settings: dict[str, str]) -> None:
    with _start("kubetrace", place, settings, "web", ":80", "-v=8", "--like=1.37") as running:
        assert b"200 OK" in running.page()
    log = running.err
    assert 'go:106] "Tunneling connection write" length=2 data="\\x80\\x03"' in log
    assert 'go:70] "Tunneling connection read...complete" length=4 data="\\x80\\x03\\x00\\x02" err=null' in log
    assert "go:72]" not in log


def test_why_and_plan(run: Run, place: str) -> None:
    planned = run("port-forward", "-n", place, "web", "80", "--plan")
    assert planned.code == 0 and f"/api/v1/namespaces/{place}/pods/web/portforward" in planned.out
    told = run("port-forward", "-n", place, "web", "80", "--why", "--plan")
    assert "Open one connection to the pod" in told.err

"""log, exec, attach, portforward and proxy, as clients speak them: WebSocket in each protocol, and SPDY."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.playground.channels import Socket, Spdy, exit_code, query
from tests.playground.conftest import Client

V5, V4, V4_BASE64 = "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
_COUNT = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done"


@pytest.fixture(scope="module")
def pods(module_client: Client) -> Iterator[str]:
    """The path of a namespace's pods, in which some run."""
    client = module_client
    namespace = client.post("/api/v1/namespaces", {"metadata": {"generateName": "streams-"}})["metadata"]["name"]
    path = f"/api/v1/namespaces/{namespace}/pods"

    def make(name: str, **container: Any) -> None:
        spec = {"containers": [{"name": "c", "image": "busybox"} | container]}
        client.post(path, {"metadata": {"name": name}, "spec": spec})

    make("box", command=["sleep", "infinity"], env=[{"name": "COLOR", "value": "blue"}])
    make("web", image="nginx", ports=[{"containerPort": 80, "name": "http"}])
    make("count", command=["sh", "-c", _COUNT])
    make("shell", command=["sh"], stdin=True, tty=True)
    make("copy", command=["cat"], stdin=True, stdinOnce=True)
    make("bad", image="nginx:broken")
    two = [{"name": name, "image": "nginx", "command": ["sh", "-c", f"echo {name}; sleep infinity"]} for name in "ab"]
    client.post(path, {"metadata": {"name": "two"}, "spec": {"containers": two}})
    for name in ("box", "web", "count", "shell", "copy", "two"):
        client.until(f"{path}/{name}", lambda status, pod: _ready(pod))
    client.until(f"{path}/bad", lambda status, pod: "ImagePullBackOff" in json.dumps(pod.get("status")))
    yield path


@pytest.fixture(scope="module")
def module_client(playground: Any) -> Client:
    return Client(playground.folder, playground.port)


def _ready(pod: Any) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def run(client: Client, pods: str, *words: str, protocol: str = V5) -> tuple[int, bytes, bytes]:
    """(exit code, stdout, stderr)."""
    socket = Socket(client, f"{pods}/box/exec?{query(*words, stdout='1', stderr='1')}", protocol)
    assert socket.protocol == protocol
    found = socket.outcome()
    return exit_code(found[3]), found.get(1, b""), found.get(2, b"")


@pytest.mark.parametrize("protocol", [V5, V4])
def test_exec_has_both_outputs_and_an_exit_code(client: Client, pods: str, protocol: str) -> None:
    words = ("sh", "-c", "echo $COLOR; echo err >&2; exit 3")
    assert run(client, pods, *words, protocol=protocol) == (3, b"blue\n", b"err\n")
    assert run(client, pods, "hostname", protocol=protocol) == (0, b"box\n", b"")


@pytest.mark.parametrize("protocol", [V5, V4])
@pytest.mark.parametrize(("wanted", "first"), [({"stdout": "1", "stderr": "1"}, b"\x01"), ({"stderr": "1"}, b"\x02")])
def test_an_empty_message_says_that_the_connection_stands(
    client: Client, pods: str, protocol: str, wanted: dict[str, str], first: bytes
) -> None:
    socket = Socket(client, f"{pods}/box/exec?{query('sh', '-c', 'echo out; echo err >&2', **wanted)}", protocol)
    assert next(iter(socket.messages())) == first
    socket.close()


def test_exec_in_base64(client: Client, pods: str) -> None:
    socket = Socket(client, f"{pods}/box/exec?{query('cat', stdin='1', stdout='1')}", V4_BASE64)
    socket.send("0" + base64.b64encode(b"typed\n").decode())
    for message in socket.messages():
        if message[:1] == b"1" and len(message) > 1:
            assert base64.b64decode(message[1:]) == b"typed\n"
            break
    socket.close()


def test_exec_reads_stdin_until_it_is_closed(client: Client, pods: str) -> None:
    socket = Socket(client, f"{pods}/box/exec?{query('wc', '-c', stdin='1', stdout='1')}", V5)
    for _ in range(20):
        socket.send(b"\x00" + b"x" * 30_000)
    socket.send(b"\xff\x00")
    found = socket.outcome()
    assert (found[1], exit_code(found[3])) == (b"600000\n", 0)


def test_files_stay_in_their_container(client: Client, pods: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("note.txt")
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"kept"))
    socket = Socket(client, f"{pods}/box/exec?{query('tar', '-xmf', '-', '-C', '/tmp', stdin='1')}", V5)
    socket.send(b"\x00" + buffer.getvalue())
    socket.send(b"\xff\x00")
    assert exit_code(socket.outcome()[3]) == 0
    assert run(client, pods, "cat", "/tmp/note.txt")[1] == b"kept"
    _, packed, _ = run(client, pods, "tar", "cf", "-", "/tmp/note.txt")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == ["tmp/note.txt"]
    socket = Socket(client, f"{pods}/web/exec?{query('cat', '/tmp/note.txt', stderr='1')}", V5)
    assert socket.outcome()[2] == b"cat: /tmp/note.txt: No such file or directory\n"


def test_a_terminal(client: Client, pods: str) -> None:
    flags = {"stdin": "1", "stdout": "1", "tty": "1"}
    socket = Socket(client, f"{pods}/box/exec?{query('sh', **flags)}", V5)
    socket.send(b"\x04" + json.dumps({"Width": 132, "Height": 43}).encode())
    assert socket.read_until(1, b"/ # ") == b"/ # "
    socket.send(b"\x00stty size\r")
    assert socket.read_until(1, b"43 132\r\n/ # ").startswith(b"stty size\r\n")
    socket.send(b"\x00ecx\x7fho hi\r")
    assert b"hi\r\n/ # " in socket.read_until(1, b"hi\r\n/ # ")
    socket.send(b"\x00sleep 1000\r")
    socket.read_until(1, b"sleep 1000\r\n")
    socket.send(b"\x00\x03")
    socket.read_until(1, b"/ # ")
    socket.send(b"\x00echo $?\r")
    socket.read_until(1, b"130\r\n/ # ")
    socket.send(b"\x00if true\rthen echo both; fi\rexit 4\r")
    found = socket.outcome()
    assert b"> " in found[1] and b"both\r\n" in found[1]
    assert exit_code(found[3]) == 4


def test_attach_to_a_shell(client: Client, pods: str) -> None:
    flags = "stdin=1&stdout=1&tty=1"
    first = Socket(client, f"{pods}/shell/attach?{flags}", V5)
    first.send(b"\x00mine=1; echo a$mine\r")
    first.read_until(1, b"a1\r\n")
    first.close()
    second = Socket(client, f"{pods}/shell/attach?{flags}", V5)
    second.send(b"\x00echo b$mine\r")
    second.read_until(1, b"b1\r\n")
    second.close()


def test_attach_ends_with_the_container(client: Client, pods: str) -> None:
    socket = Socket(client, f"{pods}/copy/attach?stdin=1&stdout=1&stderr=1", V5)
    socket.send(b"\x00echoed\n")
    socket.read_until(1, b"echoed\n")
    socket.send(b"\xff\x00")
    assert json.loads(socket.outcome()[3])["status"] == "Success"
    assert client.call("GET", f"{pods}/copy/log?previous=true")[0] in (200, 400)


@pytest.mark.parametrize(
    ("target", "status", "told"),
    [
        ("box/exec?command=ls&container=nope", 400, "container nope is not valid for pod box"),
        ("box/exec?stdout=1", 400, "you must specify at least 1 command for the container"),
        ("nope/exec?command=ls", 404, "not found"),
        ("two/exec?command=ls", 400, "a container name must be specified for pod two, choose one of: [a b]"),
        ("bad/exec?command=ls", 500, 'container not found ("c")'),
    ],
)
def test_what_exec_refuses(client: Client, pods: str, target: str, status: int, told: str) -> None:
    socket = Socket(client, f"{pods}/{target}", V5)
    assert socket.status == status and told in socket.refusal.decode()


def test_exec_needs_an_upgrade_and_a_protocol(client: Client, pods: str) -> None:
    status, value = client.call("POST", f"{pods}/box/exec?command=ls&stdout=1")
    assert (status, value["message"]) == (400, "Upgrade request required")
    assert Socket(client, f"{pods}/box/exec?command=ls&stdout=1", "v9.channel.k8s.io").status == 400
    assert b"403" in Spdy(client, f"{pods}/box/exec?command=ls&stdout=1", "v9.channel.k8s.io").head.split(b"\r\n")[0]


def test_a_command_that_is_not_there(client: Client, pods: str) -> None:
    socket = Socket(client, f"{pods}/box/exec?{query('nope', stdout='1')}", V5)
    status = json.loads(socket.outcome()[3])
    assert status["reason"] == "InternalError"
    assert 'exec: "nope": executable file not found in $PATH' in status["message"]


def test_exec_over_spdy(client: Client, pods: str) -> None:
    words = query("sh", "-c", "cat; echo err >&2; exit 3", stdin="1", stdout="1", stderr="1")
    spdy = Spdy(client, f"{pods}/box/exec?{words}", V4, "v3.channel.k8s.io")
    assert spdy.head.startswith(b"HTTP/1.1 101") and b"X-Stream-Protocol-Version: v4.channel.k8s.io" in spdy.head
    error = spdy.open(fin=True, streamType="error")
    stdin = spdy.open(streamType="stdin")
    stdout, stderr = spdy.open(fin=True, streamType="stdout"), spdy.open(fin=True, streamType="stderr")
    spdy.send(stdin, b"typed\n")
    spdy.send(stdin, b"", fin=True)
    spdy.run(error, stdout, stderr)
    assert (spdy.data[stdout], spdy.data[stderr], exit_code(spdy.data[error])) == (b"typed\n", b"err\n", 3)
    spdy.close()


def _request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_port_forward_over_spdy(client: Client, pods: str) -> None:
    spdy = Spdy(client, f"{pods}/web/portforward", "portforward.k8s.io")
    pairs = []
    for number, port in enumerate(("80", "81")):
        headers = {"port": port, "requestID": str(number)}
        error = spdy.open(fin=True, streamType="error", **headers)
        pairs.append((error, spdy.open(streamType="data", **headers)))
    (error, data), (refused, lost) = pairs
    spdy.send(data, _request("/one"))
    spdy.send(data, b"", fin=True)
    spdy.run(error, data, refused, lost)
    assert (b"GET /one HTTP/1.1" in spdy.data[data] and error not in spdy.data) or not spdy.data[error]
    assert b"error forwarding port 81 to pod" in spdy.data[refused]
    spdy.close()


def test_port_forward_through_a_tunnel(client: Client, pods: str) -> None:
    from kubetrace.serving.spdy_framing import Data, Framer

    socket = Socket(client, f"{pods}/web/portforward", "SPDY/3.1+portforward.k8s.io")
    assert socket.protocol == "SPDY/3.1+portforward.k8s.io"
    framer = Framer()
    headers = [("port", "80"), ("requestid", "0")]
    socket.send(framer.open(1, [("streamtype", "error"), *headers], fin=True))
    socket.send(framer.open(3, [("streamtype", "data"), *headers]))
    socket.send(framer.data(3, _request("/tunnel")))
    found = b""
    for message in socket.messages():
        for frame in framer.feed(message):
            if isinstance(frame, Data) and frame.stream == 3:
                found += frame.data
        if b"Host: x" in found:
            break
    assert b"GET /tunnel HTTP/1.1" in found
    socket.close()


def test_port_forward_by_channels(client: Client, pods: str) -> None:
    socket = Socket(client, f"{pods}/web/portforward?ports=80&ports=81", V4)
    messages = socket.messages()
    first = [next(messages) for _ in range(4)]
    assert first == [b"\x00\x50\x00", b"\x01\x50\x00", b"\x02\x51\x00", b"\x03\x51\x00"]
    socket.send(b"\x00" + _request("/channel"))
    found = {0: b"", 3: b""}
    for message in messages:
        found[message[0]] = found.get(message[0], b"") + message[1:]
        if b"Host: x" in found[0] and found[3]:
            break
    assert b"GET /channel HTTP/1.1" in found[0] and b"error forwarding port 81" in found[3]
    socket.close()


def test_proxies(client: Client, pods: str) -> None:
    for name in ("web", "web:80", "http:web:http"):
        status, page = client.call("POST", f"{pods}/{name}/proxy/a/b?c=d", b"body", Content_Type="text/plain")
        assert status == 200 and b"POST /a/b?c=d HTTP/1.1" in page and b"body" in page
        assert client.token.encode() not in page
    status, value = client.call("GET", f"{pods}/web:81/proxy/")
    assert status == 503 and value["message"].endswith(":81: connect: connection refused")
    assert client.call("GET", f"{pods}/nope/proxy/")[0] == 404
    assert client.call("GET", f"{pods}/web/proxy")[0] == 301
    services = pods.replace("/pods", "/services")
    client.post(services, {"metadata": {"name": "none"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}})
    status, value = client.call("GET", f"{services}/none/proxy/")
    assert (status, value["message"]) == (503, 'no endpoints available for service "none"')
    assert client.call("GET", "/api/v1/nodes/playground-node/proxy/healthz") == (200, b"ok")


def test_logs(client: Client, pods: str) -> None:
    log = f"{pods}/count/log"
    client.until(log, lambda status, text: text.count(b"\n") > 5)
    status, text = client.call("GET", f"{log}?tailLines=3")
    lines = text.split(b"\n")
    assert status == 200 and len(lines) == 4 and lines[0].startswith(b"line ")
    assert client.call("GET", f"{log}?limitBytes=8")[1] == b"line 1\nl"
    assert client.call("GET", f"{log}?tailLines=0")[1] == b""
    _, text = client.call("GET", f"{log}?timestamps=true&tailLines=1")
    stamp, _, rest = text.partition(b" ")
    assert len(stamp) == 30 and stamp.endswith(b"Z") and rest.startswith(b"line ")
    _, since = client.call("GET", f"{log}?sinceTime={stamp.decode()[:19]}Z")
    assert since.count(b"\n") < text.count(b"\n") + 20 and b"line 1\n" not in since
    assert client.call("GET", f"{log}?sinceSeconds=1")[1].count(b"\n") < 10
    followed = client.open("GET", f"{log}?follow=true&tailLines=1")
    numbers = [int(followed.readline().split()[1]) for _ in range(4)]
    followed.connection.close()  # type: ignore[attr-defined]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


@pytest.mark.parametrize(
    ("target", "status", "told"),
    [
        ("bad/log", 400, 'container "c" in pod "bad" is waiting to start: '),
        ("box/log?previous=true", 400, 'previous terminated container "c" in pod "box" not found'),
        ("box/log?container=x", 400, "container x is not valid for pod box"),
        ("two/log", 400, "a container name must be specified for pod two, choose one of: [a b]"),
        ("box/log?tailLines=-1", 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("box/log?limitBytes=0", 422, "limitBytes: Invalid value: 0: must be greater than 0"),
        ("box/log?sinceSeconds=0", 422, "sinceSeconds: Invalid value: 0: must be greater than 0"),
        ("nope/log", 404, 'pods "nope" not found'),
    ],
)
def test_logs_that_cannot_be_had(client: Client, pods: str, target: str, status: int, told: str) -> None:
    found, value = client.call("GET", f"{pods}/{target}")
    assert found == status and told in value["message"]


def test_who_may_exec(client: Client, pods: str, playground: Any) -> None:
    viewer = Client(playground.folder, playground.port, "viewer")
    assert Socket(viewer, f"{pods}/box/exec?command=ls&stdout=1", V5).status == 403
    assert viewer.call("GET", f"{pods}/count/log?tailLines=1")[0] == 200


def test_requests_from_inside(client: Client, pods: str) -> None:
    services = pods.replace("/pods", "/services")
    client.call(
        "PATCH", f"{pods}/web", {"metadata": {"labels": {"app": "web"}}}, Content_Type="application/merge-patch+json"
    )
    client.post(
        services,
        {
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]},
        },
    )
    code, out, _ = run(client, pods, "wget", "-qO-", "http://web:8080/inside")
    assert code == 0 and b"GET /inside HTTP/1.1" in out
    assert run(client, pods, "wget", "-qO-", "http://web:8080/x")[1].count(b"Pod:") == 1
    assert run(client, pods, "nslookup", "web")[0] == 0
    assert run(client, pods, "curl", "-s", "http://nope/")[0] == 6
    assert b'"GET /inside HTTP/1.1" 200' in client.call("GET", f"{pods}/web/log")[1]
    assert run(client, pods, "cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace")[1].decode() in pods


def test_the_api_server_from_inside(client: Client, pods: str) -> None:
    script = """
    T=$(cat /var/run/secrets/kubernetes.io/serviceaccount/token); A=https://kubernetes.default.svc
    curl -sk -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $T" $A/api/v1/namespaces/default/secrets
    wget -qO- --no-check-certificate --header "Authorization: Bearer $T" https://$KUBERNETES_SERVICE_HOST/api | grep v1
    curl -s --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt $A/version | grep -c gitVersion
    curl -s http://kubernetes.default:443/
    curl -S -s $A/version
    """
    code, out, told = run(client, pods, "sh", "-c", script)
    assert code == 60 and told == b"curl: (60) SSL certificate problem: unable to get local issuer certificate\n"
    assert out.decode().split("\n") == [
        "403",
        '    "v1"',
        "1",
        "Client sent an HTTP request to an HTTPS server.",
        "",
    ]


def test_ping_reaches_pods_and_no_services(client: Client, pods: str) -> None:
    address = client.get(f"{pods}/web")["status"]["podIP"]
    assert b"1 packets received, 0% packet loss" in run(client, pods, "ping", "-c1", address)[1]
    assert run(client, pods, "ping", "-c1", "kubernetes.default")[0] == 1
    assert run(client, pods, "nslookup", "kubernetes.default")[1].count(b"kubernetes.default.svc.cluster.local") == 1

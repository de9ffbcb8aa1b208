"""Other clients take the playground for real: the Python `kubernetes` client and kr8s (extra `kubetrace[clients]`),
lightkube and kubernetes_asyncio where they are installed,
helm where it is on PATH, and JavaScript's client where KUBETRACE_NODE_MODULES has it (@kubernetes/client-node 1 with
Node 20, 2 with Node 22 or later)."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetrace.playground import manager

pytestmark = pytest.mark.filterwarnings("ignore")

BOX = {"containers": [{"name": "box", "image": "busybox", "command": ["sleep", "infinity"]}]}


@pytest.fixture(scope="module")
def core(playground: manager.Playground) -> Iterator[Any]:
    kubernetes = pytest.importorskip("kubernetes", reason="kubernetes is not installed (extra clients)")
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(playground.kubeconfig), client_configuration=configuration)
    with kubernetes.client.ApiClient(configuration) as client:
        yield kubernetes.client.CoreV1Api(client)


@pytest.fixture
def kr8s_api(playground: manager.Playground) -> Any:
    kr8s = pytest.importorskip("kr8s", reason="kr8s is not installed (extra clients)")
    return kr8s.api(kubeconfig=str(playground.kubeconfig))


def test_kubernetes_objects(core: Any, namespace: str) -> None:
    made = core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    assert made.data == {"a": "1"} and made.metadata.uid
    core.patch_namespaced_config_map("c", namespace, {"data": {"b": "2"}})
    read = core.read_namespaced_config_map("c", namespace)
    assert read.data == {"a": "1", "b": "2"}
    read.data = {"z": "9"}
    core.replace_namespaced_config_map("c", namespace, read)
    names = [item.metadata.name for item in core.list_namespaced_config_map(namespace).items]
    assert "c" in names
    with pytest.raises(Exception, match="409"):
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "c"}})
    core.delete_namespaced_config_map("c", namespace)
    with pytest.raises(Exception, match='configmaps \\\\"c\\\\" not found'):
        core.read_namespaced_config_map("c", namespace)


def test_kubernetes_watches(core: Any, namespace: str) -> None:
    from kubernetes import watch

    core.create_namespaced_config_map(namespace, {"metadata": {"name": "w", "labels": {"app": "w"}}})
    seen = []
    watcher = watch.Watch()
    stream = watcher.stream(core.list_namespaced_config_map, namespace, label_selector="app=w", timeout_seconds=20)
    for event in stream:
        seen.append((event["type"], event["object"].data))
        if event["type"] == "ADDED":
            core.patch_namespaced_config_map("w", namespace, {"data": {"k": "v"}})
        elif event["type"] == "MODIFIED":
            core.delete_namespaced_config_map("w", namespace)
        else:
            watcher.stop()
    assert seen == [("ADDED", None), ("MODIFIED", {"k": "v"}), ("DELETED", {"k": "v"})]


def test_kubernetes_watches_go_on_where_they_ended(core: Any, namespace: str) -> None:
    from kubernetes import watch

    def names(**options: Any) -> tuple[list[tuple[str, str]], watch.Watch]:
        watcher = watch.Watch()
        found = watcher.stream(core.list_namespaced_config_map, namespace, timeout_seconds=1, **options)
        return [(event["type"], event["object"].metadata.name) for event in found], watcher

    version = core.list_namespaced_config_map(namespace).metadata.resource_version
    for name in ("a", "b"):
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name}})
    seen, watcher = names(resource_version=version)
    assert seen == [("ADDED", "a"), ("ADDED", "b")]
    core.delete_namespaced_config_map("a", namespace)
    assert names(resource_version=watcher.resource_version)[0] == [("DELETED", "a")]
    listing = {"send_initial_events": True, "resource_version_match": "NotOlderThan", "allow_watch_bookmarks": True}
    begun = watch.Watch().stream(core.list_namespaced_config_map, namespace, timeout_seconds=1, **listing)
    raw = [(event["type"], event["raw_object"]["metadata"]) for event in begun]
    marked = [metadata.get("annotations") for kind, metadata in raw if kind == "BOOKMARK"]
    assert marked[0] == {"k8s.io/initial-events-end": "true"}
    assert next(metadata["name"] for kind, metadata in raw if kind == "ADDED") == "b"


def test_kubernetes_dynamic_client(core: Any, namespace: str) -> None:
    from kubernetes import dynamic
    from kubernetes.dynamic.exceptions import ConflictError

    resource = dynamic.DynamicClient(core.api_client).resources.get(api_version="v1", kind="ConfigMap")
    resource.create(body={"metadata": {"name": "d"}, "data": {"a": "b"}}, namespace=namespace)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": {"a": "x"}}
    with pytest.raises(ConflictError, match="Apply failed with 1 conflict"):
        resource.server_side_apply(namespace=namespace, name="d", body=body, field_manager="other")
    applied = resource.server_side_apply(
        namespace=namespace, name="d", body=body, field_manager="other", force_conflicts=True
    )
    assert dict(applied.data) == {"a": "x"}
    found = resource.patch(
        body={"data": {"a": None}}, name="d", namespace=namespace, content_type="application/merge-patch+json"
    )
    assert found.data is None


def test_kubernetes_leader_election(core: Any, namespace: str) -> None:
    from kubernetes import client
    from kubernetes.leaderelection import electionconfig, leaderelection
    from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

    leases = client.CoordinationV1Api(core.api_client)
    leads, done, stopped = threading.Event(), threading.Event(), threading.Event()

    def lead() -> None:
        leads.set()
        done.wait(60)
        raise InterruptedError  # which is how a leader resigns

    made = LeaseLock("lead", namespace, "one")
    made.api_instance = leases
    config = electionconfig.Config(made, 4, 3, 1, onstarted_leading=lead, onstopped_leading=stopped.set)
    running = threading.Thread(target=leaderelection.LeaderElection(config).run, daemon=True)
    running.start()
    assert leads.wait(20)
    first = leases.read_namespaced_lease("lead", namespace).spec
    assert (first.holder_identity, first.lease_duration_seconds) == ("one", 4)
    _wait(lambda: leases.read_namespaced_lease("lead", namespace).spec.renew_time > first.renew_time)
    done.set()
    running.join(20)
    assert stopped.is_set()


def test_kubernetes_exec_logs_and_port_forward(core: Any, namespace: str) -> None:
    from kubernetes import stream

    script = ["sh", "-c", "echo started; sleep infinity"]
    spec = {"containers": [{"name": "box", "image": "busybox", "command": script}]}
    core.create_namespaced_pod(namespace, {"metadata": {"name": "p"}, "spec": spec})
    _wait(lambda: core.read_namespaced_pod("p", namespace).status.phase == "Running")
    assert core.read_namespaced_pod_log("p", namespace) == "started\n"
    call = core.connect_get_namespaced_pod_exec
    out = stream.stream(call, "p", namespace, command=["hostname"], stdout=True, stderr=True, stdin=False, tty=False)
    assert out == "p\n"
    session = stream.stream(
        call,
        "p",
        namespace,
        command=["sh"],
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    session.write_stdin("echo typed; echo wrong >&2; exit 7\n")
    session.run_forever(timeout=20)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("typed\n", "wrong\n", 7)
    forward = stream.portforward(core.connect_get_namespaced_pod_portforward, "p", namespace, ports="80")
    pipe = forward.socket(80)
    pipe.setblocking(True)
    pipe.sendall(b"GET /python HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n")
    answer = b""
    while data := pipe.recv(4096):
        answer += data
    assert b"GET /python HTTP/1.1" in answer


def _wait(true: Any) -> None:
    import time

    for _ in range(400):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_helm(playground: manager.Playground, namespace: str, tmp_path: Path) -> None:
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("no helm on PATH")
    homes = {f"HELM_{name}_HOME": str(tmp_path / name) for name in ("CACHE", "CONFIG", "DATA")}
    environ = dict(os.environ) | homes | {"KUBECONFIG": str(playground.kubeconfig)}

    def run(*words: str, code: int = 0) -> str:
        told = subprocess.run([helm, *words], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert told.returncode == code, told.stdout + told.stderr
        return told.stdout + (told.stderr if code else "")

    run("create", "chart")
    here, ready = ("-n", namespace), ("--wait", "--timeout=60s")
    assert "STATUS: deployed" in run("install", "web", "chart", *here, *ready)
    assert "Phase:          Succeeded" in run("test", "web", *here)
    run("upgrade", "web", "chart", "--set=autoscaling.enabled=true,ingress.enabled=true", *here, *ready)
    broken = ("--set=image.tag=broken", "--atomic", "--timeout=5s")
    assert "has been rolled back" in run("upgrade", "web", "chart", *here, *broken, code=1)
    run("rollback", "web", "1", *here, *ready)
    told = [line.split()[0] for line in run("history", "web", *here).splitlines()[1:]]
    assert told == ["1", "2", "3", "4", "5"]
    assert "web" in run("list", *here)
    run("uninstall", "web", *here, *ready)
    assert "release: not found" in run("status", "web", *here, code=1)


JAVASCRIPT = """
const k8s = require('@kubernetes/client-node'), fs = require('fs'), { PassThrough } = require('stream');
const [folder, namespace] = process.argv.slice(1), pause = (time) => new Promise((done) => setTimeout(done, time));
const config = new k8s.KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(k8s.CoreV1Api), exec = new k8s.Exec(config);
async function run(command) {
  const out = new PassThrough();
  let text = '';
  out.on('data', (data) => (text += data));
  const status = await new Promise((done) => exec.exec(namespace, 'p', 'c', command, out, out, null, false, done));
  await pause(100);
  return [text, status.status, ...(status.details?.causes || []).map((cause) => cause.message)].join(' ');
}
(async () => {
  const spec = {containers: [{name: 'c', image: 'busybox', command: ['sh', '-c', 'echo up; sleep infinity']}]};
  await core.createNamespacedPod({namespace, body: {metadata: {name: 'p'}, spec}});
  const list = () => core.listNamespacedPod({namespace});
  const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/pods`, list);
  const running = new Promise((done) => {
    const look = (pod) => { if (pod.status.phase === 'Running') done(); };
    informer.on('add', look);
    informer.on('update', look);
  });
  await informer.start();
  await running;
  console.log((await core.readNamespacedPodLog({namespace, name: 'p'})).trim());
  console.log(await run(['sh', '-c', 'echo out; exit 3']));
  fs.mkdirSync(`${folder}/there/deep`, {recursive: true});
  fs.writeFileSync(`${folder}/there/deep/note.txt`, 'kept');
  const cp = new k8s.Cp(config);
  await cp.cpToPod(namespace, 'p', 'c', `${folder}/there`, '/tmp');
  const look = ['sh', '-c', 'cat $(find /tmp -name note.txt)'];  // client-node 1 keeps the local path, 2 does not
  for (let i = 0; i < 100 && !(await run(look)).startsWith('kept'); i++) await pause(50);
  console.log(await run(look));
  process.exit(0);
})();
"""


def test_javascript(playground: manager.Playground, namespace: str, tmp_path: Path) -> None:
    modules, node = os.environ.get("KUBETRACE_NODE_MODULES", ""), shutil.which("node")
    if node is None or not (Path(modules) / "@kubernetes" / "client-node").is_dir():
        pytest.skip("KUBETRACE_NODE_MODULES names no folder with @kubernetes/client-node, or there is no node")
    environ = dict(os.environ) | {"KUBECONFIG": str(playground.kubeconfig), "NODE_PATH": modules}
    command = [node, "-e", JAVASCRIPT, str(tmp_path), namespace]
    told = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert told.returncode == 0, told.stderr
    assert told.stdout == "up\nout\n Failure 3\nkept Success\n"


def test_kr8s(kr8s_api: Any, namespace: str) -> None:
    from kr8s.objects import ConfigMap, Pod

    settings = ConfigMap({"metadata": {"name": "s", "namespace": namespace}, "data": {"a": "1"}}, api=kr8s_api)
    settings.create()
    settings.patch({"data": {"b": "2"}})
    found = ConfigMap.get("s", namespace=namespace, api=kr8s_api)
    assert dict(found.data) == {"a": "1", "b": "2"}
    names = [item.name for item in kr8s_api.get("configmaps", namespace=namespace)]
    assert set(names) >= {"s"}
    pod = Pod({"metadata": {"name": "p", "namespace": namespace}, "spec": BOX}, api=kr8s_api)
    pod.create()
    pod.wait("condition=Ready", timeout=20)
    result = pod.exec(["sh", "-c", "echo out; echo err >&2"])
    assert (result.stdout, result.stderr, result.returncode) == (b"out\n", b"err\n", 0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pod.portforward(remote_port=80, local_port=port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/kr8s")
        assert b"GET /kr8s HTTP/1.1" in connection.getresponse().read()
        connection.close()
    pod.delete()
    settings.delete()
    assert not settings.exists()


def test_lightkube(playground: manager.Playground, namespace: str) -> None:
    lightkube = pytest.importorskip("lightkube", reason="lightkube is not installed")
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.apps_v1 import Deployment
    from lightkube.resources.core_v1 import ConfigMap

    config = lightkube.KubeConfig.from_file(str(playground.kubeconfig))
    client = lightkube.Client(config=config, namespace=namespace, field_manager="light")
    metadata = ObjectMeta(name="l", labels={"app": "l"})
    client.create(ConfigMap(metadata=metadata, data={"a": "1"}), field_manager="other")
    wanted = ConfigMap(apiVersion="v1", kind="ConfigMap", metadata=metadata, data={"a": "2"})
    with pytest.raises(lightkube.ApiError, match="Apply failed with 1 conflict"):
        client.apply(wanted)
    assert client.apply(wanted, force=True).data == {"a": "2"}
    assert [item.metadata.name for item in client.list(ConfigMap, labels={"app": "l"}, chunk_size=1)] == ["l"]
    event, found = next(iter(client.watch(ConfigMap, labels={"app": "l"}, server_timeout=5)))
    assert (event, found.metadata.name) == ("ADDED", "l")
    labels = {"app": "web"}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": BOX},
    }
    client.create(Deployment.from_dict({"metadata": {"name": "web"}, "spec": spec}))
    assert client.wait(Deployment, "web", for_conditions=["Available"]).status.availableReplicas == 1
    assert client.get(Deployment.Scale, "web").spec.replicas == 1
    client.delete(ConfigMap, "l")
    with pytest.raises(lightkube.ApiError, match='configmaps "l" not found'):
        client.get(ConfigMap, "l")


def test_kubernetes_asyncio(playground: manager.Playground, namespace: str) -> None:
    pytest.importorskip("kubernetes_asyncio", reason="kubernetes_asyncio is not installed")
    import asyncio

    from kubernetes_asyncio import client, config, watch

    async def talk() -> list[Any]:
        settings = client.Configuration()
        await config.load_kube_config(config_file=str(playground.kubeconfig), client_configuration=settings)
        async with client.ApiClient(settings) as api:
            core = client.CoreV1Api(api)
            await core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}, "data": {"k": "v"}})
            patched = await core.patch_namespaced_config_map("a", namespace, {"data": {"n": "1"}})
            watcher, chosen = watch.Watch(), {"field_selector": "metadata.name=a", "timeout_seconds": 1}
            seen = []
            async with watcher.stream(core.list_namespaced_config_map, namespace, **chosen) as stream:
                async for event in stream:
                    seen.append((event["type"], event["object"].metadata.name))
            with pytest.raises(client.exceptions.ApiException, match="AlreadyExists"):
                await core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}})
            return [patched.data, seen]

    assert asyncio.run(talk()) == [{"k": "v", "n": "1"}, [("ADDED", "a")]]

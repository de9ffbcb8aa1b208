"""--plan shows what would be sent and writes nothing, for every command that writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from kubetrace.commands.table import ROOT
from tests.conftest import Outcome
from tests.playground.conftest import Client

Run = Callable[..., Outcome]

DEPLOYMENT = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
             "template": {"metadata": {"labels": {"app": "web"}},
                          "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}}},
}  # fmt: skip
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod", "labels": {"app": "pod"}},
       "spec": {"containers": [{"name": "c", "image": "i"}]}}  # fmt: skip
REQUEST = (  # CN=cc, of a key that nobody has
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlISE1HOENBUUF3RFRFTE1Ba0dBMVVFQXd3Q1kyTXdXVEFUQmdj"
    "cWhrak9QUUlCQmdncWhrak9QUU1CQndOQwpBQVNoMjlvbHZYS1A2T0QxWmNRSEZ3K0FaMDEyWkJta1pwNVZzaUVOMlB2T1hiWFhk"
    "WWcrTUtVbmhXYUlUdXFnClBHSDdoeUJtaTM0cGt0dkM1a0pzeWdDSW9BQXdDZ1lJS29aSXpqMEVBd0lEU0FBd1JRSWdXT0xleXdm"
    "R3htZ0sKbVVvbUpwTlVZck8yT2duUlk5L2MzcllDWHpwWU4wY0NJUUNzR2JKTXJUU2ZZMkllckNLZ2p6ZlhPbE5VV0xZRgo5TnlE"
    "QXZZcmhkU3R1UT09Ci0tLS0tRU5EIENFUlRJRklDQVRFIFJFUVVFU1QtLS0tLQo="
)
ASKED = {"metadata": {"name": "asked"}, "spec": {"signerName": "example.com/nobody", "usages": ["client auth"],
                                                "request": REQUEST}}  # fmt: skip
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "b"}}

WRITES = {
    "annotate": ["pod/pod", "a=b"],
    "apply": ["-f", "new.json"],
    "attach": ["pod", "-i"],
    "auth reconcile": ["-f", "role.json"],
    "autoscale": ["deployment", "web", "--max=3"],
    "certificate approve": ["asked"],
    "certificate deny": ["asked"],
    "cordon": ["playground-node"],
    "create": ["-f", "new.json"],
    "create clusterrole": ["r", "--verb=get", "--resource=pods"],
    "create clusterrolebinding": ["b", "--clusterrole=view", "--user=u"],
    "create configmap": ["c", "--from-literal=a=b"],
    "create cronjob": ["c", "--image=i", "--schedule=* * * * *"],
    "create deployment": ["d", "--image=i"],
    "create ingress": ["i", "--rule=a.b/x=s:80"],
    "create job": ["j", "--image=i"],
    "create namespace": ["plan-only"],
    "create poddisruptionbudget": ["p", "--selector=app=web", "--min-available=1"],
    "create priorityclass": ["plan-only", "--value=1"],
    "create quota": ["q", "--hard=pods=1"],
    "create role": ["r", "--verb=get", "--resource=pods"],
    "create rolebinding": ["b", "--role=r", "--user=u"],
    "create secret": ["generic", "s", "--from-literal=a=b"],
    "create service": ["clusterip", "s", "--tcp=80"],
    "create serviceaccount": ["s"],
    "create token": ["default"],
    "debug": ["pod/pod", "--image=i"],
    "delete": ["pod", "pod"],
    "drain": ["playground-node", "--ignore-daemonsets", "--force"],
    "edit": ["pod", "pod"],
    "exec": ["pod", "--", "true"],
    "expose": ["deployment", "web", "--port=80"],
    "label": ["pod/pod", "a=b"],
    "patch": ["pod", "pod", "-p", '{"metadata":{"labels":{"a":"b"}}}'],
    "replace": ["-f", "pod.json"],
    "rollout": ["restart", "deployment/web"],
    "run": ["r", "--image=i"],
    "scale": ["deployment/web", "--replicas=3"],
    "set": ["image", "deployment/web", "c=j"],
    "taint": ["node", "playground-node", "a=b:NoSchedule"],
    "uncordon": ["closed"],
}
MORE = (
    ["apply", "-f", "all.json"],
    ["apply", "-f", "new.json", "--server-side"],
    ["apply", "-f", "changed.json", "--force"],
    ["apply", "-f", "new.json", "--prune", "--all", "--prune-allowlist=core/v1/Pod"],
    ["create", "-f", "new.json", "--edit"],
    ["create", "-f", "all.json"],
    ["create", "-f", "new.json", "--raw", "/api/v1/namespaces/{namespace}/configmaps"],
    ["delete", "pods", "--all"],
    ["delete", "-f", "pod.json", "--now"],
    ["delete", "deployment/web", "pod/pod", "--cascade=foreground", "--wait=false"],
    ["delete", "-i", "pod", "pod"],
    ["delete", "--raw", "/api/v1/namespaces/{namespace}/pods/pod"],
)


def known() -> list[list[str]]:
    """The write commands that are here."""
    found = [path for path, entry in ROOT.walk() if not entry.hidden]
    return [[*words.split(), *rest] for words, rest in WRITES.items() if tuple(words.split()) in found]


def requests(server: Client) -> dict[str, int]:
    """How many requests that may write the server has had, by their labels."""
    status, text = server.call("GET", "/metrics")
    assert status == 200
    found = re.findall(r"apiserver_request_total\{([^}]*)\} (\d+)", text.decode())
    return {labels: int(count) for labels, count in found if not re.search('verb="(GET|LIST|WATCH|HEAD)"', labels)}


@pytest.fixture
def world(server: Client, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A namespace with a pod and a deployment, and manifests in the working folder."""
    server.post(f"/api/v1/namespaces/{namespace}/pods", POD)
    server.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", DEPLOYMENT)
    changed = {**POD, "metadata": {"name": "pod", "labels": {"app": "other"}}}
    everything = {"apiVersion": "v1", "kind": "List", "items": [CONFIG, changed, {**CONFIG, "metadata": {"name": "b"}}]}
    closed = {"metadata": {"name": "closed"}, "spec": {"unschedulable": True}}
    server.call("POST", "/api/v1/nodes", closed)  # it may be there already
    server.call("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", ASKED)
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": []}
    role["metadata"] = {"name": "r", "namespace": namespace}
    manifests = {"new": CONFIG, "pod": POD, "changed": changed, "all": everything, "role": role}
    for name, value in manifests.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/app: pod/app: edited/;s/a: b/a: c/' \"$1\"\n")
    editor.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return namespace


def everything(server: Client, namespace: str) -> list[str]:
    """What the namespace and the cluster hold, but for what controllers do by themselves."""
    found = []
    paths = [f"/api/v1/namespaces/{namespace}/{kind}" for kind in ("configmaps", "secrets", "services", "pods")]
    paths += [f"/apis/apps/v1/namespaces/{namespace}/deployments", "/api/v1/namespaces", "/api/v1/nodes"]
    for path in paths:
        for item in server.get(path)["items"]:
            labels = json.dumps([item["metadata"].get(key) for key in ("labels", "annotations", "deletionTimestamp")])
            found.append(f"{path}/{item['metadata']['name']} {labels} {item.get('spec', {}).get('replicas')}")
    return sorted(found)


def run_all(run: Run, server: Client, namespace: str, command: list[str]) -> Outcome:
    server.until(
        f"/apis/apps/v1/namespaces/{namespace}/deployments/web",
        lambda status, value: value.get("status", {}).get("readyReplicas") == 1,
    )
    before, held = requests(server), everything(server, namespace)
    words = [word.format(namespace=namespace) if word.startswith("/api") else word for word in command]
    end = words.index("--") if "--" in words else len(words)
    words[end:end] = ["-n", namespace, "--plan"]
    done = run(*words, environ={"EDITOR": "./editor", "PATH": os.environ["PATH"]})
    assert requests(server) == before, done.out + done.err
    assert everything(server, namespace) == held
    return done


@pytest.mark.parametrize("command", [*known(), *MORE], ids=" ".join)
def test_a_plan_writes_nothing(run: Run, server: Client, world: str, command: list[str]) -> None:
    done = run_all(run, server, world, command)
    assert done.code == 0, done.out + done.err
    written = re.findall(r"(?m)^\d+\. (?:POST|PUT|PATCH|DELETE) https://\S+\n   # (.*)$", done.out)
    assert written or command[0] in ("exec", "attach"), done.out
    assert all(what.startswith("not sent; ") for what in written)
    for what in re.findall(r"(?m)^\d+\. GET https://\S+\n   # (.*)$", done.out):
        assert what.startswith(("sent, to read: ", "sent, for the plan alone", "not sent; "))
    assert re.search(r"Plan: \d+ reads? (was|were) sent, \d+ requests? (was|were) not\.\n$", done.out), done.out


def test_what_a_plan_shows(run: Run, world: str) -> None:
    done = run("apply", "-f", "changed.json", "-n", world, "--plan")
    blocks = done.out.split("\n\n")
    patch = next(at for at, block in enumerate(blocks) if ". PATCH https://127.0.0.1" in block)
    assert "not sent; the plan goes on as if the answer were 200 OK" in blocks[patch]
    assert "\n   Content-Type: application/strategic-merge-patch+json" in blocks[patch]
    assert "\n   Authorization: Bearer <masked>" in blocks[patch]
    body = json.loads(blocks[patch + 1])
    assert body["metadata"]["labels"] == {"app": "other"}
    assert "pod/pod configured" not in done.out
    read = next(
        block for block in blocks if ". GET https://127.0.0.1" in block and block.split("\n")[0].endswith("/pod")
    )
    assert "# sent, to read: 200 OK\n" in read


def test_several_documents_are_all_planned_and_errors_stay(run: Run, world: str, tmp_path: Path) -> None:
    done = run("create", "-f", "all.json", "-n", world, "--plan")
    assert len(re.findall(r"(?m)^\d+\. POST ", done.out)) == 3 and done.code == 0
    (tmp_path / "bad.json").write_text(json.dumps({**CONFIG, "kind": "Nonsense"}))
    done = run("apply", "-f", "new.json", "-f", "bad.json", "-n", world, "--plan")
    assert done.code == 1 and 'no matches for kind "Nonsense"' in done.err
    forbidden = run("delete", "pod", "pod", "-n", world, "--plan", "--context", "nobody")
    assert forbidden.code == 0  # only the server can refuse a delete, and it is not asked


def test_a_read_that_depends_on_a_write_is_not_sent(run: Run, world: str) -> None:
    done = run("delete", "pod", "pod", "-n", world, "--plan")
    found = re.findall(r"(?m)^\d+\. (\w+) \S+/pods/pod\n   # (.*)$", done.out)
    assert found == [
        ("DELETE", "not sent; the plan goes on as if the answer were 200 OK, and the object gone"),
        ("GET", "not sent; the plan goes on as if the answer were 404 Not Found, as it would be deleted by now"),
    ]


def test_a_watch_ends_the_plan(run: Run, world: str) -> None:
    done = run("get", "pods", "-w", "-n", world, "--plan")
    assert done.code == 0
    assert re.search(r"watch=true\n   # not sent; the plan ends here, as nobody knows this answer", done.out)


def test_secrets_are_masked(run: Run, world: str, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "hunter2-secret"}}
    (tmp_path / "secret.json").write_text(json.dumps(secret))
    done = run("create", "-f", "secret.json", "-n", world, "--plan")
    assert "hunter2" not in done.out + done.err and "<masked:1>" in done.out


@pytest.mark.parametrize("words", [["config", "set-context", "x"], ["trace", "show"], ["playground", "down"]])
def test_commands_without_requests(run: Run, words: list[str]) -> None:
    done = run(*words, "--plan")
    assert done.code == 1 and done.err.startswith("error: --plan shows a command's requests, and kubetrace ")


def test_help_and_other_options_go_together_with_it(run: Run, world: str) -> None:
    assert "Usage:" in run("delete", "--help", "--plan").out
    done = run("version", "--client", "--plan", "--stats")
    assert done.out == "Plan: no request would be sent.\n" and done.err.startswith("stats: 0 calls")
    done = run("delete", "pod", "pod", "-n", world, "--plan", "--why", "-v=6")
    assert "Not sent: this is a plan." in done.err and "DELETE https" not in re.sub("(?m)^  .*", "", done.err)


CREATED = ["create", "-f", "new.json"]
APPLIED = ["apply", "-f", "new.json"]
SERVER_SIDE = ["apply", "--server-side"]


@pytest.mark.parametrize(("before", "words", "count"), [
    ([], [*SERVER_SIDE, "-f", "new.json"], 1),
    ([CREATED], [*SERVER_SIDE, "-f", "newer.json", "--force-conflicts"], 1),
    ([CREATED], [*SERVER_SIDE, "-f", "newer.json"], 1),
    ([APPLIED], [*SERVER_SIDE, "-f", "newer.json"], 4),
    ([APPLIED], [*SERVER_SIDE, "-f", "newer.json", "--field-manager=me"], 1),
    ([APPLIED], [*SERVER_SIDE, "-f", "newer.json", "--force-conflicts", "--field-manager=me"], 3),
    ([APPLIED], [*SERVER_SIDE, "-f", "newer.json", "--dry-run=server"], 2),
    ([APPLIED], [*SERVER_SIDE, "-f", "new.json", "--dry-run=server"], 2),
    ([APPLIED, [*SERVER_SIDE, "-f", "new.json"]], [*SERVER_SIDE, "-f", "newer.json"], 1),
], ids=str)  # fmt: skip
def test_a_server_side_apply_is_planned_as_it_then_goes(
    run: Run, world: str, tmp_path: Path, before: list[list[str]], words: list[str], count: int
) -> None:
    (tmp_path / "newer.json").write_text(json.dumps({**CONFIG, "data": {"a": "c"}}))
    for command in before:
        assert run(*command, "-n", world).code == 0
    plan = run(*words, "-n", world, "--plan")
    planned = re.findall(r"(?m)^\d+\. (PATCH) https://[^/]+(\S+)$", plan.out)
    done = run(*words, "-n", world, "-v=6")
    assert planned == re.findall(r"(PATCH) https://[^/]+(\S+) ", done.err), plan.out
    assert len(planned) == count
    assert plan.code == done.code, plan.err + done.err
    assert "# sent, for the plan alone, to know what follows: " in plan.out

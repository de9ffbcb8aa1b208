"""api-resources, api-versions, cluster-info and version, run as commands against a server in memory."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.kubeconfig.connection import Connection
from kubetrace.streams import Streams
from kubetrace.transport.errors import TransportError
from tests.api.fake import RECORDED, FakeAnswer, FakeServer, failure, json_answer, recorded_routes


@dataclass
class Run:
    code: int
    out: str
    err: str


Runner = Callable[..., Run]


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    def runner(server: FakeServer, *argv: str) -> Run:
        out, err = io.StringIO(), io.StringIO()
        environment = Environment(Streams(io.BytesIO(), out, err), {"HOME": str(tmp_path)})
        environment.__dict__["connection"] = Connection(server=server.server)
        environment.__dict__["client"] = server
        return Run(main(argv, environment), out.getvalue(), err.getvalue())

    return runner


def real() -> FakeServer:
    routes = recorded_routes("aggregated")
    version = RECORDED["version"]
    routes["/version"] = FakeAnswer(200, version["body"].encode(), version["contentType"])
    return FakeServer(routes)


def test_the_wide_table_is_kubectls(run: Runner) -> None:
    assert run(real(), "api-resources", "-o", "wide") == Run(0, RECORDED["table"], "")


def test_api_resources_asks_anew_unless_the_cache_will_do(run: Runner) -> None:
    server = real()
    for argv in (["api-resources"], ["api-resources"], ["api-resources", "--cached"]):
        assert run(server, *argv).code == 0
    assert len(server.calls) == 4


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (["--api-group=apps"], "controllerrevisions daemonsets deployments replicasets statefulsets"),
        (["--api-group=", "--namespaced=false"], "componentstatuses namespaces nodes persistentvolumes"),
        (["--api-group=nope"], ""),
        (["--categories=all", "--verbs=list,watch", "--api-group=batch"], "cronjobs jobs"),
        (["--verbs=nonsense"], ""),
        (["--api-group=batch", "--sort-by=kind"], "cronjobs jobs"),
    ],
)
def test_filters(run: Runner, flags: list[str], names: str) -> None:
    result = run(real(), "api-resources", "--no-headers", *flags)
    assert [line.split()[0] for line in result.out.splitlines()] == names.split()
    assert result.code == 0


def test_names_and_objects(run: Runner) -> None:
    assert "deployments.apps\n" in run(real(), "api-resources", "-oname").out
    document = json.loads(run(real(), "api-resources", "-ojson", "--api-group=batch").out)
    assert list(document) == ["kind", "apiVersion", "groupVersion", "resources"]
    assert list(document["resources"][0])[:6] == ["name", "singularName", "namespaced", "group", "version", "kind"]
    assert run(real(), "api-resources", "-oyaml", "--api-group=batch").out.startswith("apiVersion: v1\ngroupVersion: ")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["api-resources", "--sort-by=age"], "error: --sort-by accepts only name or kind"),
        (
            ["api-resources", "-ofoo"],
            'error: unable to match a printer suitable for the output format "foo", '
            "allowed formats are: json,kyaml,name,wide,yaml",
        ),
        (
            ["api-resources", "a", "b"],
            "error: unexpected arguments: [a b]\nSee 'kubetrace api-resources -h' for help and examples",
        ),
        (
            ["api-versions", "a"],
            "error: unexpected arguments: [a]\nSee 'kubetrace api-versions -h' for help and examples",
        ),
        (["version", "-ofoo"], "error: --output must be 'yaml' or 'json'"),
        (["version", "a", "b"], "error: extra arguments: [a b]"),
    ],
)
def test_bad_command_lines_ask_nobody(run: Runner, argv: list[str], line: str) -> None:
    server = real()
    assert run(server, *argv) == Run(1, "", line + "\n")
    assert server.calls == []


def test_a_part_that_failed_is_told_after_the_rest(run: Runner) -> None:
    routes = recorded_routes("old")
    routes["/apis/batch/v1"] = FakeAnswer(503, b"", "text/plain")
    result = run(FakeServer(routes), "api-resources", "-oname")
    assert "deployments.apps\n" in result.out
    assert "jobs.batch" not in result.out
    assert result.code == 1
    assert result.err.splitlines()[-1] == (
        "error: unable to retrieve the complete list of server APIs: "
        "batch/v1: the server is currently unable to handle the request"
    )


def test_api_versions(run: Runner) -> None:
    lines = run(real(), "api-versions").out.splitlines()
    assert lines == sorted(lines)
    assert {"v1", "apps/v1", "autoscaling/v2"} <= set(lines)


def test_cluster_info_names_the_clusters_services(run: Runner) -> None:
    def service(name: str, ports: list[dict[str, Any]], label: str = "", **status: Any) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "kube-system", "labels": {"kubernetes.io/name": label} if label else {}}
        return {"metadata": metadata, "spec": {"ports": ports}, "status": {"loadBalancer": status}}

    server = real()
    items = [
        service("dns", [{"name": "dns-tcp", "port": 53}], "CoreDNS"),
        service("web", [{"port": 443}]),
        service("plain", []),
        service("lb", [{"port": 80}, {"port": 81}], ingress=[{"hostname": "lb.example.com"}]),
    ]
    server.routes["/api/v1/namespaces/kube-system/services"] = json_answer(
        {"kind": "ServiceList", "apiVersion": "v1", "items": items}
    )
    proxy = "https://server:6443/api/v1/namespaces/kube-system/services"
    assert run(server, "cluster-info").out == (
        "Kubernetes control plane is running at https://server:6443\n"
        f"CoreDNS is running at {proxy}/dns:dns-tcp/proxy\n"
        f"web is running at {proxy}/https:web:/proxy\n"
        f"plain is running at {proxy}/plain/proxy\n"
        "lb is running at http://lb.example.com:80 http://lb.example.com:81 \n"
        "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n"
    )
    assert server.targets[-1].endswith("/services?labelSelector=kubernetes.io%2Fcluster-service%3Dtrue")


def test_cluster_info_that_is_refused_still_ends_with_the_hint(run: Runner) -> None:
    server = real()
    server.routes["/api/v1/namespaces/x/services"] = failure(403, "Forbidden", "no")
    result = run(server, "cluster-info", "-n", "x")
    assert result.code == 1
    assert result.out == "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n"
    assert result.err == "Error from server (Forbidden): no\n"


def served(version: str) -> FakeServer:
    return FakeServer({"/version": json_answer({"major": "1", "minor": "x", "gitVersion": version})})


def test_version_of_both(run: Runner) -> None:
    result = run(real(), "version")
    assert result.out.splitlines()[-1] == "Server Version: v1.36.3"
    assert (result.code, result.err) == (0, "")
    shown = json.loads(run(real(), "version", "-ojson").out)["serverVersion"]
    assert list(shown) == list(json.loads(RECORDED["version"]["body"]))


def test_versions_too_far_apart_warn(run: Runner) -> None:
    text = "version difference between client (1.36) and server (1.29) exceeds the supported minor version skew of +/-1"
    result = run(served("v1.29.6-gke.7+abc"), "version")
    assert (result.code, result.err) == (0, f"Warning: {text}\n")
    strict = run(served("v1.29.6"), "version", "--warnings-as-errors")
    assert (strict.code, strict.err) == (1, f"error: {text}\n")
    assert run(served("v1.37.0"), "version").err == ""
    assert run(served("v2.36.0"), "version").err.startswith("Warning: version difference")
    odd = run(served("one"), "version")
    assert (odd.code, odd.err) == (1, 'error: server version error: could not parse "one" as version\n')


def test_the_clients_version_is_told_when_the_server_cannot_be_asked(run: Runner) -> None:
    refused = TransportError("GET", "https://server:6443/version", "dial tcp: connect: connection refused", "refused")
    result = run(FakeServer({"/version": refused}), "version")
    assert result.out.startswith("Client Version: v")
    assert result.err == (
        "The connection to the server server:6443 was refused - did you specify the right host or port?\n"
    )
    assert result.code == 1
    assert run(FakeServer(), "version", "--client").code == 0


def test_match_server_version_refuses_another_release(run: Runner) -> None:
    server = real()
    result = run(server, "api-versions", "--match-server-version")
    assert result.code == 1
    assert result.err.startswith('error: server version (&version.Info{Major:"1", Minor:"36", EmulationMajor:"1", ')
    assert server.targets == ["GET /version?timeout=32s"]
    same = real()
    same.routes["/version"] = json_answer({"gitVersion": "v1.36.4"})
    assert run(same, "api-versions", "--match-server-version").code == 0

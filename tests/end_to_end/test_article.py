"""The sample of kubectl 1.19.0 that teaching material shows (tests/trace/captures/1.19.0), made by the whole program:
its command, its kubeconfig, its pod, a server that answers as its server did."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.end_to_end.answers import Answer
from tests.end_to_end.program import Ports, configure, environment_of, free_port, make_certificates, run
from tests.end_to_end.scripted_server import serving
from tests.trace.capture import CAPTURES

SAMPLE = (CAPTURES / "1.19.0" / "article-v8.log").read_text()
DATE = "Fri, 27 Aug 2021 10:51:50 GMT"
PODS = {
    "resource": "pods",
    "singularResource": "pod",
    "responseKind": {"group": "", "version": "", "kind": "Pod"},
    "scope": "Namespaced",
    "verbs": ["create", "get"],
}


class ArticlesServer:
    """Knows pods, has none, and creates one."""

    def answer(self, method: str, path: str) -> Answer:
        if path.startswith(("/api?", "/apis?")):
            versions = [{"version": "v1", "resources": [PODS], "freshness": "Current"}]
            items = [{"metadata": {}, "versions": versions}] if path.startswith("/api?") else []
            kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return self._json("200 OK", {"kind": "APIGroupDiscoveryList", "items": items}, kind)
        if method == "POST":
            return self._json("201 Created", {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "mypod"}})
        return self._json("404 Not Found", {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404})

    @staticmethod
    def _json(status: str, value: object, kind: str = "application/json") -> Answer:
        return Answer(status, [("Content-Type", kind), ("Date", DATE)], json.dumps(value).encode())


def entries(log: str, server: str) -> list[str]:
    """Lines without what a run decides: time, pid, milliseconds, address, kubeconfig, query and program."""
    text = re.sub(r"(?m)^(\w)\d{4} [\d:.]+ +\d+ ", r"\1 ", log)
    text = re.sub(r"in \d+ milliseconds", "in N milliseconds", text)
    text = re.sub(r"(Config loaded from file:  ).*", r"\1CONFIG", text)
    text = re.sub(r"(User-Agent: ).*", r"\1AGENT", text)
    text = re.sub(r"(POST \S+?)\?\S*", r"\1", text)
    return text.replace(server, "https://example.com:6443").splitlines()


def test_the_articles_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_certificates(tmp_path)
    with serving(tmp_path / "server.pem") as server:
        server.script = ArticlesServer()
        configure(tmp_path, tmp_path, Ports(server.port, 1, free_port()), [{"name": "mycontainer", "image": "nginx"}])
        monkeypatch.chdir(tmp_path)
        got = run(["apply", "-f", "pod.yaml", "-v=8", "--like=1.19", "--validate=false"], environment_of(tmp_path))
    assert (got.exit_code, got.stdout) == (0, b"pod/mypod created\n")
    wanted = entries(SAMPLE.partition("--- stderr\n")[2].partition("--- stdout")[0], "https://example.com:6443")
    found = entries(got.stderr.decode(), f"https://127.0.0.1:{server.port}")
    start = found.index(wanted[1])
    assert found[0] == wanted[0]
    # the sample leaves the bodies out
    assert [line for line in found[start:] if " Body: " not in line and not line.startswith("I apply.go")] == wanted[1:]

"""Inside a pod kubectl's log tells of each client that a command makes; kubetrace's tells of the same ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kubetrace.environment import Environment
from kubetrace.kubeconfig import config
from kubetrace.playground import manager
from kubetrace.value import replace
from tests.conftest import Kubetrace
from tests.playground.conftest import Client
from tests.tools.record_clients import GOLDEN, MANIFESTS, SETUP, told, words


def test_clients_are_made_where_kubectl_makes_them(
    kubetrace: Kubetrace,
    playground: manager.Playground,
    server: Client,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = tmp_path / "account"
    account.mkdir()
    authority = (playground.folder / "ca.crt").read_text()
    for name, text in (("token", server.token), ("ca.crt", authority), ("namespace", namespace)):
        (account / name).write_text(text)
    for name, text in MANIFESTS.items():
        (tmp_path / name).write_text(text)
    pod = {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(playground.port),
        "KUBETRACE_LIKE": "1.36",
    }

    def kubeconfig(environment: Environment) -> config.Config:
        return replace(config.load(environment.environ, note=environment.note), service_account=str(account))

    monkeypatch.setattr(Environment, "kubeconfig", property(kubeconfig))
    monkeypatch.chdir(tmp_path)
    for line in SETUP:
        done = kubetrace(*words(line), environ=pod)
        assert done.code == 0, done.err
    differing = []
    for command in json.loads(GOLDEN.read_text())["commands"]:
        found = told(kubetrace(*words(command["argv"]), environ=pod).err, namespace)
        if found != command["told"]:
            differing.append((command["argv"], found, command["told"]))
    assert not differing

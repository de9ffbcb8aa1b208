"""An unusable kubeconfig is worded by where kubectl stumbles over it: with -n it is the builder that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Kubetrace

PROBLEM = "requesting uid, groups or user-extra for u without impersonating a user"
CONFIG = """\
{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],
 clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}], users: [{name: u, user: {token: t}}]}
"""
MANIFEST = (
    b"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\n{apiVersion: v1, kind: Secret, metadata: {name: s}}"
)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get cm one", [f"error: {PROBLEM}"]),
        ("get cm one -n x", [f"Error in configuration: {PROBLEM}"]),
        ("get cm/one -n x", [f"error: {PROBLEM}"]),
        ("get cm,secret -n x", [f"invalid configuration: {PROBLEM}"] * 2),
        ("get -f - -n x", [PROBLEM] * 2),
        ("delete cm one -n x", [f"Error in configuration: {PROBLEM}"]),
    ],
)
def test_what_kubectl_1_36_says(kubetrace: Kubetrace, tmp_path: Path, line: str, words: list[str]) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(CONFIG)
    done = kubetrace(*line.split(), "--as-group=g", environ={"KUBECONFIG": str(path)}, stdin=MANIFEST)
    assert (done.code, done.err.splitlines()) == (1, words)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("ftp://x", 'unsupported protocol scheme "ftp"'),
        (":", "http: no Host in request URL"),
        ("https://[::1]:99999", "dial tcp: address 99999: invalid port"),
        ("http://127.1", "dial tcp: lookup 127.1: no such host"),
    ],
)
def test_servers_that_cannot_be_asked(kubetrace: Kubetrace, server: str, words: str) -> None:
    done = kubetrace("get", "cm", "--token=t", "-s", server, environ={"KUBETRACE_LIKE": "1.36"})
    lines = done.err.splitlines()
    assert len(lines) == 6 and lines[-1] == f"Unable to connect to the server: {words}"
    assert all(words.replace('"', '\\"') in line for line in lines[:5])


def test_no_request_timeout(kubetrace: Kubetrace) -> None:
    done = kubetrace("get", "cm", "--request-timeout=", "-s", "http://127.0.0.1:1")
    assert done.err.splitlines()[-1].startswith("The connection to the server 127.0.0.1:1 was refused")

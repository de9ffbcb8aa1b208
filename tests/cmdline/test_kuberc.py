"""Preferences: aliases, other defaults, and what is wrong in them, in words checked against kubectl 1.36."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Kubetrace

HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n"
GOOD = (
    HEAD
    + """
defaults:
- command: version
  options: [{name: client, default: "true"}]
aliases:
- name: ver
  command: version
  options: [{name: output, default: json}]
  appendArgs: [--client]
"""
)


@pytest.fixture
def kuberc(tmp_path: Path) -> Path:
    return tmp_path / "kuberc"


def test_defaults_hold_for_flags_not_given(kubetrace: Kubetrace, kuberc: Path) -> None:
    kuberc.write_text(GOOD)
    assert kubetrace("version", environ={"KUBERC": str(kuberc)}).out.startswith("Client Version: ")
    given = kubetrace("version", "--client=false", "--output", "xml", environ={"KUBERC": str(kuberc)})
    assert given.err == "error: --output must be 'yaml' or 'json'\n"


def test_the_default_file(kubetrace: Kubetrace, tmp_path: Path) -> None:
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "kuberc").write_text(GOOD)
    assert "clientVersion" in json.loads(kubetrace("ver").out)
    off = kubetrace("ver", environ={"KUBERC": "off"})
    assert off.err.startswith('error: unknown command "ver"')
    disabled = kubetrace("ver", environ={"KUBECTL_KUBERC": "false"})
    assert disabled.err == off.err


def test_an_alias_takes_its_flags_unless_given(kubetrace: Kubetrace, kuberc: Path) -> None:
    kuberc.write_text(GOOD)
    assert "clientVersion" in json.loads(kubetrace("ver", "--kuberc", str(kuberc)).out)
    assert kubetrace("ver", "-oyaml", f"--kuberc={kuberc}").out.startswith("clientVersion:\n")


def test_defaults_do_not_hold_for_aliases(kubetrace: Kubetrace, kuberc: Path) -> None:
    kuberc.write_text(GOOD.replace("appendArgs: [--client]", "appendArgs: [more]"))
    outcome = kubetrace("ver", environ={"KUBERC": str(kuberc)})
    assert outcome.err == "error: extra arguments: [more]\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('aliases: [{name: "a-b1", command: get}]', "invalid alias name, can only include alphabetical characters"),
        ("aliases: [{name: a, command: version},{name: a, command: get}]", "duplicate alias name a"),
        (
            "defaults: [{command: version, options: [{name: foo, default: x}]}]",
            "invalid flag foo for command version",
        ),
        (
            "defaults: [{command: version, options: [{name: --client, default: x}]}]",
            "flag name --client should be in long form without dashes",
        ),
        (
            "defaults: [{command: version, options: [{name: client, default: x}]}]",
            'could not apply override value x to flag client in command version err: invalid argument "x" for'
            ' "--client" flag: strconv.ParseBool: parsing "x": invalid syntax',
        ),
        ("credentialPluginPolicy: Foo", 'unknown plugin policy: "Foo"'),
    ],
)
def test_bad_preferences_stop_everything(kubetrace: Kubetrace, kuberc: Path, content: str, message: str) -> None:
    kuberc.write_text(HEAD + content)
    outcome = kubetrace("version", environ={"KUBERC": str(kuberc)})
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"error occurred while applying preferences {message}\n"


def test_a_missing_explicit_file(kubetrace: Kubetrace, kuberc: Path) -> None:
    outcome = kubetrace("version", "--client", f"--kuberc={kuberc}")
    words = f"error occurred while applying preferences kuberc error kuberc: open {kuberc}: no such file or directory\n"
    assert (outcome.code, outcome.err) == (1, words)

from __future__ import annotations

import pytest

from kubetrace.playground.shell import Shell


@pytest.fixture
def shell() -> Shell:
    container = {"name": "c", "image": "nginx", "env": [{"name": "COLOR", "value": "blue"}]}
    metadata = {"name": "web", "namespace": "default"}
    return Shell(
        {"metadata": metadata, "status": {"podIP": "10.244.0.2"}, "spec": {"containers": [container]}}, container
    )


@pytest.mark.parametrize(
    ("script", "code", "out"),
    [
        ("echo $HOSTNAME is ${COLOR}", 0, "web is blue\n"),
        ("cd /etc; pwd; cat hostname", 0, "/etc\nweb\n"),
        ("false && echo no || echo yes", 0, "yes\n"),
        ("echo a > /tmp/f && cat /tmp/f", 0, "a\n"),
        ("exit 7; echo never", 7, ""),
        ("cat /../../etc/hostname", 0, "web\n"),
        ("ls /etc", 0, "hostname\nhosts\nos-release\nresolv.conf\n"),
        ("", 0, ""),
    ],
)
def test_scripts(shell: Shell, script: str, code: int, out: str) -> None:
    assert shell.run(["sh", "-c", script]) == (code, out, "")


def test_failures_say_what_a_shell_says(shell: Shell) -> None:
    assert shell.script("nope") == (127, "", "sh: nope: not found\n")
    assert shell.script("cat /etc/passwd") == (1, "", "cat: /etc/passwd: No such file or directory\n")
    assert shell.script("echo 'open")[0] == 2

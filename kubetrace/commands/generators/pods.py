"""The Pod that `run` makes (kubectl pkg/generate/versioned/run.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubetrace.api.go_words import atoi, int32
from kubetrace.api.names import environment_name
from kubetrace.commands.generators.metadata import Object, new_object
from kubetrace.errors import KubetraceError


def pod(
    name: str, labels: Mapping[str, str], annotations: Mapping[str, str], container: Object, restart: str
) -> Object:
    """A Pod with one container."""
    result = new_object("v1", "Pod", name)
    result["metadata"]["labels"] = dict(labels)
    if annotations:
        result["metadata"]["annotations"] = dict(annotations)
    result["spec"] = {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": restart}
    return result


def container(
    name: str,
    image: str,
    words: Sequence[str],
    *,
    command: bool,
    env: list[dict[str, Any]],
    port: str,
    pull_policy: str,
    stdin: bool,
    stdin_once: bool,
    tty: bool,
    privileged: bool,
) -> Object:
    """Its container; `words` are its command or its arguments. Raises KubetraceError."""
    result: Object = {"name": name, "image": image}
    if words:
        result["command" if command else "args"] = list(words)
    if env:
        result["env"] = env
    if port:
        result["ports"] = [{"containerPort": whole(port)}]
    if pull_policy:
        result["imagePullPolicy"] = pull_policy
    for key, wanted in (("stdin", stdin), ("stdinOnce", stdin_once), ("tty", tty)):
        if wanted:
            result[key] = True
    if privileged:
        result["securityContext"] = {"privileged": True}
    return result


def environment_variables(texts: Iterable[str]) -> list[dict[str, Any]]:
    """NAME=VALUE words. Raises KubetraceError."""
    result = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or environment_name(name):
            raise KubetraceError(f"invalid env: {text}")
        result.append({"name": name, "value": value})
    return result


def whole(text: str) -> int:
    """A whole number as a port. Raises KubetraceError."""
    try:
        return int32(atoi(text))
    except ValueError as error:
        raise KubetraceError(str(error)) from None

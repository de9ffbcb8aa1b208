"""`version`: which client and which server (kubectl pkg/cmd/version)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubetrace.client_version import client_version
from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class VersionOptions(Value):
    client: bool = flag(False, help="Print the client's version only; no server is asked.")
    output: str = flag("", "o", help="Print as 'yaml' or 'json'.")


def run(environment: Environment, options: VersionOptions, arguments: Arguments) -> None:
    if not options.client:
        _ = environment.cluster.discovery  # a broken kubeconfig is told first
        if arguments.words:
            raise KubetraceError(f"extra arguments: [{' '.join(arguments.words)}]")
    if options.output not in ("", "yaml", "json"):
        raise KubetraceError("--output must be 'yaml' or 'json'")
    versions = {"clientVersion": client_version()}
    failure = None
    if not options.client:
        failure = _ask_server(environment, versions)
    environment.stdout.write(_render(versions, options.output))
    if server := versions.get("serverVersion"):
        _warn_of_skew(environment, versions["clientVersion"], server)
    if failure is not None:
        raise failure


def _ask_server(environment: Environment, versions: dict[str, dict[str, str]]) -> KubetraceError | None:
    """Adds the server's version, or returns why not: the client's is printed all the same."""
    from kubetrace.api.cluster import VERSION_KEYS

    cluster = environment.cluster
    try:
        found = cluster.discovery.server_version()
    except KubetraceError as error:
        return error
    versions["serverVersion"] = {
        key: str(found.get(key) or "") for key in VERSION_KEYS if found.get(key) or key in _ALWAYS
    }
    return None


_ALWAYS = (
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
)
_NUMBERS = r"\s*v?([0-9]+(?:\.[0-9]+)*)(.*)"
_EXTRA = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?\s*"


def _warn_of_skew(environment: Environment, client: dict[str, str], server: dict[str, str]) -> None:
    """A client and a server more than one minor release apart (version/skew_warning.go)."""
    try:
        other = _semantic(server.get("gitVersion", ""))
    except ValueError as error:
        raise KubetraceError(f"server version error: {error}") from None
    ours = (int(client["major"]), int(client["minor"]))
    if ours[0] == other[0] and abs(ours[1] - other[1]) <= 1:
        return
    text = (
        f"version difference between client ({ours[0]}.{ours[1]}) and server ({other[0]}.{other[1]}) "
        "exceeds the supported minor version skew of +/-1"
    )
    if environment.options.warnings_as_errors:
        raise KubetraceError(text)
    environment.stderr.write(f"Warning: {text}\n")


def _semantic(text: str) -> tuple[int, int]:
    """Major and minor (apimachinery util/version, ParseSemantic). Raises ValueError."""
    from kubetrace.api.go_words import quoted

    shown = quoted(text)
    match = re.fullmatch(_NUMBERS, text)
    if match is None:
        raise ValueError(f"could not parse {shown} as version")
    numbers = match[1].split(".")
    if len(numbers) != 3:
        raise ValueError(f"illegal version string {shown}")
    extra = re.fullmatch(_EXTRA, match[2])
    pre_release = extra[1].split(".") if extra and extra[1] else []
    for component in (*numbers, *(one for one in pre_release if one.isdigit())):
        if component.startswith("0") and component != "0":
            raise ValueError(f"illegal zero-prefixed version component {quoted(component)} in {shown}")
    if extra is None:
        raise ValueError(f"could not parse pre-release/metadata ({match[2]}) in version {shown}")
    return int(numbers[0]), int(numbers[1])


def _render(versions: dict[str, dict[str, str]], output: str) -> str:
    if output == "json":
        import json

        return json.dumps(versions, indent=2, ensure_ascii=False) + "\n"
    if output == "yaml":
        from kubetrace.wire.go_yaml import dumps

        return dumps(versions) + "\n"
    lines = [f"Client Version: {versions['clientVersion']['gitVersion']}"]
    if server := versions.get("serverVersion"):
        lines.append(f"Server Version: {server.get('gitVersion', '')}")
    return "\n".join(lines) + "\n"


COMMAND = Command(
    run=run,
    options=VersionOptions,
    usage="version [flags] [options]",
    description="Print the versions of the client and of the server that the current context names.",
    examples="""
    # Both versions
    kubetrace version

    # The client's only, without asking a server
    kubetrace version --client
    """,
)

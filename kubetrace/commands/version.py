"""`version`: which client and which server (kubectl pkg/cmd/version)."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from kubetrace import KUBECTL_VERSION, __version__
from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import Flag
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


@dataclass(frozen=True, slots=True)
class VersionOptions:
    client: Annotated[bool, Flag(help="Print the client's version only; no server is asked.")] = False
    output: Annotated[str, Flag("o", help="Print as 'yaml' or 'json'.")] = ""


def client_version() -> dict[str, str]:
    """The client's version.Info. gitVersion names the kubectl release whose behaviour this is and, as semver build
    metadata, kubetrace's own version."""
    import platform

    major, minor, _ = KUBECTL_VERSION.split(".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{KUBECTL_VERSION}+kubetrace.{__version__}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{sys.platform}/{machine}",
    }


def run(environment: Environment, options: VersionOptions, arguments: Arguments) -> None:
    if not options.client and arguments.words:
        raise KubetraceError(f"extra arguments: [{' '.join(arguments.words)}]")
    if options.output not in ("", "yaml", "json"):
        raise KubetraceError("--output must be 'yaml' or 'json'")
    versions = {"clientVersion": client_version()}
    environment.stdout.write(_render(versions, options.output))


def _render(versions: dict[str, dict[str, str]], output: str) -> str:
    if output == "json":
        return json.dumps(versions, indent=2, ensure_ascii=False) + "\n"
    if output == "yaml":
        from kubetrace.wire.go_yaml import dumps

        return dumps(versions) + "\n"
    lines = [f"Client Version: {versions['clientVersion']['gitVersion']}"]
    if server := versions.get("serverVersion"):
        lines.append(f"Server Version: {server['gitVersion']}")
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

"""Which client this is, as version.Info tells it (apimachinery pkg/version)."""

from __future__ import annotations

import os
import sys

from kubetrace import KUBECTL_VERSION, __version__


def client_version() -> dict[str, str]:
    """The client's version.Info. gitVersion names the kubectl release whose behaviour this is and, as semver build
    metadata, kubetrace's own version."""
    major, minor, _ = KUBECTL_VERSION.split(".")
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{KUBECTL_VERSION}+kubetrace.{__version__}",
        "compiler": sys.implementation.name,
        "platform": platform(),
    }


def platform() -> str:
    """Go's GOOS/GOARCH."""
    machine = os.uname().machine
    return f"{sys.platform}/{ ({'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine)) }"

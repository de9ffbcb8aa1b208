"""Which client this is, as version.Info tells it (apimachinery pkg/version)."""

from __future__ import annotations

import sys

from kubetrace import KUBECTL_VERSION, __version__


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

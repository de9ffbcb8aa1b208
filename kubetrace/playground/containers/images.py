"""What is known of images by their names: what can be pulled, what they hold, what they run."""

from __future__ import annotations

import hashlib
import re

_MINIMAL = ("busybox", "alpine")
_SHELLS = (
    *("bash", "debian", "ubuntu", "fedora", "centos", "rockylinux", "amazonlinux", "archlinux", "perl", "python"),
    *("node", "ruby", "hello-world"),
)
_INTERPRETERS = ("python", "python3", "perl", "node", "ruby", "php", "java", "mysql", "psql", "redis-cli", "kubectl")


def is_broken(image: str) -> bool:
    """An image named …:broken can't be pulled, so that debugging can be practised."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[2] == "broken"


def is_minimal(image: str) -> bool:
    """Whether all that an image holds is simulated."""
    return _short(image) in _MINIMAL


def reads_input(image: str) -> bool:
    """Whether an image's own program is a shell or an interpreter, which ends where there is nothing to read."""
    return _short(image) in (*_MINIMAL, *_SHELLS)


def _short(image: str) -> str:
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def identity(image: str) -> str:
    """An imageID: the same for the same name."""
    return f"simulated://{image}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def full_name(image: str) -> str:
    """As a container runtime names it in messages: docker.io/library/nginx:latest."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif not re.search(r"[.:]|^localhost$", first):
        image = f"docker.io/{image}"
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def ends_at_once(words: list[str]) -> bool:
    """Whether a program that is not simulated is known to do its work and end."""
    name = words[0].rpartition("/")[2]
    return name in _INTERPRETERS and any(re.fullmatch(r"-[a-zA-Z]*[ceE]|--version|-v", word) for word in words[1:])

"""Paths as they stand in URLs."""

from __future__ import annotations

from urllib.parse import quote


def escape_path(path: str) -> str:
    """A path as Go's URL.EscapedPath writes it."""
    return quote(path, safe="$&+,/:;=@-_.~", errors="surrogateescape")

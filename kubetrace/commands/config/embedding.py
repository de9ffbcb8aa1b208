"""Certificate and key files that `--embed-certs` puts into the kubeconfig."""

from __future__ import annotations

from pathlib import Path

from kubetrace.errors import KubetraceError, os_words


def check_file(flag: str, path: str) -> None:
    """Refuses a file that is not there, with kubectl's words."""
    try:
        Path(path).stat()
    except (OSError, ValueError) as error:
        raise KubetraceError(f"could not stat {flag} file {path}: {os_words('stat', path, error)}") from None


def content(path: str) -> bytes | None:
    """A file's content; None where it can't be read (kubectl ignores that, and so leaves the field empty)."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return None

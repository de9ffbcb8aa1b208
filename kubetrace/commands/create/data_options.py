"""What `create configmap` and the `create secret` commands share: where the data come from, and the hash in the name
(kubectl pkg/cmd/create: create_configmap.go, create_secret.go)."""

from __future__ import annotations

from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError


def append_hash(what: str) -> bool:
    """--append-hash"""
    return flag(False, help=f"Add a hash of the {what} to its name.")


class DataOptions(GeneratedOptions):
    from_env_file: tuple[str, ...] = flag((), help="File with lines KEY=VALUE that become keys and values.")
    from_file: tuple[str, ...] = flag(
        (), help="FILE (the key is the file's name), KEY=FILE, or a folder: each of its files whose name can be a key."
    )
    from_literal: tuple[str, ...] = flag((), kind="array", help="KEY=VALUE, for example --from-literal=color=blue.")


def check_sources(options: DataOptions) -> None:
    """Raises KubetraceError for an env file beside other sources."""
    if options.from_env_file and (options.from_file or options.from_literal):
        raise KubetraceError("from-env-file cannot be combined with from-file or from-literal")

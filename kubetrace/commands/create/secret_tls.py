"""`create secret tls` (kubectl pkg/cmd/create/create_secret_tls.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.data_options import append_hash
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateSecretTLSOptions(GeneratedOptions):
    append_hash: bool = append_hash("secret")
    cert: str = flag("", help="File with the certificate, PEM.")
    key: str = flag("", help="File with the certificate's private key, PEM.")


def run(environment: Environment, options: CreateSecretTLSOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import SECRETS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.config_data import secret
    from kubetrace.wire.key_pairs import check_key_pair

    creation = prepare(environment, options, arguments)
    if not options.key or not options.cert:
        raise KubetraceError("key and cert must be specified")
    certificate, key = _read(options.cert), _read(options.key)
    check_key_pair(certificate, key)
    entries = [("tls.crt", certificate), ("tls.key", key)]
    value = secret(creation.name, creation.namespace, "kubernetes.io/tls", entries, options.append_hash)
    creation.create(value, SECRETS, "failed to create secret ")


def _read(path: str) -> bytes:
    from kubetrace.commands.generators.data_sources import read

    try:
        return read(path)
    except KubetraceError as error:
        raise KubetraceError(f"Cannot read file {path}, {error}") from None


COMMAND = Command(
    run=run,
    options=CreateSecretTLSOptions,
    usage=(
        "create secret tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none] "
        "[options]"
    ),
    description="""
    Create a secret with a certificate and its private key.

    Both must exist as PEM files, and the key must be the certificate's.
    """,
    examples="""
    # From two files
    kubetrace create secret tls web --cert=tls.crt --key=tls.key
    """,
)

"""`create secret generic` (kubectl pkg/cmd/create/create_secret.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.data_options import DataOptions, append_hash

if TYPE_CHECKING:
    from kubetrace.commands.generators.data_sources import Entry
    from kubetrace.environment import Environment


class CreateSecretGenericOptions(DataOptions):
    append_hash: bool = append_hash("secret")
    type: str = flag("", help="Type of the secret.")


def run(environment: Environment, options: CreateSecretGenericOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import SECRETS
    from kubetrace.commands.create.data_options import check_sources
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.config_data import secret

    creation = prepare(environment, options, arguments)
    creation.require_name()
    check_sources(options)
    entries = _entries(environment, options)
    value = secret(creation.name, creation.namespace, options.type, entries, options.append_hash)
    creation.create(value, SECRETS, "failed to create secret ")


def _entries(environment: Environment, options: CreateSecretGenericOptions) -> Iterator[Entry]:
    from kubetrace.commands.generators import data_sources

    yield from data_sources.literals(options.from_literal)
    yield from data_sources.files(options.from_file)
    yield from data_sources.env_files(options.from_env_file, "secret", environment.environ)


COMMAND = Command(
    run=run,
    options=CreateSecretGenericOptions,
    usage=(
        "create secret generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] "
        "[--dry-run=server|client|none] [options]"
    ),
    description="""
    Create a secret from files, folders or values given here.

    A file becomes one key, named like the file or as KEY=FILE says, with the file's content. Of a folder every regular
    file becomes a key; folders in it, links and devices are left out.
    """,
    examples="""
    # A key for each file of the folder "keys"
    kubetrace create secret generic login --from-file=keys

    # Other keys than the files' names
    kubetrace create secret generic login --from-file=private=keys/id_rsa --from-file=public=keys/id_rsa.pub

    # Two values
    kubetrace create secret generic login --from-literal=user=admin --from-literal=password=topsecret

    # The lines of env files
    kubetrace create secret generic login --from-env-file=one.env --from-env-file=two.env
    """,
)

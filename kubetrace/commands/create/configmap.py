"""`create configmap` (kubectl pkg/cmd/create/create_configmap.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.create.data_options import DataOptions, append_hash

if TYPE_CHECKING:
    from kubetrace.commands.generators.data_sources import Entry
    from kubetrace.environment import Environment


class CreateConfigMapOptions(DataOptions):
    append_hash: bool = append_hash("config map")


def run(environment: Environment, options: CreateConfigMapOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import CONFIG_MAPS
    from kubetrace.commands.create.data_options import check_sources
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.config_data import config_map

    creation = prepare(environment, options, arguments)
    creation.require_name()
    check_sources(options)
    value = config_map(creation.name, creation.namespace, _entries(environment, options), options.append_hash)
    creation.create(value, CONFIG_MAPS, "failed to create configmap: ")


def _entries(environment: Environment, options: CreateConfigMapOptions) -> Iterator[Entry]:
    from kubetrace.commands.generators import data_sources

    yield from data_sources.files(options.from_file)
    yield from data_sources.text_literals(options.from_literal)
    yield from data_sources.env_files(options.from_env_file, "config", environment.environ)


COMMAND = Command(
    run=run,
    options=CreateConfigMapOptions,
    usage=(
        "create configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] "
        "[--dry-run=server|client|none] [options]"
    ),
    description="""
    Create a config map from files, folders or values given here.

    A file becomes one key, named like the file or as KEY=FILE says, with the file's content. Of a folder every regular
    file becomes a key; folders in it, links and devices are left out.
    """,
    examples="""
    # A key for each file of the folder "conf"
    kubetrace create configmap settings --from-file=conf

    # Other keys than the files' names
    kubetrace create configmap settings --from-file=one=conf/first.txt --from-file=two=conf/second.txt

    # Two values
    kubetrace create configmap settings --from-literal=color=blue --from-literal=size=10

    # The lines of an env file
    kubetrace create configmap settings --from-env-file=conf/settings.env
    """,
)

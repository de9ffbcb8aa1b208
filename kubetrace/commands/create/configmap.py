"""`create configmap` (kubectl pkg/cmd/create/create_configmap.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.commands.generators.data_sources import Entry
    from kubetrace.environment import Environment


class CreateConfigMapOptions(GeneratedOptions):
    append_hash: bool = flag(False, help="Add a hash of the config map to its name.")
    from_env_file: tuple[str, ...] = flag(
        (), help="File with lines KEY=VALUE that become keys and values.", completion="file"
    )
    from_file: tuple[str, ...] = flag(
        (),
        help="FILE (the key is the file's name), KEY=FILE, or a folder: each of its files whose name can be a key.",
        completion="file",
    )
    from_literal: tuple[str, ...] = flag((), kind="array", help="KEY=VALUE, for example --from-literal=color=blue.")


def run(environment: Environment, options: CreateConfigMapOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import CONFIG_MAPS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.config_data import config_map

    creation = prepare(environment, options, arguments)
    creation.require_name()
    if options.from_env_file and (options.from_file or options.from_literal):
        raise KubetraceError("from-env-file cannot be combined with from-file or from-literal")
    value = config_map(creation.name, creation.namespace, _entries(environment, options), options.append_hash)
    creation.create(value, CONFIG_MAPS, "failed to create configmap: ")


def _entries(environment: Environment, options: CreateConfigMapOptions) -> Iterator[Entry]:
    from kubetrace.commands.generators import data_sources

    yield from data_sources.files(options.from_file)
    yield from data_sources.literals(options.from_literal)
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

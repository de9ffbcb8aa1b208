"""`create secret docker-registry` (kubectl pkg/cmd/create/create_secret_docker.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.create.data_options import append_hash
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class CreateSecretDockerRegistryOptions(GeneratedOptions):
    append_hash: bool = append_hash("secret")
    docker_email: str = flag("", help="E-mail address for the registry.")
    docker_password: str = flag("", help="Password for the registry.")
    docker_server: str = flag("https://index.docker.io/v1/", help="Where the registry is.")
    docker_username: str = flag("", help="Name of the user at the registry.")
    from_file: tuple[str, ...] = flag(
        (), help="FILE, as docker writes it (config.json); its key is .dockerconfigjson, which KEY=FILE would change."
    )


def run(environment: Environment, options: CreateSecretDockerRegistryOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import SECRETS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators import config_data, data_sources

    creation = prepare(environment, options, arguments)
    creation.require_name()
    key = config_data.DOCKER_CONFIG_KEY
    login = (options.docker_server, options.docker_username, options.docker_password)
    if options.from_file:
        sources = [source if "=" in source else f"{key}={source}" for source in options.from_file]
        entries = list(data_sources.files(sources))
    elif all(login):
        entries = [(key, config_data.docker_config(*login, options.docker_email))]
    else:
        raise KubetraceError(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is "
            "required"
        )
    value = config_data.secret(
        creation.name, creation.namespace, "kubernetes.io/dockerconfigjson", entries, options.append_hash
    )
    creation.create(value, SECRETS, "failed to create secret ")


COMMAND = Command(
    run=run,
    options=CreateSecretDockerRegistryOptions,
    usage=(
        "create secret docker-registry NAME --docker-username=user --docker-password=password --docker-email=email "
        "[--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none] [options]"
    ),
    description="""
    Create a secret with the login to a container registry, for service accounts whose pods pull images there.

    Give the login itself, or the file that "docker login" has written.
    """,
    examples="""
    # With the login itself
    kubetrace create secret docker-registry pull --docker-server=registry.example.com --docker-username=me --docker-password=topsecret

    # With docker's file
    kubetrace create secret docker-registry pull --from-file=.docker/config.json
    """,  # noqa: E501
)

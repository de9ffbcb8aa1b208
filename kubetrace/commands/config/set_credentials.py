"""`config set-credentials` (kubectl pkg/cmd/config/set_credentials.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.config.common import show_help, sources
from kubetrace.commands.config.credentials import changed_user
from kubetrace.commands.config.embedding import check_file
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.loader import starting_config
from kubetrace.kubeconfig.modify import modify
from kubetrace.kubeconfig.sections import User
from kubetrace.value import Value, replace
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class SetCredentialsOptions(Value):
    auth_provider: str = flag("", help="The user's auth provider.")
    auth_provider_arg: tuple[str, ...] = flag((), help="KEY=VALUE for the auth provider; KEY- removes it.")
    client_certificate: str = flag("", help="File with the user's client certificate.")
    client_key: str = flag("", help="File with the user's client key.")
    embed_certs: bool = flag(False, help="Put the files' content into the kubeconfig.", shown_default="")
    exec_api_version: str = flag("", help="The exec plugin's API version.")
    exec_arg: tuple[str, ...] = flag((), help="Arguments for the exec plugin, in place of the old ones.")
    exec_command: str = flag("", help="The exec plugin's command.")
    exec_env: tuple[str, ...] = flag(
        (), kind="array", help="KEY=VALUE for the exec plugin's environment; KEY- removes it."
    )
    exec_interactive_mode: str = flag("", help="May the exec plugin use standard input? IfAvailable, Never or Always.")
    exec_provide_cluster_info: bool = flag(False, help="Tell the exec plugin about the cluster.", shown_default="")
    password: str = flag("", help="The user's password.")
    token: str = flag("", help="The user's bearer token.")
    username: str = flag("", help="The user's name for basic authentication.")


class Pairs(Value):
    """KEY=VALUE texts to set and KEY- texts to remove."""

    new: dict[str, str]
    removed: tuple[str, ...]


def parse_pairs(texts: tuple[str, ...], flag: str) -> Pairs | None:
    """None where the flag was not given (cmdutil.ParsePairs)."""
    new: dict[str, str] = {}
    removed, invalid = [], []
    for text in texts:
        key, equals, value = text.partition("=")
        if equals and key:
            new[key] = value
        elif not equals and text.endswith("-") and text != "-":
            removed.append(text[:-1])
        else:
            invalid.append(text)
    if invalid:
        raise KubetraceError(f"invalid {flag} format: {', '.join(invalid)}")
    return Pairs(new, tuple(removed)) if texts else None


def run(environment: Environment, options: SetCredentialsOptions, arguments: Arguments) -> None:
    try:
        if len(arguments.words) != 1:
            raise KubetraceError(f"unexpected args: [{' '.join(arguments.words)}]")
        provider_pairs = parse_pairs(options.auth_provider_arg, "auth-provider-arg")
        env_pairs = parse_pairs(options.exec_env, "exec-env")
    except KubetraceError:
        show_help(environment, arguments)
        raise
    name = arguments.words[0]
    _validate(name, options, arguments)
    files = sources(environment)
    config = starting_config(files)
    user = changed_user(config.users.get(name) or User(), options, arguments, provider_pairs, env_pairs)
    modify(files, replace(config, users={**config.users, name: user}))
    environment.stdout.write(f"User {go_quote(name)} set.\n")


def _validate(name: str, options: SetCredentialsOptions, arguments: Arguments) -> None:
    if not name:
        raise KubetraceError("you must specify a non-empty user name")
    if options.token and (options.username or options.password):
        raise KubetraceError(
            "you cannot specify more than one authentication method at the same time: --token, --username/--password"
        )
    if options.embed_certs:
        if not options.client_certificate and not options.client_key:
            raise KubetraceError("you must specify a --client-certificate or --client-key to embed")
        if options.client_certificate:
            check_file("client-certificate", options.client_certificate)
        if options.client_key:
            check_file("client-key", options.client_key)
    modes = ("IfAvailable", "Always", "Never")
    if arguments.changed("exec_interactive_mode") and options.exec_interactive_mode not in modes:
        raise KubetraceError("invalid interactive mode type, can be only IfAvailable, Never, Always")


COMMAND = Command(
    run=run,
    options=SetCredentialsOptions,
    usage=(
        "config set-credentials NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile]"
        " [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name]"
        " [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version]"
        " [--exec-arg=arg] [--exec-env=key=value] [options]"
    ),
    description="""
    Add a user to the kubeconfig, or change one.

    Of a user that exists, only the given fields change.

      Client certificate: --client-certificate=certfile --client-key=keyfile

      Bearer token: --token=bearer_token

      Basic authentication: --username=basic_user --password=basic_password

    A bearer token and basic authentication exclude each other.
    """,
    examples="""
    # The client key of "cluster-admin"
    kubetrace config set-credentials cluster-admin --client-key=~/.kube/admin.key

    # Its name and password for basic authentication
    kubetrace config set-credentials cluster-admin --username=admin --password=uXFGweU9l35qcif

    # Its client certificate, put into the kubeconfig
    kubetrace config set-credentials cluster-admin --client-certificate=~/.kube/admin.crt --embed-certs=true

    # An exec plugin that gets its credentials
    kubetrace config set-credentials cluster-admin --exec-command=/path/to/the/executable \\
      --exec-api-version=client.authentication.k8s.io/v1 --exec-interactive-mode=Never

    # The plugin's arguments
    kubetrace config set-credentials cluster-admin --exec-arg=arg1 --exec-arg=arg2

    # A variable for its environment, and one that goes
    kubetrace config set-credentials cluster-admin --exec-env=key1=val1 --exec-env=old-key-
    """,
)

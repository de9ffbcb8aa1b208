"""`token`: the current user's bearer token, for other programs (`kubetrace trace curl` writes lines that use it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    arguments.no_words()
    token = _token(environment)
    if not token:
        raise KubetraceError("the current user has no token (tokens are sent over https only)")
    environment.stdout.write(token + "\n")


def _token(environment: Environment) -> str:
    """The token as a request would carry it: a file's wins over a fixed one, an exec plugin is run, an
    expired ID token is renewed."""
    connection = environment.connection
    if connection.token_file:
        from kubetrace.transport.credentials import TokenFile

        try:
            return TokenFile(connection.token_file)()
        except KubetraceError:
            if not connection.token:
                raise
    if connection.token:
        return connection.token
    if connection.oidc is not None:
        from kubetrace.transport.oidc import provider

        return provider(
            connection.oidc,
            events=environment.events,
            user_agent=environment.user_agent,
            environ=environment.environ,
            keep=environment.keep_tokens,
            learn=environment.masker.register,
        ).token()
    if connection.exec_plugin is None:
        return ""
    from kubetrace.transport.exec_plugin import Authenticator

    return Authenticator(connection.exec_plugin, environ=environment.environ).credentials().token


COMMAND = Command(
    run=run,
    usage="token [options]",
    description="""
    Print the bearer token of the current user: a fixed one, a token file's, or what its credential program or its
    OpenID Connect provider gives.
    """,
    examples="""
    # A call by hand
    curl -H "Authorization: Bearer $(kubetrace token)" https://…
    """,
)

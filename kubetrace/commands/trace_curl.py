"""`trace curl`: a trace's requests as lines for a shell that work, with the credentials of the current kubeconfig."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.trace_source import FilterOptions, exchanges
from kubetrace.errors import KubetraceError
from kubetrace.trace.views.curl import Access, render

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.kubeconfig.connection import Connection

_SELECTING = ("kubeconfig", "context", "cluster", "user")


def run(environment: Environment, options: FilterOptions, arguments: Arguments) -> None:
    found = exchanges(environment, options, arguments.words)
    for piece in render(found, _access(environment)):
        environment.stdout.write(piece)


def _access(environment: Environment) -> Access:
    try:
        connection = environment.connection
    except KubetraceError as error:
        environment.warn(f"the lines use no credentials: {error}")
        return Access()
    flags = "".join(
        f" --{name} {shlex.quote(value)}" for name in _SELECTING if (value := getattr(environment.options, name))
    )
    files, preamble = _files(connection, flags)
    options = [f"{name} {path}" for name, path in files]
    if connection.insecure_skip_tls_verify:
        options.append("--insecure")
    if connection.proxy_url:
        options.append(f"--proxy {shlex.quote(environment.masker.url(connection.proxy_url))}")
    has_token = connection.token or connection.token_file or connection.exec_plugin is not None
    return Access(connection.server, tuple(options), f"kubetrace token{flags}" if has_token else "", preamble)


def _files(connection: Connection, flags: str) -> tuple[list[tuple[str, str]], str]:
    """Curl's file options, and the lines that write what the kubeconfig holds inline to files of a private folder."""
    rows = (
        ("--cacert", "ca", connection.certificate_authority_data, connection.certificate_authority,
         "clusters[0].cluster.certificate-authority-data"),
        ("--cert", "cert", connection.client_certificate_data, connection.client_certificate,
         "users[0].user.client-certificate-data"),
        ("--key", "key", connection.client_key_data, connection.client_key, "users[0].user.client-key-data"),
    )  # fmt: skip
    options, lines = [], []
    for option, name, inline, path, field in rows:
        if inline:
            options.append((option, f'"$kubetrace_files/{name}"'))
            view = f"kubetrace config view{flags} --minify --raw -o jsonpath='{{.{field}}}'"
            lines.append(f'{view} | base64 -d > "$kubetrace_files/{name}"\n')
        elif path:
            options.append((option, shlex.quote(path)))
    if lines:
        lines.insert(0, "kubetrace_files=$(mktemp -d) && trap 'rm -rf \"$kubetrace_files\"' EXIT\n")
    return options, "".join(lines)


COMMAND = Command(
    run=run,
    usage="trace curl [FILE|FOLDER|-|last …] [flags] [options]",
    description="""
    Print a trace's requests as lines for a shell that send them again with curl.

    Trust and identity come from the current kubeconfig when the lines run; no credential stands in them. A request to
    another server than the kubeconfig's is sent without credentials.
    """,
    options=FilterOptions,
    examples="""
    # The call that failed, to be tried by hand
    kubetrace trace curl last --status 4xx

    # Everything once more
    kubetrace trace curl pods.jsonl | sh
    """,
)

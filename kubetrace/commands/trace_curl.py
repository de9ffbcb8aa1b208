"""`trace curl`: a trace's requests as lines for a shell that work, with the credentials of the current kubeconfig."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.trace_source import FilterOptions, exchanges
from kubetrace.errors import KubetraceError
from kubetrace.trace.access import Access, Material, Words

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_SELECTING = ("kubeconfig", "context", "cluster", "user")


class CurlOptions(FilterOptions):
    httpie: bool = flag(False, help="Write lines for HTTPie instead of curl.")
    python: bool = flag(False, help="Write a Python program that uses requests.")


def run(environment: Environment, options: CurlOptions, arguments: Arguments) -> None:
    from importlib import import_module

    if options.httpie and options.python:
        raise arguments.usage_error("--httpie and --python exclude each other")
    name = "httpie" if options.httpie else "requests_script" if options.python else "curl"
    render = import_module(f"kubetrace.trace.views.{name}").render
    found = exchanges(environment, options, arguments.words)
    for piece in render(found, _access(environment)):
        environment.stdout.write(piece)


def _access(environment: Environment) -> Access:
    """How the current kubeconfig reaches its server, told by commands where it is by credentials."""
    try:
        connection = environment.connection
    except KubetraceError as error:
        environment.warn(f"the lines use no credentials: {error}")
        return Access()
    flags: list[str] = []
    for name in _SELECTING:
        if value := getattr(environment.options, name):
            flags += [f"--{name}", value]
    if environment.own.playground:
        flags.append("--playground")

    def field(path: str) -> Words:
        return ("kubetrace", "config", "view", *flags, "--minify", "--raw", "-o", f"jsonpath={{.{path}}}")

    def material(inline: bytes, path: str, name: str) -> Material | None:
        if inline:
            return Material(command=field(name))
        return Material(path) if path else None

    has_token = connection.token or connection.token_file or connection.exec_plugin is not None
    return Access(
        server=connection.server,
        authority=material(
            connection.certificate_authority_data,
            connection.certificate_authority,
            "clusters[0].cluster.certificate-authority-data",
        ),
        certificate=material(
            connection.client_certificate_data, connection.client_certificate, "users[0].user.client-certificate-data"
        ),
        key=material(connection.client_key_data, connection.client_key, "users[0].user.client-key-data"),
        insecure=connection.insecure_skip_tls_verify,
        proxy=environment.masker.url(connection.proxy_url) if connection.proxy_url else "",
        server_name=connection.tls_server_name,
        token=("kubetrace", "token", *flags) if has_token else (),
        username=connection.username,
        password=field("users[0].user.password") if connection.password else (),
    )


COMMAND = Command(
    run=run,
    usage="trace curl [FILE|FOLDER|-|last …] [--httpie|--python] [flags] [options]",
    description="""
    Print a trace's requests as lines for a shell that send them again with curl or with HTTPie, or as a Python program.

    Trust and identity come from the current kubeconfig when the lines run; no credential stands in them. A request to
    another server than the kubeconfig's is sent without credentials.
    """,
    options=CurlOptions,
    examples="""
    # The call that failed, to be tried by hand
    kubetrace trace curl last --status 4xx

    # Everything once more
    kubetrace trace curl pods.jsonl | sh

    # In a program of one's own
    kubetrace trace curl pods.jsonl --python > pods.py
    """,
)

"""`proxy`: a local port that leads to the API server, with the kubeconfig's credentials (kubectl pkg/cmd/proxy)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError, SilentExit
from kubetrace.value import Value

if TYPE_CHECKING:
    import socket

    from kubetrace.environment import Environment
    from kubetrace.gateway.admission import Filter
    from kubetrace.gateway.gateway import Gateway

_PORT = 8001


class ProxyOptions(Value):
    accept_hosts: str = flag(
        r"^localhost$,^127\.0\.0\.1$,^\[::1\]$", help="Which hosts may be asked for: regular expressions, by commas."
    )
    accept_paths: str = flag("^.*", help="Which paths are let through: regular expressions, by commas.")
    address: str = flag("127.0.0.1", help="The IP address to listen on.")
    api_prefix: str = flag("/", help="The prefix below which the API is found.")
    append_server_path: bool = flag(False, help="Put the path of the kubeconfig's server before each request's path.")
    disable_filter: bool = flag(
        False,
        help="Let every request through. On a port that others can reach, web pages in your browser may then act in "
        "your name.",
    )
    keepalive: float = flag(0.0, help="How often an upgraded connection is probed while nothing passes (0s: as usual).")
    port: int = flag(_PORT, "p", help="The port to listen on; 0 takes one that is free.")
    reject_methods: str = flag("^$", help="Which methods are refused, for example 'POST,PUT,PATCH'.")
    reject_paths: str = flag(
        "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
        help="Which paths are refused, even where --accept-paths lets them through.",
    )
    unix_socket: str = flag("", "u", help="Listen on a Unix socket at this path.")
    www: str = flag("", "w", help="Serve the files of this folder, too, below --www-prefix.")
    www_prefix: str = flag("/static/", "P", help="The prefix below which files are served.")


def run(environment: Environment, options: ProxyOptions, arguments: Arguments) -> None:
    server_path = urlsplit(environment.rest_config().server).path
    if not options.append_server_path and server_path not in ("", "/"):
        environment.note("proxy-server-path", path=server_path)
    admission = _filter(environment, options)
    if options.port != _PORT and options.unix_socket:
        raise KubetraceError("cannot set --unix-socket and --port at the same time")
    _check_folder(environment, options.www)
    gateway = _gateway(environment, options, admission, server_path if options.append_server_path else "")
    try:
        _serve(environment, gateway, _listen(options))
    finally:
        gateway.stop()


def _serve(environment: Environment, gateway: Gateway, listening: socket.socket) -> None:
    """Until a signal."""
    from kubetrace.gateway.gateway import shown_address

    environment.stdout.write(f"Starting to serve on {shown_address(listening)}\n")
    environment.stdout.flush()
    gateway.start(listening)
    threading.Event().wait()


def _filter(environment: Environment, options: ProxyOptions) -> Filter | None:
    from kubetrace.gateway.admission import Filter, regexps
    from kubetrace.wire.go_regexp import RegexpError

    if options.disable_filter:
        if not options.unix_socket:
            environment.note("proxy-unfiltered")
        return None
    if not options.reject_paths or not options.reject_methods:
        environment.note("proxy-relaxed")
    try:
        return Filter(
            accept_paths=regexps(options.accept_paths),
            reject_paths=regexps(options.reject_paths),
            accept_hosts=regexps(options.accept_hosts),
            reject_methods=regexps(options.reject_methods),
        )
    except RegexpError as error:
        environment.note("proxy-bad-regexp", error=str(error))
        raise SilentExit(255) from None


def _check_folder(environment: Environment, folder: str) -> None:
    import os

    from kubetrace.transport.words import errno_text

    if not folder:
        return
    try:
        if not os.path.isdir(folder) and os.stat(folder):  # noqa: PTH112, PTH116 (the path is shown as it was given)
            environment.note("proxy-not-a-folder", path=folder)
    except OSError as error:
        environment.note("proxy-no-folder", path=folder, error=f"stat {folder}: {errno_text(error)}")


def _gateway(environment: Environment, options: ProxyOptions, admission: Filter | None, server_path: str) -> Gateway:
    from kubetrace.commands.relaying import is_watched, kept
    from kubetrace.gateway.files import Files
    from kubetrace.gateway.gateway import Gateway
    from kubetrace.gateway.routes import Routes
    from kubetrace.recorder.upstream import Upstream
    from kubetrace.trace.events import Events

    environment.note_transport()
    api_prefix, static_prefix = _with_slash(options.api_prefix), _with_slash(options.www_prefix)
    if options.www and api_prefix == static_prefix:
        raise KubetraceError(f"--api-prefix and --www-prefix are the same: {api_prefix}")
    upstream = Upstream(
        environment.connection,
        environ=environment.environ,
        events=environment.events,
        user_agent=environment.user_agent,
        learn=environment.masker.register,
        keep=environment.keep_tokens,
        keep_alive=options.keepalive,
    )
    return Gateway(
        upstream,
        Routes(api_prefix, static_prefix if options.www else None),
        filter=admission,
        files=Files(options.www) if options.www else None,
        server_path=server_path,
        user_agent=environment.user_agent,
        events=environment.events if is_watched(environment) else Events(),
        keep=kept(environment),
        masker=environment.masker,
        note=environment.note,
        write_error=environment.write_error_bytes,
    )


def _with_slash(prefix: str) -> str:
    return prefix if prefix.endswith("/") else f"{prefix}/"


def _listen(options: ProxyOptions) -> socket.socket:
    from kubetrace.gateway.gateway import listen, listen_unix

    return listen_unix(options.unix_socket) if options.unix_socket else listen(options.address, options.port)


COMMAND = Command(
    run=run,
    usage="proxy [--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
    description="""
    Open a local port that leads to the API server, and serve files from a folder beside it.

    What comes in goes to the server of the kubeconfig with its credentials, so that browsers, curl and scripts need
    none. --accept-hosts, --accept-paths, --reject-paths and --reject-methods decide what is let through; exec and
    attach are not. It serves until you press Ctrl-C. With --trace FILE or -v=6 and higher every request is recorded.
    """,
    options=ProxyOptions,
    examples="""
    # The whole API at http://127.0.0.1:8001/
    kubetrace proxy

    # Another port, or any that is free
    kubetrace proxy --port=8011
    kubetrace proxy --port=0

    # The API below /custom/: curl localhost:8001/custom/api/v1/pods
    kubetrace proxy --api-prefix=/custom/

    # Files of a folder, and only part of the API
    kubetrace proxy --www=./site --www-prefix=/static/ --api-prefix=/api/

    # See what a browser asks for
    kubetrace proxy -v=7
    """,
)

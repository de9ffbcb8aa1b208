"""`playground up|down|status|…`: the API server to practise on (kubetrace's own; see kubetrace.playground.manager)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError, UsageError
from kubetrace.playground import manager
from kubetrace.serving.faults import parse
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment


_SEED_ROUNDS = 4
_WAITS = r'no matches for kind|namespaces "[^"]*" not found|could not find the requested resource'
"""What is said of an object whose namespace or kind is not there yet."""


class NameOptions(Value):
    name: str = flag(manager.DEFAULT_NAME, help="Which playground; several can run side by side.")


class UpOptions(Value):
    name: str = flag(manager.DEFAULT_NAME, help="Which playground; several can run side by side.")
    port: int = flag(0, help="The port on 127.0.0.1; 0 takes the last one, or any that is free.")
    foreground: bool = flag(False, help="Stay in the foreground until interrupted.")
    latency: float = flag(0.0, help="How long each answer waits, such as 50ms.", kind="go-duration")
    fault: tuple[str, ...] = flag(
        (), help="A failure to make, such as 'POST pods: 500 once'; may be given several times.", kind="array"
    )
    nodes: int = flag(1, help="How many simulated nodes there are at least; they stay.")
    engine: str = flag(
        "",
        help="What serves: embedded, or envtest (real binaries). Default: the one it has.",
        completion="=embedded,envtest",
    )
    seed_from: str = flag(
        "", help="Apply the manifests of this folder (and folders in it) once it runs.", completion="dir"
    )


def _no_words(arguments: Arguments) -> None:
    if arguments.words:
        raise UsageError(f"unknown argument {arguments.words[0]!r}", arguments.command_path)


def _environ(environment: Environment) -> Mapping[str, str]:
    return environment.environ


def up(environment: Environment, options: UpOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    if not 0 <= options.port < 65536:
        raise KubetraceError(f"invalid port {options.port}: must be between 0 and 65535")
    if not 0 <= options.latency <= 3600:
        raise KubetraceError("invalid latency: must be between 0s and 1h")
    if not 1 <= options.nodes <= 50:
        raise KubetraceError(f"invalid number of nodes {options.nodes}: must be between 1 and 50")
    for text in options.fault:
        parse(text)
    if options.seed_from and not Path(options.seed_from).exists():
        raise KubetraceError(f'the path "{options.seed_from}" does not exist')
    environ, before = _environ(environment), manager.find(environment.environ, options.name)
    start = manager.Start(options.port, options.latency, options.fault, options.engine, options.nodes)

    def ready(found: manager.Playground) -> None:
        told = "is already running" if before.running else "is ready"
        environment.stdout.write(f"playground {found.name} {told} at {found.server}\n")
        environment.stdout.write(f"export KUBECONFIG={found.kubeconfig}\n")
        environment.stdout.flush()
        if options.seed_from:
            _seed(environment, found, options.seed_from)

    if options.foreground and not before.running:
        manager.run(environ, options.name, start, ready)
    else:
        ready(manager.up(environ, options.name, start))


def _seed(environment: Environment, found: manager.Playground, folder: str) -> None:
    """Applies manifests as admin, the way `apply --server-side -R -f FOLDER` does, and again while objects wait for a
    namespace or a CustomResourceDefinition that comes later in the folder."""
    import io
    import time

    from kubetrace.cmdline.global_options import GlobalOptions
    from kubetrace.commands.apply import manifests as apply
    from kubetrace.environment import Environment
    from kubetrace.streams import Streams

    cache = str(found.folder / "cache")
    inner = GlobalOptions(kubeconfig=str(found.kubeconfig), context="admin", cache_dir=cache)
    options = apply.ApplyOptions(filename=(folder,), recursive=True, server_side=True, force_conflicts=True)
    for left in reversed(range(_SEED_ROUNDS)):
        out, err = io.StringIO(), io.StringIO()
        admin = Environment(Streams(environment.streams.stdin, out, err), environment.environ, inner)
        admin.command_path = ("apply",)
        failure = None
        try:
            apply.run(admin, options, Arguments(("apply",)))
        except KubetraceError as error:
            failure = error
        if failure is None or not left or not re.search(_WAITS, str(failure)):
            environment.stdout.write(out.getvalue())
            environment.stdout.flush()
            environment.stderr.write(err.getvalue())
            if failure is not None:
                raise failure
            return
        time.sleep(0.3)


def down(environment: Environment, options: NameOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    stopped = manager.down(_environ(environment), options.name)
    told = "stopped; its objects stay for the next time" if stopped else "is not running"
    environment.stdout.write(f"playground {options.name} {told}\n")


def status(environment: Environment, options: NameOptions, arguments: Arguments) -> int:
    _no_words(arguments)
    found = manager.find(_environ(environment), options.name)
    if not found.running:
        environment.stdout.write(f"playground {found.name} is not running\n")
        return 1
    environment.stdout.write(
        f"playground {found.name} is running at {found.server} (process {found.pid}, engine {found.engine})\n"
    )
    environment.stdout.write(f"export KUBECONFIG={found.kubeconfig}\n")
    return 0


def reset(environment: Environment, options: NameOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    environ = _environ(environment)
    before = manager.find(environ, options.name)
    engine = before.engine
    manager.reset(environ, options.name)
    if before.running:
        manager.up(environ, options.name, manager.Start(engine=engine))
    environment.stdout.write(f"playground {options.name} is as new\n")


class NoOptions(Value):
    pass


def list_every(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    rows = [("NAME", "STATUS", "SERVER")]
    for found in manager.every(_environ(environment)):
        rows.append((found.name, *(("Running", found.server) if found.running else ("Stopped", "<none>"))))
    width = max(len(name) for name, _, _ in rows)
    for name, state, server in rows if len(rows) > 1 else ():
        environment.stdout.write(f"{name:{width}}   {state:7}   {server}\n")
    if len(rows) == 1:
        environment.stderr.write("No playgrounds found\n")


def _told(environment: Environment, name: str, file: str) -> None:
    """Prints a file of a playground's folder."""
    path = manager.find(_environ(environment), name).folder / file
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        raise KubetraceError(f"playground {name!r} has no {file} yet: it was never started") from None
    except OSError as error:
        raise KubetraceError(f"cannot read {path}: {error.strerror}") from None
    environment.stdout.write(text)


def kubeconfig(environment: Environment, options: NameOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    _told(environment, options.name, "kubeconfig")


def logs(environment: Environment, options: NameOptions, arguments: Arguments) -> None:
    _no_words(arguments)
    _told(environment, options.name, "log")


LIST = Command(
    run=list_every,
    usage="playground list",
    description="List the playgrounds of this user, running or stopped.",
    options=NoOptions,
)
KUBECONFIG = Command(
    run=kubeconfig,
    usage="playground kubeconfig [--name NAME]",
    description="Print a playground's kubeconfig, with its tokens and keys, for a file or another tool.",
    options=NameOptions,
)
LOGS = Command(
    run=logs,
    usage="playground logs [--name NAME]",
    description="Print what a playground's server wrote since its folder was made.",
    options=NameOptions,
)
UP = Command(
    run=up,
    usage="playground up [--name NAME] [--port PORT] [--foreground] [--latency DURATION] [--fault FAULT]... "
    "[--nodes N] [--engine ENGINE] [--seed-from DIR]",
    description="""
    Start an API server on this machine, with its own certificates and users, and say where its kubeconfig is.

    Its contexts are admin (a token), certificate (an admin too), developer (edit in one namespace), viewer and nobody.
    Containers are simulated. Objects survive "down"; "reset" forgets them.

    The envtest engine is a real etcd and kube-apiserver (with kube-controller-manager, kube-scheduler and kwok where
    found) from the folder that KUBEBUILDER_ASSETS names, behind the same commands and contexts.

    A fault reads "VERB RESOURCE: ACTION [once|N times]". VERB is an HTTP method, WATCH or *. RESOURCE is pods,
    pods/log, a path such as /version, or *. ACTION is a status code (400 to 599, with "retry-after SECONDS" if
    wanted), reset (the connection breaks), or slow SECONDS (half of the body comes late); 410 on a watch arrives as an
    event. Latency and faults hold until the playground stops.
    """,
    options=UpOptions,
    examples="""
    # Start it and use it with any Kubernetes client
    kubetrace playground up

    # Make the first creation of a pod fail, and every answer late
    kubetrace playground up --latency 50ms --fault 'POST pods: 500 once'

    # Start one on real binaries, with objects to practise on
    KUBEBUILDER_ASSETS=~/bin kubetrace playground up --name real --engine envtest --seed-from manifests/

    # Start it only when a command needs it
    kubetrace --playground get pods
    """,
)
DOWN = Command(
    run=down,
    usage="playground down [--name NAME]",
    description="Stop a playground. Its objects and its kubeconfig stay.",
    options=NameOptions,
)
STATUS = Command(
    run=status,
    usage="playground status [--name NAME]",
    description="Say whether a playground is running, and where; exit code 1 when it is not.",
    options=NameOptions,
)
RESET = Command(
    run=reset,
    usage="playground reset [--name NAME]",
    description="Forget every object of a playground; its keys, users and kubeconfig stay.",
    options=NameOptions,
)

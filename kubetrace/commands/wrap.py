"""`wrap -- COMMAND…`: any Kubernetes client, its calls recorded on the way (see kubetrace.recorder)."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.serving.faults import parse
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.environment import Environment
    from kubetrace.kubeconfig.connection import Connection
    from kubetrace.recorder.child import HeldSignals
    from kubetrace.recorder.recorder import Recorder
    from kubetrace.recorder.runtime import RuntimeFolder

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


class WrapOptions(Value):
    block_writes: bool = flag(False, help="Refuse (403) whatever is not a get, list, watch or review.")
    latency: float = flag(0.0, help="How long each request waits, such as 50ms.", kind="go-duration")
    fault: tuple[str, ...] = flag(
        (), help="A failure to make, such as 'POST pods: 500 once'; may be given several times.", kind="array"
    )


def run(environment: Environment, options: WrapOptions, arguments: Arguments) -> int:
    from kubetrace.recorder import child

    if arguments.words and arguments.dash != 0:
        raise arguments.usage_error('the command must stand behind "--": kubetrace wrap [flags] -- COMMAND [args…]')
    if not 0 <= options.latency <= 3600:
        raise KubetraceError("invalid latency: must be between 0s and 1h")
    path = child.find(arguments.words[0], environment.environ) if arguments.words else ""
    _ = environment.kubeconfig  # before signals are held: a playground that it starts would never let go of them
    with child.HeldSignals() as signals, _recording(environment, options) as (recorder, kubeconfig, folder):
        if not arguments.words:
            return _session(environment, kubeconfig, signals)
        environ = _environ(environment, kubeconfig, folder)
        environment.stdout.flush()
        code = child.run(path, arguments.words, environ, signals)
        if recorder.requests == 0 and code != child.NOT_FOUND:
            _warn(environment, "the command made no call through kubetrace: does it read KUBECONFIG?")
        return code


def _session(environment: Environment, kubeconfig: Path, signals: HeldSignals) -> int:
    """Records whoever uses the kubeconfig, until somebody says stop."""
    import shlex

    environment.stdout.write(f"export KUBECONFIG={shlex.quote(str(kubeconfig))}\n")
    environment.stdout.flush()
    while True:
        number, _ = signals.wait_for_one()
        if number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            return 0
        if number == signal.SIGQUIT:
            return -number


# --- the recorder and its surroundings --------------------------------------------------------------------------------


@contextmanager
def _recording(environment: Environment, options: WrapOptions) -> Iterator[tuple[Recorder, Path, RuntimeFolder]]:
    """A recorder that runs, the throw-away kubeconfig that leads to it, and the folder that goes when it stops."""
    import datetime

    from kubetrace.commands.relaying import is_watched, kept
    from kubetrace.kubeconfig.encode import to_yaml
    from kubetrace.recorder import throwaway
    from kubetrace.recorder.policy import Policy
    from kubetrace.recorder.recorder import HOST, Recorder
    from kubetrace.recorder.runtime import RuntimeFolder
    from kubetrace.serving.authority import Authority
    from kubetrace.trace.events import Events

    policy = Policy(
        block_writes=options.block_writes, faults=[parse(text) for text in options.fault], latency=options.latency
    )
    environment.log.tells_streams = True
    if environment.run_stats is not None:
        environment.run_stats.elsewhere = "in the command and in kubetrace"
    planned = throwaway.plan(environment.kubeconfig.sections, environment.overrides)
    watched = is_watched(environment)
    if not watched and not (options.block_writes or options.fault or options.latency):
        _warn(environment, "nothing is recorded: add --trace FILE, or -v=6 to see the calls")
    tokens = throwaway.new_tokens(planned.users)
    _learn(environment, tokens.values())
    recorder = Recorder(
        _connector(environment),
        events=environment.events if watched else Events(),
        masker=environment.masker,
        policy=policy,
        keep=kept(environment),
        environ=environment.environ,
        warn=lambda text: _warn(environment, text),
        user_agent=environment.user_agent,
        keep_tokens=environment.keep_tokens,
        trace_id=environment.trace_id,
    )
    with RuntimeFolder(environment.environ) as folder:
        caches = environment.cache_dir / "discovery"
        ports = recorder.listen(list(planned.clusters), taken=lambda port: _cache(caches, port).exists())
        left = [_cache(caches, port) for port in ports.values()]
        folder.watch(*left)
        authority = Authority("kubetrace-wrap-ca", datetime.timedelta(days=30))
        chain = folder.write("tls.pem", b"".join(authority.issue("kubetrace-wrap", hosts=(HOST, "localhost"))))
        origins = {cluster: recorder.origin(cluster) for cluster in ports}
        config = throwaway.kubeconfig(planned, origins, tokens, authority.pem)
        kubeconfig = folder.write("kubeconfig", to_yaml(config))
        recorder.serve(str(chain), {token: user for user, token in tokens.items()})
        chain.unlink()
        try:
            _link_caches(environment, folder, ports)
            yield recorder, kubeconfig, folder
        finally:
            recorder.stop()
            _remove(left)


def _warn(environment: Environment, text: str) -> None:
    environment.write_error_bytes(f"warning: {environment.masker.text(text)}\n".encode("utf-8", "surrogateescape"))


def _learn(environment: Environment, tokens: Iterable[str]) -> None:
    """Has the one-time tokens masked, and every credential in the kubeconfig, in use or not."""
    for token in tokens:
        environment.masker.register(token)
    for user in environment.kubeconfig.sections.users.values():
        environment.masker.register(user.token)
        environment.masker.register(user.password, user.username)
        environment.masker.register(user.client_key_data or b"")
        provided = user.auth_provider.config if user.auth_provider is not None else None
        for name in ("client-secret", "id-token", "refresh-token"):
            environment.masker.register((provided or {}).get(name, ""))


def _connector(environment: Environment) -> Callable[[str, str], Connection]:
    """How a user of the kubeconfig reaches a cluster of it; the command line's flags hold for all of them."""
    config = environment.kubeconfig
    nameless = replace(config, prompt=None, sections=replace(config.sections, current_context=""))

    def connect(cluster: str, user: str) -> Connection:
        known_cluster = cluster if cluster in config.sections.clusters else ""
        known_user = user if user in config.sections.users else ""
        flags = replace(environment.overrides, context="", cluster=known_cluster, user=known_user)
        return environment.admitted(nameless.connect(flags))

    return connect


# --- the child's surroundings -----------------------------------------------------------------------------------------


def _environ(environment: Environment, kubeconfig: Path, folder: RuntimeFolder) -> Mapping[str, str]:
    """The child's environment: our kubeconfig, a discovery cache that goes with it, and no proxy on the way to us."""
    environ = {**environment.environ, "KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(folder.path / "cache")}
    if any(environ.get(name) for name in _PROXIES):
        for name in ("NO_PROXY", "no_proxy"):
            environ[name] = ",".join(filter(None, (environ.get(name), "127.0.0.1,localhost")))
    return environ


def _cache(caches: Path, port: int) -> Path:
    """Where kubectl caches the discovery of a server on this port."""
    return caches / f"127.0.0.1_{port}"


def _link_caches(environment: Environment, folder: RuntimeFolder, ports: Mapping[str, int]) -> None:
    """The user's own discovery caches under the names that kubectl will look for: it makes the calls that it would make
    without us, and what it learns stays."""
    from kubetrace.api.discovery_cache import discovery_folder

    home = folder.path / "cache"
    (home / "discovery").mkdir(parents=True)
    for cluster, port in ports.items():
        found = environment.kubeconfig.sections.clusters.get(cluster)
        if found is None:
            continue
        real = discovery_folder(environment.cache_dir, found.server)
        try:
            real.mkdir(mode=0o750, parents=True, exist_ok=True)
            _cache(home / "discovery", port).symlink_to(real)
        except OSError:  # no cache can be written: kubectl goes on without one, too
            return


def _remove(folders: list[Path]) -> None:
    """Discovery caches of clients that do not know KUBECACHEDIR (kubectl before 1.27)."""
    import shutil

    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


COMMAND = Command(
    run=run,
    usage="wrap [--block-writes] [--latency TIME] [--fault FAULT] [flags] [options] [-- COMMAND [args…]]",
    description="""
    Run any Kubernetes client and record its calls: kubectl of any version, programs in Go, Python, JavaScript.

    The command is given a kubeconfig that leads it through kubetrace: the contexts of yours under their own names, with
    a one-time token in place of your credentials, which stay with kubetrace. "--trace FILE" keeps what is said, -v=6 to
    -v=10 show it as it happens. Streams, exec and port-forward pass as they are. The command's exit code is ours.

    Without a command the line is printed that sends other shells this way, until you press Ctrl-C.
    """,
    options=WrapOptions,
    examples="""
    # What does this kubectl send?
    kubetrace wrap -v=8 -- kubectl get pods

    # Keep a trace of a script, and look at it
    kubetrace wrap --trace calls.jsonl -- python reconcile.py
    kubetrace trace show calls.jsonl

    # Look, but do not touch
    kubetrace wrap --block-writes -v=6 -- ./untrusted-tool

    # How does a controller take failures?
    kubetrace wrap --fault 'PATCH deployments: 409 3 times' --latency 200ms -- ./controller

    # Record what is done in another terminal
    kubetrace wrap --trace session.jsonl
    """,
)

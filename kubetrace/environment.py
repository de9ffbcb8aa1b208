"""Everything outside the program in one lazy object: what watches the run, environment variables, kubeconfig, and the
client. Commands receive it, tests build their own; nothing is read from outside at import.

This is the one place where the kubeconfig meets the transport.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from kubetrace.observed import ObservedRun

if TYPE_CHECKING:
    from pathlib import Path

    from kubetrace.api.cluster import Cluster
    from kubetrace.kubeconfig.config import Config, Overrides
    from kubetrace.kubeconfig.connection import Connection
    from kubetrace.transport.answer import ClientAnswer
    from kubetrace.transport.call import Call, ClientMaker
    from kubetrace.transport.client import Client


def _random_uuid() -> str:
    """A UUID of version 4 (RFC 9562); the standard library's module for them takes longer to load than to use."""
    number = bytearray(os.urandom(16))
    number[6] = number[6] & 0x0F | 0x40
    number[8] = number[8] & 0x3F | 0x80
    digits = number.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class _LazyClient:
    """The environment's client, made when it is first needed: what is wrong with a command's arguments is told before
    a client exists, and kubectl's log shows when it is made."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def server(self) -> str:
        return self._environment.client.server

    def send(self, call: Call) -> ClientAnswer:
        return self._environment.client.send(call)

    def another(self, maker: ClientMaker) -> Client:
        return self._environment.make_client(maker)


class Environment(ObservedRun):
    """What a command may touch."""

    @cached_property
    def kubeconfig_path(self) -> str:
        """The explicit kubeconfig: --kubeconfig, or the playground's own with --playground; empty for the default."""
        if not self.own.playground:
            return self.options.kubeconfig
        from kubetrace.playground.manager import ensure_running

        path, started = ensure_running(self.environ)
        if started:
            self.stderr.write("playground: started (stop it with 'kubetrace playground down')\n")
        return str(path)

    @cached_property
    def kubeconfig(self) -> Config:
        from kubetrace.kubeconfig.config import load

        return load(self.environ, explicit_path=self.kubeconfig_path, note=self.note, prompt=self._ask_for_user)

    def _ask_for_user(self) -> tuple[str, str]:
        from kubetrace.kubeconfig.prompt import Prompt

        def say(text: str) -> None:
            self.stdout.write(text)
            self.stdout.flush()

        return Prompt(self.stdin, say)()

    @cached_property
    def overrides(self) -> Overrides:
        from kubetrace.kubeconfig.config import Overrides

        return Overrides.from_options(self.options)

    @cached_property
    def connection(self) -> Connection:
        return self.admitted(self.kubeconfig.connect(self.overrides))

    def admitted(self, connection: Connection) -> Connection:
        """A connection that the user's preferences allow; its credentials are masked from here on."""
        if self.preferences is not None and connection.exec_plugin is not None:
            from kubetrace.cmdline.kuberc import check_plugin

            check_plugin(self.preferences, connection.exec_plugin.command, self.environ)
        if connection.token:
            self.masker.register(connection.token)
        if connection.password:
            self.masker.register(connection.password, connection.username)
        if connection.client_key_data:
            self.masker.register(connection.client_key_data)
        return connection

    @cached_property
    def _namespace(self) -> tuple[str, bool]:
        return self.kubeconfig.namespace(self.overrides)

    @property
    def namespace(self) -> str:
        """The namespace the command works in: --namespace, the context's, or "default"."""
        return self._namespace[0]

    @property
    def namespace_given(self) -> bool:
        """Was the namespace given on the command line? (Manifests of another namespace are then refused.)"""
        return self._namespace[1]

    @cached_property
    def request_timeout(self) -> float | None:
        """--request-timeout in seconds; None for none."""
        from kubetrace.kubeconfig.overrides import parse_timeout

        return parse_timeout(self.options.request_timeout or "0") or None

    @cached_property
    def cache_dir(self) -> Path:
        """Where discovery is cached: --cache-dir, KUBECACHEDIR, or ~/.kube/cache."""
        from pathlib import Path

        return Path(self.options.cache_dir) if self.options.cache_dir else self.default_cache_dir

    @property
    def default_cache_dir(self) -> Path:
        from pathlib import Path

        return Path(self.environ.get("KUBECACHEDIR") or self.home / ".kube" / "cache")

    def rest_config(self) -> Connection:
        """What kubectl's clients are made of (RESTClientGetter.ToRESTConfig): the log tells each time that it is a
        pod's own service account."""
        if self.connection.in_cluster:
            self.note("in-cluster-config")
        return self.connection

    def make_client(self, maker: ClientMaker = "factory") -> Client:
        """One more of kubectl's clients, which are all the same one here: an exec plugin belongs to the client that was
        made."""
        self.rest_config()
        return self.client.another(maker)

    @cached_property
    def client(self) -> Client:
        from kubetrace.transport.client import Client
        from kubetrace.transport.http_cache import HTTPCache

        timeout = self.request_timeout
        self.note_transport()
        return Client(
            self.connection,
            events=self.events,
            user_agent=self.user_agent,
            command_headers=(
                ("Kubectl-Command", " ".join(("kubectl", *self.command_path))),
                ("Kubectl-Session", _random_uuid()),
            ),
            request_timeout=timeout,
            environ=self.environ,
            http_cache=HTTPCache(self.cache_dir / "http"),
            learn=self.masker.register,
            keep=self.keep_tokens,
            plan=self.plan if self.own.plan else None,
            trace_id=self.trace_id,
            manifest_read=lambda: self.manifest_read,
            say=lambda: self.streams.stdout.flush(),
        )

    def keep_tokens(self, user: str, changed: Mapping[str, str]) -> None:
        """Writes the tokens that an auth provider renewed to where a user's came from (PersisterForUser)."""
        from kubetrace.kubeconfig.loader import Sources
        from kubetrace.kubeconfig.modify import keep_provider_settings

        sources = Sources.of(self.environ, self.kubeconfig_path, self.note)
        keep_provider_settings(sources, user, changed)

    def note_transport(self) -> None:
        """What kubectl logs when it makes its first transport."""
        connection = self.connection
        self.note("feature-gates", overrides=self._feature_gates)
        if connection.client_certificate and connection.client_key and not connection.client_certificate_data:
            self.note("cert-rotation")

    @property
    def _feature_gates(self) -> dict[str, bool]:
        """client-go's feature gates that KUBE_FEATURE_* sets: they are in the log, though nothing here obeys them."""
        true, false = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")
        found = {name.removeprefix("KUBE_FEATURE_"): name for name in self.environ if name.startswith("KUBE_FEATURE_")}
        return {gate: self.environ[name] in true for gate, name in found.items() if self.environ[name] in true + false}

    @cached_property
    def cluster(self) -> Cluster:
        """The server's kinds and objects. With --match-server-version, only a server of our release will do."""
        from kubetrace.api.cluster import Cluster

        cluster = Cluster(
            _LazyClient(self),
            self.cache_dir,
            events=self.events,
            timeout=self.request_timeout,
            warn=self.warn,
        )
        if self.options.match_server_version:
            from kubetrace.client_version import client_version

            cluster.require_version(client_version())
        return cluster

    @property
    def user_agent(self) -> str:
        from kubetrace import __version__
        from kubetrace.client_version import platform

        return f"kubetrace/v{__version__} ({platform()})"

    def close(self) -> None:
        """Ends what this run opened."""
        client = self.__dict__.get("client")
        if client is not None:
            client.close()
        super().close()

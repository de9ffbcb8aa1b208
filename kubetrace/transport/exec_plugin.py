"""Credentials from a program: client.authentication.k8s.io v1 and v1beta1 (client-go's plugin/pkg/client/auth/exec).

The program is run when credentials are first needed, when they have expired, and after a 401; in between they are kept
in memory, never on disk. A request that got the 401 is not sent again: client-go doesn't either.
"""

from __future__ import annotations

import datetime
import json
import os
import posixpath
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.connection import Connection, ExecPlugin
from kubetrace.transport.call import ClientMaker
from kubetrace.value import Value

API_VERSIONS = ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1")
SCHEME = "pkg/client/auth/exec/exec.go:64"
"""The name that client-go's registry of plugin types goes by in its errors."""
STDIN_IS_TAKEN = "standard input is unavailable: used by stdin resource manifest reader"
HINTS_SHOWN = 10
INSTALL_HELP = (
    "\n\nIt looks like you are trying to use a client-go credential plugin that is not installed.\n\n"
    "To learn more about this feature, consult the documentation available at:\n"
    "      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
)


class CredentialError(KubetraceError):
    """The plugin gave no credentials; `text` is client-go's wording."""

    kind = "credentials"

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.text = f"getting credentials: {problem}"
        super().__init__(self.text)


class Credentials(Value):
    """What a plugin returned. `certificate` is a (certificate, key) pair of PEM texts."""

    token: str = ""
    certificate: tuple[bytes, bytes] | None = None
    expires: datetime.datetime | None = None


class Authenticator:
    """Runs one plugin and keeps what it returned. Safe for several threads: only one runs the program."""

    def __init__(
        self,
        plugin: ExecPlugin,
        *,
        environ: Mapping[str, str] | None = None,
        is_terminal: Callable[[], bool] | None = None,
        stdin_is_taken: Callable[[], bool] = bool,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        self._plugin = plugin
        self._command = posixpath.normpath(plugin.command) if plugin.command else "."
        self._environ = environ
        self._is_terminal = is_terminal or _stdin_is_terminal
        self._stdin_is_taken = stdin_is_taken
        self._now = now
        self._lock = threading.Lock()
        self._kept: Credentials | None = None
        self._hints = 0

    def credentials(self) -> Credentials:
        """The current credentials, from the program if need be. Raises CredentialError."""
        with self._lock:
            if self._kept is None or self._expired(self._kept):
                self._kept = self._run()
            return self._kept

    def refresh(self, refused: Credentials) -> None:
        """After a 401: runs the program again, unless somebody has done so since. Raises CredentialError."""
        with self._lock:
            if self._kept is refused:
                self._kept = self._run()

    def forget(self, useless: Credentials) -> None:
        """These can't be used: the next request runs the program again."""
        with self._lock:
            if self._kept is useless:
                self._kept = None

    def _expired(self, kept: Credentials) -> bool:
        return kept.expires is not None and self._now() > kept.expires

    # --- running it ------------------------------------------------------------------------------------------------

    def _run(self) -> Credentials:
        if self._plugin.api_version not in API_VERSIONS:
            raise CredentialError(f'exec plugin: invalid apiVersion "{self._plugin.api_version}"')
        interactive = self._interactive()
        environ = dict(os.environ if self._environ is None else self._environ)
        path: str | None = self._command
        if "/" not in self._command:
            import shutil

            path = shutil.which(self._command, path=environ.get("PATH"))
        if path is None:
            raise CredentialError(self._not_found())
        environ.update(self._plugin.env)
        environ["KUBERNETES_EXEC_INFO"] = self._exec_info(interactive)
        return self._parse(self._output(path, environ, interactive))

    def _output(self, path: str, environ: dict[str, str], interactive: bool) -> bytes:
        import signal
        import subprocess

        try:
            done = subprocess.run(
                [self._command, *self._plugin.args],
                executable=path,
                env=environ,
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                check=False,
                preexec_fn=_hold_no_signal if signal.pthread_sigmask(signal.SIG_BLOCK, ()) else None,
            )
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise CredentialError(f"exec: fork/exec {path}: {reason}") from error
        if done.returncode:
            code = done.returncode if done.returncode > 0 else -1
            raise CredentialError(f"exec: executable {self._command} failed with exit code {code}")
        return done.stdout

    def _interactive(self) -> bool:
        mode = self._plugin.interactive_mode
        if mode == "Never":
            return False
        if mode not in ("IfAvailable", "Always"):
            raise CredentialError(f'exec plugin cannot support interactive mode: unknown interactiveMode: "{mode}"')
        if mode == "Always" and not self._is_terminal():
            raise CredentialError("exec plugin cannot support interactive mode: standard input is not a terminal")
        if mode == "Always" and self._stdin_is_taken():
            raise CredentialError(f"exec plugin cannot support interactive mode: {STDIN_IS_TAKEN}")
        return not self._stdin_is_taken() and self._is_terminal()

    def _exec_info(self, interactive: bool) -> str:
        """The ExecCredential that the program finds in KUBERNETES_EXEC_INFO, as Go's encoder writes it."""
        spec: dict[str, object] = {"interactive": interactive}
        if self._plugin.provide_cluster_info:
            spec = {"cluster": dict(self._plugin.cluster_info), **spec}
        info = {"kind": "ExecCredential", "apiVersion": self._plugin.api_version, "spec": spec}
        text = json.dumps(info, separators=(",", ":"), ensure_ascii=False)
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text + "\n"

    def _not_found(self) -> str:
        text = f"exec: executable {self._command} not found"
        if self._hints < HINTS_SHOWN:
            self._hints += 1
            text += INSTALL_HELP + (f"\n\n{self._plugin.install_hint}" if self._plugin.install_hint else "")
        return text

    # --- what it said ----------------------------------------------------------------------------------------------

    def _parse(self, output: bytes) -> Credentials:
        answer = _decoded(output)
        internal = "client.authentication.k8s.io/__internal"
        version, kind = answer.get("apiVersion") or internal, answer.get("kind") or "ExecCredential"
        if version not in (internal, *API_VERSIONS) or kind != "ExecCredential":
            problem = f'no kind "{kind}" is registered for version "{version}" in scheme "{SCHEME}"'
            raise CredentialError(f"decoding stdout: {problem}")
        if version != self._plugin.api_version:
            raise CredentialError(
                f"exec plugin is configured to use API version {self._plugin.api_version}, "
                f"plugin returned version {version}"
            )
        status = answer.get("status")
        if not isinstance(status, dict):
            raise CredentialError("exec plugin didn't return a status field")
        return _from_status(status)


def plugin_of(
    connection: Connection,
    *,
    authorized: bool,
    environ: Mapping[str, str] | None,
    stdin_is_taken: Callable[[], bool] = bool,
) -> Authenticator | None:
    """A connection's plugin, unless it is `authorized` otherwise or brings a client certificate of its own
    (UpdateTransportConfig, exec.go); none over plain http."""
    has_own = authorized or connection.client_certificate or connection.client_certificate_data
    if connection.exec_plugin is None or has_own or not connection.server.lower().startswith("https:"):
        return None
    return Authenticator(connection.exec_plugin, environ=environ, stdin_is_taken=stdin_is_taken)


class Plugins:
    """A command's plugin, as kubectl's clients have it.

    From the first client that a builder makes for what came by standard input, that input is said to be taken
    (cli-runtime's withStdinUnavailable). client-go keeps one authenticator a configuration, and this changed it: a
    client keeps the one that it was made with, and a program may run once for each.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        authorized: bool,
        environ: Mapping[str, str] | None,
        manifest_read: Callable[[], bool],
    ) -> None:
        def make() -> Authenticator | None:
            return plugin_of(connection, authorized=authorized, environ=environ, stdin_is_taken=lambda: self._taken)

        self._manifest_read = manifest_read
        self._taken = False
        self._made = (make(), make())
        self._chosen: dict[ClientMaker, Authenticator | None] = {}

    def client_made(self, maker: ClientMaker) -> None:
        """The maker's newest client: whose credentials its calls get is settled now."""
        self._taken = self._taken or (maker == "builder" and self._manifest_read())
        self._chosen[maker] = self._made[self._taken]

    def authenticator(self, maker: ClientMaker) -> Authenticator | None:
        """Whose credentials the calls of a maker's client get."""
        return self._chosen.get(maker, self._made[False])


def _hold_no_signal() -> None:
    """Ctrl-C ends the program also where kubetrace itself holds signals (wrap does)."""
    import signal

    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _decoded(output: bytes) -> dict[str, Any]:
    """The plugin's object: JSON, or YAML as client-go's decoder also takes it."""
    try:
        answer = json.loads(output)
    except ValueError:
        answer = _decoded_yaml(output)
    if answer is None or isinstance(answer, dict):
        return answer or {}
    from kubetrace.wire.go_json import no_object

    raise CredentialError(f"decoding stdout: couldn't get version/kind; json parse error: {no_object(answer)}")


def _decoded_yaml(output: bytes) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(output.decode("utf-8", "replace"))
    except (YAMLError, ValueError) as error:
        raise CredentialError("decoding stdout: yaml: the output is neither JSON nor YAML") from error


def _from_status(status: dict[str, Any]) -> Credentials:
    token = str(status.get("token") or "")
    certificate = str(status.get("clientCertificateData") or "")
    key = str(status.get("clientKeyData") or "")
    if not (token or certificate or key):
        raise CredentialError("exec plugin didn't return a token or cert/key pair")
    if bool(certificate) != bool(key):
        raise CredentialError("exec plugin returned only certificate or key, not both")
    pair = (certificate.encode(), key.encode()) if certificate else None
    return Credentials(token, pair, _expiry(status.get("expirationTimestamp")))


def _expiry(value: object) -> datetime.datetime | None:
    if not value:
        return None
    try:
        moment = datetime.datetime.fromisoformat(str(value))
    except ValueError as error:
        raise CredentialError(
            f'decoding stdout: parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _stdin_is_terminal() -> bool:
    try:
        return sys.stdin is not None and sys.stdin.isatty()
    except ValueError:
        return False

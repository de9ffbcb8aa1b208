"""The kubeconfig as a command uses it: the files and the command line's flags to one connection and one namespace
(client-go tools/clientcmd/client_config.go and merged_client_builder.go, rest/config.go, rest/url_utils.go)."""

from __future__ import annotations

import base64
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kubetrace.errors import PlainError, read_words
from kubetrace.kubeconfig.connection import OIDC, Connection, ExecPlugin, Impersonation
from kubetrace.kubeconfig.decode import go_base64
from kubetrace.kubeconfig.errors import ConfigError, InvalidConfiguration
from kubetrace.kubeconfig.loader import NoteTaker, Sources
from kubetrace.kubeconfig.loader import load as load_sections
from kubetrace.kubeconfig.overrides import Overrides, parse_timeout
from kubetrace.kubeconfig.sections import AuthProvider, Cluster, Exec, User
from kubetrace.kubeconfig.sections import Config as Sections
from kubetrace.kubeconfig.selection import Selection
from kubetrace.kubeconfig.validation import check_proxy
from kubetrace.value import Value, replace
from kubetrace.wire.go_quote import quote

Prompt = Callable[[], tuple[str, str]]
"""Asks for a user name and a password."""

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
CLUSTER_EXTENSION = "client.authentication.k8s.io/exec"
_DEFAULT_SERVER = "http://localhost:8080"
_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_REMOVED_PROVIDERS = {
    "azure": "The azure auth plugin has been removed.\n"
    "Please use the https://github.com/Azure/kubelogin kubectl/client-go credential plugin instead.\n"
    "See https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins"
    " for further details",
    "gcp": "The gcp auth plugin has been removed.\n"
    'Please use the "gke-gcloud-auth-plugin" kubectl/client-go credential plugin instead.\n'
    "See https://cloud.google.com/blog/products/containers-kubernetes/kubectl-auth-changes-in-gke"
    " for further details",
}


class Config(Value):
    """The merged kubeconfig of a command. `environ` is where the in-cluster settings are looked for, below
    `service_account`; `prompt` asks a person for a user name and a password where a TLS server would get no
    credentials."""

    sections: Sections
    environ: Mapping[str, str]
    note: NoteTaker
    service_account: str = SERVICE_ACCOUNT
    prompt: Prompt | None = None

    def _selection(self, overrides: Overrides) -> Selection:
        return Selection(self.sections, overrides, self.environ.get("KUBERNETES_MASTER") or _DEFAULT_SERVER)

    def connect(self, overrides: Overrides | None = None) -> Connection:
        """The connection. Raises ConfigError; "no configuration" falls back to the pod's own service account."""
        overrides = overrides or Overrides()
        selection = self._selection(overrides)
        try:
            connection = self._direct(selection)
        except InvalidConfiguration as error:
            if not error.empty or not self._in_cluster():
                raise
            return self._in_cluster_connection(overrides)
        default = Connection(server=selection.default_server)
        if connection == default and not parse_timeout(overrides.timeout or "0") and self._in_cluster():
            return self._in_cluster_connection(overrides)
        return connection

    def _direct(self, selection: Selection) -> Connection:
        user, _, cluster = selection.user(), selection.context(), selection.cluster()
        selection.confirm_usable()
        if cluster.proxy_url:
            check_proxy(cluster.proxy_url)
        parse_timeout(selection.overrides.timeout or "0")
        settings: dict[str, Any] = {
            "server": cluster.server,
            "proxy_url": cluster.proxy_url,
            "disable_compression": cluster.disable_compression,
            "impersonation": _impersonation(user),
        }
        if is_tls(cluster.server):  # credentials go over TLS or not at all
            identity = _user_identity(user, cluster)
            if identity.get("oidc"):
                identity["oidc"] = replace(identity["oidc"], user=selection.user_name)
            if self.prompt is not None and not _identifies(identity):
                username, password = self.prompt()
                identity |= {"username": username, "password": identity["password"] or password}
            settings |= _server_identity(cluster) | identity
        settings["server"] = base_url(settings["server"])
        return Connection(**settings)

    def namespace(self, overrides: Overrides | None = None) -> tuple[str, bool]:
        """The namespace to work in, and whether the command line named it. Raises ConfigError."""
        overrides = overrides or Overrides()
        if overrides.namespace:
            return overrides.namespace, True
        selection = self._selection(overrides)
        found = ""
        try:
            selection.confirm_usable()
            found = selection.context().namespace
        except InvalidConfiguration as error:
            if not error.empty or not self._in_cluster():
                raise
        if found or not self._in_cluster():
            return found or "default", False
        self.note("in-cluster-namespace")
        return self._in_cluster_namespace(), False

    # --- inside a pod -------------------------------------------------------------------------------------------------

    def _in_cluster(self) -> bool:
        named = self.environ.get("KUBERNETES_SERVICE_HOST") and self.environ.get("KUBERNETES_SERVICE_PORT")
        return bool(named) and Path(self.service_account, "token").is_file()

    def _in_cluster_connection(self, overrides: Overrides) -> Connection:
        token_file = str(Path(self.service_account, "token"))
        host, port = self.environ["KUBERNETES_SERVICE_HOST"], self.environ["KUBERNETES_SERVICE_PORT"]
        authority = str(Path(self.service_account, "ca.crt"))
        if not _has_certificates(authority):
            authority = ""
        given = bool(overrides.token)
        return Connection(
            server=base_url(overrides.server or f"https://{f'[{host}]' if ':' in host else host}:{port}"),
            token=overrides.token if given else _read_text(token_file),
            token_file="" if given else token_file,
            certificate_authority=overrides.certificate_authority or authority,
            in_cluster=True,
        )

    def _in_cluster_namespace(self) -> str:
        named = self.environ.get("POD_NAMESPACE")
        if named:
            return named
        try:
            return Path(self.service_account, "namespace").read_text(encoding="utf-8").strip() or "default"
        except (OSError, UnicodeDecodeError):
            return "default"


def load(
    environ: Mapping[str, str],
    explicit_path: str = "",
    note: NoteTaker | None = None,
    prompt: Prompt | None = None,
) -> Config:
    """Reads and merges the files that KUBECONFIG, $HOME and --kubeconfig name. `note` is told of each file loaded, as
    note("config-loaded", path=…). Raises ConfigError."""
    sources = Sources.of(environ, explicit_path, note)
    return Config(load_sections(sources), environ, sources.note, prompt=prompt)


def _has_certificates(path: str) -> bool:
    try:
        return b"-----BEGIN CERTIFICATE-----" in Path(path).read_bytes()
    except OSError:
        return False


def _read_text(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except (OSError, ValueError) as error:
        raise ConfigError(read_words(path, error)) from None


# --- the server -------------------------------------------------------------------------------------------------------


def is_tls(server: str) -> bool:
    """Would this server be spoken to over TLS (rest.IsConfigTransportTLS, asked before credentials are known)?"""
    return server.partition("://")[0].lower() == "https"


def base_url(server: str) -> str:
    """The server as a URL without a trailing slash: "host:port" means plain http (rest.DefaultServerURL). Whether such
    a server can be asked is for the transport to tell. Raises KubetraceError."""
    if _is_ordinary(server):
        return server
    from kubetrace.wire.go_url import URL, URLError, parse
    from kubetrace.wire.url_path import escape_path

    try:
        url = parse(server)
    except URLError:
        url = URL()
    if not url.scheme or not url.host:
        try:
            url = parse(f"http://{server}")
        except URLError as error:
            raise PlainError(f"Unable to connect to the server: {error.reason}") from None
        if url.path not in ("", "/"):
            raise ConfigError(f"host must be a URL or a host:port pair: {quote(server)}")
    authority = url.authority.removesuffix(":")  # an empty port is none
    if authority and not url.host.strip(":"):
        raise PlainError("Unable to connect to the server: http: no Host in request URL")
    return f"{url.scheme}://{authority}{escape_path(url.path.rstrip('/'))}"


def _is_ordinary(server: str) -> bool:
    """Nothing but a scheme, a name or IPv4 address and perhaps a port: no need to look closer."""
    scheme, _, rest = server.partition("://")
    host, colon, port = rest.partition(":")
    plain = host.replace(".", "").replace("-", "")
    return scheme in ("http", "https") and plain.isascii() and plain.isalnum() and (not colon or port.isdecimal())


def _server_identity(cluster: Cluster) -> dict[str, Any]:
    return {
        "certificate_authority": cluster.certificate_authority,
        "certificate_authority_data": cluster.certificate_authority_data or b"",
        "insecure_skip_tls_verify": cluster.insecure_skip_tls_verify,
        "tls_server_name": cluster.tls_server_name,
    }


# --- the user ---------------------------------------------------------------------------------------------------------


def _impersonation(user: User) -> Impersonation:
    if not user.impersonate:
        return Impersonation()
    extra = tuple((key, tuple(values or ())) for key, values in sorted((user.impersonate_extra or {}).items()))
    return Impersonation(user.impersonate, user.impersonate_uid, user.impersonate_groups or (), extra)


def _user_identity(user: User, cluster: Cluster) -> dict[str, Any]:
    settings: dict[str, Any] = {"username": user.username, "password": user.password}
    settings["token_file"] = user.token_file
    settings["token"] = user.token or (_read_text(user.token_file) if user.token_file else "")
    if user.client_certificate or user.client_certificate_data:
        settings |= {
            "client_certificate": user.client_certificate,
            "client_certificate_data": user.client_certificate_data or b"",
            "client_key": user.client_key,
            "client_key_data": user.client_key_data or b"",
        }
    if user.auth_provider is not None:
        settings["oidc"] = _oidc(user.auth_provider)
    if user.exec is not None:
        settings["exec_plugin"] = _plugin(user.exec, cluster)
    return settings


def _identifies(identity: Mapping[str, Any]) -> bool:
    """Is this enough to be somebody (canIdentifyUser)?"""
    known = ("username", "client_certificate", "client_certificate_data", "token", "exec_plugin", "oidc")
    return any(identity.get(name) for name in known)


def _oidc(provider: AuthProvider) -> OIDC:
    """The one auth provider that client-go still has; the others are refused with its words. Raises ConfigError."""
    if provider.name != "oidc":
        removed = _REMOVED_PROVIDERS.get(provider.name)
        raise ConfigError(removed or f"no Auth Provider found for name {quote(provider.name)}")
    given = provider.config or {}
    for name in ("idp-issuer-url", "client-id"):
        if not given.get(name):
            raise ConfigError(f"Must provide {name}")
    return OIDC(
        issuer=given["idp-issuer-url"],
        client_id=given["client-id"],
        client_secret=given.get("client-secret", ""),
        certificate_authority=given.get("idp-certificate-authority", ""),
        certificate_authority_data=go_base64(given.get("idp-certificate-authority-data", "")),
        id_token=given.get("id-token", ""),
        refresh_token=given.get("refresh-token", ""),
        extra_scopes=bool(given.get("extra-scopes")),
    )


def _plugin(plugin: Exec, cluster: Cluster) -> ExecPlugin:
    if plugin.api_version not in _EXEC_VERSIONS:
        raise ConfigError(f"exec plugin: invalid apiVersion {quote(plugin.api_version)}")
    return ExecPlugin(
        command=os.path.normpath(plugin.command) if plugin.command else "",
        args=plugin.args or (),
        env=tuple((variable.name, variable.value) for variable in plugin.env or ()),
        api_version=plugin.api_version,
        install_hint=_without_escapes(plugin.install_hint),
        provide_cluster_info=plugin.provide_cluster_info,
        interactive_mode=plugin.interactive_mode,
        cluster_info=cluster_info(cluster) if plugin.provide_cluster_info else {},
    )


def cluster_info(cluster: Cluster) -> dict[str, object]:
    """`spec.cluster` of an ExecCredential (rest.ConfigToExecCluster): the CA's content, never its path."""
    data = cluster.certificate_authority_data or b""
    if not data and cluster.certificate_authority:
        data = _read_text(cluster.certificate_authority).encode("utf-8", "surrogateescape")
    fields: dict[str, object] = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(data).decode(),
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
    }
    info = {name: value for name, value in fields.items() if value or name == "server"}
    return {**info, "config": (cluster.extensions or {}).get(CLUSTER_EXTENSION)}


def _without_escapes(text: str) -> str:
    """A hint without anything that could upset a terminal (cleanANSIEscapeCodes): other control characters are shown
    as U+NNNN."""
    return "".join(
        character
        if character in "\t\n\v\f\r" or unicodedata.category(character)[0] in "LMNPSZ"
        else f"U+{ord(character):04X}"
        for character in text
    )


__all__ = ["Config", "Overrides", "load"]

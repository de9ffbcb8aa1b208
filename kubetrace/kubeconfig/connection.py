"""What a kubeconfig comes to: one server, how to trust it, who to be, and through which proxy.

Plain values, no files and no sockets: `kubetrace.kubeconfig` makes them, `kubetrace.transport` uses them.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.value import Value, fresh


class ExecPlugin(Value):
    """An exec credential plugin (client.authentication.k8s.io). `cluster_info` is the `spec.cluster` object handed to
    it when `provide_cluster_info` is set; `env` are additional environment variables."""

    command: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    api_version: str = "client.authentication.k8s.io/v1"
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive_mode: str = "IfAvailable"
    cluster_info: Mapping[str, object] = fresh(dict)


class OIDC(Value):
    """The settings of the auth provider `oidc`: an ID token, and how to get a new one from its issuer. `user` is the
    kubeconfig's entry that they come from; `extra_scopes` are a setting that nothing heeds any more."""

    issuer: str
    client_id: str
    client_secret: str = ""
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    id_token: str = ""
    refresh_token: str = ""
    extra_scopes: bool = False
    user: str = ""


class Impersonation(Value):
    """Who to act as: the Impersonate-* headers."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.user or self.uid or self.groups or self.extra)


class Connection(Value):
    """One connection's settings, files already resolved to absolute paths.

    PEM texts given inline (`*_data`, already base64-decoded) win over the files. `server` keeps a path prefix
    ("https://host/prefix") but no trailing slash. Credentials are left out here where kubectl drops them (plain http).
    `in_cluster`: these are a pod's own, for want of a kubeconfig.
    """

    server: str = "http://localhost:8080"
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool = False
    certificate_authority: str = ""
    certificate_authority_data: bytes = b""
    client_certificate: str = ""
    client_certificate_data: bytes = b""
    client_key: str = ""
    client_key_data: bytes = b""
    token: str = ""
    token_file: str = ""
    username: str = ""
    password: str = ""
    exec_plugin: ExecPlugin | None = None
    oidc: OIDC | None = None
    impersonation: Impersonation = Impersonation()
    proxy_url: str = ""
    disable_compression: bool = False
    in_cluster: bool = False

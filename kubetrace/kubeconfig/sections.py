"""A kubeconfig's sections as values (client-go tools/clientcmd/api/types.go and api/v1/types.go).

Each field says how it is spelled in the file (`name`), how `config set` spells it where that differs (`path`), and of
what kind it is. None and an empty collection are kept apart, because client-go keeps them apart: the one is written
as null or left out, the other is written as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from kubetrace.value import Field, Value, fresh

Kind = Literal[
    "string", "bool", "bytes", "strings", "strings-map", "string-map", "extensions", "provider", "exec", "env"
]

Extensions = Mapping[str, Any] | None


class Key(Field):
    """A field of a section, by its default. `always` is Go's JSON tag without omitempty; `make` makes the default."""

    __slots__ = ("always", "kind", "name", "path")

    def __init__(
        self,
        kind: Kind,
        name: str,
        path: str | None = None,
        always: bool = False,
        make: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__({"string": "", "bool": False}.get(kind), make)
        self.kind = kind
        self.name = name
        self.path = path or name
        self.always = always


def _field(kind: Kind, name: str, *more: Any, **given: Any) -> Any:
    return Key(kind, name, *more, **given)


def _extensions() -> Any:
    return _field("extensions", "extensions", make=dict)


class Cluster(Value):
    """How to reach a cluster. `origin` is the file it came from, "" for a new one."""

    origin: str = ""
    server: str = _field("string", "server", always=True)
    tls_server_name: str = _field("string", "tls-server-name")
    insecure_skip_tls_verify: bool = _field("bool", "insecure-skip-tls-verify")
    certificate_authority: str = _field("string", "certificate-authority")
    certificate_authority_data: bytes | None = _field("bytes", "certificate-authority-data")
    proxy_url: str = _field("string", "proxy-url")
    disable_compression: bool = _field("bool", "disable-compression")
    extensions: Extensions = _extensions()


class AuthProvider(Value):
    """An auth-provider stanza; client-go knows only `oidc` nowadays."""

    name: str = _field("string", "name", always=True)
    config: Mapping[str, str] | None = _field("string-map", "config", always=True)


class EnvVar(Value):
    """An additional environment variable of an exec plugin."""

    name: str = _field("string", "name", always=True)
    value: str = _field("string", "value", always=True)


class Exec(Value):
    """An exec plugin stanza."""

    command: str = _field("string", "command", always=True)
    args: tuple[str, ...] | None = _field("strings", "args", always=True)
    env: tuple[EnvVar, ...] | None = _field("env", "env", always=True)
    api_version: str = _field("string", "apiVersion")
    install_hint: str = _field("string", "installHint")
    provide_cluster_info: bool = _field("bool", "provideClusterInfo", always=True)
    interactive_mode: str = _field("string", "interactiveMode")


class User(Value):
    """Who to be (client-go's AuthInfo)."""

    origin: str = ""
    client_certificate: str = _field("string", "client-certificate")
    client_certificate_data: bytes | None = _field("bytes", "client-certificate-data")
    client_key: str = _field("string", "client-key")
    client_key_data: bytes | None = _field("bytes", "client-key-data")
    token: str = _field("string", "token")
    token_file: str = _field("string", "tokenFile")
    impersonate: str = _field("string", "as", "act-as")
    impersonate_uid: str = _field("string", "as-uid", "act-as-uid")
    impersonate_groups: tuple[str, ...] | None = _field("strings", "as-groups", "act-as-groups")
    impersonate_extra: Mapping[str, tuple[str, ...] | None] | None = _field(
        "strings-map", "as-user-extra", "act-as-user-extra", make=dict
    )
    username: str = _field("string", "username")
    password: str = _field("string", "password")
    auth_provider: AuthProvider | None = _field("provider", "auth-provider")
    exec: Exec | None = _field("exec", "exec")
    extensions: Extensions = _extensions()


class Context(Value):
    """A cluster, a user and a namespace under one name."""

    origin: str = ""
    cluster: str = _field("string", "cluster", always=True)
    user: str = _field("string", "user", always=True)
    namespace: str = _field("string", "namespace")
    extensions: Extensions = _extensions()


class Preferences(Value):
    """Unused by kubectl, kept for others."""

    colors: bool = _field("bool", "colors")
    extensions: Extensions = _field("extensions", "extensions")


class Config(Value):
    """A kubeconfig: one file's, or several merged."""

    preferences: Preferences = Preferences()
    clusters: Mapping[str, Cluster] = fresh(dict)
    users: Mapping[str, User] = fresh(dict)
    contexts: Mapping[str, Context] = fresh(dict)
    current_context: str = ""
    extensions: Extensions = fresh(dict)


Section = Cluster | User | Context | Preferences | AuthProvider | Exec | EnvVar


def keys_of(section: Any) -> list[tuple[str, Key]]:
    """The fields of a section (class or value) that stand in the file, in the order of client-go's struct."""
    return [(field, key) for field, key in section.described_fields.items() if isinstance(key, Key)]

"""A kubeconfig's sections as values (client-go tools/clientcmd/api/types.go and api/v1/types.go).

Each field says how it is spelled in the file (`name`), how `config set` spells it where that differs (`path`), and of
what kind it is. None and an empty collection are kept apart, because client-go keeps them apart: the one is written
as null or left out, the other is written as it is.
"""

# ruff: noqa: RUF009  (every field is made by `_field`, which calls dataclasses.field)

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "string", "bool", "bytes", "strings", "strings-map", "string-map", "extensions", "provider", "exec", "env"
]

Extensions = Mapping[str, Any] | None


def _field(kind: Kind, name: str, path: str | None = None, always: bool = False, **given: Any) -> Any:
    """A field of a section. `always` is Go's JSON tag without omitempty."""
    if not given:
        given = {"default": {"string": "", "bool": False}.get(kind)}
    return field(metadata={"kind": kind, "name": name, "path": path or name, "always": always}, **given)


def _extensions() -> Any:
    return _field("extensions", "extensions", default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cluster:
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


@dataclass(frozen=True, slots=True)
class AuthProvider:
    """An auth-provider stanza; client-go knows only `oidc` nowadays."""

    name: str = _field("string", "name", always=True)
    config: Mapping[str, str] | None = _field("string-map", "config", always=True)


@dataclass(frozen=True, slots=True)
class EnvVar:
    """An additional environment variable of an exec plugin."""

    name: str = _field("string", "name", always=True)
    value: str = _field("string", "value", always=True)


@dataclass(frozen=True, slots=True)
class Exec:
    """An exec plugin stanza."""

    command: str = _field("string", "command", always=True)
    args: tuple[str, ...] | None = _field("strings", "args", always=True)
    env: tuple[EnvVar, ...] | None = _field("env", "env", always=True)
    api_version: str = _field("string", "apiVersion")
    install_hint: str = _field("string", "installHint")
    provide_cluster_info: bool = _field("bool", "provideClusterInfo", always=True)
    interactive_mode: str = _field("string", "interactiveMode")


@dataclass(frozen=True, slots=True)
class User:
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
        "strings-map", "as-user-extra", "act-as-user-extra", default_factory=dict
    )
    username: str = _field("string", "username")
    password: str = _field("string", "password")
    auth_provider: AuthProvider | None = _field("provider", "auth-provider")
    exec: Exec | None = _field("exec", "exec")
    extensions: Extensions = _extensions()


@dataclass(frozen=True, slots=True)
class Context:
    """A cluster, a user and a namespace under one name."""

    origin: str = ""
    cluster: str = _field("string", "cluster", always=True)
    user: str = _field("string", "user", always=True)
    namespace: str = _field("string", "namespace")
    extensions: Extensions = _extensions()


@dataclass(frozen=True, slots=True)
class Preferences:
    """Unused by kubectl, kept for others."""

    colors: bool = _field("bool", "colors")
    extensions: Extensions = _field("extensions", "extensions")


@dataclass(frozen=True, slots=True)
class Config:
    """A kubeconfig: one file's, or several merged."""

    preferences: Preferences = Preferences()
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    current_context: str = ""
    extensions: Extensions = field(default_factory=dict)


Section = Cluster | User | Context | Preferences | AuthProvider | Exec | EnvVar


def fields_of(section: Any) -> list[dataclasses.Field[Any]]:
    """The fields of a section (class or value) that stand in the file, in the order of client-go's struct."""
    return [each for each in dataclasses.fields(section) if each.metadata]

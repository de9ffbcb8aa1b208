"""A kubeconfig to be looked at: only what the current context uses, files put inline, secrets hidden
(client-go tools/clientcmd/api/helpers.go)."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from kubetrace.errors import read_words
from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.kubeconfig.sections import Cluster, Config, User
from kubetrace.value import replace

OMITTED = base64.b64decode("DATA+OMITTED")
REDACTED = "REDACTED"


def minified(config: Config) -> Config:
    """Only the current context with its cluster and user. Raises ConfigError where one of them is missing."""
    if not config.current_context:
        raise ConfigError("current-context must exist in order to minify")
    context = config.contexts.get(config.current_context)
    if context is None:
        raise ConfigError(f"cannot locate context {config.current_context}")
    if context.cluster and context.cluster not in config.clusters:
        raise ConfigError(f"cannot locate cluster {context.cluster}")
    if context.user and context.user not in config.users:
        raise ConfigError(f"cannot locate user {context.user}")
    return replace(
        config,
        contexts={config.current_context: context},
        clusters={context.cluster: config.clusters[context.cluster]} if context.cluster else {},
        users={context.user: config.users[context.user]} if context.user else {},
    )


def flattened(config: Config) -> Config:
    """Every certificate and key file put inline. Raises ConfigError where one can't be read."""
    return replace(
        config,
        users={name: _flat(_flat(user, "client_certificate"), "client_key") for name, user in config.users.items()},
        clusters={name: _flat(cluster, "certificate_authority") for name, cluster in config.clusters.items()},
    )


def _flat(entry: Any, name: str) -> Any:
    path = getattr(entry, name)
    if not path:
        return entry
    if getattr(entry, f"{name}_data"):
        raise ConfigError("cannot have values for both path and contents")
    base = os.path.abspath(os.path.dirname(entry.origin) or ".")  # noqa: PTH100, PTH120
    path = os.path.normpath(os.path.join(base, path))  # noqa: PTH118
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(read_words(path, error)) from None
    return replace(entry, **{name: "", f"{name}_data": content})


def redacted(config: Config) -> Config:
    """Inline data left out, tokens and passwords hidden. Exec environments, auth-provider settings and extensions are
    shown, as kubectl shows them."""
    return replace(
        config,
        users={name: _redacted_user(user) for name, user in config.users.items()},
        clusters={name: _redacted_cluster(cluster) for name, cluster in config.clusters.items()},
    )


def _redacted_user(user: User) -> User:
    return replace(
        user,
        client_key_data=user.client_key_data if user.client_key_data is None else OMITTED,
        client_certificate_data=OMITTED if user.client_certificate_data else user.client_certificate_data,
        token=user.token and REDACTED,
        password=user.password and REDACTED,
    )


def _redacted_cluster(cluster: Cluster) -> Cluster:
    return replace(cluster, certificate_authority_data=cluster.certificate_authority_data and OMITTED)

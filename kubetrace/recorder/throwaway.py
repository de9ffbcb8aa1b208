"""The throw-away kubeconfig: the user's own in every name, with kubetrace in the place of each server and a one-time
token in the place of each credential.

A cluster becomes a port and a user becomes a token, so that a client may combine them as it likes (--context,
--cluster, --user) and the real server and user are still known. A server's path prefix stays, because clients differ
in whether they honour it (kubectl get --raw does not).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from kubetrace.kubeconfig.overrides import Overrides
from kubetrace.kubeconfig.sections import Cluster, Config, Context, User
from kubetrace.kubeconfig.selection import Selection
from kubetrace.value import Value, replace

NAME = "kubetrace"
"""What is called so because the user's kubeconfig has no name for it."""


class Plan(Value):
    """The names of the throw-away kubeconfig: its contexts, and the clusters and users that they may combine."""

    contexts: Mapping[str, Context]
    current: str
    clusters: Mapping[str, Cluster]
    users: tuple[str, ...]


def plan(config: Config, overrides: Overrides) -> Plan:
    """What the user's kubeconfig comes to under the command line's flags. A context without a user, or with one that
    does not exist, gets a user of its name, who is nobody to the server. Raises ConfigError for an
    unknown --context."""
    current = overrides.context or config.current_context
    context = Selection(config, overrides, "").context()
    contexts = dict(config.contexts)
    clusters = dict(config.clusters)
    if not current and not clusters and not context.cluster:
        # No kubeconfig at all: a pod's own service account, --server, or localhost as kubectl has it.
        context = replace(context, cluster=NAME)
    if context.cluster and context.cluster not in clusters and (overrides.server or not config.clusters):
        clusters[context.cluster] = Cluster(server=overrides.server)
    if current in contexts or context != Context():
        current = current or NAME
        contexts[current] = context
    for name, each in contexts.items():
        if not each.user:
            contexts[name] = replace(each, user=NAME)
    users = {*config.users, *(each.user for each in contexts.values())}
    return Plan(contexts, current, clusters, tuple(sorted(users)))


def new_tokens(users: tuple[str, ...]) -> dict[str, str]:
    """A one-time token for each user."""
    return {user: secrets.token_urlsafe(32) for user in users}


def kubeconfig(planned: Plan, origins: Mapping[str, str], tokens: Mapping[str, str], authority: bytes) -> Config:
    """The throw-away kubeconfig. `origins` are where each cluster is found now ("https://127.0.0.1:PORT"), `authority`
    is the PEM certificate to trust."""
    clusters = {
        name: Cluster(
            server=origins[name] + _prefix(cluster.server),
            certificate_authority_data=authority,
            disable_compression=cluster.disable_compression,
            extensions=cluster.extensions,
        )
        for name, cluster in planned.clusters.items()
    }
    contexts = {name: replace(context, origin="") for name, context in planned.contexts.items()}
    users = {name: User(token=tokens[name]) for name in planned.users}
    return Config(clusters=clusters, users=users, contexts=contexts, current_context=planned.current)


def _prefix(server: str) -> str:
    """The path of a server's URL."""
    if "://" not in server:
        return ""
    try:
        return urlsplit(server).path.rstrip("/")
    except ValueError:
        return ""

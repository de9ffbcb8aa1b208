"""Can these entries be used? Every problem in client-go's words (tools/clientcmd/validation.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.errors import os_words
from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.wire.go_quote import quote

if TYPE_CHECKING:
    from kubetrace.kubeconfig.sections import Cluster, Exec, User

EMPTY_CLUSTER = "cluster has no server defined"
_MODES = ("Never", "IfAvailable", "Always")


def cluster_problems(name: str, cluster: Cluster) -> list[str]:
    """Conflicts and errors of a cluster entry (validateClusterInfo)."""
    from kubetrace.kubeconfig.sections import Cluster as Section
    from kubetrace.value import replace

    if replace(cluster, origin="") == Section():
        return [EMPTY_CLUSTER]
    problems = []
    if not cluster.server:
        problems.append(
            f"no server found for cluster {quote(name)}" if name else "default cluster has no server defined"
        )
    if cluster.proxy_url:
        try:
            check_proxy(cluster.proxy_url)
        except ConfigError as error:
            where = f"invalid 'proxy-url' {quote(cluster.proxy_url)} for cluster {quote(name)}"
            problems.append(f"{where}: {error}")
    authority = cluster.certificate_authority
    if authority and cluster.certificate_authority_data:
        problems.append(
            f"certificate-authority-data and certificate-authority are both specified for {name}."
            " certificate-authority-data will override."
        )
    if authority and (reason := _unreadable(authority)):
        problems.append(f"unable to read certificate-authority {authority} for {name} due to {reason}")
    return problems


def user_problems(name: str, user: User) -> list[str]:
    """Conflicts and errors of a user entry (validateAuthInfo)."""
    problems = _certificate_problems(name, user)
    if user.exec is not None:
        if user.auth_provider is not None:
            problems.append(f"authProvider cannot be provided in combination with an exec plugin for {name}")
        problems += _exec_problems(name, user.exec)
    if user.token and (user.username or user.password):
        problems.append(
            f"more than one authentication method found for {name}; found [token basicAuth], only one is allowed"
        )
    if (user.impersonate_uid or user.impersonate_groups or user.impersonate_extra) and not user.impersonate:
        problems.append(f"requesting uid, groups or user-extra for {name} without impersonating a user")
    return problems


def _certificate_problems(name: str, user: User) -> list[str]:
    if not user.client_certificate and not user.client_certificate_data:
        return []
    problems = []
    if user.client_certificate and user.client_certificate_data:
        problems.append(
            f"client-cert-data and client-cert are both specified for {name}. client-cert-data will override."
        )
    if user.client_key and user.client_key_data:
        problems.append(f"client-key-data and client-key are both specified for {name}; client-key-data will override")
    if not user.client_key and not user.client_key_data:
        problems.append(
            f"client-key-data or client-key must be specified for {name} to use the clientCert authentication method."
        )
    for what, path in (("client-cert", user.client_certificate), ("client-key", user.client_key)):
        if path and (reason := _unreadable(path)):
            problems.append(f"unable to read {what} {path} for {name} due to {reason}")
    return problems


def _exec_problems(name: str, plugin: Exec) -> list[str]:
    suffix = f"must be specified for {name} to use exec authentication plugin"
    problems = []
    if not plugin.command:
        problems.append(f"command {suffix}")
    if not plugin.api_version:
        problems.append(f"apiVersion {suffix}")
    problems += [f"env variable name {suffix}" for variable in plugin.env or () if not variable.name]
    if not plugin.interactive_mode:
        problems.append(f"interactiveMode {suffix}")
    elif plugin.interactive_mode not in _MODES:
        problems.append(f"invalid interactiveMode for {name}: {quote(plugin.interactive_mode)}")
    return problems


def _unreadable(path: str) -> str:
    """Why a file can't be opened; "" where it can."""
    import os

    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except (OSError, ValueError) as error:
        return os_words("open", path, error)
    return ""


def check_proxy(url: str) -> None:
    """Raises ConfigError for a proxy-url that client-go refuses (parseProxyURL)."""
    from kubetrace.wire.go_url import URLError, parse

    try:
        scheme = parse(url).scheme
    except URLError:
        raise ConfigError(f"could not parse: {url}") from None
    if scheme not in ("http", "https", "socks5"):
        raise ConfigError(f"unsupported scheme {quote(scheme)}, must be http, https, or socks5")

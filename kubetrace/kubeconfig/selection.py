"""One context, cluster and user out of a kubeconfig, the command line's word over them
(DirectClientConfig in client-go tools/clientcmd/client_config.go)."""

from __future__ import annotations

from typing import Any, TypeVar

from kubetrace.kubeconfig.errors import EMPTY_CONFIG, ConfigError, InvalidConfiguration
from kubetrace.kubeconfig.overrides import Overrides
from kubetrace.kubeconfig.sections import Cluster, Config, Context, User
from kubetrace.kubeconfig.validation import EMPTY_CLUSTER, cluster_problems, user_problems
from kubetrace.value import Value, replace
from kubetrace.wire.go_quote import quote

_Section = TypeVar("_Section", Cluster, User, Context)


class Selection(Value):
    """Picks entries; each method raises ConfigError where a name that the command line asked for is unknown."""

    config: Config
    overrides: Overrides
    default_server: str

    @property
    def context_name(self) -> str:
        return self.overrides.context or self.config.current_context

    def context(self) -> Context:
        found = self.config.contexts.get(self.context_name)
        if found is None and self.overrides.context:
            raise ConfigError(f"context {quote(self.overrides.context)} does not exist")
        flags = self.overrides
        return _merged(found or Context(), cluster=flags.cluster, user=flags.user, namespace=flags.namespace)

    def _context_or_empty(self) -> Context:
        try:
            return self.context()
        except ConfigError:
            return Context()

    @property
    def user_name(self) -> str:
        return self.overrides.user or self._context_or_empty().user

    @property
    def cluster_name(self) -> str:
        return self.overrides.cluster or self._context_or_empty().cluster

    def user(self) -> User:
        found = self.config.users.get(self.user_name)
        if found is None and self.overrides.user:
            raise ConfigError(f"auth info {quote(self.overrides.user)} does not exist")
        flags = self.overrides
        user = _merged(
            found or User(),
            token=flags.token,
            username=flags.username,
            password=flags.password,
            impersonate=flags.impersonate,
            impersonate_uid=flags.impersonate_uid,
            impersonate_groups=flags.impersonate_groups,
            client_key=flags.client_key,
            client_certificate=flags.client_certificate,
        )
        extra = flags.impersonate_extra()
        if extra:
            user = replace(user, impersonate_extra={**(user.impersonate_extra or {}), **extra})
        if flags.client_key:
            user = replace(user, client_key_data=None)
        if flags.client_certificate:
            user = replace(user, client_certificate_data=None)
        return user

    def cluster(self) -> Cluster:
        found = self.config.clusters.get(self.cluster_name)
        if found is None and self.overrides.cluster:
            raise ConfigError(f"cluster {quote(self.overrides.cluster)} does not exist")
        flags = self.overrides
        cluster = _merged(found or Cluster(), server=flags.server, disable_compression=flags.disable_compression)
        if not cluster.server:
            cluster = replace(cluster, server=self.default_server)
        if flags.insecure_skip_tls_verify or flags.certificate_authority:
            cluster = replace(
                cluster,
                insecure_skip_tls_verify=flags.insecure_skip_tls_verify,
                certificate_authority=flags.certificate_authority,
                certificate_authority_data=None,
            )
        if flags.tls_server_name or flags.server:  # another server has another name
            cluster = replace(cluster, tls_server_name=flags.tls_server_name)
        return cluster

    def confirm_usable(self) -> None:
        """Raises InvalidConfiguration with every problem of the selected entries."""
        problems = []
        if self.context_name and self.context_name not in self.config.contexts:
            problems.append(f"context was not found for specified context: {self.context_name}")
        problems += user_problems(self.user_name, self._or_empty(self.user, User()))
        problems += self._cluster_problems()
        if problems == [EMPTY_CLUSTER]:
            raise InvalidConfiguration([EMPTY_CONFIG], empty=True)
        if problems:
            raise InvalidConfiguration(problems)

    def _cluster_problems(self) -> list[str]:
        """An unknown cluster has no server; only an empty one means that there is no configuration at all."""
        try:
            return cluster_problems(self.cluster_name, self.cluster())
        except ConfigError:
            return [f"no server found for cluster {quote(self.cluster_name)}"]

    @staticmethod
    def _or_empty(get: Any, empty: _Section) -> _Section:
        try:
            value: _Section = get()
        except ConfigError:
            return empty
        return value


def _merged(section: _Section, **flags: Any) -> _Section:
    """The section with every value that was given."""
    given = {name: value for name, value in flags.items() if value}
    return replace(section, **given) if given else section

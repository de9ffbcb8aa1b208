"""From the environment to the cluster, for commands that change what is asked (`get` asks for tables)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubetrace.api.cluster import Cluster
    from kubetrace.api.mapper import Mapper
    from kubetrace.api.objects import Transform
    from kubetrace.environment import Environment


def mapper_of(environment: Environment) -> Mapper:
    """Names to kinds, through the discovery cache under --cache-dir."""
    return environment.cluster.mapper


def cluster_of(environment: Environment, transform: Transform | None = None) -> Cluster:
    """Whom commands ask. `transform` changes each call on objects before it is sent."""
    cluster = environment.cluster
    return cluster.transformed(transform) if transform else cluster

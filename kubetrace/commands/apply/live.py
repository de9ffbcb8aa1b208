"""The object that a manifest describes, as the server has it now, and how apply's messages show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment
    from kubetrace.trace.exchange import Purpose


def fetch_live(environment: Environment, info: Info, purpose: Purpose) -> dict[str, Any]:
    """Raises StatusError where there is no such object, and for all else KubetraceError that says of which object and
    which file."""
    from kubetrace.api.status import is_not_found
    from kubetrace.commands.writing import with_source

    assert info.mapping is not None
    try:
        return environment.cluster.objects.get_or_blame_namespace(
            info.mapping, info.namespace, info.name, purpose=purpose
        )
    except KubetraceError as error:
        if is_not_found(error):
            raise
        words = f"retrieving current configuration of:\n{shown(info)}\nfrom server for:"
        raise with_source(words, info.source, error) from None


def shown(info: Info) -> str:
    """resource.Info's String."""
    from kubetrace.api.go_words import quoted

    basic = f"Name: {quoted(info.name)}, Namespace: {quoted(info.namespace)}"
    if info.mapping is None:
        return basic
    resource, kind = quoted(str(info.mapping.resource)), quoted(str(info.mapping.kind))
    return f"Resource: {resource}, GroupVersionKind: {kind}\n{basic}"

"""`apply --server-side`: the manifest sent as it is, for the server to merge (apply.go, applyOneObject)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubetrace.api import last_applied, verbs
from kubetrace.api.status import StatusError, is_conflict, is_unsupported_media_type
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

_MERGE = Purpose("apply", "apply: the server merges the manifest")

_CONFLICT_ADVICE = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def apply_server_side(
    environment: Environment, info: Info, write: verbs.WriteOptions, force: bool, subresource: str
) -> None:
    """Sends the object and takes over what the server made of it. Raises KubetraceError."""
    assert info.mapping is not None and info.object is not None
    body = last_applied.encode(info.object)
    options = replace(write, force=force)
    call = verbs.patch(
        info.mapping, info.namespace, info.name, verbs.APPLY_PATCH, body, options, subresource, purpose=_MERGE
    )
    try:
        info.refresh(environment.cluster.objects.send(call, info.mapping, info.name))
    except StatusError as error:
        raise _explained(error) from None


def _explained(error: StatusError) -> KubetraceError:
    if is_unsupported_media_type(error):
        return KubetraceError(f"Server-side apply not available on the server: ({error})")
    if is_conflict(error):
        return KubetraceError(f"{error}{_CONFLICT_ADVICE}")
    return error

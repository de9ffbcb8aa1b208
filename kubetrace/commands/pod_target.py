"""The pod that exec, attach and debug work on: named, behind a named object, or described by a file (kubectl
pkg/cmd/exec, pkg/cmd/attach)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubetrace.api.builder import Request
    from kubetrace.environment import Environment
    from kubetrace.trace.exchange import Purpose


class _Files(Value):
    """-f alone."""

    filename: tuple[str, ...]
    kustomize: str = ""
    recursive: bool = False


def named_request(
    environment: Environment, kind: str, names: Sequence[str], purpose: Purpose, files: tuple[str, ...] = ()
) -> Request:
    """NAME… of a kind or TYPE/NAME…, or what the files hold, each fetched as kubectl's typed commands do."""
    from kubetrace.api.builder import Request
    from kubetrace.api.selection import Selection
    from kubetrace.commands.selecting import file_documents

    selection = Selection()
    documents, single = file_documents(environment, _Files(files), selection)
    selection.add_names(kind, names)
    return Request(
        selection=selection,
        documents=documents,
        namespace=environment.namespace,
        default_namespace=True,
        enforce_namespace=documents is not None and environment.namespace_given,
        single_item=single,
        purpose=purpose,
    )


def named_object(
    environment: Environment, words: Sequence[str], purpose: Purpose, *, files: tuple[str, ...] = (), verb: str = "exec"
) -> dict[str, Any]:
    """POD, TYPE/NAME, TYPE NAME, or what the files hold. Raises KubetraceError where that is not one object."""
    from kubetrace.api.builder import build, is_list

    kind, names = (words[0], words[1:]) if len(words) == 2 else ("pods", words)
    request = named_request(environment, kind, names, purpose, files)
    result = build(environment.cluster.typed, request)
    infos = result.infos()
    if len(infos) != 1 or not result.single_item or infos[0].object is None or is_list(infos[0].object):
        raise KubetraceError(f"cannot {verb} into multiple objects at a time")
    return infos[0].object


def refuse_completed(pod: Mapping[str, Any], what: str) -> None:
    """Raises KubetraceError for a pod whose containers have all ended."""
    phase = str((pod.get("status") or {}).get("phase") or "")
    if phase in ("Succeeded", "Failed"):
        raise KubetraceError(f"cannot {what} in a completed pod; current phase is {phase}")

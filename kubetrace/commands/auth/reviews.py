"""Reviews: objects that are posted as questions; the answer is in their status, and nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.environment import Environment
    from kubetrace.wire.go_struct import TypedObject


def ask(environment: Environment, mapping: Mapping, spec: dict[str, Any] | None) -> TypedObject:
    """The review with its answer. Raises StatusError, TransportError, KubetraceError."""
    from kubetrace.api import last_applied, verbs
    from kubetrace.commands.writing import send_typed
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    question: dict[str, Any] = {"apiVersion": mapping.kind.api_version, "kind": mapping.kind.kind}
    if spec is not None:
        question["spec"] = spec
    purpose = Purpose("review", "auth: what is the user allowed to do, and who is it?")
    call = verbs.create(mapping, "", last_applied.encode_typed(question), purpose=purpose)
    return send_typed(environment, replace(call, operation="typed-create"), mapping)


def review(environment: Environment, mapping: Mapping, spec: dict[str, Any]) -> dict[str, Any]:
    """The answer alone."""
    return ask(environment, mapping, spec).get("status") or {}

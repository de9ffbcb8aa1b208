"""An object and what belongs to it: events, pods, replica sets …, asked for with the calls that kubectl's typed clients
make. For `describe`, and for the history of a rollout."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from kubetrace.api import verbs
from kubetrace.api.objects import Objects
from kubetrace.api.resources import Mapping as ResourceMapping
from kubetrace.api.status import StatusError
from kubetrace.api.typed_kinds import EVENTS
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Operation, Purpose
from kubetrace.value import Value, replace

Object = Mapping[str, Any]

WHAT_BELONGS = Purpose("describe-related", "describe: what belongs to the object?")
WHAT_HAPPENED = Purpose("describe-events", "describe: what happened to the object?")


class Related(Value):
    """The server, and how much of it is wanted: events or none, lists in chunks of so many."""

    objects: Objects
    show_events: bool = True
    chunk_size: int = 500

    def one(
        self,
        mapping: ResourceMapping,
        namespace: str,
        name: str,
        operation: Operation = "typed-get",
        purpose: Purpose = WHAT_BELONGS,
    ) -> dict[str, Any]:
        """One object. Raises StatusError, TransportError, KubetraceError."""
        call = replace(verbs.get(mapping, namespace, name, purpose=purpose), operation=operation)
        try:
            found: dict[str, Any] = self.objects.send(call, mapping, name)
        except StatusError as error:
            raise (error.without_type() if operation == "typed-get" else error) from None
        return found

    def many(
        self,
        mapping: ResourceMapping,
        namespace: str,
        *,
        labels: str = "",
        fields: str = "",
        paged: bool = True,
        purpose: Purpose = WHAT_BELONGS,
    ) -> list[dict[str, Any]]:
        """Objects of one kind; `paged` in chunks. Raises as `one` does."""
        found: list[dict[str, Any]] = []
        self._collect(found, mapping, namespace, labels, fields, self.chunk_size if paged else 0, purpose)
        return found

    def events(self, value: Object, *, kind: str | None = None, uid: str | None = None) -> list[dict[str, Any]] | None:
        """What happened to the object, as far as the server tells; None where it is not to be shown. `kind` and `uid`
        replace the object's own, empty ones are not asked for."""
        if not self.show_events:
            return None
        metadata = value.get("metadata") or {}
        namespace = metadata.get("namespace") or ""
        wanted = {
            "name": metadata.get("name") or "",
            "namespace": namespace,
            "kind": value.get("kind") if kind is None else kind,
            "uid": metadata.get("uid") if uid is None else uid,
        }
        selector = ",".join(
            f"involvedObject.{field}={verbs.escaped_value(text or '')}"
            for field, text in wanted.items()
            if text or field in ("name", "namespace")
        )
        found: list[dict[str, Any]] = []
        with contextlib.suppress(KubetraceError):
            self._collect(found, EVENTS, namespace, "", selector, self.chunk_size, WHAT_HAPPENED)
        return found

    def _collect(
        self,
        found: list[dict[str, Any]],
        mapping: ResourceMapping,
        namespace: str,
        labels: str,
        fields: str,
        limit: int,
        purpose: Purpose,
    ) -> None:
        options = verbs.ListOptions(label_selector=labels, field_selector=fields, limit=limit)
        for page in self.objects.pages(mapping, namespace, options, purpose=purpose, operation="typed-list"):
            found += page.get("items") or ()

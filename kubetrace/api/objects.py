"""Calls on objects, made and checked: the answer's object or the error in kubectl's words (cli-runtime
pkg/resource/helper.go)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubetrace.api import status, verbs
from kubetrace.api.go_words import quoted
from kubetrace.api.metadata import text
from kubetrace.api.resources import GroupResource, GroupVersionResource, Mapping
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import UNSTATED, Operation, Purpose
from kubetrace.transport.call import Call, Sender
from kubetrace.value import Value, replace

Transform = Callable[[Call], Call]
"""Changes a call before it is sent (kubectl's RequestTransform: `get` asks for tables this way)."""

IS_THE_NAMESPACE_THERE = Purpose("namespace", "not found: does the namespace exist at all?")


class Objects(Value):
    """Sends calls on objects and reads their answers. `typed`: as client-go's typed clients do, which accept any media
    type and decode a Status without its kind."""

    sender: Sender
    events: Events | None = None
    transform: Transform | None = None
    typed: bool = False

    def send(self, call: Call, mapping: Mapping, name: str = "") -> Any:
        """The object that a call answers with. Raises StatusError, TransportError, KubetraceError."""
        if self.typed:
            call = replace(call, headers=verbs.accepting(call.headers, verbs.TYPED))
        answer = self.sender.send(self.transform(call) if self.transform else call)
        named = "" if call.method == "POST" else name  # a POST's URL has no name, nor have client-go's words about it
        try:
            return status.check(answer, mapping.resource.group_resource, named, events=self.events, typed=self.typed)
        except status.StatusError as error:
            raise error.without_type() if self.typed else error from None

    def get(
        self, mapping: Mapping, namespace: str, name: str, subresource: str = "", *, purpose: Purpose = UNSTATED
    ) -> dict[str, Any]:
        """One object."""
        value: dict[str, Any] = self.send(
            verbs.get(mapping, namespace, name, subresource, purpose=purpose), mapping, name
        )
        return value

    def get_or_blame_namespace(
        self, mapping: Mapping, namespace: str, name: str, subresource: str = "", *, purpose: Purpose = UNSTATED
    ) -> dict[str, Any]:
        """One object; where it is missing and its namespace is, too, the error is the namespace's (Info.Get)."""
        try:
            return self.get(mapping, namespace, name, subresource, purpose=purpose)
        except status.StatusError as error:
            if not status.is_not_found(error) or not mapping.namespaced or namespace in ("", "default"):
                raise
            self._raise_if_namespace_is_missing(namespace)
            raise

    def require_struct(self, value: dict[str, Any], scheme: str) -> None:
        """Raises KubetraceError for an object or list that kubectl has no struct for, where it wants one; `scheme` is
        what the error calls the table of structs, empty for kubectl's own."""
        if self.typed:
            from kubetrace.api.typed_kinds import KUBECTL_SCHEME, require_registered

            require_registered(value, scheme or KUBECTL_SCHEME)

    def _raise_if_namespace_is_missing(self, namespace: str) -> None:
        from kubetrace.api.typed_kinds import NAMESPACES

        call = replace(verbs.get(NAMESPACES, "", namespace, purpose=IS_THE_NAMESPACE_THERE), operation="namespace-get")
        try:
            self.send(call, Mapping(GroupVersionResource("", "v1", ""), NAMESPACES.kind, False))
        except status.StatusError as error:
            if status.is_not_found(error):
                raise
        except KubetraceError:
            return

    def pages(
        self,
        mapping: Mapping,
        namespace: str,
        options: verbs.ListOptions,
        *,
        purpose: Purpose = UNSTATED,
        operation: Operation = "list",
    ) -> Iterator[dict[str, Any]]:
        """A collection page by page, as far as it goes. An expired continue token ends it with the server's 410, as
        in kubectl (FollowContinue)."""
        while True:
            page = self._page(
                replace(verbs.list_(mapping, namespace, options, purpose=purpose), operation=operation),
                mapping,
                options,
            )
            yield page
            token = text(page, "continue")
            if not token:
                return
            options = replace(options, continue_token=token)

    def _page(self, call: Call, mapping: Mapping, options: verbs.ListOptions) -> dict[str, Any]:
        try:
            page: dict[str, Any] = self.send(call, mapping)
        except status.StatusError as error:
            raise list_error(error, options, mapping.resource) from None
        return page


def list_error(
    error: status.StatusError, options: verbs.ListOptions, resource: GroupVersionResource
) -> status.StatusError:
    """A refused list's error, saying what was looked for (EnhanceListError)."""
    if status.is_expired(error) or not (status.is_bad_request(error) or status.is_not_found(error)):
        return error
    subject = quoted(str(resource))
    if not options.label_selector and not options.field_selector:
        return error.with_message(f"Unable to list {subject}: {error.message}")
    labels, fields = quoted(options.label_selector), quoted(options.field_selector)
    return error.with_message(
        f"Unable to find {subject} that match label selector {labels}, field selector {fields}: {error.message}"
    )


def subject(mapping: Mapping) -> GroupResource:
    """The resource as messages name it."""
    return mapping.resource.group_resource

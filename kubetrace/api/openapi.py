"""The server's OpenAPI documents, each fetched once (client-go openapi, openapi3/root.go; kubectl util/openapi)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetrace.api import status
from kubetrace.api.resources import GroupVersion, prefix
from kubetrace.api.verbs import DISCOVERY_TIMEOUT, go_duration
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.transport.call import Call, Sender

if TYPE_CHECKING:
    from kubetrace.wire.openapi_v2 import Definitions

_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_WHICH_SCHEMAS = Purpose("openapi", "openapi: which fields and patches does the server know?")


class GroupVersionNotFoundError(KubetraceError):
    """The server's OpenAPI v3 index has no such group and version."""

    def __init__(self, group_version: GroupVersion) -> None:
        super().__init__(f"GroupVersion ({group_version}) not found as OpenAPI V3 spec")


class OpenAPI:
    """OpenAPI v3 (an index, and a document a group and version) and the old single v2 document.

    What was fetched, and what failed, is remembered for the run. `timeout` is --request-timeout in seconds."""

    def __init__(self, sender: Sender, timeout: float | None = None, purpose: Purpose = _WHICH_SCHEMAS) -> None:
        self._sender = sender
        self._purpose = purpose
        self._seconds = timeout or DISCOVERY_TIMEOUT
        self._index: dict[str, str] | None = None
        self._documents: dict[GroupVersion, Mapping[str, Any]] = {}
        self._v2: KubetraceError | bytes | None = None
        self._definitions: Definitions | None = None

    def group_version(self, group_version: GroupVersion) -> Mapping[str, Any]:
        """The v3 document of a group and version. Raises KubetraceError (GroupVersionNotFoundError)."""
        if group_version not in self._documents:
            url = self.paths().get(prefix(group_version).removeprefix("/"))
            if url is None:
                raise GroupVersionNotFoundError(group_version)
            path, _, query = url.partition("?")
            pairs = tuple((key, value) for key, _, value in (pair.partition("=") for pair in query.split("&")) if key)
            document = self._fetch(path, "application/json", "openapi-v3-group", pairs)
            self._documents[group_version] = status.decode_struct(document, "spec3.OpenAPI")
        return self._documents[group_version]

    def paths(self) -> dict[str, str]:
        """Where each group and version's document is ("api/v1" → "/openapi/v3/api/v1?hash=…").
        Raises KubetraceError."""
        if self._index is None:
            body = self._fetch("/openapi/v3", "application/json, */*", "openapi-v3")
            found = status.decode_struct(body, "handler3.OpenAPIV3Discovery")
            paths = found.get("paths")
            entries = paths.items() if isinstance(paths, dict) else ()
            self._index = {
                name: str(entry.get("serverRelativeURL", "")) for name, entry in entries if isinstance(entry, dict)
            }
        return self._index

    def fetch_v2(self) -> None:
        """Fetches the v2 document as kubectl does where v3 does not answer the question. Raises KubetraceError."""
        if self._v2 is None:
            try:
                self._v2 = self._fetch("/openapi/v2", _V2_PROTOBUF, "openapi-v2")
            except KubetraceError as error:
                self._v2 = error
        if isinstance(self._v2, KubetraceError):
            raise self._v2

    def definitions(self) -> Definitions:
        """The v2 document's definitions. Raises KubetraceError."""
        from kubetrace.wire.openapi_v2 import Definitions
        from kubetrace.wire.protobuf import InvalidProtobuf

        self.fetch_v2()
        assert isinstance(self._v2, bytes)
        if self._definitions is None:
            try:
                self._definitions = Definitions(self._v2)
            except InvalidProtobuf as error:
                raise KubetraceError(f"proto: {error}") from None
        return self._definitions

    def _fetch(self, path: str, accept: str, operation: Any, query: tuple[tuple[str, str], ...] = ()) -> bytes:
        call = Call(
            "GET",
            path,
            (*query, ("timeout", go_duration(self._seconds))),
            (("Accept", accept),),
            operation=operation,
            purpose=self._purpose,
            timeout=self._seconds,
        )
        return status.raw(self._sender.send(call))

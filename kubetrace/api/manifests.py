"""The objects in manifests, one after the other, as the builder visits them.

A document that can't be used does not end the visit: it stands in the row as a document whose `object` raises, so that
the builder counts the error and goes on with the next one. A text that can't be parsed or is refused by validation
ends its own source only (cli-runtime pkg/resource/visitor.go, StreamVisitor).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubetrace.api.manifest_objects import Object, decode_object, decode_typed
from kubetrace.api.manifest_sources import FilenameOptions, Source, Sources, find_sources
from kubetrace.api.manifest_stream import Parsed
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

__all__ = ["FilenameOptions", "ManifestDocument", "Source", "Sources", "find_sources", "read_documents"]

Validate = Callable[[Any, str], None]
"""Checks a document's value (second argument: its source); raises KubetraceError to refuse it."""


class ManifestDocument(Value):
    """One document, or why there is none."""

    source: str
    parsed: Parsed | None = None
    error: KubetraceError | None = None

    @property
    def object(self) -> Object:
        """The object. Raises the KubetraceError that keeps it from being one."""
        return decode_object(self._document, self.source)

    @property
    def typed_object(self) -> Object:
        """The object, once it is clear that kubectl's struct can hold it. Raises KubetraceError."""
        return decode_typed(self._document, self.source)

    @property
    def _document(self) -> Parsed:
        if self.error is not None:
            raise self.error
        assert self.parsed is not None
        return self.parsed


def read_documents(sources: Iterable[Source], validate: Validate | None = None) -> Iterator[ManifestDocument]:
    """Every document of every source, read as the iteration goes."""
    for source in sources:
        try:
            for parsed in source.documents():
                if validate is not None:
                    validate(parsed.value, source.name)
                yield ManifestDocument(source.name, parsed)
        except KubetraceError as error:
            yield ManifestDocument(source.name, error=error)

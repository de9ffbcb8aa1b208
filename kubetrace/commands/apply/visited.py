"""What one run of apply has applied, so that --prune can tell what is left over."""

from __future__ import annotations

from kubetrace.value import Value


class Visited(Value):
    """The objects' uids and their namespaces, in the order in which they came (keys of dictionaries)."""

    uids: dict[str, None]
    namespaces: dict[str, None]

    @classmethod
    def nothing(cls) -> Visited:
        return cls({}, {})

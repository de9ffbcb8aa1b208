"""metadata.managedFields, which the editor does not show: taken out of the text, given back to what was edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.api.metadata import metadata, set_field, text

if TYPE_CHECKING:
    from kubetrace.api.builder import Info

_FIELD = "managedFields"


class ManagedFields:
    """What was taken out, by the objects' uids."""

    def __init__(self) -> None:
        self._taken: dict[str, Any] = {}

    def taken_from(self, infos: Sequence[Info]) -> dict[str, Any]:
        """The object, or a List of several, without managed fields."""
        self._taken = {text(info.object, "uid"): metadata(info.object).get(_FIELD) for info in infos}
        self._set(infos, lambda uid: None)
        items = [info.object or {} for info in infos]
        if len(items) == 1:
            return items[0]
        return {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}

    def give_back(self, infos: Iterable[Info]) -> None:
        """An object whose uid is unknown has none, whatever it says."""
        self._set(infos, self._taken.get)

    @staticmethod
    def _set(infos: Iterable[Info], wanted: Any) -> None:
        for info in infos:
            assert info.object is not None
            value = wanted(text(info.object, "uid"))
            found = info.object.get("metadata")
            if value:
                set_field(info.object, _FIELD, value)
            elif isinstance(found, dict):
                found.pop(_FIELD, None)

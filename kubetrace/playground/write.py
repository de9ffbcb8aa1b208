"""How a write is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from kubetrace.playground.access import User
from kubetrace.playground.catalog import Resource
from kubetrace.playground.objects import Object


@dataclass(slots=True)
class Write:
    """How a write is meant, from its query; `warnings` go into the answer's Warning headers."""

    dry_run: bool = False
    field_validation: str = "Warn"
    manager: str = ""
    """Who owns the written fields in metadata.managedFields; empty: nobody is noted (the playground's controllers)."""
    operation: str = "Update"
    """As what `manager` is noted."""
    applied: bool = False
    patched: bool = False
    warnings: list[str] = field(default_factory=list)
    user: User | None = None
    """Who writes; None for the playground's controllers."""
    asked: list[str] = field(default_factory=list)
    """The webhooks' answers that the write has used."""
    twice: list[tuple[int, str]] = field(default_factory=list)
    """Fields that the body has twice, and their places in it (strict.read)."""
    places: dict[str, int] = field(default_factory=dict)
    options: Object = field(default_factory=dict)
    """CreateOptions and the like, as webhooks are told them."""
    guard: Callable[[Resource, Object, Object | None], None] = lambda resource, item, old: None
    """Raises where the writer may not turn the old object (None: there is none) into this one."""

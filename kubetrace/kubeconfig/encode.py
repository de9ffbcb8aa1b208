"""Sections to the v1 Config object that is printed and written, its keys in the order of client-go's structs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from kubetrace.kubeconfig.sections import Config, keys_of


def encode(config: Config) -> dict[str, Any]:
    """The object as JSON values. Entries are sorted by name (v1/conversion.go); an empty list of entries is null."""
    result: dict[str, Any] = {"kind": "Config", "apiVersion": "v1"}
    preferences = _struct(config.preferences)
    if preferences:
        result["preferences"] = preferences
    result["clusters"] = _named(config.clusters, "cluster")
    result["users"] = _named(config.users, "user")
    result["contexts"] = _named(config.contexts, "context")
    result["current-context"] = config.current_context
    if config.extensions:
        result["extensions"] = _extensions(config.extensions)
    return result


def to_yaml(config: Config) -> bytes:
    """The file's text, as kubectl writes it."""
    from kubetrace.wire.go_yaml import dumps

    text = dumps(encode(config))
    return text if isinstance(text, bytes) else text.encode()


def _named(entries: Mapping[str, Any], inner: str) -> list[dict[str, Any]] | None:
    return [{"name": name, inner: _struct(entries[name])} for name in sorted(entries)] or None


def _extensions(entries: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "extension": entries[name]} for name in sorted(entries)]


def _struct(section: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field, key in keys_of(section):
        value = getattr(section, field)
        if value or key.always:
            result[key.name] = _value(key.kind, value)
    return result


def _value(kind: str, value: Any) -> Any:
    if kind == "extensions":
        return _extensions(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind in ("provider", "exec"):
        return _struct(value)
    if kind == "env":
        return None if value is None else [_struct(item) for item in value]
    if kind == "strings":
        return None if value is None else list(value)
    if kind == "strings-map":
        return {key: None if items is None else list(items) for key, items in value.items()}
    return dict(value) if isinstance(value, Mapping) else value

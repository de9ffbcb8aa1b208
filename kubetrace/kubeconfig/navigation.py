"""`config set clusters.my.cluster.server URL`: a dotted path to one value (kubectl pkg/cmd/config, set.go and
navigation_step_parser.go). A name may contain dots: it ends before the first word that its section knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetrace.kubeconfig.decode import go_base64
from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.kubeconfig.sections import (
    AuthProvider,
    Cluster,
    Config,
    Context,
    Exec,
    Preferences,
    User,
    keys_of,
)
from kubetrace.value import replace

_ENTRIES: dict[str, tuple[str, Any]] = {
    "clusters": ("clusters", Cluster),
    "users": ("users", User),
    "contexts": ("contexts", Context),
}
_GO_TYPES: dict[type, str] = {
    Config: "api.Config",
    Cluster: "*api.Cluster",
    User: "*api.AuthInfo",
    Context: "*api.Context",
    Preferences: "api.Preferences",
    AuthProvider: "*api.AuthProviderConfig",
    Exec: "*api.ExecConfig",
}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})


def set_value(config: Config, path: str, text: str, raw: bool = False) -> Config:
    """The config with one value set. Binary values are base64 unless `raw`. Raises ConfigError."""
    return _Walk(path, text, unset=False, raw=raw).config(config)


def unset_value(config: Config, path: str) -> Config:
    """The config with one value, or one whole entry, taken away. Raises ConfigError."""
    return _Walk(path, "", unset=True, raw=True).config(config)


class _Walk:
    """One path and what to do at its end."""

    def __init__(self, path: str, text: str, unset: bool, raw: bool) -> None:
        self._path = path
        self._text = text
        self._unset = unset
        self._raw = raw

    def config(self, config: Config) -> Config:
        first, *rest = self._path.split(".")
        if first in _ENTRIES:
            name, kind = _ENTRIES[first]
            changed: dict[str, Any] = {name: self._entries(kind, getattr(config, name), rest)}
            return replace(config, **changed)
        if first == "current-context":
            self._end(rest)
            return replace(config, current_context="" if self._unset else self._text)
        if first == "preferences":
            return replace(config, preferences=self._preferences(config.preferences, rest))
        if first == "extensions":
            return replace(config, extensions=self._extensions(config.extensions, rest))
        if first in ("kind", "apiVersion") and not rest:
            return config  # they are fields, but never written
        raise self._lost("[]", Config)

    def _lost(self, steps: str, kind: type) -> ConfigError:
        return ConfigError(f"unable to parse {self._path} after {steps} at {_GO_TYPES[kind]}")

    def _end(self, rest: list[str]) -> None:
        if rest:
            raise ConfigError(f"unable to parse one or more field values of {self._path}")

    def _entries(self, kind: Any, entries: Mapping[str, Any], words: list[str]) -> dict[str, Any]:
        """A map of entries: everything, one entry, or a value in one."""
        if not words:
            if self._unset:
                return {}
            raise ConfigError(f"can't set a map to a value: {_go_map(entries, kind)}")
        name, rest = _split_name(words, kind)
        if not rest:
            if not self._unset:
                raise ConfigError(f"can't set a map to a value: {_go_map(entries, kind)}")
            return {key: entry for key, entry in entries.items() if key != name}
        if name not in entries and self._unset:
            self._section(kind(), rest)
            raise ConfigError(f"current map key `{name}` is invalid")
        return {**entries, name: self._section(entries.get(name) or _bare(kind), rest)}

    def _section(self, section: Any, words: list[str]) -> Any:
        """One field of a section."""
        first, *rest = words
        field, key = next((pair for pair in keys_of(section) if pair[1].path == first), (first, None))
        if key is None:
            raise ConfigError(f"unable to parse {self._path} after {self._steps(words)} at {_GO_TYPES[type(section)]}")
        return replace(section, **{field: self._value(key.kind, getattr(section, field), rest)})

    def _steps(self, words: list[str]) -> str:
        """The steps that were understood, near enough to Go's print of them to be read."""
        done = self._path.split(".")[: -len(words)]
        return "[" + " ".join(f"{{{step}}}" for step in done) + "]"

    def _value(self, kind: str, current: Any, rest: list[str]) -> Any:
        if kind == "extensions":
            return self._extensions(current, rest)
        self._end(rest)
        if self._unset:
            return {"string": "", "bool": False}.get(kind)
        if kind == "string":
            return self._text
        if kind == "bool":
            return self._bool()
        if kind == "bytes":
            return self._bytes()
        if kind in ("provider", "exec"):  # kubectl panics here
            raise ConfigError(f"can't set {self._path} to a value")
        if kind == "strings":
            raise ConfigError("unrecognized slice type. string")
        raise ConfigError(f"can't set a map to a value: {_go_map(current or {}, None)}")

    def _bool(self) -> bool:
        if self._text in _TRUE:
            return True
        if self._text in _FALSE:
            return False
        from kubetrace.wire.go_quote import quote

        raise ConfigError(f"strconv.ParseBool: parsing {quote(self._text)}: invalid syntax")

    def _bytes(self) -> bytes:
        if self._raw:
            return self._text.encode("utf-8", "surrogateescape")
        try:
            return go_base64(self._text)
        except ConfigError as error:
            raise ConfigError(f"error decoding input value: {error}") from None

    def _preferences(self, preferences: Preferences, words: list[str]) -> Preferences:
        if not words:
            if self._unset:
                return Preferences()
            raise ConfigError(f"unable to parse {self._path}")
        changed: Preferences = self._section(preferences, words)
        return changed

    def _extensions(self, extensions: Any, words: list[str]) -> Any:
        """Extensions hold anything: they can be taken away, not set."""
        if not self._unset:
            raise ConfigError(f"can't set a map to a value: {_go_map(extensions or {}, None)}")
        if not words:
            return None
        name = ".".join(words)
        return {key: value for key, value in (extensions or {}).items() if key != name}


def _bare(kind: Any) -> Any:
    """A section as Go's zero value, not as its constructor makes it."""
    empty = {field: None for field, key in keys_of(kind) if key.kind in ("extensions", "strings-map")}
    return kind(**empty)


def _split_name(words: list[str], kind: Any) -> tuple[str, list[str]]:
    known = {key.path for _, key in keys_of(kind)} | {"-"}
    for position, word in enumerate(words[1:], 1):
        if word in known:
            return ".".join(words[:position]), words[position:]
    return ".".join(words), []


def _go_map(entries: Mapping[str, Any], kind: Any) -> str:
    """Go prints pointers for entries; names are what helps."""
    return "map[" + " ".join(sorted(entries)) + "]"

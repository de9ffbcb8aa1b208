"""One file's text to its sections, with the words of Go's JSON decoder where a value has the wrong type.

client-go turns YAML into JSON (keys sorted), then decodes that into structs: the first wrong value is reported, keys
that no field answers to are dropped (they are lost when kubectl writes the file, too).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.kubeconfig.sections import (
    AuthProvider,
    Cluster,
    Config,
    Context,
    EnvVar,
    Exec,
    Preferences,
    User,
    keys_of,
)

_SCHEME = 'scheme "k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50"'
_STRUCTS: dict[type, str] = {
    Cluster: "Cluster",
    User: "AuthInfo",
    Context: "Context",
    Preferences: "Preferences",
    AuthProvider: "AuthProviderConfig",
    Exec: "ExecConfig",
    EnvVar: "ExecEnvVar",
}


def decode(data: bytes) -> Config:
    """The sections of one kubeconfig. Raises ConfigError with client-go's words (without the file's name)."""
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    if not data:
        return Config()
    try:
        document = loads(data)
    except InvalidYAML as error:
        raise ConfigError(str(error)) from None
    _check_header(document)
    return _config(document or {})


def _check_header(document: Any) -> None:
    """Kind and version must be, or default to, v1 Config (runtime/serializer/json)."""
    prefix = "couldn't get version/kind; json parse error:"
    if document is None:
        return
    if not isinstance(document, dict):
        from kubetrace.wire.go_json import no_object

        raise ConfigError(f"{prefix} {no_object(document)}")
    words = {}
    for name in ("apiVersion", "kind"):
        value = document.get(name)
        if value is not None and not isinstance(value, str):
            raise ConfigError(
                f"{prefix} json: cannot unmarshal {_json_type(value)} into Go struct field .{name} of type string"
            )
        words[name] = value or ""
    version, kind = words["apiVersion"] or "v1", words["kind"] or "Config"
    if version.count("/") > 1:
        raise ConfigError(f"unexpected GroupVersion string: {version}")
    if (version, kind) != ("v1", "Config"):
        raise ConfigError(f'no kind "{kind}" is registered for version "{version}" in {_SCHEME}')


def _config(document: Mapping[str, Any]) -> Config:
    decoder = _Decoder()
    values: dict[str, Any] = {}
    for key in sorted(document):
        decode_one = _TOP_LEVEL.get(key)
        if decode_one is not None:
            values[key] = decode_one(decoder, document[key])
    decoder.finish()
    return Config(
        preferences=values.get("preferences") or Preferences(),
        clusters=values.get("clusters") or {},
        users=values.get("users") or {},
        contexts=values.get("contexts") or {},
        current_context=values.get("current-context") or "",
        extensions=values.get("extensions") or {},
    )


def _json_type(value: Any) -> str:
    from kubetrace.wire.go_json import json_type  # loads a JSON library, which most commands do without

    return json_type(value)


class _Decoder:
    """Keeps the first complaint and goes on, as encoding/json does; duplicate names are found only afterwards."""

    def __init__(self) -> None:
        self._first = ""
        self._duplicate = ""

    def finish(self) -> None:
        if self._first or self._duplicate:
            raise ConfigError(self._first or self._duplicate)

    def complain(self, value: Any, struct: str, path: str, go_type: str) -> None:
        words = f"json: cannot unmarshal {_json_type(value)} into Go struct field {struct}.{path} of type {go_type}"
        self._first = self._first or words

    def listing(self, value: Any, struct: str, path: str, go_type: str) -> list[Any]:
        """A list (null: an empty one)."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.complain(value, struct, path, go_type)
            return []
        return value

    def scalar(self, value: Any, wanted: type, struct: str, path: str) -> Any:
        if value is None:
            return wanted()
        if type(value) is not wanted:
            self.complain(value, struct, path, {str: "string", bool: "bool"}[wanted])
            return wanted()
        return value

    def struct(self, kind: type, value: Any, struct: str, path: str) -> Any:
        """A section's fields, in the order of their names as JSON sorts them."""
        if value is None:
            return kind()
        if not isinstance(value, dict):
            self.complain(value, struct, path, f"v1.{_STRUCTS[kind]}")
            return kind()
        given = {}
        for field, key in sorted(keys_of(kind), key=lambda pair: pair[1].name):
            if value.get(key.name) is not None:
                given[field] = _FIELDS[key.kind](self, value[key.name], _STRUCTS[kind], f"{path}.{key.name}")
        return kind(**given)

    def named(self, kind: type, inner: str, value: Any, path: str) -> dict[str, Any]:
        """A list of {name, INNER} as a dict; a name may stand there only once."""
        list_name = f"Named{_STRUCTS[kind]}"
        result: dict[str, Any] = {}
        for item in self.listing(value, "Config", path, f"[]v1.{list_name}"):
            if item is not None and not isinstance(item, dict):
                self.complain(item, "Config", path, f"v1.{list_name}")
                continue
            item = item or {}
            entry = self.struct(kind, item.get(inner), list_name, f"{path}.{inner}")
            name = self.scalar(item.get("name"), str, list_name, f"{path}.name")
            if name in result:
                self.duplicate(f"[]{list_name}", f"*api.{_STRUCTS[kind]}", name)
            result[name] = entry
        return result

    def duplicate(self, source: str, target: str, name: str) -> None:
        """client-go goes on to print the whole list, credentials and all: that part is left out."""
        words = f'error converting *{source} into *map[string]{target}: duplicate name "{name}" in list'
        self._duplicate = self._duplicate or words

    def extensions(self, value: Any, struct: str, path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for item in self.listing(value, struct, path, "[]v1.NamedExtension"):
            if item is not None and not isinstance(item, dict):
                self.complain(item, struct, path, "v1.NamedExtension")
                continue
            item = item or {}
            name = self.scalar(item.get("name"), str, "NamedExtension", f"{path}.name")
            if result.get(name) is not None:
                self.duplicate("[]NamedExtension", "runtime.Object", name)
            result[name] = item.get("extension")
        return result

    def binary(self, value: Any, struct: str, path: str) -> bytes | None:
        if not isinstance(value, str):
            self.complain(value, struct, path, "[]uint8")
            return None
        try:
            return go_base64(value)
        except ConfigError as error:
            self._first = self._first or str(error)
            return None

    def strings(self, value: Any, struct: str, path: str) -> tuple[str, ...] | None:
        if not isinstance(value, list):
            self.complain(value, struct, path, "[]string")
            return None
        return tuple(self.scalar(item, str, struct, path) for item in value)

    def mapping(self, value: Any, struct: str, path: str, go_type: str, item: Callable[[Any], Any]) -> Any:
        if not isinstance(value, dict):
            self.complain(value, struct, path, go_type)
            return None
        return {key: item(value[key]) for key in sorted(value)}

    def env(self, value: Any, struct: str, path: str) -> tuple[EnvVar, ...] | None:
        if not isinstance(value, list):
            self.complain(value, struct, path, "[]v1.ExecEnvVar")
            return None
        return tuple(self.struct(EnvVar, item, struct, path) for item in value)

    def exec(self, value: Any, struct: str, path: str) -> Exec:
        """With the default that the older plugin versions have (v1/defaults.go)."""
        from kubetrace.value import replace

        plugin: Exec = self.struct(Exec, value, struct, path)
        older = ("client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1alpha1")
        if not plugin.interactive_mode and plugin.api_version in older:
            plugin = replace(plugin, interactive_mode="IfAvailable")
        return plugin


def go_base64(text: str) -> bytes:
    """base64.StdEncoding: line ends are skipped, and the place of the first wrong byte is named."""
    from kubetrace.wire.go_base64 import base64_problem

    if problem := base64_problem(text):
        raise ConfigError(problem)
    return base64.b64decode(text)


_Field = Callable[[_Decoder, Any, str, str], Any]
_FIELDS: dict[str, _Field] = {
    "string": lambda decoder, value, struct, path: decoder.scalar(value, str, struct, path),
    "bool": lambda decoder, value, struct, path: decoder.scalar(value, bool, struct, path),
    "bytes": _Decoder.binary,
    "strings": _Decoder.strings,
    "strings-map": lambda decoder, value, struct, path: decoder.mapping(
        value,
        struct,
        path,
        "map[string][]string",
        lambda item: None if item is None else decoder.strings(item, struct, path),
    ),
    "string-map": lambda decoder, value, struct, path: decoder.mapping(
        value, struct, path, "map[string]string", lambda item: decoder.scalar(item, str, struct, path)
    ),
    "extensions": _Decoder.extensions,
    "provider": lambda decoder, value, struct, path: decoder.struct(AuthProvider, value, struct, path),
    "exec": _Decoder.exec,
    "env": _Decoder.env,
}
_TOP_LEVEL: dict[str, Callable[[_Decoder, Any], Any]] = {
    "clusters": lambda decoder, value: decoder.named(Cluster, "cluster", value, "clusters"),
    "contexts": lambda decoder, value: decoder.named(Context, "context", value, "contexts"),
    "current-context": lambda decoder, value: decoder.scalar(value, str, "Config", "current-context"),
    "extensions": lambda decoder, value: decoder.extensions(value, "Config", "extensions"),
    "preferences": lambda decoder, value: decoder.struct(Preferences, value, "Config", "preferences"),
    "users": lambda decoder, value: decoder.named(User, "user", value, "users"),
}

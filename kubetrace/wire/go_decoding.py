"""What Go's decoders say of JSON that a built-in kind's struct can't hold: sigs.k8s.io/json, a copy of an older
encoding/json, and encoding/json itself, which numbers the entries of lists and names no structs.

The first value of a wrong type is kept and reading goes on; what a type reads by itself (a quantity, a time, an
integer or string) ends it at once and comes before all others. The table is generated
(tests/tools/generate_struct_facts.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from kubetrace.wire.go_base64 import base64_problem
from kubetrace.wire.go_json import json_type, no_object
from kubetrace.wire.go_numbers import general_float
from kubetrace.wire.go_struct import Fields, Kind, structs
from kubetrace.wire.go_time import RFC3339, RFC3339_MICRO, time_problem
from kubetrace.wire.quantity import InvalidQuantity, canonical

_JSON_TYPES = {"s": "string", "b": "bool", "f": "number"}
_UNSIGNED, _SIGNED = re.compile("uint([0-9]+)"), re.compile("int([0-9]+)")
_ENTRY = "[]"
"""Stands for a struct's name within a list or map."""
_LIST_META: Fields = [("selfLink", "s", "o"), ("resourceVersion", "s", "o"), ("continue", "s", "o"),
                      ("remainingItemCount", "i", "po")]  # fmt: skip
_LIST_META_WORDS = ["|string", "|string", "|string", "|int64"]


def problem(api_version: str, kind: str, text: str) -> str:
    """Why the JSON text is no object of that kind; "" where it is one. Raises KeyError for a kind without a struct."""
    decoding = _Decoding()
    return decoding.problem(lambda: decoding.object(api_version, kind, _parsed(text)))


def kind_problem(text: str) -> str:
    """Why a JSON text does not say of what kind it is; "" where it does (json.SimpleMetaFactory and what follows)."""
    value = json.loads(text)
    start = "couldn't get version/kind; json parse error:"
    if not isinstance(value, dict):
        return f"{start} {no_object(value)}"
    for key in value:
        if key in ("apiVersion", "kind") and not isinstance(value[key], str | None):
            return f"{start} json: cannot unmarshal {json_type(value[key])} into Go struct field .{key} of type string"
    version = value.get("apiVersion") or ""
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    missing = "" if version.rpartition("/")[2] else "apiVersion"
    missing = missing if value.get("kind") else "Kind"
    return f"Object '{missing}' is missing in '{text}'" if missing else ""


def metadata_problem(text: str) -> str:
    """Why an object's metadata is none, whatever its kind; "" where it is (cli-runtime's metadataOnlyObject)."""
    decoding = _Decoding()
    return decoding.problem(lambda: decoding.metadata(_parsed(text)))


def container_problem(value: Any) -> str:
    """Why a value that was read from YAML is no container, in encoding/json's words; "" where it is one."""
    decoding = _StandardDecoding()
    return decoding.problem(lambda: decoding.named("v1.Container", value))


def with_texts(value: Any, struct: str) -> Any:
    """A value read from YAML with texts wherever the named struct wants them (sigs.k8s.io/yaml)."""
    return _with_texts(value, _words()[0].index(struct), "")


def _with_texts(value: Any, kind: Kind, flags: str) -> Any:
    flags = flags.lstrip("p")
    if flags[:1] == "l" and isinstance(value, list):
        return [_with_texts(item, kind, flags[1:]) for item in value]
    if flags[:1] == "m" and isinstance(value, dict):
        return {key: _with_texts(item, kind, flags[1:]) for key, item in value.items()}
    if isinstance(kind, int) and isinstance(value, dict):
        known = {name: (inner, more) for name, inner, more in structs()[0][kind]}
        return {key: _with_texts(item, *known[key]) for key, item in value.items() if key in known}
    if kind == "s" and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool | int) else general_float(value)
    return value


class _Ended(ValueError):
    """Reading can't go on; the message is all that is said."""


class _Literal(float):
    """A number that is not written as an integer; the message shows it as it is written."""

    def __new__(cls, text: str) -> _Literal:
        self = super().__new__(cls, text)
        self.text = text
        return self

    text: str


def _parsed(text: str) -> Any:
    return json.loads(text, parse_float=_Literal)


@cache
def _words() -> tuple[list[str], list[list[str]]]:
    """By a struct's number: its name, and for each field "EMBEDDED.|TYPE|TYPE OF AN ENTRY|…"."""
    import gzip
    from importlib import resources

    packed = (resources.files("kubetrace.wire") / "data" / "struct-words-1.36.json.gz").read_bytes()
    found = json.loads(gzip.decompress(packed))
    return found["names"], found["fields"]


class _Decoding:
    """One object: the first thing that does not fit, and where the reader stands (`struct` and `path`)."""

    def __init__(self) -> None:
        self._first = ""
        self._struct = ""
        self._path: list[str] = []

    def problem(self, read: Callable[[], None]) -> str:
        """What is wrong with what `read` takes in with one of this object's methods; "" for nothing."""
        try:
            read()
        except _Ended as ended:
            return str(ended)
        return self._first

    def object(self, api_version: str, kind: str, value: Any) -> None:
        kinds = structs()[1]
        number = kinds.get(f"{api_version}/{kind}")
        if number is not None:
            self._value(number, "", [_words()[0][number]], value)
            return
        version = api_version.rpartition("/")[2]
        item: Kind
        if (api_version, kind) == ("v1", "List"):
            item, entry = "r", "runtime.RawExtension"
        else:
            item, entry = kinds[f"{api_version}/{kind.removesuffix('List')}"], f"{version}.{kind.removesuffix('List')}"
        for name, content in value.items():
            self._enter(kind, [name])
            if name == "metadata":
                self._list_meta(content)
            elif name == "items":
                self._value(item, "l", [f"[]{entry}", entry], content)
            elif name in ("apiVersion", "kind"):
                self._value("s", "", ["string"], content)
            self._leave([name])

    def metadata(self, value: dict[str, Any]) -> None:
        """What every object has."""
        fields: Fields = [("apiVersion", "s", ""), ("metadata", _words()[0].index("v1.ObjectMeta"), "")]
        self._fields("metadataOnlyObject", fields, ["TypeMeta.|string", "|v1.ObjectMeta"], value)

    def named(self, name: str, value: Any) -> None:
        """A struct by its name."""
        self._value(_words()[0].index(name), "", [name], value)

    def _list_meta(self, value: Any) -> None:
        if isinstance(value, dict):
            self._fields("ListMeta", _LIST_META, _LIST_META_WORDS, value)
        elif value is not None:
            self._refuse(value, "v1.ListMeta")

    def _value(self, kind: Kind, flags: str, names: list[str], value: Any) -> None:
        """A value of a type: `names` are what the type is called, its entries' type, and so on."""
        flags = flags.lstrip("p")
        if value is None:
            return
        form = flags[:1]
        shape = list if form == "l" else dict if form == "m" or isinstance(kind, int) else None
        if shape is not None and not isinstance(value, shape):
            self._refuse(value, names[0])
        elif form in ("l", "m"):
            for key, item in enumerate(value) if form == "l" else value.items():
                self._entry(str(key), kind, flags[1:], names[1:], item)
        elif isinstance(kind, int):
            name = _words()[0][kind].rpartition(".")[2]
            self._fields(name, structs()[0][kind], _words()[1][kind], value)
        else:
            self._scalar(kind, names[0], value)

    def _entry(self, key: str, kind: Kind, flags: str, names: list[str], value: Any) -> None:
        """An entry of a list or map; messages do not say which."""
        self._value(kind, flags, names, value)

    def _fields(self, struct: str, fields: Fields, words: list[str], value: dict[str, Any]) -> None:
        known = {field[0]: (field, text) for field, text in zip(fields, words, strict=True)}
        outer = self._struct
        for key, content in value.items():
            if key not in known:
                continue
            (_, kind, flags), text = known[key]
            embedded, *names = text.split("|")
            path = [*embedded.split(".")[:-1], key]
            self._enter(struct, path)
            self._value(kind, flags, names, content)
            self._leave(path, outer)

    def _enter(self, struct: str, path: list[str]) -> None:
        self._struct = struct
        self._path += path

    def _leave(self, path: list[str], outer: str = "") -> None:
        self._struct = outer
        del self._path[-len(path) :]

    def _scalar(self, kind: str, name: str, value: Any) -> None:
        """One letter of the table of structs."""
        found = json_type(value)
        if kind == "i":
            self._integer(name, value)
        elif found != _JSON_TYPES.get(kind, found):
            self._refuse(value, name)
        elif kind == "y":
            self._bytes(name, value)
        elif kind == "q":
            self._quantity(value)
        elif kind in ("t", "u"):
            if found != "string":
                raise self._end(found, "string")
            if why := time_problem(value, RFC3339 if kind == "t" else RFC3339_MICRO):
                raise _Ended(why)
        elif kind == "x" and found != "string" and not _fits(value, "int32"):
            raise self._end(_shown(value), "int32")

    def _integer(self, name: str, value: Any) -> None:
        if json_type(value) != "number":
            self._refuse(value, name)
        elif not _fits(value, name):
            self._keep(self._told(_shown(value), name))

    def _bytes(self, name: str, value: Any) -> None:
        if isinstance(value, str):
            self._keep(base64_problem(value))
        elif isinstance(value, list):
            for item in value:
                if item is not None:
                    self._integer("uint8", item)
        else:
            self._refuse(value, name)

    def _quantity(self, value: Any) -> None:
        text = value if isinstance(value, str) else getattr(value, "text", "") or json.dumps(value)
        try:
            canonical(text)
        except InvalidQuantity as error:
            raise _Ended(str(error)) from None

    def _refuse(self, value: Any, name: str) -> None:
        self._keep(self._told(json_type(value), name))

    def _end(self, shown: str, name: str) -> _Ended:
        """The end that a type's own reader makes of it."""
        return _Ended(self._told(shown, name))

    def _keep(self, told: str) -> None:
        self._first = self._first or told

    def _told(self, shown: str, name: str) -> str:
        where = f"struct field {self._struct}.{'.'.join(self._path)}" if self._path else "value"
        return f"json: cannot unmarshal {shown} into Go {where} of type {name}"


class _StandardDecoding(_Decoding):
    """encoding/json's way. What was YAML has texts wherever a struct wants them."""

    def _entry(self, key: str, kind: Kind, flags: str, names: list[str], value: Any) -> None:
        outer, self._struct = self._struct, _ENTRY
        self._path.append(key)
        self._value(kind, flags, names, value)
        self._path.pop()
        self._struct = outer

    def _enter(self, struct: str, path: list[str]) -> None:
        super()._enter("", path[-1:])

    def _leave(self, path: list[str], outer: str = "") -> None:
        super()._leave(path[-1:], outer)

    def _scalar(self, kind: str, name: str, value: Any) -> None:
        if kind != "s" or isinstance(value, dict | list):
            super()._scalar(kind, name, value)

    def _told(self, shown: str, name: str) -> str:
        if self._struct == _ENTRY and self._path:
            return f"json: cannot unmarshal {shown} into .{'.'.join(self._path)} of type {name}"
        return super()._told(shown, name)

    def _end(self, shown: str, name: str) -> _Ended:
        return _Ended(f"json: cannot unmarshal {shown} into Go value of type {name}")


def _fits(value: Any, name: str) -> bool:
    """Is it an integer in that type's range? A named type has int32's."""
    if type(value) is not int:
        return False
    if unsigned := _UNSIGNED.fullmatch(name):
        return 0 <= value < 1 << int(unsigned[1])
    signed = _SIGNED.fullmatch(name)
    bits = int(signed[1]) if signed else 64 if name == "int" else 32
    return -(1 << (bits - 1)) <= value < 1 << (bits - 1)


def _shown(value: Any) -> str:
    """A value as messages about numbers show it."""
    kind = json_type(value)
    return f"number {getattr(value, 'text', value)}" if kind == "number" else kind

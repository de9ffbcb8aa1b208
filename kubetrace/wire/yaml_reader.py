"""YAML as Kubernetes reads it: sigs.k8s.io/yaml on go-yaml v2, that is YAML 1.1 with Go's ideas, turned into JSON.

ruamel.yaml scans and parses (with its C parser where that is installed, which is twelve times as fast and whose
messages are go-yaml's: both descend from libyaml); what a scalar means, what a key may be, merge keys, aliases and
the words of every error follow go-yaml v2 (decode.go, resolve.go) and sigs.k8s.io/yaml (yaml.go).
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any, NoReturn

from kubetrace.value import Mutable, fresh
from kubetrace.wire.go_numbers import general_float

_TAG = "tag:yaml.org,2002:"
_RESOLVABLE = frozenset(_TAG + name for name in ("str", "bool", "int", "float", "null", "timestamp"))
_WORDS: dict[str, Any] = {
    **dict.fromkeys(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True),
    **dict.fromkeys(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_HINTS = frozenset("+-0123456789yYnNtTfFoO~.")
_INT = r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ][0-9:.]+.*)?"
_MAX_DEPTH = 10_000
_PURE_PARSER_WORDS = {"mapping values are not allowed here": "mapping values are not allowed in this context"}


class InvalidYAML(ValueError):
    """The text is not YAML that Kubernetes accepts; the message is kubectl's ("yaml: line 7: …")."""


class _Node(Mutable):
    """What the parser saw, before it means anything. `children` of a mapping are keys and values in turn."""

    kind: str
    line: int
    tag: str = ""
    value: str = ""
    implicit: bool = False
    children: list[_Node] = fresh(list)
    target: _Node | None = None


def loads(data: bytes, strict: bool = False) -> Any:
    """The first document as JSON values (yaml.YAMLToJSON; None for an empty one). `strict` refuses a key given twice
    (YAMLToJSONStrict). Raises InvalidYAML."""
    try:
        root = _compose(data)
        if root is None:
            return None
        decoder = _Decoder(strict)
        value = decoder.decode(root)
        if decoder.errors:
            raise InvalidYAML("yaml: unmarshal errors:\n  " + "\n  ".join(decoder.errors))
        return value
    except RecursionError:
        raise InvalidYAML(f"yaml: exceeded max depth of {_MAX_DEPTH}") from None


def _fail(message: str) -> NoReturn:
    raise InvalidYAML(f"yaml: {message}")


class _FlowColon(Exception):
    """The C parser, an old libyaml, met a colon in a plain scalar inside braces or brackets: {server: https://host}."""


def _compose(data: bytes) -> _Node | None:
    """The first document's nodes. What only the C parser refuses is parsed again by ruamel.yaml's own."""
    try:
        return _Composer(data, pure=False).document()
    except _FlowColon:
        return _Composer(data, pure=True).document()


class _Composer:
    """Events to nodes."""

    def __init__(self, data: bytes, pure: bool) -> None:
        self._events = _events(data, pure)
        self._anchors: dict[str, _Node] = {}

    def document(self) -> _Node | None:
        for event in self._events:
            name = type(event).__name__
            if name == "StreamEndEvent":
                return None
            if name == "DocumentStartEvent":
                node = self._node(next(self._events))
                next(self._events)  # the document's end: an error before it counts, one after it does not
                return node
        return None

    def _node(self, event: Any) -> _Node:
        name = type(event).__name__
        line = event.start_mark.line
        if name == "AliasEvent":
            target = self._anchors.get(event.anchor)
            if target is None:
                _fail(f"unknown anchor '{event.anchor}' referenced")
            return _Node("alias", line, value=event.anchor, target=target)
        tag = str(event.tag or "")
        if name == "ScalarEvent":
            implicit = bool(event.implicit[0]) and tag != "!"
            node = _Node("scalar", line, "" if tag == "!" else tag, event.value, implicit)
        else:
            node = _Node("mapping" if name == "MappingStartEvent" else "sequence", line, tag)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        if node.kind != "scalar":
            self._children(node.children)
        return node

    def _children(self, children: list[_Node]) -> None:
        for event in self._events:
            if type(event).__name__ in ("MappingEndEvent", "SequenceEndEvent"):
                return
            children.append(self._node(event))


def _events(data: bytes, pure: bool) -> Iterator[Any]:
    """The parser's events; its errors in go-yaml's words (decode.go, parser.fail)."""
    parser = None if pure else _c_parser(data)
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError
    from ruamel.yaml.scanner import ScannerError

    try:
        if parser is None:
            from ruamel.yaml import YAML

            yield from YAML(typ="safe", pure=True).parse(data)
        else:
            while parser.check_event():
                yield parser.get_event()
    except ReaderError as error:
        _fail(str(error.reason))
    except MarkedYAMLError as error:
        problem = str(error.problem)
        if problem == "found unexpected ':'" and not pure:
            raise _FlowColon from None
        _fail(_where(error, isinstance(error, ScannerError)) + _PURE_PARSER_WORDS.get(problem, problem))
    except (YAMLError, UnicodeDecodeError) as error:
        _fail(str(error).partition("\n")[0])


def _c_parser(data: bytes) -> Any:
    """ruamel.yaml's C parser, alone: the rest of ruamel.yaml takes longer to load than a manifest to read. None where
    it is not installed."""
    try:
        from _ruamel_yaml import CParser
    except ImportError:
        return None
    return CParser(data)


def _where(error: Any, scanner: bool) -> str:
    """go-yaml counts lines from 0 here, except in the scanner, and never names the first one."""
    problem, context = error.problem_mark, error.context_mark
    if problem is not None and problem.line:
        return f"line {problem.line + scanner}: "
    if context is not None and context.line:
        return f"line {context.line}: "
    return ""


class _Decoder:
    """Nodes to JSON values."""

    def __init__(self, strict: bool) -> None:
        self.errors: list[str] = []
        self._strict = strict
        self._open_aliases: set[int] = set()
        self._count = self._alias_count = 0

    def decode(self, node: _Node) -> Any:
        self._count += 1
        if self._open_aliases:
            self._alias_count += 1
            self._check_aliasing()
        if node.kind == "scalar":
            return _json_number(scalar_value(node.value, node.tag, node.implicit))
        if node.kind == "mapping":
            result: dict[str, Any] = {}
            self._fill(node, result)
            return result
        if node.kind == "sequence":
            return [self.decode(child) for child in node.children]
        return self._alias(node, None)

    def _alias(self, node: _Node, into: dict[str, Any] | None) -> Any:
        if id(node) in self._open_aliases:
            _fail(f"anchor '{node.value}' value contains itself")
        assert node.target is not None
        self._open_aliases.add(id(node))
        try:
            return self.decode(node.target) if into is None else self._fill(node.target, into)
        finally:
            self._open_aliases.discard(id(node))

    def _check_aliasing(self) -> None:
        """The guard against a small text that expands to a huge value."""
        if self._alias_count <= 100 or self._count <= 1000:
            return
        low, high = 400_000, 4_000_000
        share = min(max((self._count - low) / (high - low), 0.0), 1.0)
        if self._alias_count / self._count > 0.99 - 0.89 * share:
            _fail("document contains excessive aliasing")

    def _fill(self, node: _Node, result: dict[str, Any]) -> None:
        under_null: list[Any] = []
        pairs = iter(node.children)
        for key_node, value_node in zip(pairs, pairs, strict=True):
            if _is_merge(key_node):
                self._merge(value_node, result)
                continue
            key = self._key(key_node)
            value = self.decode(value_node)
            if key is None:
                under_null.append(value)
                continue
            if self._strict and key in result:
                quoted = json.dumps(key, ensure_ascii=False)
                self.errors.append(f"line {value_node.line + 1}: key {quoted} already set in map")
                continue
            result[key] = value
        if under_null:
            shown = "<nil>" if under_null[-1] is None else _go_syntax(under_null[-1])
            raise InvalidYAML(f"unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}")

    def _merge(self, node: _Node, result: dict[str, Any]) -> None:
        if node.kind == "sequence":
            for child in reversed(node.children):  # earlier mappings take precedence
                self._merge_one(child, result)
        else:
            self._merge_one(node, result)

    def _merge_one(self, node: _Node, result: dict[str, Any]) -> None:
        target = node.target if node.kind == "alias" else node
        if target is None or target.kind != "mapping":
            _fail("map merge requires map or sequence of maps as the value")
        if node.kind == "alias":
            self._alias(node, result)
        else:
            self._fill(node, result)

    def _key(self, node: _Node) -> str | None:
        target = node.target if node.kind == "alias" and node.target else node
        if target.kind != "scalar":
            _fail(f"invalid map key: {_go_syntax(self.decode(target))}")
        value = scalar_value(target.value, target.tag, target.implicit)
        if value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return _float_key(value)
        return str(value)


def _is_merge(node: _Node) -> bool:
    return node.kind == "scalar" and node.value == "<<" and (node.implicit or node.tag == _TAG + "merge")


def _float_key(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    single = struct.unpack("f", struct.pack("f", value))[0]
    texts = (f"{single:.{digits}g}" for digits in range(1, 10))
    return general_float(float(next(text for text in texts if _is_single(text, single))))


def _is_single(text: str, value: float) -> bool:
    """Does the text say this number of single precision?"""
    return bool(struct.unpack("f", struct.pack("f", float(text)))[0] == value)


def _go_syntax(value: Any) -> str:
    """fmt's %#v of a decoded value: a key that is a list or a map, the value of a key that is null."""
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_go_syntax, value)) + "}"
    if isinstance(value, dict):
        pairs = (f"{_go_syntax(key)}:{_go_syntax(item)}" for key, item in sorted(value.items()))
        return "map[interface {}]interface {}{" + ", ".join(pairs) + "}"
    return "interface {}(nil)" if value is None else json.dumps(value, ensure_ascii=False)


def scalar_value(text: str, tag: str = "", implicit: bool = True) -> Any:
    """What a scalar means: None, bool, int, float or str. `implicit` is False for quoted text."""
    if not tag:
        return resolve(text) if implicit else text
    if tag == _TAG + "binary":
        return _binary(text)
    if tag not in _RESOLVABLE or tag == _TAG + "str":
        return text
    value = resolve(text)
    wanted = tag.removeprefix(_TAG)
    found = _kind(value, text)
    if wanted == "float" and found == "int":
        return float(value)
    if wanted != found:
        _fail(f"cannot decode !!{found} `{text}` as a !!{wanted}")
    return value


def _binary(text: str) -> str:
    try:
        return base64.b64decode(text.translate({10: None, 13: None}), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        _fail("!!binary value contains invalid base64 data")


def _kind(value: Any, text: str) -> str:
    if isinstance(value, str):
        return "timestamp" if re.fullmatch(_DATE, text) else "str"
    return {type(None): "null", bool: "bool", int: "int", float: "float"}[type(value)]


def resolve(text: str) -> Any:
    """The value of a plain scalar (resolve.go). Timestamps stay text, as Kubernetes sees them."""
    first = text[:1]
    if first and first not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if first not in "+-.0123456789" or re.fullmatch(_DATE, text):
        return text
    if first == ".":
        return _finite(text)
    plain = text.replace("_", "")
    if re.fullmatch(_INT, plain):
        number = _integer(plain)
        if -(1 << 63) <= number < 1 << 63 or (plain[0] not in "+-" and number < 1 << 64):
            return number
    value = _finite(plain)
    return text if isinstance(value, str) else value


def _integer(plain: str) -> int:
    digits = plain.lstrip("+-")
    number = int(digits, 8) if re.fullmatch(r"0[0-7]+", digits) else int(digits, 0)
    return -number if plain[0] == "-" else number


def _finite(text: str) -> Any:
    """A float, or the text where it is none or too large (strconv.ParseFloat's range error)."""
    if not re.fullmatch(_FLOAT, text):
        return text
    number = float(text)
    return text if math.isinf(number) else number


def _json_number(value: Any) -> Any:
    """JSON knows no infinities, and writes a whole float without a point, so that it comes back as an integer."""
    if type(value) is not float:
        return value
    if math.isnan(value) or math.isinf(value):
        raise InvalidYAML(f"json: unsupported value: {general_float(value)}")
    return int(value) if value.is_integer() and abs(value) < 1e18 else value

"""Constants of Go templates: numbers and quoted texts (text/template/parse/node.go newNumber, strconv)."""

from __future__ import annotations

import re

from kubetrace.printing.go_template.nodes import NumberNode
from kubetrace.wire.go_quote import quote
from kubetrace.wire.go_unquote import UnquoteError, joined, unquote_char

_INT_PREFIXES = {"x": 16, "o": 8, "b": 2}
_DIGITS = {16: "0-9a-f", 10: "0-9", 8: "0-7", 2: "01"}
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")


class ConstantError(ValueError):
    """Not a constant; the message is Go's."""


def number(position: int, text: str, kind: str) -> NumberNode:
    """The node of a number, a complex number or a character. Raises ConstantError."""
    if kind == "char constant":
        return _character(position, text)
    if kind == "complex":
        return _complex(NumberNode(position, text), _parse_complex(text))
    if text.endswith("i"):
        imaginary = parse_float(text[:-1])
        if imaginary is not None:
            return _complex(NumberNode(position, text), complex(0, imaginary))
    return _real(NumberNode(position, text))


def _character(position: int, text: str) -> NumberNode:
    try:
        char, tail = unquote_char(text[1:], "'")
    except UnquoteError as error:
        raise ConstantError(str(error)) from None
    if tail != "'":
        raise ConstantError(f"malformed character constant: {text}")
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        code = code - 0xDC00 if text[1] == "\\" else 0xFFFD
    return NumberNode(position, text, code, code, float(code))


def _real(node: NumberNode) -> NumberNode:
    text = node.text
    integer = parse_int(text)
    if integer is not None and -(1 << 63) <= integer < 1 << 63:
        node.integer = integer
    if integer is not None and (integer == 0 or text[0] not in "+-") and 0 <= integer < 1 << 64:
        node.unsigned = integer
    whole = node.integer if node.integer is not None else node.unsigned
    if whole is not None:
        node.float = float(whole)
        return node
    value = parse_float(text)
    if value is None:
        raise ConstantError(f"illegal number syntax: {quote(text)}")
    if not re.search("[.eEpP]", text):
        raise ConstantError(f"integer overflow: {quote(text)}")
    node.float = value
    _whole_parts(node, value)
    return node


def _complex(node: NumberNode, value: complex) -> NumberNode:
    node.complex = value
    if value.imag == 0:
        node.float = value.real
        _whole_parts(node, value.real)
    return node


def _whole_parts(node: NumberNode, value: float) -> None:
    if value.is_integer():
        if -(1 << 63) <= value < 1 << 63:
            node.integer = int(value)
        if 0 <= value < 1 << 64:
            node.unsigned = int(value)


def _parse_complex(text: str) -> complex:
    """What fmt.Sscan reads of "1+2i"."""
    match = re.fullmatch(r"([+-]?[^+-]+(?:[eEpP][+-]?[^+-]+)?)([+-].*)i", text)
    parts = (parse_float(match[1]), parse_float(match[2])) if match else (None, None)
    if parts[0] is None or parts[1] is None:
        raise ConstantError("syntax error scanning complex number")
    return complex(parts[0], parts[1])


def parse_int(text: str) -> int | None:
    """strconv.ParseInt(text, 0, …) without its limits: prefixes, and underscores between digits."""
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    body = body.lower()
    base, digits = 10, body
    if body[:1] == "0" and len(body) > 1:
        base = _INT_PREFIXES.get(body[1], 8)
        digits = body[2:] if body[1] in _INT_PREFIXES else body[1:]
        digits = digits.removeprefix("_")
    if not re.fullmatch(f"[{_DIGITS[base]}]+(?:_[{_DIGITS[base]}]+)*", digits):
        return None
    value = int(digits.replace("_", ""), base)
    return -value if sign == "-" else value


def parse_float(text: str) -> float | None:
    """strconv.ParseFloat; None for what is no number or too large for one."""
    if "_" in text:
        if not re.fullmatch(r"[+-]?0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*(?:\..*)?[pP].*", text):
            return None
        text = text.replace("_", "")
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return None
    if not _FLOAT.fullmatch(text):
        return None
    value = float(text)
    return None if value in (float("inf"), float("-inf")) else value


def unquote(text: str) -> str:
    """strconv.Unquote of a double-quoted or raw text, the quotes included. Raises ConstantError."""
    quote_mark, inner = text[0], text[1:-1]
    if quote_mark == "`":
        return inner.replace("\r", "")
    parts = []
    try:
        while inner:
            if inner[0] == "\n":
                raise UnquoteError
            char, inner = unquote_char(inner, quote_mark)
            parts.append(char)
    except UnquoteError as error:
        raise ConstantError(str(error)) from None
    return joined(parts)

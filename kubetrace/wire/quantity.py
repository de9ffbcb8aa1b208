"""Resource quantities ("500m", "1.5Gi") as apimachinery's api/resource reads and writes them.

A quantity keeps the text it was read from where that text is canonical enough (ParseQuantity); any other is written
with the largest suffix that loses nothing.
"""

from __future__ import annotations

import re
from fractions import Fraction

from kubetrace.value import Value

_DECIMAL, _BINARY, _EXPONENT = "DecimalSI", "BinarySI", "DecimalExponent"
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_POWERS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {power: suffix for suffix, power in _DECIMAL_POWERS.items()}
_BINARY_SUFFIXES = {0: "", **{power: suffix for suffix, power in _BINARY_POWERS.items()}}
_SHAPE = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
_MAX_INT64 = (1 << 63) - 1
_MAX_FACTORS = 18
"""How many decimal digits surely fit an int64 (maxInt64Factors)."""

WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


class InvalidQuantity(ValueError):
    """The text is no quantity; the message is apimachinery's."""


class Quantity(Value):
    """An amount and how it is written; `text` is what `str` gives."""

    value: Fraction
    format: str
    text: str

    def __str__(self) -> str:
        return self.text


def parse(text: str) -> Quantity:
    """Reads a quantity. Raises InvalidQuantity."""
    if not text:
        raise InvalidQuantity(WRONG_FORMAT)
    if text == "0":
        return Quantity(Fraction(0), _DECIMAL, text)
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise InvalidQuantity(WRONG_FORMAT)
    sign, number, fraction, suffix = match.group(1), match.group(2) or "0", match.group(3) or "", match.group(4)
    base, power, form = _interpreted(suffix)
    digits = number + fraction
    value = int(digits) * Fraction(1, 10 ** len(fraction)) * _scale(base, power)
    if sign == "-":
        value = -value
    if _fits(digits, fraction, base, power):
        if _is_kept(digits, fraction, base, power):
            return Quantity(value, form, text)
    elif not re.search("[0-9]", text[: match.start(4)], re.ASCII):
        raise InvalidQuantity("unable to parse numeric part of quantity")
    value, form = _bounded(value, form)
    return Quantity(value, form, _written(value, form))


def canonical(text: str) -> str:
    """The quantity as JSON has it once Go has read and written it. Raises InvalidQuantity."""
    return parse(text.strip()).text


def amount(value: Fraction, form: str) -> Quantity:
    """A quantity that was reckoned, written in a format."""
    value, form = _bounded(value, form)
    return Quantity(value, form, _written(value, form))


def added(left: Quantity, right: Quantity) -> Quantity:
    """The sum, in the first one's format; nothing takes over the format of what is added to it (Quantity.Add)."""
    return amount(left.value + right.value, left.format if left.value else right.format)


def _interpreted(suffix: str) -> tuple[int, int, str]:
    """A suffix's base, power and format (suffixHandler.interpret)."""
    if suffix in _DECIMAL_POWERS:
        return 10, _DECIMAL_POWERS[suffix], _DECIMAL
    if suffix in _BINARY_POWERS:
        return 2, _BINARY_POWERS[suffix], _BINARY
    if re.fullmatch(r"[eE][+-]?[0-9]+", suffix, re.ASCII):
        return 10, int(suffix[1:]), _EXPONENT
    raise InvalidQuantity("unable to parse quantity's suffix")


def _scale(base: int, power: int) -> Fraction:
    return Fraction(base) ** power


def _fits(digits: str, fraction: str, base: int, power: int) -> bool:
    """Is the amount an int64 for sure?"""
    if base == 10:
        return len(digits) <= _MAX_FACTORS and power - len(fraction) >= -9
    return not fraction and 15 - len(digits) - int(power * 3 / 10) - 1 >= 0 and int(digits) << power <= _MAX_INT64


def _is_kept(digits: str, fraction: str, base: int, power: int) -> bool:
    """Does an amount that fits keep its text? Not where factors could still be moved into the suffix."""
    if base == 2:
        return power % 10 == 0 and int(digits) & 7 != 0
    return (power - len(fraction)) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _bounded(value: Fraction, form: str) -> tuple[Fraction, str]:
    """Amounts too small to be told are rounded away from zero, binary ones are capped (ParseQuantity)."""
    nano = value * 10**9
    if nano.denominator != 1:
        whole = -(-abs(nano.numerator) // nano.denominator)
        value = Fraction(whole if value > 0 else -whole, 10**9)
    if form == _BINARY:
        value = max(min(value, Fraction(_MAX_INT64)), Fraction(-_MAX_INT64))
        if 0 < abs(value) < 1:
            form = _DECIMAL
    return value, form


def _written(value: Fraction, form: str) -> str:
    """CanonicalizeBytes."""
    if value == 0:
        return "0"
    if form == _BINARY and value.denominator == 1 and abs(value) >= 1024:
        amount, power = int(value), 0
        while amount % 1024 == 0:
            amount, power = amount // 1024, power + 10
        return f"{amount}{_BINARY_SUFFIXES.get(power, '')}"
    amount, power = int(value * 10**9), -9
    while amount % 10 == 0:
        amount, power = amount // 10, power + 1
    while power % 3:
        amount, power = amount * 10, power - 1
    if form == _EXPONENT:
        return f"{amount}e{power}" if power else str(amount)
    return f"{amount}{_DECIMAL_SUFFIXES.get(power, '')}"

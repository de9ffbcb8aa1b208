"""Floating-point numbers in every form that Go's strconv.FormatFloat has (%e, %f, %g, %b, %x)."""

from __future__ import annotations

import math
import re

from kubetrace.wire.go_numbers import general_float


def format_float(value: float, verb: str, precision: int) -> str:
    """FormatFloat(value, verb, precision, 64); a precision of -1 means as many digits as it takes to read it back."""
    if math.isnan(value) or math.isinf(value):
        return general_float(value)
    if verb in "xX":
        text = _hexadecimal(value, precision)
        return text.upper() if verb == "X" else text
    if verb == "b":
        return _binary(value)
    if precision < 0 and verb in "gG":
        text = general_float(value)
    elif precision < 0:
        text = _shortest(value, verb.lower())
    else:
        text = f"{value:.{max(precision, 1) if verb in 'gG' else precision}{verb.lower()}}"
    return text.upper() if verb in "EG" else text


def _shortest(value: float, verb: str) -> str:
    digits = re.sub(r"\D", "", repr(value).partition("e")[0]).strip("0")
    places = max(len(digits) - 1, 0)
    if verb == "e":
        return f"{value:.{places}e}"
    exponent = int(f"{value:e}".partition("e")[2])
    return f"{value:.{max(places - exponent, 0)}f}"


def _sign(value: float) -> str:
    return "-" if math.copysign(1, value) < 0 else ""


def _binary(value: float) -> str:
    """%b: the 53 bits as an integer, and a power of two."""
    fraction, exponent = math.frexp(abs(value))
    exponent = max(exponent - 53, -1074)
    mantissa = 0 if fraction == 0 else int(math.ldexp(abs(value), -exponent)) if exponent > -1000 else _tiny(value)
    return f"{_sign(value)}{mantissa}p{(exponent if fraction else -1074):+d}"


def _tiny(value: float) -> int:
    return int(math.ldexp(math.ldexp(abs(value), 500), 574))


def _hexadecimal(value: float, precision: int) -> str:
    """%x: 0x1.fp+04."""
    fraction, exponent = math.frexp(abs(value))
    mantissa, exponent = int(math.ldexp(fraction, 53)), exponent - 1  # one bit before the point, 52 behind it
    if mantissa == 0:
        exponent = 0
    if 0 <= precision < 13:
        shift = 4 * (13 - precision)
        mantissa, rest = mantissa >> shift, mantissa & ((1 << shift) - 1)
        half = 1 << (shift - 1)
        if rest > half or (rest == half and mantissa & 1):
            mantissa += 1
        mantissa <<= shift
        if mantissa >> 53:
            mantissa, exponent = mantissa >> 1, exponent + 1
    digits = f"{mantissa & ((1 << 52) - 1):013x}"
    digits = digits.rstrip("0") if precision < 0 else digits.ljust(precision, "0")[:precision]
    return f"{_sign(value)}0x{mantissa >> 52}{'.' if digits else ''}{digits}p{exponent:+03d}"

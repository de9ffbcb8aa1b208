"""Floating-point numbers as Go's strconv.FormatFloat writes them in the shortest form that reads back exactly."""

from __future__ import annotations


def _digits(value: float) -> tuple[str, str, int]:
    """Sign, shortest significant digits, and where the point stands: value = sign 0.DIGITS × 10^point."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign, digits.rstrip("0") or "0", point if digits.strip("0") else 1


def _plain(sign: str, digits: str, point: int) -> str:
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def _scientific(sign: str, digits: str, point: int, exponent_width: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    exponent = point - 1
    return f"{sign}{digits[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):0{exponent_width}d}"


def json_float(value: float) -> str:
    """encoding/json's form: an exponent below 1e-6 and from 1e21 on, without a leading zero in negative ones."""
    sign, digits, point = _digits(value)
    if value != 0 and (abs(value) < 1e-6 or abs(value) >= 1e21):
        return _scientific(sign, digits, point, 1 if point - 1 < 0 else 2)
    return _plain(sign, digits, point)


def general_float(value: float) -> str:
    """FormatFloat(value, 'g', -1, 64), which is fmt's %v as well: an exponent below 1e-4 and from 1e6 on."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, point = _digits(value)
    if value != 0 and (point - 1 < -4 or point - 1 >= 6):
        return _scientific(sign, digits, point, 2)
    return _plain(sign, digits, point)

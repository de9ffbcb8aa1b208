"""Causes of a 422 and the small checks that many kinds share (apimachinery util/validation, field.Error)."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from kubetrace.wire.go_quote import quote

Cause = tuple[str, str, str]
"""(field, reason, message), as metav1.StatusCause has them."""
Object = dict[str, Any]

MAX_INT32 = 2**31 - 1
PROTOCOLS = ["SCTP", "TCP", "UDP"]
CONDITION_STATUSES = ["False", "True", "Unknown"]
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED_WORDS = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def required(field: str, why: str = "") -> Cause:
    return (field, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def shown(value: Any) -> str:
    """A value as field.Error writes it."""
    if isinstance(value, str):
        return quote(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def bad(field: str, value: Any, why: str) -> Cause:
    return (field, "FieldValueInvalid", f"Invalid value: {shown(value)}: {why}")


def unsupported(field: str, value: Any, allowed: Iterable[str]) -> Cause:
    listed = ", ".join(f'"{entry}"' for entry in allowed)
    return (field, "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {listed}")


def forbidden(field: str, why: str) -> Cause:
    return (field, "FieldValueForbidden", f"Forbidden: {why}")


def duplicate(field: str, value: Any) -> Cause:
    return (field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def missing(field: str, value: Any) -> Cause:
    return (field, "FieldValueNotFound", f"Not found: {shown(value)}")


def too_long(field: str, most: int) -> Cause:
    """`most`: how many bytes it may have."""
    return (field, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")


def too_many(field: str, found: int, most: int) -> Cause:
    return (field, "FieldValueTooMany", f"Too many: {found}: must have at most {most} items")


def label_name(field: str, value: str) -> list[Cause]:
    """An RFC 1123 label."""
    causes = [] if len(value) <= 63 else [bad(field, value, "must be no more than 63 characters")]
    if _LABEL.fullmatch(value):
        return causes
    return [*causes, bad(field, value, "must not contain dots" if _SUBDOMAIN.fullmatch(value) else _LABEL_WORDS)]


def label_1035(field: str, value: str) -> list[Cause]:
    """An RFC 1035 label, which begins with a letter."""
    return [] if LABEL_1035.fullmatch(value) else [bad(field, value, LABEL_1035_WORDS)]


def subdomain(field: str, value: str) -> list[Cause]:
    return [bad(field, value, why) for why in subdomain_problems(value)]


def subdomain_problems(value: str) -> list[str]:
    """Why a text is no RFC 1123 subdomain."""
    found = [] if len(value) <= 253 else ["must be no more than 253 characters"]
    return found if _SUBDOMAIN.fullmatch(value) else [*found, _SUBDOMAIN_WORDS]


def long_name(field: str, value: str) -> list[Cause]:
    """A subdomain in the words of declarative validation (apimachinery api/validate/content)."""
    causes = [] if len(value.encode()) <= 253 else [bad(field, value, "must be no more than 253 bytes")]
    return causes if _SUBDOMAIN.fullmatch(value) else [*causes, bad(field, value, _SUBDOMAIN_WORDS)]


_UNDERSCORED_LABEL = r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORED = rf"{_UNDERSCORED_LABEL}(\.{_UNDERSCORED_LABEL})*"


def underscored_subdomain(field: str, value: str) -> list[Cause]:
    """A subdomain as DNS allows it, with underscores."""
    causes = [] if len(value) <= 253 else [bad(field, value, "must be no more than 253 characters")]
    words = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must "
        "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        f"'{_UNDERSCORED}')"
    )
    return causes if re.fullmatch(_UNDERSCORED, value) else [*causes, bad(field, value, words)]


def is_address(text: Any) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def loose_address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address as Go's sloppy parser reads it, which lets leading zeros pass."""
    if isinstance(text, str) and re.fullmatch(r"\d+(\.\d+){3}", text):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def address(field: str, value: Any) -> list[Cause]:
    """An IP address (parseIP in apimachinery util/validation/ip.go)."""
    found = loose_address(value)
    if found is None:
        return [bad(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    if not is_address(value):
        return [bad(field, value, "must not have leading 0s")]
    mapped = getattr(found, "ipv4_mapped", None) is not None
    return [bad(field, value, "must not be an IPv4-mapped IPv6 address")] if mapped else []


def legacy_address(field: str, value: str, known: Iterable[str]) -> list[Cause]:
    """An address that may be odd where it was there before (IsValidIPForLegacyField)."""
    return [] if value in known else address(field, value)


def cidr(field: str, text: str) -> list[Cause]:
    """A network (parseCIDR)."""
    start, _, bits = text.partition("/")
    found = loose_address(start)
    if found is None or not re.fullmatch(r"\d+", bits, re.ASCII) or int(bits) > found.max_prefixlen:
        return [bad(field, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    if not is_address(start) or str(int(bits)) != bits:
        return [bad(field, text, "must not have leading 0s in IP or prefix length")]
    if getattr(found, "ipv4_mapped", None) is not None:
        return [bad(field, text, "must not have an IPv4-mapped IPv6 address")]
    whole = ipaddress.ip_network(text, strict=False)
    return (
        [] if whole.network_address == found else [bad(field, text, "must not have bits set beyond the prefix length")]
    )


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def path_segment(field: str, value: str) -> list[Cause]:
    return [bad(field, value, why) for why in segment_problems(value)]


def segment_problems(value: str) -> list[str]:
    """Why a text can be no part of a URL's path (apimachinery api/validation/path)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def label_key(field: str, name: str, shown_as: Any = None) -> list[Cause]:
    """The key of a label or an annotation."""
    return qualified_name(field, name, shown_as, "a valid label key")


def qualified_name(field: str, name: str, shown_as: Any = None, what: str = "a qualified name") -> list[Cause]:
    """prefix/name, as resources and finalizers are named; `what` it is called where it has too many parts."""
    value = name if shown_as is None else shown_as
    parts, causes = name.split("/"), []
    if len(parts) > 2:
        why = f"{what} {_QUALIFIED_WORDS} with an optional DNS subdomain prefix and '/' (e.g. "
        return [bad(field, value, f"{why}'example.com/MyName')")]
    if len(parts) == 2:
        if not parts[0]:
            causes.append(bad(field, value, "prefix part must be non-empty"))
        elif len(parts[0]) > 253:
            causes.append(bad(field, value, "prefix part must be no more than 253 bytes"))
        elif not _SUBDOMAIN.fullmatch(parts[0]):
            causes.append(bad(field, value, f"prefix part {_SUBDOMAIN_WORDS}"))
    last = parts[-1]
    if not last:
        causes.append(bad(field, value, "name part must be non-empty"))
    elif len(last) > 63:
        causes.append(bad(field, value, "name part must be no more than 63 bytes"))
    if not _QUALIFIED.fullmatch(last):
        causes.append(bad(field, value, f"name part {_QUALIFIED_WORDS}"))
    return causes


def label_value(field: str, value: str) -> list[Cause]:
    causes = [] if len(value) <= 63 else [bad(field, value, "must be no more than 63 bytes")]
    return causes if _VALUE.fullmatch(value) else [*causes, bad(field, value, _VALUE_WORDS)]


def labels(field: str, values: Object | None) -> list[Cause]:
    causes = []
    for key, value in sorted((values or {}).items()):
        causes += label_key(field, key) + label_value(field, str(value))
    return causes


def annotation_keys(field: str, keys: Iterable[str]) -> list[Cause]:
    """The keys of annotations, which are compared without regard to case."""
    return [cause for key in keys for cause in label_key(field, key.lower(), key)]


def selector_operator(where: str, operator: str, values: Any) -> list[Cause]:
    """A requirement's operator, and whether there are values where it wants some."""
    if operator in ("In", "NotIn"):
        why = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [required(f"{where}.values", why)]
    if operator in ("Exists", "DoesNotExist"):
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [forbidden(f"{where}.values", why)] if values else []
    return [bad(f"{where}.operator", operator, "not a valid selector operator")]


def label_selector(field: str, selector: Object | None) -> list[Cause]:
    """metav1.LabelSelector (apimachinery apis/meta/v1/validation)."""
    if not selector:
        return []
    causes = labels(f"{field}.matchLabels", selector.get("matchLabels"))
    for index, entry in enumerate(selector.get("matchExpressions") or ()):
        where = f"{field}.matchExpressions[{index}]"
        values = entry.get("values")
        causes += selector_operator(where, entry.get("operator", ""), values)
        causes += label_key(f"{where}.key", entry.get("key", ""))
        for number, value in enumerate(values or ()):
            causes += label_value(f"{where}.values[{number}]", value)
    return causes


def not_negative(field: str, value: Any) -> list[Cause]:
    """None is fine."""
    if value is not None and value < 0:
        return [bad(field, value, "must be greater than or equal to 0")]
    return []


def one_of(field: str, value: Any, allowed: list[str], is_required: bool = True) -> list[Cause]:
    if value in (None, ""):
        return [required(field)] if is_required else []
    return [] if value in allowed else [unsupported(field, value, allowed)]


def supported(field: str, value: Any, allowed: list[str]) -> list[Cause]:
    """None is fine, an empty text is not."""
    return [] if value is None or value in allowed else [unsupported(field, value, allowed)]


def decoded_size(text: str) -> int:
    """How many bytes a text in base64 stands for."""
    return len(text) // 4 * 3 - text.count("=", -2)


def unchanged(field: str, old: Any, new: Any) -> list[Cause]:
    """What stays as it was made (apimachinery api/validation ValidateImmutableField)."""
    return [] if old == new else [bad(field, new, "field is immutable")]


def same_text(field: str, old: str | None, new: str | None) -> list[Cause]:
    """`unchanged` of a text that is "" where there is none."""
    return unchanged(field, old or "", new or "")


_PORT_WORDS = "must be between 1 and 65535, inclusive"


def port_number(field: str, value: Any) -> list[Cause]:
    return [] if 0 < value < 65536 else [bad(field, value, _PORT_WORDS)]


def called_port(field: str, value: Any) -> list[Cause]:
    """The port of a Service that the server itself calls."""
    return [] if 0 < value < 65536 else [bad(field, value, f"port is not valid: {_PORT_WORDS}")]


def port_name(field: str, value: str) -> list[Cause]:
    causes = []
    if len(value) > 15:
        causes.append(bad(field, value, "must be no more than 15 characters"))
    if not re.fullmatch(r"[-a-z0-9]+", value):
        causes.append(bad(field, value, "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"))
    if not re.search(r"[a-z]", value):
        causes.append(bad(field, value, "must contain at least one letter (a-z)"))
    if "--" in value:
        causes.append(bad(field, value, "must not contain consecutive hyphens"))
    if value.startswith("-") or value.endswith("-"):
        causes.append(bad(field, value, "must not begin or end with a hyphen"))
    return causes


def port(field: str, value: Any) -> list[Cause]:
    """A number or a name."""
    return port_name(field, value) if isinstance(value, str) else port_number(field, value or 0)


def count_or_percent(field: str, value: Any) -> list[Cause]:
    if isinstance(value, str):
        if re.fullmatch(r"[0-9]+%", value):
            return []
        return [bad(field, value, "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
                                  "'1%',  or '93%', regex used for validation is '[0-9]+%')")]  # fmt: skip
    return not_negative(field, value)


def not_over_100(field: str, value: Any) -> list[Cause]:
    """A percentage of something that there is."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+%", value) and int(value[:-1]) > 100:
        return [bad(field, value, "must not be greater than 100%")]
    return []


_SUFFIXES = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1)}
_SUFFIXES |= {name: Fraction(1000**power) for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)}
_SUFFIXES |= {f"{name}i": Fraction(1024**power) for power, name in enumerate(("K", "M", "G", "T", "P", "E"), 1)}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,3})|([numkKMGTPE]i?|))")


def amount(quantity: Any) -> Fraction | None:
    """A resource.Quantity as a number; None where it is none."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        return None
    value = Fraction(match[1].rstrip(".") if not match[1].startswith(".") else f"0{match[1]}")
    if match[2]:
        return value * Fraction(10) ** int(match[2])
    factor = _SUFFIXES.get(match[3])
    return None if factor is None else value * factor

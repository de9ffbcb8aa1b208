"""Numbers and times of a query as Go reads them, and in which words it refuses them."""

from __future__ import annotations

from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError
from kubetrace.wire.go_strconv import BadValue, parse_bool, parse_duration, parse_int

_LARGEST = 2**64 - 1


def number(request: Request, name: str) -> int:
    """An int64; 0 where the query does not have it. Raises 400."""
    if name not in request.query:
        return 0
    try:
        return parse_int(request.parameter(name), base=10)
    except BadValue as error:
        raise ApiError(400, str(error)) from None


def resource_version(request: Request, alone: bool = False) -> int:
    """0 where none is given. Raises 400, for a watch or a single object (`alone`) 500."""
    text = request.parameter("resourceVersion")
    why = ""
    if text and not (text.isascii() and text.isdecimal()):
        why = "invalid syntax"
    elif text and int(text) > _LARGEST:
        why = "value out of range"
    if why:
        told = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {why}'
        raise ApiError(500, told, "") if alone else ApiError(400, f"invalid resource version: {told}")
    return int(text or 0)


def boolean(name: str, text: str) -> bool:
    """Raises 400 where strconv.ParseBool does."""
    try:
        return parse_bool(text)
    except BadValue as error:
        raise ApiError(400, f"the {name} parameter cannot be parsed: {error}") from None


def check_timeout(request: Request) -> None:
    """Raises 400 for a time that is none (apiserver endpoints/filters/request_deadline.go); what is one is the
    client's own business, as our answers don't take long."""
    text = request.parameter("timeout")
    if not text:
        return
    try:
        parse_duration(text)
    except BadValue as error:
        raise ApiError(400, f"invalid timeout specified in the request URL - {error}") from None

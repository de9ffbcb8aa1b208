"""What every generated object begins with, and the small grammars that several flags share."""

from __future__ import annotations

from typing import Any

from kubetrace.errors import KubetraceError
from kubetrace.wire.go_strconv import BadValue, parse_int

Object = dict[str, Any]

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def new_object(api_version: str, kind: str, name: str, namespace: str = "") -> Object:
    """An object with nothing but its name; `namespace` empty for none."""
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def random_suffix() -> str:
    """Five letters that make no words (utilrand.String)."""
    import random

    return "".join(random.choice(_SUFFIX_LETTERS) for _ in range(5))


def int_or_string(text: str) -> int | str:
    """ "80" → 80, "http" → "http" (intstr.Parse)."""
    try:
        return parse_int(text, bits=32, base=10)
    except BadValue:
        return text


def parse_labels(text: str) -> dict[str, str]:
    """ "a=b,c=d". Raises KubetraceError (generate.ParseLabels)."""
    if not text:
        raise KubetraceError("no label spec passed")
    labels = {}
    for part in text.split(","):
        pieces = part.split("=")
        if len(pieces) != 2:
            raise KubetraceError(f"unexpected label spec: {part}")
        if not pieces[0]:
            raise KubetraceError("unexpected empty label key")
        labels[pieces[0]] = pieces[1]
    return labels


def resource_list(text: str) -> dict[str, str] | None:
    """ "cpu=1,memory=1G" as quantities; None for an empty text. Raises KubetraceError (populateResourceListV1)."""
    from kubetrace.wire.quantity import InvalidQuantity, parse

    if not text:
        return None
    found = {}
    for statement in text.split(","):
        parts = statement.split("=")
        if len(parts) != 2:
            raise KubetraceError(f"Invalid argument syntax {statement}, expected <resource>=<value>")
        try:
            found[parts[0]] = str(parse(parts[1]))
        except InvalidQuantity as error:
            raise KubetraceError(str(error)) from None
    return found

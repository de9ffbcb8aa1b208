"""The status of a CertificateSigningRequest, and its approval (pkg/apis/certificates/validation)."""

from __future__ import annotations

import base64
import re
from typing import Any

from kubetrace.playground.validation.causes import (
    CONDITION_STATUSES,
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    required,
    unsupported,
)

_AT = "status.conditions"
_DECIDED = ("Approved", "Denied")
_ONLY_TRUE = (*_DECIDED, "Failed")
_BOTH = "Approved and Denied conditions are mutually exclusive"
_PEM = re.compile(r"-----BEGIN ([^-\n]*)-----\r?\n(.*?)-----END \\1-----", re.DOTALL)


def check(old: Object, new: Object) -> list[Cause]:
    """A write of the status, which says neither yes nor no."""
    before, after = old.get("status") or {}, new.get("status") or {}
    causes = _conditions(after.get("conditions") or []) + _certificate(after.get("certificate"))
    causes += _removed(before, after)
    for kind in _DECIDED:
        if len(_of(after, kind)) > len(_of(before, kind)):
            causes.append(forbidden(_AT, f'updates may not add a condition of type "{kind}"'))
    there = before.get("certificate")
    if there and after.get("certificate") != there:
        causes.append(forbidden("status.certificate", "updates may not modify existing certificate content"))
    return causes


def approval(old: Object, new: Object) -> list[Cause]:
    after = new.get("status") or {}
    return _conditions(after.get("conditions") or []) + _removed(old.get("status") or {}, after)


def _of(status: Object, kind: str) -> list[Any]:
    return [entry for entry in status.get("conditions") or () if entry.get("type") == kind]


def _removed(before: Object, after: Object) -> list[Cause]:
    lost = [kind for kind in _ONLY_TRUE if len(_of(after, kind)) < len(_of(before, kind))]
    return [forbidden(_AT, f'updates may not remove a condition of type "{kind}"') for kind in lost]


def _conditions(found: list[Object]) -> list[Cause]:
    causes: list[Cause] = []
    seen: set[str] = set()
    for index, condition in enumerate(found):
        at, kind, value = f"{_AT}[{index}]", condition.get("type", ""), condition.get("status", "")
        allowed = ["True"] if kind in _ONLY_TRUE else CONDITION_STATUSES
        causes += [] if kind else [required(f"{at}.type")]
        if not value:
            causes.append(required(f"{at}.status"))
        elif value not in allowed:
            causes.append(unsupported(f"{at}.status", value, allowed))
        if kind in _DECIDED and (set(_DECIDED) - {kind}) & seen:
            causes.append(bad(_AT, kind, _BOTH))
        if kind in seen:
            causes.append(duplicate(f"{at}.type", kind))
        seen.add(kind)
    return causes


def _certificate(text: str | None) -> list[Cause]:
    why = _certificate_problem(text) if text else ""
    return [bad("status.certificate", "<certificate data>", why)] if why else []


def _certificate_problem(text: str) -> str:
    blocks = _PEM.findall(base64.b64decode(text).decode("latin-1"))
    wrong = next((kind for kind, _ in blocks if kind != "CERTIFICATE"), None)
    if wrong is not None:
        return f'only CERTIFICATE PEM blocks are allowed, found "{wrong}"'
    if any(":" in body for _, body in blocks):
        return "no PEM block headers are permitted"
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"

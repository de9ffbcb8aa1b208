"""Probes and lifecycle hooks (pkg/apis/core/validation validateHandler, validateProbe, validateLifecycle)."""

from __future__ import annotations

import re

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    forbidden,
    not_negative,
    port,
    required,
    unsupported,
)

_HEADER_WORDS = (
    "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for "
    "validation is '[-A-Za-z0-9]+')"
)
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def _handler(handler: Object, at: str, grace: int) -> list[Cause]:
    found = [kind for kind in _HANDLERS if handler.get(kind) is not None]
    if not found:
        return [required(at, "must specify a handler type")]
    causes, kind = [], found[0]
    action, where = handler[kind], f"{at}.{kind}"
    if kind == "exec" and not action.get("command"):
        causes.append(required(f"{where}.command"))
    if kind == "httpGet":
        if not action.get("path"):
            causes.append(required(f"{where}.path"))
        causes += port(f"{where}.port", action.get("port"))
        if action.get("scheme") not in ("HTTP", "HTTPS"):
            causes.append(unsupported(f"{where}.scheme", action.get("scheme", ""), ["HTTP", "HTTPS"]))
        for header in action.get("httpHeaders") or ():
            if not re.fullmatch(r"[-A-Za-z0-9]+", header.get("name", "")):
                causes.append(bad(f"{where}.httpHeaders", header.get("name", ""), _HEADER_WORDS))
    if kind in ("tcpSocket", "grpc"):
        causes += port(f"{where}.port", action.get("port"))
    seconds = action.get("seconds") or 0
    if kind == "sleep" and not 0 <= seconds <= grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        causes.append(bad(where, seconds, why))
    return causes + [forbidden(f"{at}.{other}", "may not specify more than 1 handler type") for other in found[1:]]


_PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def hooks_and_probes(container: Object, where: str, grace: int) -> list[Cause]:
    """`grace`: the pod's terminationGracePeriodSeconds."""
    causes: list[Cause] = []
    for hook in ("postStart", "preStop"):
        handler = (container.get("lifecycle") or {}).get(hook)
        if handler is not None:
            causes += _handler(handler, f"{where}.lifecycle.{hook}", grace)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, at = container.get(name), f"{where}.{name}"
        if probe is None:
            continue
        causes += _handler(probe, at, grace)
        for number in _PROBE_NUMBERS:
            causes += not_negative(f"{at}.{number}", probe.get(number))
        seconds, where_seconds = probe.get("terminationGracePeriodSeconds"), f"{at}.terminationGracePeriodSeconds"
        if seconds is not None and seconds <= 0:
            causes.append(bad(where_seconds, seconds, "must be greater than 0"))
        if name == "readinessProbe" and seconds is not None:
            causes.append(bad(where_seconds, seconds, "must not be set for readinessProbes"))
        if name != "readinessProbe" and probe.get("successThreshold") not in (None, 1):
            causes.append(bad(f"{at}.successThreshold", probe["successThreshold"], "must be 1"))
    return causes

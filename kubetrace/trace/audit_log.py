"""A kube-apiserver's audit log (audit.k8s.io/v1, JSON lines) as values; other versions of the API have the same fields.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubetrace.trace.loose_json import listed, mapping, moment, string
from kubetrace.value import Value, fresh

ENDS = frozenset({"ResponseComplete", "Panic"})
"""Stages after which nothing more comes of a request."""


class AuditEvent(Value):
    """One stage of one request, as the server saw it. Times are seconds since the epoch, 0 where unknown; `user` and
    `impersonated` are UserInfo objects; `asked` and `answered` are the request's and the response's objects, where the
    policy keeps them."""

    id: str
    stage: str
    verb: str
    uri: str
    user: Mapping[str, Any]
    impersonated: Mapping[str, Any]
    source_ips: tuple[str, ...] = ()
    user_agent: str = ""
    code: int = 0
    received: float = 0.0
    at: float = 0.0
    annotations: Mapping[str, str] = fresh(dict)
    status: Mapping[str, Any] = fresh(dict)
    asked: Any = None
    answered: Any = None

    @property
    def seconds(self) -> float | None:
        """From the request's arrival to this stage."""
        return max(0.0, self.at - self.received) if self.at and self.received else None


def events(lines: Iterable[bytes]) -> Iterator[AuditEvent]:
    """The events of a log; lines that hold none are skipped. An EventList (as webhooks get it) is its items."""
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(value, dict):
            continue
        items = value.get("items") if value.get("kind") == "EventList" else [value]
        for item in listed(items):
            if (event := _event(item)) is not None:
                yield event


def _event(value: Any) -> AuditEvent | None:
    if not isinstance(value, dict) or not isinstance(value.get("auditID"), str) or not value["auditID"]:
        return None
    status = mapping(value.get("responseStatus"))
    code = status.get("code")
    return AuditEvent(
        value["auditID"],
        string(value.get("stage")),
        string(value.get("verb")),
        string(value.get("requestURI")),
        mapping(value.get("user")),
        mapping(value.get("impersonatedUser")),
        tuple(string(one) for one in listed(value.get("sourceIPs"))),
        string(value.get("userAgent")),
        code if isinstance(code, int) and not isinstance(code, bool) else 0,
        moment(value.get("requestReceivedTimestamp")),
        moment(value.get("stageTimestamp")),
        {str(key): string(one) for key, one in mapping(value.get("annotations")).items()},
        status,
        value.get("requestObject"),
        value.get("responseObject"),
    )

"""/metrics: how many requests there were, with the names and labels of k8s.io/apiserver pkg/endpoints/metrics."""

from __future__ import annotations

from collections import Counter

from kubetrace.playground.http import Answer, Request
from kubetrace.playground.paths import Target

_LABELS = ("code", "component", "dry_run", "group", "resource", "scope", "subresource", "verb", "version")
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


class Metrics:
    def __init__(self) -> None:
        self._requests: Counter[tuple[str, ...]] = Counter()

    def count(self, request: Request, target: Target | None, code: int) -> None:
        dry = request.parameter("dryRun")
        if target is None:
            row = (str(code), "apiserver", dry, "", "", "", "", request.method, "")
        else:
            resource = target.resource
            scope = "resource" if target.name else "namespace" if target.namespace else "cluster"
            verb = _verb(request, target)
            group, version = resource.group, resource.version
            row = (str(code), "apiserver", dry, group, resource.name, scope, target.subresource, verb, version)
        self._requests[row] += 1

    def answer(self) -> Answer:
        name = "apiserver_request_total"
        lines = [f"# HELP {name} [STABLE] Requests by verb, resource and status code.", f"# TYPE {name} counter"]
        for row, number in sorted(self._requests.items()):
            labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(_LABELS, row, strict=True))
            lines.append(f"{name}{{{labels}}} {number}")
        return Answer(200, "\n".join([*lines, ""]).encode(), _CONTENT_TYPE)


def _verb(request: Request, target: Target) -> str:
    """LIST, WATCH and APPLY are verbs of their own here; the others are the HTTP method (metrics.go CanonicalVerb)."""
    if target.verb in ("list", "watch"):
        return target.verb.upper()
    if request.headers.get("content-type", "").startswith("application/apply-patch"):
        return "APPLY"
    return "DELETECOLLECTION" if target.verb == "deletecollection" else request.method


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

"""The options of a write, from its query or, for a deletion, its body (apimachinery apis/meta/v1/validation)."""

from __future__ import annotations

import json
from typing import Any

from kubetrace.playground import query
from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.validation.causes import Cause, bad, forbidden, required, too_long, unsupported
from kubetrace.wire.go_decoding import problem

_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions", "DELETE": "DeleteOptions"}
_LEVELS = ["", "Ignore", "Strict", "Warn"]
_POLICIES = ["Foreground", "Background", "Orphan", "nil"]
_LONGEST_MANAGER = 128


def _refuse(kind: str, causes: list[Cause]) -> None:
    if causes:
        raise invalid(kind, "meta.k8s.io", "", causes)


def check(request: Request) -> None:
    """Raises 422 for options of a create, an update or a patch that make no sense."""
    manager, level = request.parameter("fieldManager"), request.parameter("fieldValidation")
    causes: list[Cause] = []
    if request.method == "PATCH":
        applied = request.headers.get("content-type", "").startswith("application/apply-patch")
        if applied and not manager:
            causes.append(required("fieldManager", "is required for apply patch"))
        if not applied and "force" in request.query:
            causes.append(forbidden("force", "may not be specified for non-apply patch"))
    if len(manager) > _LONGEST_MANAGER:
        causes.append(too_long("fieldManager", _LONGEST_MANAGER))
    for position, character in enumerate(manager):
        if not character.isprintable():
            why = f"invalid character U+{ord(character):04X} (at position {len(manager[:position].encode())})"
            causes.append(bad("fieldManager", manager, why))
    causes += _dry_run(request.query.get("dryRun", []))
    if level not in _LEVELS:
        causes.append(unsupported("fieldValidation", level, _LEVELS))
    _refuse(_KINDS.get(request.method, "UpdateOptions"), causes)


def _dry_run(values: list[str]) -> list[Cause]:
    return [unsupported("dryRun", values, ["All"])] if any(value != "All" for value in values) else []


def _check_body(options: dict[str, Any]) -> None:
    kind, version = options.get("kind") or "DeleteOptions", options.get("apiVersion") or "v1"
    if kind != "DeleteOptions":
        told = f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        raise ApiError(400, told)
    if told := problem("v1", "DeleteOptions", json.dumps(options)):
        raise ApiError(400, told)


def of_deletion(request: Request, body: Any) -> dict[str, Any]:
    """The body's options, or those of the query. Raises 400 and 422."""
    options: dict[str, Any] = dict(body) if isinstance(body, dict) else {}
    _check_body(options)
    if "gracePeriodSeconds" in request.query:
        options["gracePeriodSeconds"] = query.number(request, "gracePeriodSeconds")
    if request.parameter("propagationPolicy"):
        options["propagationPolicy"] = request.parameter("propagationPolicy")
    if "orphanDependents" in request.query:
        options["orphanDependents"] = request.flag("orphanDependents")
    policy, orphan = options.get("propagationPolicy"), options.get("orphanDependents")
    causes: list[Cause] = []
    if policy is not None and orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(bad("propagationPolicy", policy, why))
    elif policy is not None and policy not in _POLICIES:
        causes.append(unsupported("propagationPolicy", policy, _POLICIES))
    causes += _dry_run(list(options.get("dryRun") or request.query.get("dryRun", [])))
    _refuse("DeleteOptions", causes)
    if orphan is not None:
        options["propagationPolicy"] = "Orphan" if orphan else "Background"
    if options.get("dryRun"):
        request.query["dryRun"] = list(options["dryRun"])
    return options

"""MutatingAdmissionPolicies and their bindings, but for what CEL says (pkg/apis/admissionregistration/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    required,
    subdomain,
    supported,
    unsupported,
)
from kubetrace.playground.validation.webhooks import match_resources, parameters

_CHANGES = ["*", "CONNECT", "CREATE", "UPDATE"]
_PATCHES = {"JSONPatch": "jsonPatch", "ApplyConfiguration": "applyConfiguration"}


def mutating(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = supported("spec.failurePolicy", spec.get("failurePolicy"), ["Fail", "Ignore"])
    match = spec.get("matchConstraints")
    if match is None:
        causes.append(required("spec.matchConstraints"))
    else:
        causes += match_resources(match, "spec.matchConstraints")
        causes += [] if match.get("resourceRules") else [required("spec.matchConstraints.resourceRules")]
        causes += _operations(match, "spec.matchConstraints")
    if not spec.get("mutations"):
        causes.append(required("spec.mutations", "mutations must contain at least one item"))
    for index, entry in enumerate(spec.get("mutations") or ()):
        causes += _mutation(entry, f"spec.mutations[{index}]")
    policy = spec.get("reinvocationPolicy")
    if not policy:
        return [*causes, required("spec.reinvocationPolicy")]
    return causes + supported("spec.reinvocationPolicy", policy, ["IfNeeded", "Never"])


def _mutation(entry: Object, at: str) -> list[Cause]:
    kind = entry.get("patchType")
    if not kind:
        return [required(f"{at}.patchType")]
    if kind not in _PATCHES:
        return [unsupported(f"{at}.patchType", kind, sorted(_PATCHES))]
    own, causes = _PATCHES[kind], []
    if entry.get(own) is None:
        causes.append(required(f"{at}.{own}", f"must be specified when patchType is {kind}"))
    elif not entry[own].get("expression", "").strip():
        causes.append(required(f"{at}.{own}.expression"))
    for other in _PATCHES.values():
        if other != own and entry.get(other) is not None:
            causes.append(bad(f"{at}.{other}", f"{{{other}}}", f"must not be specified when patchType is {kind}"))
    return causes


def _operations(match: Object, at: str) -> list[Cause]:
    """Only what is created or updated can be changed."""
    field, rules = f"{at}.resourceRules.operations", match.get("resourceRules") or ()
    return [
        cause for rule in rules for name in rule.get("operations") or () for cause in supported(field, name, _CHANGES)
    ]


def mutating_binding(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    name = spec.get("policyName", "")
    causes = subdomain("spec.policyName", name) if name else [required("spec.policyName")]
    causes += parameters(spec.get("paramRef"), "spec.paramRef")
    match = spec.get("matchResources")
    return (
        causes
        if match is None
        else [
            *causes,
            *match_resources(match, "spec.matchResources"),
            *_operations(match, "spec.matchResources"),
        ]
    )

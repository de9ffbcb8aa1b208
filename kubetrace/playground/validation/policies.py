"""MutatingAdmissionPolicies and their bindings, but for what CEL says (pkg/apis/admissionregistration/validation)."""

from __future__ import annotations

from kubetrace.playground.validation import webhooks
from kubetrace.playground.validation.causes import Cause, Object, bad, one_of, required, supported

_CHANGES = ["*", "CONNECT", "CREATE", "UPDATE"]
_PATCHES = {"JSONPatch": "jsonPatch", "ApplyConfiguration": "applyConfiguration"}


def mutating(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = webhooks.constraints(spec) + _operations(spec, "matchConstraints")
    if not spec.get("mutations"):
        causes.append(required("spec.mutations", "mutations must contain at least one item"))
    for index, entry in enumerate(spec.get("mutations") or ()):
        causes += _mutation(entry, f"spec.mutations[{index}]")
    return causes + one_of("spec.reinvocationPolicy", spec.get("reinvocationPolicy"), ["IfNeeded", "Never"])


def _mutation(entry: Object, at: str) -> list[Cause]:
    kind = entry.get("patchType", "")
    causes = one_of(f"{at}.patchType", kind, sorted(_PATCHES))
    if causes:
        return causes
    own = _PATCHES[kind]
    if entry.get(own) is None:
        causes.append(required(f"{at}.{own}", f"must be specified when patchType is {kind}"))
    elif not entry[own].get("expression", "").strip():
        causes.append(required(f"{at}.{own}.expression"))
    for other in _PATCHES.values():
        if other != own and entry.get(other) is not None:
            causes.append(bad(f"{at}.{other}", f"{{{other}}}", f"must not be specified when patchType is {kind}"))
    return causes


def _operations(spec: Object, part: str) -> list[Cause]:
    """Only what is created or updated can be changed."""
    field, rules = f"spec.{part}.resourceRules.operations", (spec.get(part) or {}).get("resourceRules") or ()
    return [
        cause for rule in rules for name in rule.get("operations") or () for cause in supported(field, name, _CHANGES)
    ]


def mutating_binding(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    return webhooks.bound(spec) + _operations(spec, "matchResources")

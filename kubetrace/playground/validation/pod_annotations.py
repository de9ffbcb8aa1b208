"""Annotations of pods that mean something (pkg/apis/core/validation ValidatePodSpecificAnnotations)."""

from __future__ import annotations

import re

from kubetrace.playground.validation.causes import Cause, Object, bad, forbidden
from kubetrace.playground.validation.hosts import is_windows, visited
from kubetrace.playground.validation.volumes import descending
from kubetrace.wire.go_quote import quote

MIRROR = "kubernetes.io/config.mirror"
_COST = "controller.kubernetes.io/pod-deletion-cost"
POD_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_LOCAL = "localhost/"


def of_pod(found: dict[str, str], spec: Object, at: str = "metadata.annotations") -> list[Cause]:
    causes: list[Cause] = []
    if MIRROR in found and not spec.get("nodeName"):
        why = "must set spec.nodeName if mirror pod annotation is set"
        causes.append(bad(f"{at}[{MIRROR}]", found[MIRROR], why))
    cost = found.get(_COST)
    if cost is not None and not (re.fullmatch(r"-?[1-9]\d*|0", cost) and -(2**31) <= int(cost) < 2**31):
        causes.append(bad(f"{at}[{_COST}]", cost, "must be a 32bit integer"))
    for name in sorted(found, key=lambda each: each != POD_SECCOMP):
        if name == POD_SECCOMP or name.startswith(SECCOMP):
            causes += _seccomp(f"{at}.{name}", found[name])
    return causes + _app_armor(found, spec, at)


def _seccomp(at: str, profile: str) -> list[Cause]:
    if profile in ("runtime/default", "docker/default", "unconfined"):
        return []
    if profile.startswith(_LOCAL):
        return descending(at, profile.removeprefix(_LOCAL))
    return [bad(at, profile, "must be a valid seccomp profile")]


def _app_armor(found: dict[str, str], spec: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    names = {container.get("name") for container, _ in visited(spec, "")}
    for key in sorted(found):
        if not key.startswith(APPARMOR):
            continue
        name, profile = key.removeprefix(APPARMOR), found[key]
        if name not in names:
            causes.append(bad(f"{at}[{key}]", name, "container not found"))
        if profile not in ("", "runtime/default", "unconfined") and not profile.startswith(_LOCAL):
            causes.append(bad(f"{at}[{key}]", profile, f"invalid AppArmor profile name: {quote(profile)}"))
    return causes


def changed(before: dict[str, str], after: dict[str, str], spec: Object) -> list[Cause]:
    """What an update leaves as it is (ValidatePodSpecificAnnotationUpdates)."""
    causes: list[Cause] = []
    for verb, some, others in (("remove or update", before, after), ("add", after, before)):
        for key in sorted(some):
            if key in others and (verb == "add" or others[key] == some[key]):
                continue
            what = "AppArmor annotations" if key.startswith(APPARMOR) else "mirror pod annotation"
            if key == MIRROR or key.startswith(APPARMOR):
                causes.append(forbidden(f"metadata.annotations[{key}]", f"may not {verb} {what}"))
    return causes + of_pod(after, spec)


def beside_profiles(found: dict[str, str], spec: Object, path: str = "spec") -> list[Cause]:
    """A new pod's annotations say what the fields say, where there are both."""
    own = (spec.get("securityContext") or {}).get("seccompProfile")
    causes = _beside("seccomp", found.get(POD_SECCOMP), own, f"{path}.securityContext.seccompProfile")
    contexts = [(each, each.get("securityContext") or {}, at) for each, at in visited(spec, path)]
    for container, context, at in contexts:
        said = found.get(f"{SECCOMP}{container.get('name', '')}")
        causes += _beside("seccomp", said, context.get("seccompProfile"), f"{at}.securityContext.seccompProfile")
    if is_windows(spec):
        return causes
    of_all = (spec.get("securityContext") or {}).get("appArmorProfile")
    for container, context, at in contexts:
        said = found.get(f"{APPARMOR}{container.get('name', '')}")
        profile = context.get("appArmorProfile") or of_all
        causes += _beside("apparmor", said, profile, f"{at}.securityContext.appArmorProfile")
    return causes


_TEXTS = {"Unconfined": ("unconfined",), "RuntimeDefault": ("runtime/default", "docker/default")}


def _beside(what: str, said: str | None, profile: Object | None, at: str) -> list[Cause]:
    if said is None or profile is None:
        return []
    kind, why = profile.get("type", ""), "in annotation and field must match"
    if kind == "Localhost":
        if said.startswith(_LOCAL) and said.removeprefix(_LOCAL) == profile.get("localhostProfile"):
            return []
        field, part = ("localhostProfile", "profile") if said.startswith(_LOCAL) else ("type", "type")
        return [forbidden(f"{at}.{field}", f"{what} {part} {why}")]
    if said in _TEXTS.get(kind, (said,)):
        return []
    return [forbidden(f"{at}.type", f"{what} type {why}")]

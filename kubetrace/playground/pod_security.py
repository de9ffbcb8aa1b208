"""Pod Security Standards: what a namespace's labels allow its pods (k8s.io/pod-security-admission).

Pods are refused by `enforce` and warned of by `warn`; what makes pods is only warned of.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from typing import Any

from kubetrace.playground.objects import Object
from kubetrace.playground.pod_security_checks import BASELINE, OVERRIDDEN, RESTRICTED, app_armor, of_version
from kubetrace.playground.validation.causes import Cause, bad

_PREFIX = "pod-security.kubernetes.io/"
_LEVELS = ("privileged", "baseline", "restricted")
Policy = tuple[str, str]
"""Level and version."""
_FREE: Policy = ("privileged", "latest")
_LATEST = sys.maxsize
_TEMPLATES = {
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Where resources have the pods that they make."""


def policies(labels: Object) -> tuple[Policy, Policy, list[Cause]]:
    """(enforce, warn, what is wrong with the labels). Without one of its own, `warn` is as strict as `enforce`."""
    found, causes = {}, []
    for mode in ("enforce", "warn", "audit"):
        level, version = labels.get(_PREFIX + mode), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in _LEVELS:
            causes.append(bad(f"metadata.labels[{_PREFIX}{mode}]", level, f"must be one of {', '.join(_LEVELS)}"))
            level = "restricted" if mode == "enforce" else "privileged"
        if version is not None and not _is_version(version):
            field = f"metadata.labels[{_PREFIX}{mode}-version]"
            causes.append(bad(field, version, 'must be "latest" or "v1.x"'))
            version = None
        found[mode] = (level or _FREE[0], version or _FREE[1])
    enforce, warn = found["enforce"], found["warn"]
    if _PREFIX + "warn" not in labels and _LEVELS.index(enforce[0]) > _LEVELS.index(warn[0]):
        warn = enforce
    return enforce, warn, causes


def _is_version(text: str) -> bool:
    return text == "latest" or (text.startswith("v1.") and text[3:].isdigit())


def template_of(key: str, item: Object) -> Object | None:
    """The pod template of a resource's object."""
    part: Any = item
    for name in _TEMPLATES.get(key, ()):
        part = part.get(name) if isinstance(part, dict) else None
    return part if key in _TEMPLATES and isinstance(part, dict) else None


def text_of(policy: Policy) -> str:
    return f"{policy[0]}:{policy[1]}"


def violations(policy: Policy, pod: Object) -> list[tuple[str, str]]:
    """(reason, detail) of each check that a pod or a template fails."""
    level, spec = policy[0], pod.get("spec") or {}
    if level == "privileged":
        return []
    minor = _LATEST if policy[1] == "latest" else int(policy[1].removeprefix("v1."))
    checks = of_version(BASELINE, minor)
    restricted = of_version(RESTRICTED, minor) if level == "restricted" else {}
    for name in restricted:
        checks.pop(OVERRIDDEN.get(name, ""), None)
    annotations = (pod.get("metadata") or {}).get("annotations") or {}
    checks["appArmorProfile"] = partial(app_armor, annotations=annotations)
    found = (check(spec) for _, check in (*checks.items(), *restricted.items()))
    return [each for each in found if each is not None]


def told(found: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in found)


def namespace_warnings(name: str, labels: Object, before: Object, pods: Iterable[Object]) -> list[str]:
    """What a namespace's new labels mean for the pods that are there."""
    enforce, old = policies(labels)[0], policies(before)[0]
    stricter = _LEVELS.index(enforce[0]) > _LEVELS.index(old[0])
    if enforce in (old, _FREE) or enforce[0] == "privileged" or (enforce[1] == old[1] and not stricter):
        return []
    names: dict[str, list[str]] = {}
    for pod in pods:
        wrong = violations(enforce, pod)
        if wrong:
            names.setdefault(", ".join(reason for reason, _ in wrong), []).append(pod["metadata"]["name"])
    if not names:
        return []
    lines = []
    for reasons, found in names.items():
        more = len(found) - 1
        others = f" (and {more} other {'pod' if more == 1 else 'pods'})" if more else ""
        lines.append(f"{min(found)}{others}: {reasons}")
    start = f'existing pods in namespace "{name}" violate the new PodSecurity enforce level "{text_of(enforce)}"'
    return [start, *sorted(lines)]

"""What makes pods that stay: Deployments to DaemonSets (pkg/apis/apps/validation)."""

from __future__ import annotations

from typing import Any

from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    count_or_percent,
    forbidden,
    label_name,
    label_selector,
    not_negative,
    not_over_100,
    one_of,
    required,
    unsupported,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.pods import template
from kubetrace.playground.validation.storage import claim_spec


def _selector(spec: Object, kind: str) -> list[Cause]:
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    causes = label_selector("spec.selector", selector)
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        causes.append(bad("spec.selector", selector, f"empty selector is invalid for {kind}"))
    return causes


def _template(spec: Object, kind: str, lax: bool = False) -> list[Cause]:
    """`lax`: an empty selector is not held against the labels."""
    causes: list[Cause] = []
    selector, metadata = spec.get("selector"), spec["template"].get("metadata") or {}
    if label_selector("spec.selector", selector):
        return [bad("spec.selector", selector, "" if lax else "invalid label selector")]
    empty = selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")
    labels = metadata.get("labels")
    if not empty and not matches_labels(selector, labels or {}):
        causes.append(mismatch(labels))
    return causes + template(spec["template"], "spec.template") + _endless(spec, kind)


def _endless(spec: Object, kind: str) -> list[Cause]:
    """Pods that are replaced when they end may not be made to end."""
    pod, at = spec["template"].get("spec") or {}, "spec.template.spec"
    causes: list[Cause] = []
    if pod.get("restartPolicy") != "Always":
        causes.append(unsupported(f"{at}.restartPolicy", pod.get("restartPolicy", ""), ["Always"]))
    if pod.get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        causes.append(forbidden(f"{at}.activeDeadlineSeconds", why))
    return causes


def mismatch(labels: Object | None) -> Cause:
    return bad("spec.template.metadata.labels", labels or None, "`selector` does not match template `labels`")


def deployment(item: Object) -> list[Cause]:
    spec = item["spec"]
    causes = not_negative("spec.replicas", spec.get("replicas"))
    causes += _selector(spec, "deployment") + _template(spec, "ReplicaSet")
    strategy, at = spec.get("strategy") or {}, "spec.strategy"
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate":
        if rolling is not None:
            why = "may not be specified when strategy `type` is 'Recreate'"
            causes.append(forbidden(f"{at}.rollingUpdate", why))
    elif strategy.get("type") == "RollingUpdate":
        most, surge = (rolling or {}).get("maxUnavailable"), (rolling or {}).get("maxSurge")
        causes += count_or_percent(f"{at}.rollingUpdate.maxUnavailable", most)
        causes += count_or_percent(f"{at}.rollingUpdate.maxSurge", surge)
        if _is_zero(most) and _is_zero(surge):
            causes.append(bad(f"{at}.rollingUpdate.maxUnavailable", most, "may not be 0 when `maxSurge` is 0"))
        causes += not_over_100(f"{at}.rollingUpdate.maxUnavailable", most)
    else:
        causes.append(unsupported(at, internal("apps.DeploymentStrategy", strategy), ["Recreate", "RollingUpdate"]))
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes += not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    deadline = spec.get("progressDeadlineSeconds")
    causes += not_negative("spec.progressDeadlineSeconds", deadline)
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        causes.append(bad("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def _is_zero(value: Any) -> bool:
    return value is None or str(value).rstrip("%") in ("0", "")


def replica_set(item: Object) -> list[Cause]:
    spec = item["spec"]
    causes = not_negative("spec.replicas", spec.get("replicas"))
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    return causes + _selector(spec, "deployment") + _template(spec, "ReplicaSet")


def replication_controller(item: Object) -> list[Cause]:
    spec = item["spec"]
    causes = not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    selector = spec.get("selector") or {}
    if not selector:
        causes.append(required("spec.selector"))
    causes += not_negative("spec.replicas", spec.get("replicas"))
    if "template" not in spec:
        return [*causes, required("spec.template")]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if selector and any(labels.get(key) != value for key, value in selector.items()):
        causes.append(mismatch(labels))
    return causes + template(spec["template"], "spec.template")


def stateful_set(item: Object, new: bool = True) -> list[Cause]:
    """An update is not looked at for what must stay as it is."""
    spec = item["spec"]
    causes: list[Cause] = []
    policy = spec.get("podManagementPolicy", "")
    if policy not in ("OrderedReady", "Parallel"):
        causes.append(bad("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "OnDelete" and rolling is not None:
        why = "only allowed for updateStrategy 'RollingUpdate'"
        shown = internal("apps.RollingUpdateStatefulSetStrategy", rolling)
        causes.append(bad("spec.updateStrategy.rollingUpdate", shown, why))
    elif strategy.get("type") == "RollingUpdate":
        at = "spec.updateStrategy.rollingUpdate"
        causes += not_negative(f"{at}.partition", (rolling or {}).get("partition"))
    elif strategy.get("type") != "OnDelete":
        shown = internal("apps.StatefulSetUpdateStrategy", strategy)
        causes.append(bad("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'"))
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for name in ("whenDeleted", "whenScaled"):
        at = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
        causes += one_of(at, retention.get(name), ["Retain", "Delete"])
    for index, claim in enumerate((spec.get("volumeClaimTemplates") or ()) if new else ()):
        causes += claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{index}].spec")
    causes += not_negative("spec.replicas", spec.get("replicas"))
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    causes += not_negative("spec.ordinals.start", (spec.get("ordinals") or {}).get("start"))
    if spec.get("serviceName") and new:
        causes += label_name("spec.serviceName", spec["serviceName"])
    return causes + _selector(spec, "statefulset") + _template(_with_claims(spec), "StatefulSet", lax=True)


def _with_claims(spec: Object) -> Object:
    """Its template may mount what the claim templates will bring."""
    claims = spec.get("volumeClaimTemplates")
    if not claims:
        return spec
    pod = dict(spec["template"].get("spec") or {})
    names = dict.fromkeys((claim.get("metadata") or {}).get("name") for claim in claims)
    own = [volume for volume in pod.get("volumes") or () if volume.get("name") not in names]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    return spec | {"template": spec["template"] | {"spec": pod | {"volumes": [*own, *volumes]}}}


def daemon_set(item: Object) -> list[Cause]:
    spec = item["spec"]
    causes = label_selector("spec.selector", spec.get("selector"))
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector") or {}
    empty = not selector.get("matchLabels") and not selector.get("matchExpressions")
    if spec.get("selector") is None or (not empty and not matches_labels(selector, labels)):
        causes.append(mismatch(labels))
    if empty and spec.get("selector") is not None:
        causes.append(bad("spec.selector", selector, "empty selector is invalid for daemonset"))
    causes += template(spec["template"], "spec.template") + _endless(spec, "DaemonSet")
    causes += not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    strategy, at = spec.get("updateStrategy") or {}, "spec.updateStrategy"
    rolling = strategy.get("rollingUpdate") or {}
    if strategy.get("type") == "RollingUpdate":
        most, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        causes += count_or_percent(f"{at}.rollingUpdate.maxUnavailable", most)
        causes += count_or_percent(f"{at}.rollingUpdate.maxSurge", surge)
        causes += not_over_100(f"{at}.rollingUpdate.maxUnavailable", most)
        causes += not_over_100(f"{at}.rollingUpdate.maxSurge", surge)
        if not _is_zero(most) and not _is_zero(surge):
            why = "may not be set when maxUnavailable is non-zero"
            causes.append(bad(f"{at}.rollingUpdate.maxSurge", surge, why))
        elif _is_zero(most) and _is_zero(surge):
            causes.append(required(f"{at}.rollingUpdate.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    elif strategy.get("type") != "OnDelete":
        causes.append(
            unsupported(at, internal("apps.DaemonSetUpdateStrategy", strategy), ["RollingUpdate", "OnDelete"])
        )
    return causes + not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))


def controller_revision(item: Object) -> list[Cause]:
    data = item.get("data")
    causes = not_negative("revision", item.get("revision"))
    if data is None:
        causes.append(required("data", "data is mandatory"))
    elif not isinstance(data, dict):
        causes.append(required("data", "data must be a valid JSON object"))
    return causes

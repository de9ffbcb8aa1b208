"""Roles, nodes, namespaced odds and ends: the smaller kinds that lessons touch."""

from __future__ import annotations

import base64
import binascii
import json
import re

from kubetrace.playground.validation import der
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    count_or_percent,
    decoded_size,
    duplicate,
    forbidden,
    label_selector,
    not_over_100,
    path_segment,
    qualified_name,
    required,
    subdomain,
    supported,
    too_long,
    unsupported,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.references import config_key
from kubetrace.wire.go_json import json_type
from kubetrace.wire.json_stream import is_json, problem

_RBAC = "rbac.authorization.k8s.io"


def role(item: Object) -> list[Cause]:
    return _rules(item, namespaced=True)


def cluster_role(item: Object) -> list[Cause]:
    causes = _rules(item, namespaced=False)
    rule, at = item.get("aggregationRule"), "aggregationRule.clusterRoleSelectors"
    if rule is not None and not rule.get("clusterRoleSelectors"):
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        causes.append(required(at, why))
    for index, selector in enumerate((rule or {}).get("clusterRoleSelectors") or ()):
        causes += label_selector(f"aggregationRule.clusterRoleSelectors[{index}]", selector)
    return causes


def _rules(item: Object, namespaced: bool) -> list[Cause]:
    causes: list[Cause] = []
    for index, rule in enumerate(item.get("rules") or ()):
        at = f"rules[{index}]"
        if not rule.get("verbs"):
            causes.append(required(f"{at}.verbs", "verbs must contain at least one value"))
        if rule.get("nonResourceURLs"):
            if namespaced:
                why = "namespaced rules cannot apply to non-resource URLs"
                causes.append(bad(f"{at}.nonResourceURLs", rule["nonResourceURLs"], why))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                causes.append(bad(f"{at}.nonResourceURLs", rule["nonResourceURLs"], why))
            continue
        if not rule.get("apiGroups"):
            causes.append(required(f"{at}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            causes.append(required(f"{at}.resources", "resource rules must supply at least one resource"))
    return causes


def role_binding(item: Object) -> list[Cause]:
    return _binding(item, namespaced=True)


def cluster_role_binding(item: Object) -> list[Cause]:
    return _binding(item, namespaced=False)


def _binding(item: Object, namespaced: bool) -> list[Cause]:
    causes: list[Cause] = []
    reference = item.get("roleRef") or {}
    if reference.get("apiGroup") != _RBAC:
        causes.append(unsupported("roleRef.apiGroup", reference.get("apiGroup", ""), [_RBAC]))
    kinds = ["Role", "ClusterRole"] if namespaced else ["ClusterRole"]
    if reference.get("kind") not in kinds:
        causes.append(unsupported("roleRef.kind", reference.get("kind", ""), kinds))
    if not reference.get("name"):
        causes.append(required("roleRef.name"))
    else:
        causes += path_segment("roleRef.name", reference["name"])
    for index, subject in enumerate(item.get("subjects") or ()):
        at, kind = f"subjects[{index}]", subject.get("kind", "")
        if not subject.get("name"):
            causes.append(required(f"{at}.name"))
        if kind == "ServiceAccount":
            if subject.get("name"):
                causes += subdomain(f"{at}.name", subject["name"])
            if subject.get("apiGroup"):
                causes.append(unsupported(f"{at}.apiGroup", subject["apiGroup"], [""]))
            if not namespaced and not subject.get("namespace"):
                causes.append(required(f"{at}.namespace"))
        elif kind in ("User", "Group"):
            if subject.get("apiGroup") != _RBAC:
                causes.append(unsupported(f"{at}.apiGroup", subject.get("apiGroup", ""), [_RBAC]))
        else:
            causes.append(unsupported(f"{at}.kind", kind, ["ServiceAccount", "User", "Group"]))
    return causes


def config_map(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("data", "binaryData"):
        for key in sorted(item.get(part) or ()):
            causes += config_key(f"{part}[{key}]", key)
    for key in sorted(set(item.get("data") or ()) & set(item.get("binaryData") or ())):
        causes.append(bad(f"data[{key}]", key, "duplicate of key present in binaryData"))
    size = sum(len(str(text).encode()) for text in (item.get("data") or {}).values())
    size += sum(decoded_size(text or "") for text in (item.get("binaryData") or {}).values())
    if size > _MOST_BYTES:
        causes.append(too_long("[]", _MOST_BYTES))
    return causes


_MOST_BYTES = 1024 * 1024


_SECRET_KEYS = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/ssh-auth": "ssh-privatekey",
}


def secret(item: Object) -> list[Cause]:
    data, kind = item.get("data") or {}, item.get("type", "")
    causes: list[Cause] = []
    for key in sorted(data):
        causes += config_key(f"data[{key}]", key)
    if sum(decoded_size(text) for text in data.values()) > _MOST_BYTES:
        causes.append(too_long("data", _MOST_BYTES))
    if kind == "kubernetes.io/service-account-token":
        if not (item["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name"):
            causes.append(required("metadata.annotations[kubernetes.io/service-account.name]"))
    elif kind in _SECRET_KEYS:
        key = _SECRET_KEYS[kind]
        if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
            causes.append(required(f"data[{key}]"))
        elif kind != "kubernetes.io/ssh-auth" and (why := _no_json_object(data[key])):
            causes.append(bad(f"data[{key}]", "<secret contents redacted>", why))
    elif kind == "kubernetes.io/basic-auth":
        if "username" not in data and "password" not in data:
            causes += [required("data[username]"), required("data[password]")]
    elif kind == "kubernetes.io/tls":
        causes += [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    return causes


def _no_json_object(text: str) -> str:
    """Why encoding/json makes no map of a value in base64; "" where it does."""
    data = base64.b64decode(text or "")
    if not is_json(data):
        return problem(data)
    value = json.loads(data)
    found = json_type(value)
    into = "Go value of type map[string]interface {}"
    return "" if found in ("object", "null") else f"json: cannot unmarshal {found} into {into}"


def _told_of(item: Object) -> list[Cause]:
    """An event of the old sort, without an eventTime, lives where its object does (legacyValidateEvent)."""
    involved = (item.get("involvedObject") or item.get("regarding") or {}).get("namespace", "")
    own = item["metadata"].get("namespace", "")
    if involved == own or (involved == "" and own == "default"):
        return []
    return [bad("involvedObject.namespace", involved, "does not match event.namespace")]


def _told_by(item: Object) -> list[Cause]:
    """An event with an eventTime says who tells it, and of what act."""
    involved = (item.get("involvedObject") or item.get("regarding") or {}).get("namespace", "")
    causes: list[Cause] = []
    if not involved and item["metadata"].get("namespace", "") not in ("default", "kube-system"):
        causes.append(bad("involvedObject.namespace", involved, "does not match event.namespace"))
    field = "reportingController" if item.get("apiVersion") == "events.k8s.io/v1" else "reportingComponent"
    controller = item.get(field) or ""
    causes += [] if controller else [required(field)]
    causes += qualified_name(field, controller)
    for name in ("reportingInstance", "action", "reason"):
        text = item.get(name) or ""
        causes += [] if text else [required(name)]
        causes += [bad(name, "", _MOST_LETTERS.format(128))] if len(text.encode()) > 128 else []
    if len((item.get("message") or item.get("note") or "").encode()) > 1024:
        causes.append(bad("message", "", _MOST_LETTERS.format(1024)))
    return causes


_MOST_LETTERS = "can have at most {} characters"


def told_event(item: Object) -> list[Cause]:
    """What all events must say, an update's, too."""
    return _told_by(item) if item.get("eventTime") else _told_of(item)


def new_event(item: Object, metadata: list[Cause]) -> list[Cause]:
    """Of the core's kind, or of events.k8s.io's, which asks for more (ValidateEventCreate)."""
    causes = told_event(item)
    if item.get("apiVersion") != "events.k8s.io/v1":
        return causes or metadata
    return causes + metadata + _newer_event(item)


def _newer_event(item: Object) -> list[Cause]:
    causes = _series(item)
    causes += [] if item.get("eventTime") else [required("eventTime")]
    if item.get("type") not in ("Normal", "Warning"):
        causes.append(bad("type", "", f"has invalid value: {item.get('type', '')}"))
    for old, name in (("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp")):
        causes += [bad(name, "", "needs to be unset")] if item.get(old) else []
    causes += [bad("count", "", "needs to be unset")] if item.get("deprecatedCount") else []
    causes += [bad("source", "", "needs to be unset")] if any((item.get("deprecatedSource") or {}).values()) else []
    return causes


def _series(item: Object) -> list[Cause]:
    series, causes = item.get("series"), []
    if series is not None and (series.get("count") or 0) < 2:
        causes.append(bad("series.count", "", "should be at least 2"))
    if series is not None and not series.get("lastObservedTime"):
        causes.append(required("series.lastObservedTime"))
    return causes


_REFERENCE = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_GO_NAMES = {"uid": "UID", "apiVersion": "APIVersion"}
_FIXED = {
    "regarding": "involvedObject",
    "reason": "reason",
    "note": "message",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "reason ": "reason",
    "type": "type",
    "eventTime": "eventTime",
    "action": "action",
    "related": "related",
    "reportingController": "reportingController",
    "reportingInstance": "reportingInstance",
}
"""Fields of an event of events.k8s.io that stay, in the order in which they are looked at (the reason twice)."""


def event_update(old: Object, new: Object) -> list[Cause]:
    """ValidateEventUpdate; the core's events may change."""
    if new.get("apiVersion") != "events.k8s.io/v1":
        return []
    causes = _series(new) if old.get("series") != new.get("series") else []
    for name, field in _FIXED.items():
        before, after = old.get(name.strip()), new.get(name.strip())
        if (before or None) == (after or None):
            continue
        if isinstance(before, str) and not name.startswith(("eventTime", "deprecated")):
            after = after or ""
        if isinstance(after, dict) and name != "deprecatedSource":
            after = {_GO_NAMES.get(part, f"{part[0].upper()}{part[1:]}"): after.get(part, "") for part in _REFERENCE}
        causes.append(bad(field, after, "field is immutable"))
    return causes


def lease(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    seconds, moves = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    causes: list[Cause] = []
    if seconds is not None and seconds <= 0:
        causes.append(bad("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
    if moves is not None and moves < 0:
        causes.append(bad("spec.leaseTransitions", moves, "must be greater than or equal to 0"))
    return causes


def priority_class(item: Object) -> list[Cause]:
    name, value = item["metadata"].get("name", ""), item.get("value") or 0
    causes: list[Cause] = []
    if name.startswith("system-") and name not in ("system-node-critical", "system-cluster-critical"):
        why = "priority class names with 'system-' prefix are reserved for system use only. error: "
        causes.append(forbidden("metadata.name", f"{why}{name} is not a known system priority class"))
    elif value > 1_000_000_000 and not name.startswith("system-"):
        causes.append(forbidden("value", "maximum allowed value of a user defined priority is 1000000000"))
    if item.get("preemptionPolicy") not in ("PreemptLowerPriority", "Never"):
        allowed = ["PreemptLowerPriority", "Never"]
        causes.append(unsupported("preemptionPolicy", item.get("preemptionPolicy"), allowed))
    return causes


def disruption_budget(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes: list[Cause] = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = internal("policy.PodDisruptionBudgetSpec", spec)
        causes.append(bad("spec", shown, "minAvailable and maxUnavailable cannot be both set"))
    for name in ("minAvailable", "maxUnavailable"):
        if spec.get(name) is not None:
            causes += count_or_percent(f"spec.{name}", spec[name]) + not_over_100(f"spec.{name}", spec[name])
    causes += label_selector("spec.selector", spec.get("selector"))
    policy, policies = spec.get("unhealthyPodEvictionPolicy"), ["AlwaysAllow", "IfHealthyBudget"]
    return causes + supported("spec.unhealthyPodEvictionPolicy", policy, policies)


def is_finalizer(name: str) -> bool:
    return "/" in name or name in ("kubernetes", "orphan", "foregroundDeletion")


NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"


def namespace(item: Object) -> list[Cause]:
    causes: list[Cause] = []
    for name in (item.get("spec") or {}).get("finalizers") or ():
        causes += qualified_name("spec.finalizers", name)
        if "/" not in name and name != "kubernetes":
            causes.append(bad("spec.finalizers", name, NO_FINALIZER))
    return causes


_USAGES = [
    *("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment"),
    *("decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel"),
    *("ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime"),
    *("server auth", "signing", "timestamping"),
]


def signing_request(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes: list[Cause] = []
    if why := _request_error(spec.get("request") or ""):
        causes.append(bad("spec.request", spec.get("request") or None, why))
    usages = spec.get("usages") or []
    if not usages:
        causes.append(required("spec.usages"))
    for index, usage in enumerate(usages):
        if usage not in _USAGES:
            causes.append(unsupported(f"spec.usages[{index}]", usage, _USAGES))
        if usage in usages[:index]:
            causes.append(duplicate(f"spec.usages[{index}]", usage))
    name = spec.get("signerName", "")
    if not name:
        causes.append(required("spec.signerName"))
    elif name.count("/") != 1:
        why = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        causes.append(bad("spec.signerName", name, why))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        causes.append(
            bad("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)")
        )
    return causes


def groups_asked(text: str) -> list[str]:
    """The organizations in the subject of a request in base64; none where it can't be read."""
    if _request_error(text):
        return []
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_pem_x509_csr(base64.b64decode(text)).subject
    return [str(part.value) for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def _request_error(text: str) -> str:
    from cryptography import x509

    try:
        pem = base64.b64decode(text)
    except (ValueError, binascii.Error):
        pem = b""
    if not re.search(rb"-----BEGIN CERTIFICATE REQUEST-----\n[^-]*-----END CERTIFICATE REQUEST-----", pem):
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        x509.load_pem_x509_csr(pem)
    except ValueError:
        return der.problem(_content(pem))
    return ""


def _content(pem: bytes) -> bytes:
    lines = pem.partition(b"-----\n")[2].partition(b"-----END")[0]
    try:
        return base64.b64decode(lines)
    except (ValueError, binascii.Error):
        return b""

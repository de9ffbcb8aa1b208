"""FlowSchemas and PriorityLevelConfigurations (pkg/apis/flowcontrol/validation)."""

from __future__ import annotations

import math

from kubetrace.playground.catalog import server_facts
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    forbidden,
    label_name,
    one_of,
    required,
    shown,
    subdomain,
    unsupported,
)
from kubetrace.playground.validation.internal import internal

_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"]
_MOST_QUEUES, _HASH_BITS, _LAST_PRECEDENCE = 10_000_000, 60, 10_000
_SUBJECTS = {"Group": "group", "ServiceAccount": "serviceAccount", "User": "user"}


def flow_schema(item: Object) -> list[Cause]:
    spec, name = item.get("spec") or {}, item["metadata"].get("name", "")
    precedence, at = spec.get("matchingPrecedence") or 0, "spec.matchingPrecedence"
    causes: list[Cause] = []
    if precedence <= 0:
        causes.append(bad(at, precedence, "must be a positive value"))
    if precedence > _LAST_PRECEDENCE:
        causes.append(bad(at, precedence, f"must not be greater than {_LAST_PRECEDENCE}"))
    if precedence == 1 and name != "exempt":
        causes.append(bad(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        causes.append(
            unsupported(
                "spec.distinguisherMethod.type",
                internal("flowcontrol.FlowDistinguisherMethod", method),
                ["ByNamespace", "ByUser"],
            )
        )
    level, at = (spec.get("priorityLevelConfiguration") or {}).get("name", ""), "spec.priorityLevelConfiguration.name"
    causes += subdomain(at, level) if level else [required(at, "must reference a priority level")]
    for index, rule in enumerate(spec.get("rules") or ()):
        causes += _rule(rule, f"spec.rules[{index}]")
    fixed = _mandatory("flowschemas", name)
    if fixed is not None and spec != fixed:
        whole = internal("flowcontrol.FlowSchemaSpec", spec)
        causes.append(bad("spec", whole, f"spec of '{name}' must equal the fixed value"))
    return causes


def _mandatory(resource: str, name: str) -> Object | None:
    """The spec of an object that must stay as it is (apis/flowcontrol/internalbootstrap)."""
    if name not in ("exempt", "catch-all"):
        return None
    found = server_facts()["fresh"][f"/apis/flowcontrol.apiserver.k8s.io/v1/{resource}"]
    return next(dict(item["spec"]) for item in found if item["metadata"]["name"] == name)


def _rule(rule: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, subject in enumerate(rule.get("subjects") or ()):
        causes += _subject(subject, f"{at}.subjects[{index}]")
    if not rule.get("subjects"):
        causes.append(required(f"{at}.subjects", "subjects must contain at least one value"))
    resources, others = rule.get("resourceRules") or (), rule.get("nonResourceRules") or ()
    if not resources and not others:
        causes.append(required(at, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    for index, entry in enumerate(resources):
        causes += _resource_rule(entry, f"{at}.resourceRules[{index}]")
    for index, entry in enumerate(others):
        causes += _other_rule(entry, f"{at}.nonResourceRules[{index}]")
    return causes


def _subject(subject: Object, at: str) -> list[Cause]:
    kind = subject.get("kind", "")
    if kind not in _SUBJECTS:
        return [unsupported(f"{at}.kind", kind, _SUBJECTS)]
    field = _SUBJECTS[kind]
    where, named = f"{at}.{field}", subject.get(field)
    causes: list[Cause] = []
    if named is None:
        causes.append(required(where, f"{field} is required when subject kind is '{kind}'"))
    else:
        name = named.get("name", "")
        if not name:
            causes.append(required(f"{where}.name"))
        elif kind == "ServiceAccount" and name != "*":
            causes += subdomain(f"{where}.name", name)
        if kind == "ServiceAccount":
            space = named.get("namespace", "")
            why = "must specify namespace for service account"
            causes += label_name(f"{where}.namespace", space) if space else [required(f"{where}.namespace", why)]
    for other in ("ServiceAccount", "User", "Group"):
        if other != kind and subject.get(_SUBJECTS[other]) is not None:
            part = _SUBJECTS[other]
            causes.append(forbidden(f"{at}.{part}", f"{part} is forbidden when subject kind is not '{other}'"))
    return causes


def _values(rule: Object, at: str, field: str, empty: str, others: str) -> list[Cause]:
    """A list that must not be empty, and stands alone where it has a "*"."""
    values = rule.get(field) or []
    if not values:
        return [required(f"{at}.{field}", empty)]
    if "*" in values and len(values) > 1:
        return [bad(f"{at}.{field}", values, f"if '*' is present, must not specify other {others}")]
    return []


def _verbs(rule: Object, at: str) -> list[Cause]:
    verbs = rule.get("verbs") or []
    causes = _values(rule, at, "verbs", "verbs must contain at least one value", "verbs")
    if not causes and verbs != ["*"] and not set(verbs) <= set(_VERBS):
        causes.append(unsupported(f"{at}.verbs", verbs, _VERBS))
    return causes


def _resource_rule(rule: Object, at: str) -> list[Cause]:
    causes = _verbs(rule, at)
    empty = "resource rules must supply at least one"
    causes += _values(rule, at, "apiGroups", f"{empty} api group", "api groups")
    causes += _values(rule, at, "resources", f"{empty} resource", "resources")
    spaces = rule.get("namespaces") or []
    if spaces or not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        causes += _values(rule, at, "namespaces", why, "namespaces")
    for index, name in enumerate(spaces if "*" not in spaces else ()):
        start = f"Invalid value: {shown(name)}: "
        for field, why, text in label_name(f"{at}.namespaces[{index}]", name):
            intro = "each member of this list must be '*' or a DNS-1123 label; "
            causes.append((field, why, f"{start}{intro}{text.removeprefix(start)}"))
    return causes


def _other_rule(rule: Object, at: str) -> list[Cause]:
    causes = _verbs(rule, at)
    empty = "nonResourceURLs must contain at least one value"
    causes += _values(rule, at, "nonResourceURLs", empty, "non-resource URLs")
    urls = rule.get("nonResourceURLs") or ()
    for index, url in enumerate(urls if "*" not in urls else ()):
        causes += _url(url, f"{at}.nonResourceURLs[{index}]")
    return causes


def _url(url: str, at: str) -> list[Cause]:
    if not url:
        return [bad(at, url, "must not be empty")]
    if url == "/":
        return []
    if not url.startswith("/"):
        return [bad(at, url, "must start with slash")]
    if " " in url:
        return [bad(at, url, "must not contain white-space")]
    if "//" in url:
        return [bad(at, url, "must not contain double slash")]
    if "*" in url and ("*" in url[:-1] or not url.endswith("/*")):
        return [bad(at, url, "wildcard can only do suffix matching")]
    return []


def priority_level(item: Object) -> list[Cause]:
    spec, name = item.get("spec") or {}, item["metadata"].get("name", "")
    kind, limited, exempt = spec.get("type", ""), spec.get("limited"), spec.get("exempt")
    causes: list[Cause] = []
    if (name == "exempt") != (kind == "Exempt"):
        causes.append(bad("spec.type", kind, "must be 'Exempt' if and only if `name` is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            causes.append(forbidden("spec.limited", "must be nil if the type is not Limited"))
        causes += _shares(exempt or {}, "spec.exempt")
    elif kind == "Limited":
        if exempt is not None:
            causes.append(forbidden("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            causes.append(required("spec.limited", "must not be empty when type is Limited"))
        else:
            causes += _limited(limited, "spec.limited")
    else:
        causes += one_of("spec.type", kind, ["Exempt", "Limited"])
    fixed = _mandatory("prioritylevelconfigurations", name)
    except_words = " except the 'spec.exempt' field" if name == "exempt" else ""
    if fixed is not None and fixed | {"exempt": exempt} != spec | {"exempt": exempt}:
        whole = internal("flowcontrol.PriorityLevelConfigurationSpec", spec)
        causes.append(bad("spec", whole, f"spec of '{name}'{except_words} must equal the fixed value"))
    return causes


def _shares(part: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    shares, lendable = part.get("nominalConcurrencyShares"), part.get("lendablePercent")
    if shares is not None and shares < 0:
        causes.append(bad(f"{at}.nominalConcurrencyShares", shares, "must be a non-negative integer"))
    if "limitResponse" in part:
        causes += _response(part["limitResponse"] or {}, f"{at}.limitResponse")
    if lendable is not None and not 0 <= lendable <= 100:
        causes.append(bad(f"{at}.lendablePercent", lendable, "must be between 0 and 100, inclusive"))
    return causes


def _limited(limited: Object, at: str) -> list[Cause]:
    causes = _shares({"limitResponse": {}} | limited, at)
    borrowing = limited.get("borrowingLimitPercent")
    if borrowing is not None and borrowing < 0:
        why = "if specified, must be a non-negative integer"
        causes.append(bad(f"{at}.borrowingLimitPercent", borrowing, why))
    return causes


def _response(response: Object, at: str) -> list[Cause]:
    kind, queuing = response.get("type", ""), response.get("queuing")
    if kind == "Reject":
        why = "must be nil if limited.limitResponse.type is not Limited"
        return [] if queuing is None else [forbidden(f"{at}.queuing", why)]
    if kind == "Queue":
        why = "must not be empty if limited.limitResponse.type is Limited"
        return [required(f"{at}.queuing", why)] if queuing is None else _queuing(queuing, f"{at}.queuing")
    return one_of(f"{at}.type", kind, ["Queue", "Reject"])


def _queuing(queuing: Object, at: str) -> list[Cause]:
    length, queues, hand = (queuing.get(name) or 0 for name in ("queueLengthLimit", "queues", "handSize"))
    causes: list[Cause] = []
    if length <= 0:
        causes.append(bad(f"{at}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        causes.append(bad(f"{at}.queues", queues, "must be positive"))
    elif queues > _MOST_QUEUES:
        causes.append(bad(f"{at}.queues", queues, f"must not be greater than {_MOST_QUEUES}"))
    if hand <= 0:
        causes.append(bad(f"{at}.handSize", hand, "must be positive"))
    elif hand > queues:
        causes.append(bad(f"{at}.handSize", hand, f"should not be greater than queues ({queues})"))
    elif math.ceil(math.log2(queues) * hand) > _HASH_BITS:
        why = f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {_HASH_BITS}"
        causes.append(bad(f"{at}.handSize", hand, why))
    return causes

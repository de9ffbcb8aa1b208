"""Where a pod may run: affinity, spread, tolerations (pkg/apis/core/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    label_key,
    label_name,
    label_selector,
    label_value,
    one_of,
    required,
    selector_operator,
    subdomain,
    supported,
    unsupported,
)

TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
_WANTED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def affinity(value: Object, path: str) -> list[Cause]:
    nodes, causes = value.get("nodeAffinity") or {}, []
    if nodes.get(_WANTED) is not None:
        causes += node_selector(nodes[_WANTED], f"{path}.nodeAffinity.{_WANTED}")
    for index, term in enumerate(nodes.get(_PREFERRED) or ()):
        at = f"{path}.nodeAffinity.{_PREFERRED}[{index}]"
        causes += _weight(term, at) + _node_term(term.get("preference") or {}, f"{at}.preference", values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = value.get(kind) or {}
        for index, term in enumerate(pods.get(_WANTED) or ()):
            causes += _pod_term(term, f"{path}.{kind}.{_WANTED}[{index}]")
        for index, term in enumerate(pods.get(_PREFERRED) or ()):
            at = f"{path}.{kind}.{_PREFERRED}[{index}]"
            causes += _weight(term, at) + _pod_term(term.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")
    return causes


def _weight(term: Object, at: str) -> list[Cause]:
    weight = term.get("weight") or 0
    return [] if 0 < weight <= 100 else [bad(f"{at}.weight", weight, "must be in the range 1-100")]


def node_selector(selector: Object, path: str) -> list[Cause]:
    terms, at = selector.get("nodeSelectorTerms") or [], f"{path}.nodeSelectorTerms"
    if not terms:
        return [required(at, "must have at least one node selector term")]
    return [cause for index, term in enumerate(terms) for cause in _node_term(term, f"{at}[{index}]")]


def _node_term(term: Object, at: str, values: bool = True) -> list[Cause]:
    """`values`: whether they must be values of labels."""
    causes: list[Cause] = []
    for index, entry in enumerate(term.get("matchExpressions") or ()):
        causes += _node_requirement(entry, f"{at}.matchExpressions[{index}]", values)
    for index, entry in enumerate(term.get("matchFields") or ()):
        where, found, operator = f"{at}.matchFields[{index}]", entry.get("values") or (), entry.get("operator", "")
        if operator not in ("In", "NotIn"):
            causes.append(bad(f"{where}.operator", operator, "not a valid selector operator"))
        elif len(found) != 1:
            why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            causes.append(required(f"{where}.values", why))
        if entry.get("key") != "metadata.name":
            causes.append(bad(f"{where}.key", entry.get("key", ""), "not a valid field selector key"))
        else:
            causes += [c for number, name in enumerate(found) for c in subdomain(f"{where}.values[{number}]", name)]
    return causes


def _node_requirement(entry: Object, where: str, checked: bool) -> list[Cause]:
    operator, values = entry.get("operator", ""), entry.get("values") or []
    if operator in ("Gt", "Lt"):
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        causes = [] if len(values) == 1 else [required(f"{where}.values", why)]
    else:
        causes = selector_operator(where, operator, values)
    causes += label_key(f"{where}.key", entry.get("key", ""))
    if checked:
        causes += [c for index, value in enumerate(values) for c in label_value(f"{where}.values[{index}]", value)]
    return causes


def _pod_term(term: Object, at: str) -> list[Cause]:
    causes = label_selector(f"{at}.labelSelector", term.get("labelSelector"))
    causes += label_selector(f"{at}.namespaceSelector", term.get("namespaceSelector"))
    for name in term.get("namespaces") or ():
        causes += label_name(f"{at}.namespace", name)
    for keys in ("matchLabelKeys", "mismatchLabelKeys"):
        causes += _label_keys(term, at, keys)
    key = term.get("topologyKey", "")
    causes += [] if key else [required(f"{at}.topologyKey", "can not be empty")]
    return causes + label_key(f"{at}.topologyKey", key)


def _label_keys(entry: Object, at: str, name: str) -> list[Cause]:
    """Keys whose values come from the pod itself need a selector, and must not be in it."""
    keys, selector = entry.get(name) or [], entry.get("labelSelector")
    if not keys:
        return []
    if selector is None:
        return [forbidden(f"{at}.{name}", "must not be specified when labelSelector is not set")]
    return [cause for index, key in enumerate(keys) for cause in label_key(f"{at}.{name}[{index}]", key)]


def spread(constraints: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    actions = ["DoNotSchedule", "ScheduleAnyway"]
    for index, entry in enumerate(constraints):
        where, action, key = f"{path}[{index}]", entry.get("whenUnsatisfiable", ""), entry.get("topologyKey", "")
        if (entry.get("maxSkew") or 0) <= 0:
            causes.append(bad(f"{where}.maxSkew", entry.get("maxSkew") or 0, "must be greater than zero"))
        if not key:
            causes.append(required(f"{where}.topologyKey", "can not be empty"))
        if action not in actions:
            causes.append(unsupported(f"{where}.whenUnsatisfiable", action, actions))
        rest = ((other.get("topologyKey", ""), other.get("whenUnsatisfiable")) for other in constraints[index + 1 :])
        if (key, action) in rest:
            causes.append(duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}"))
        least, at = entry.get("minDomains"), f"{where}.minDomains"
        if least is not None and least <= 0:
            causes.append(bad(at, least, "must be greater than zero"))
        if least is not None and action != "DoNotSchedule":
            why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
            causes.append(bad(at, least, why))
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            causes += supported(f"{where}.{name}", entry.get(name), ["Honor", "Ignore"])
        causes += _label_keys(entry, where, "matchLabelKeys")
        causes += label_selector(f"{where}.labelSelector", entry.get("labelSelector"))
    return causes


def tolerations(found: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(found):
        where, key, value = f"{path}[{index}]", entry.get("key", ""), entry.get("value", "")
        operator, effect = entry.get("operator", ""), entry.get("effect", "")
        if key:
            causes += label_key(f"{where}.key", key)
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            causes.append(bad(f"{where}.operator", operator, why))
        if entry.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            causes.append(bad(f"{where}.effect", effect, why))
        if operator in ("Equal", ""):
            causes += label_value(f"{where}.operator", value)
        elif operator == "Exists" and value:
            causes.append(bad(f"{where}.operator", value, "value must be empty when `operator` is 'Exists'"))
        elif operator != "Exists":
            causes.append(unsupported(f"{where}.operator", operator, _operators(operator)))
        causes += one_of(f"{where}.effect", effect, TAINT_EFFECTS, is_required=False)
    return causes


def _operators(asked: str) -> list[str]:
    """Lt and Gt are known, but behind a gate."""
    return ["Equal", "Exists", "Lt", "Gt"] if asked in ("Lt", "Gt") else ["Equal", "Exists"]

"""Webhooks and policies of admission (pkg/apis/admissionregistration/validation), but for their expressions."""

from __future__ import annotations

from urllib.parse import urlsplit

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    called_port,
    duplicate,
    forbidden,
    label_1035,
    label_selector,
    one_of,
    path_segment,
    required,
    subdomain,
    subdomain_problems,
    supported,
)
from kubetrace.playground.webhook_calls import is_local

_REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"]
_OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]


def validating(item: Object) -> list[Cause]:
    return _webhooks(item, mutating=False)


def mutating(item: Object) -> list[Cause]:
    return _webhooks(item, mutating=True)


def _webhooks(item: Object, mutating: bool) -> list[Cause]:
    causes: list[Cause] = []
    names: set[str] = set()
    for index, webhook in enumerate(item.get("webhooks") or ()):
        at, name = f"webhooks[{index}]", webhook.get("name", "")
        causes += _webhook(webhook, at)
        if mutating:
            policy = webhook.get("reinvocationPolicy")
            causes += supported(f"{at}.reinvocationPolicy", policy, ["IfNeeded", "Never"])
        causes += _versions(webhook.get("admissionReviewVersions") or [], f"{at}.admissionReviewVersions")
        if name in names:
            causes.append(duplicate(f"{at}.name", name))
        names.add(name)
    return causes


def _webhook(webhook: Object, at: str) -> list[Cause]:
    name = webhook.get("name", "")
    causes = _name(f"{at}.name", name)
    for index, rule in enumerate(webhook.get("rules") or ()):
        causes += _rule(rule, f"{at}.rules[{index}]")
    causes += supported(f"{at}.failurePolicy", webhook.get("failurePolicy"), ["Fail", "Ignore"])
    causes += supported(f"{at}.matchPolicy", webhook.get("matchPolicy"), ["Equivalent", "Exact"])
    effects = webhook.get("sideEffects")
    if effects is None:
        causes.append(required(f"{at}.sideEffects", "must specify one of None, NoneOnDryRun"))
    causes += supported(f"{at}.sideEffects", effects, ["None", "NoneOnDryRun"])
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        causes.append(bad(f"{at}.timeoutSeconds", seconds, "the timeout value must be between 1 and 30 seconds"))
    for part in ("namespaceSelector", "objectSelector"):
        causes += label_selector(f"{at}.{part}", webhook.get(part))
    return causes + _client(webhook.get("clientConfig") or {}, f"{at}.clientConfig")


def _name(field: str, name: str) -> list[Cause]:
    if not name:
        return [required(field)]
    causes = subdomain(field, name)
    if not causes and name.count(".") < 2:
        causes.append(bad(field, name, "should be a domain with at least three segments separated by dots"))
    return causes


def _client(config: Object, at: str) -> list[Cause]:
    url: str | None = config.get("url")
    service: Object | None = config.get("service")
    if url is not None and service is None:
        return _url(f"{at}.url", url)
    if url is not None or service is None:
        return [required(at, "exactly one of url or service is required")]
    # The real server hands over the name as the namespace, and the namespace as the name.
    missing = (("name", "namespace"), ("namespace", "name"))
    causes = [required(f"{at}.service.{told}") for told, looked_at in missing if not service.get(looked_at)]
    port = service.get("port")
    causes += [] if port is None else called_port(f"{at}.service.port", port)
    return causes + _path(f"{at}.service.path", service.get("path") or "")


def _path(field: str, path: str) -> list[Cause]:
    if path in ("", "/"):
        return []
    if path == "//":
        return [bad(field, path, "segment[0] may not be empty")]
    causes = [] if path.startswith("/") else [bad(field, path, "must start with a '/'")]
    for index, segment in enumerate(path[1:].removesuffix("/").split("/")):
        if not segment:
            causes.append(bad(field, path, f"segment[{index}] may not be empty"))
            continue
        causes += [bad(field, path, f"segment[{index}]: {why}") for why in subdomain_problems(segment)]
    return causes


def _url(field: str, url: str) -> list[Cause]:
    form, found = "desired format: https://host[/path]", urlsplit(url)
    causes: list[Cause] = []
    if found.scheme != "https":
        causes.append(bad(field, found.scheme, f"'https' is the only allowed URL scheme; {form}"))
    if not found.netloc:
        causes.append(bad(field, found.netloc, f"host must be specified; {form}"))
    if found.username is not None:
        causes.append(bad(field, found.username, "user information is not permitted in the URL"))
    if found.fragment:
        causes.append(bad(field, found.fragment, "fragments are not permitted in the URL"))
    if found.query:
        causes.append(bad(field, found.query, "query parameters are not permitted in the URL"))
    return causes


def _rule(rule: Object, at: str) -> list[Cause]:
    causes: list[Cause] = []
    operations = rule.get("operations") or []
    if not operations:
        causes.append(required(f"{at}.operations"))
    if len(operations) > 1 and "*" in operations:
        why = "if '*' is present, must not specify other operations"
        causes.append(bad(f"{at}.operations", operations, why))
    for index, operation in enumerate(operations):
        causes += supported(f"{at}.operations[{index}]", operation, _OPERATIONS)
    for name in ("apiGroups", "apiVersions", "resources"):
        values = rule.get(name) or []
        field = f"{at}.{name}"
        if not values:
            causes.append(required(field))
        if len(values) > 1 and "*" in values and name != "resources":
            words = "API groups" if name == "apiGroups" else "API versions"
            causes.append(bad(field, values, f"if '*' is present, must not specify other {words}"))
        if name == "apiVersions":
            causes += [required(f"{field}[{index}]") for index, value in enumerate(values) if not value]
    causes += _resources(rule.get("resources") or [], f"{at}.resources")
    return causes + supported(f"{at}.scope", rule.get("scope"), ["*", "Cluster", "Namespaced"])


def _resources(names: list[str], at: str) -> list[Cause]:
    """Resources and subresources, each said once."""
    causes: list[Cause] = []
    whole: set[str] = set()
    everywhere: set[str] = set()
    for index, name in enumerate(names):
        resource, slash, part = name.partition("/")
        if not name:
            causes.append(required(f"{at}[{index}]"))
        if not slash:
            continue
        if resource in whole:
            causes.append(bad(f"{at}[{index}]", name, f"if '{resource}/*' is present, must not specify {name}"))
        if part in everywhere:
            causes.append(bad(f"{at}[{index}]", name, f"if '*/{part}' is present, must not specify {name}"))
        whole |= {resource} if part == "*" else set()
        everywhere |= {part} if resource == "*" else set()
    if len(names) > 1 and "*/*" in names:
        causes.append(bad(at, names, "if '*/*' is present, must not specify other resources"))
    if "*" in names and any("/" not in name and name != "*" for name in names):
        why = "if '*' is present, must not specify other resources without subresources"
        causes.append(bad(at, names, why))
    return causes


def _versions(versions: list[str], at: str) -> list[Cause]:
    if not versions:
        return [required(at, "must specify one of v1, v1beta1")]
    causes: list[Cause] = []
    for index, version in enumerate(versions):
        field = f"{at}[{index}]"
        causes += label_1035(field, version)
        if version in versions[:index]:
            causes.append(duplicate(field, version))
    if not {"v1", "v1beta1"} & set(versions):
        causes.append(bad(at, versions, "must include at least one of v1, v1beta1"))
    return causes


def policy(item: Object) -> list[Cause]:
    """A ValidatingAdmissionPolicy."""
    spec = item.get("spec") or {}
    causes = constraints(spec)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        why = "validations or auditAnnotations must contain at least one item"
        causes += [required(f"spec.{name}", why) for name in ("validations", "auditAnnotations")]
    for index, entry in enumerate(spec.get("validations") or ()):
        if not entry.get("expression", "").strip():
            causes.append(required(f"spec.validations[{index}].expression", "expression is not specified"))
        causes += supported(f"spec.validations[{index}].reason", entry.get("reason"), _REASONS)
    return causes


def policy_binding(item: Object) -> list[Cause]:
    spec, actions = item.get("spec") or {}, ["Audit", "Deny", "Warn"]
    causes, found = bound(spec), spec.get("validationActions") or []
    if not found:
        causes.append(required("spec.validationActions", "at least one validation action is required"))
    for index, action in enumerate(found):
        field = f"spec.validationActions[{index}]"
        causes += supported(field, action, actions)
        if action in found[:index]:
            causes.append(duplicate(field, action))
    if {"Deny", "Warn"} <= set(found):
        why = "must not contain both Deny and Warn (repeating the same validation failure information in the API "
        causes.append(bad("spec.validationActions", found, f"{why}response and headers serves no purpose)"))
    return causes


def constraints(spec: Object) -> list[Cause]:
    """What a policy is about, and what becomes of what it cannot be asked of."""
    causes = supported("spec.failurePolicy", spec.get("failurePolicy"), ["Fail", "Ignore"])
    match = spec.get("matchConstraints")
    if match is None:
        return [*causes, required("spec.matchConstraints")]
    causes += _match_resources(match, "spec.matchConstraints")
    return causes if match.get("resourceRules") else [*causes, required("spec.matchConstraints.resourceRules")]


def bound(spec: Object) -> list[Cause]:
    """The policy of a binding, and what it is about."""
    name, match = spec.get("policyName", ""), spec.get("matchResources")
    causes = subdomain("spec.policyName", name) if name else [required("spec.policyName")]
    causes += _parameters(spec.get("paramRef"), "spec.paramRef")
    return causes if match is None else causes + _match_resources(match, "spec.matchResources")


def _match_resources(match: Object, at: str) -> list[Cause]:
    """What a policy or its binding is about."""
    causes = supported(f"{at}.matchPolicy", match.get("matchPolicy"), ["Equivalent", "Exact"])
    for part in ("namespaceSelector", "objectSelector"):
        causes += label_selector(f"{at}.{part}", match.get(part))
    for part in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(part) or ()):
            causes += _rule(rule, f"{at}.{part}[{index}]")
    return causes


def _parameters(reference: Object | None, at: str) -> list[Cause]:
    """Which objects a binding's policy is given (validateParamRef)."""
    if reference is None:
        return []
    why = "name and selector are mutually exclusive"
    name, selector = reference.get("name", ""), reference.get("selector")
    causes = path_segment(f"{at}.name", name)
    if selector is not None:
        causes += [forbidden(f"{at}.name", why)] if name else []
        causes += label_selector(f"{at}.selector", selector)
        causes += [forbidden(f"{at}.selector", why)] if name else []
    elif not name:
        causes.append(required(at, "one of name or selector must be specified"))
    action = reference.get("parameterNotFoundAction")
    return causes + one_of(f"{at}.parameterNotFoundAction", action, ["Deny", "Allow"])


def untold(item: Object) -> list[str]:
    """What of these the playground keeps, but does not do."""
    name = item["metadata"].get("name", "")
    found = []
    for entry in item.get("webhooks") or ():
        title, host = entry.get("name", ""), urlsplit((entry.get("clientConfig") or {}).get("url") or "").hostname
        if host and not is_local(host):
            found.append(f"the playground calls webhooks on this machine only, which {title} is not on")
        if entry.get("matchConditions"):
            found.append(f"the playground does not run the expressions of the webhook {title}")
    if item.get("kind") in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"):
        found.append(f"the playground does not run the expressions of the policy {name}")
    return found

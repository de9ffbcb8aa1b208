"""APIServices (kube-aggregator pkg/apis/apiregistration/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    called_port,
    decoded_size,
    label_1035,
    required,
    subdomain,
)


def name(field: str, value: str, spec: Object) -> list[Cause]:
    """An APIService is named after what it registers."""
    wanted = f"{spec.get('version', '')}.{spec.get('group', '')}"
    return [] if value == wanted else [bad(field, value, f'must be `spec.version+"."+spec.group`: "{wanted}"')]


def api_service(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    group, version, service = spec.get("group", ""), spec.get("version", ""), spec.get("service")
    causes: list[Cause] = []
    if not group and version != "v1":
        causes.append(required("spec.group", "only v1 may have an empty group and it better be legacy kube"))
    causes += subdomain("spec.group", group) if group else []
    causes += label_1035("spec.version", version)
    for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = spec.get(field) or 0
        if not 0 < value <= most:
            causes.append(bad(f"spec.{field}", value, f"must be positive and less than {most}"))
    authority, insecure = spec.get("caBundle") or "", bool(spec.get("insecureSkipTLSVerify"))
    if service is None:
        return causes + _local(authority, insecure)
    causes += [required(f"spec.service.{field}") for field in ("namespace", "name") if not service.get(field)]
    causes += called_port("spec.service.port", service.get("port") or 0)
    if insecure and authority:
        causes.append(bad("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present"))
    return causes


def changed_api_service(item: Object) -> list[Cause]:
    """An update's, whose name is looked at, too."""
    found = name("metadata.name", item["metadata"]["name"], item.get("spec") or {})
    return found + api_service(item)


def _local(authority: str, insecure: bool) -> list[Cause]:
    """Without a Service the group is the server's own."""
    causes: list[Cause] = []
    if authority:
        size = f"{decoded_size(authority)} bytes"
        causes.append(bad("spec.caBundle", size, "local APIServices may not have a caBundle"))
    if insecure:
        why = "local APIServices may not have insecureSkipTLSVerify"
        causes.append(bad("spec.insecureSkipTLSVerify", True, why))
    return causes

"""A pod's status (ValidatePodStatusUpdate in pkg/apis/core/validation)."""

from __future__ import annotations

from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    is_address,
    label_name,
    legacy_address,
    qualified_name,
    required,
    subdomain,
    unchanged,
    unsupported,
)

_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_LISTS = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_SPECS = {"containerStatuses": "containers", "initContainerStatuses": "initContainers"}
_HEALTHS = ("Healthy", "Unhealthy", "Unknown")
_MOST_ID = 2**31 - 1


def check(old: Object, new: Object) -> list[Cause]:
    status, before, spec = new.get("status") or {}, old.get("status") or {}, new["spec"]
    causes = _conditions(status.get("conditions") or ())
    causes += _nominated(old, status)
    if (status.get("observedGeneration") or 0) < 0:
        causes.append(bad("status.observedGeneration", status["observedGeneration"], "must be a non-negative integer"))
    causes += unchanged("status.qosClass", before.get("qosClass", ""), status.get("qosClass", ""))
    for name in _LISTS:
        causes += _transitions(before.get(name) or (), status.get(name) or (), name, old["spec"])
    causes += _claims(status.get("resourceClaimStatuses") or (), spec.get("resourceClaims") or ())
    causes += _extended(status.get("extendedResourceClaimStatus"), spec)
    causes += _addresses(before, status, "podIPs")
    causes += _host_addresses(before, status)
    for name in _LISTS:
        causes += _users(status.get(name) or (), name, (spec.get("os") or {}).get("name", "linux"))
    for name in _LISTS[:2]:
        causes += _devices(status.get(name) or (), name, spec.get(_SPECS[name]) or ())
    for index, entry in enumerate(status.get(_LISTS[2]) or ()):
        if entry.get("allocatedResourcesStatus"):
            at = f"status.{_LISTS[2]}[{index}].allocatedResourcesStatus"
            causes.append(forbidden(at, "must not be specified in container status"))
    return causes


def _conditions(found: list[Object] | tuple[()]) -> list[Cause]:
    causes: list[Cause] = []
    for index, condition in enumerate(found):
        at, generation = f"status.conditions[{index}]", condition.get("observedGeneration") or 0
        if generation < 0:
            causes.append(bad(f"{at}.observedGeneration", generation, "must be a non-negative integer"))
        if condition.get("type") not in _SYSTEM_CONDITIONS:
            causes += qualified_name(f"{at}.Type", condition.get("type", ""))
    return causes


def _nominated(old: Object, status: Object) -> list[Cause]:
    name, at = status.get("nominatedNodeName"), "status.nominatedNodeName"
    if not name or name == (old.get("status") or {}).get("nominatedNodeName"):
        return []
    causes = subdomain(at, name)
    if old["spec"].get("nodeName"):
        causes.append(forbidden(at, "may not be set on pods that are already bound to a node"))
    return causes


def _transitions(
    before: list[Object] | tuple[()], after: list[Object] | tuple[()], name: str, spec: Object
) -> list[Cause]:
    """What has ended and does not start again stays ended."""
    causes: list[Cause] = []
    found = {entry.get("name"): entry for entry in reversed(after)}
    for index, entry in enumerate(before):
        ended = (entry.get("state") or {}).get("terminated")
        new = found.get(entry.get("name"))
        if ended is None or new is None or (new.get("state") or {}).get("terminated") is not None:
            continue
        if name not in _SPECS or not _restarts(entry["name"], spec, _SPECS[name], ended.get("exitCode", 0)):
            causes.append(forbidden(f"status.{name}[{index}].state", "may not be transitioned to non-terminated state"))
    return causes


def _restarts(name: str, spec: Object, group: str, code: int) -> bool:
    """Whether a container starts again after that exit code (ContainerShouldRestart in pkg/api/v1/pod)."""
    container = next((entry for entry in spec.get(group) or () if entry.get("name") == name), None)
    if container is None:
        return False
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        inside = code in (codes.get("values") or ())
        if rule.get("action") == "Restart" and inside == (codes.get("operator") == "In"):
            return True
    policy = container.get("restartPolicy") or spec.get("restartPolicy")
    return policy == "Always" or (policy == "OnFailure" and code != 0)


def _claims(statuses: list[Object] | tuple[()], claims: list[Object] | tuple[()]) -> list[Cause]:
    causes: list[Cause] = []
    known, seen = {entry.get("name") for entry in claims}, set()
    for index, entry in enumerate(statuses):
        at, name = f"status.resourceClaimStatuses[{index}]", entry.get("name", "")
        if name not in known:
            causes.append(bad(f"{at}.name", name, "must match the name of an entry in `spec.resourceClaims`"))
        if name in seen:
            causes.append(duplicate(f"{at}.name", name))
        seen.add(name)
        if entry.get("resourceClaimName") is not None:
            causes += subdomain(f"{at}.resourceClaimName", entry["resourceClaimName"])
    return causes


def _extended(status: Object | None, spec: Object) -> list[Cause]:
    """The claim that was made for extended resources."""
    if status is None:
        return []
    at = "status.extendedResourceClaimStatus"
    containers = {entry["name"]: entry for group in ("initContainers", "containers") for entry in spec.get(group) or ()}
    mappings, causes = status.get("requestMappings") or [], []
    if not mappings:
        causes.append(required(f"{at}.requestMappings", "at least one request mapping is required"))
    seen = set()
    among = "must match the {} of an entry in spec.initContainers{} or spec.containers{}"
    for index, entry in enumerate(mappings):
        where = f"{at}.requestMappings[{index}]"
        key = tuple(entry.get(name, "") for name in ("containerName", "resourceName", "requestName"))
        container = containers.get(key[0])
        if container is None:
            causes.append(bad(f"{where}.containerName", key[0], among.format("name", ".name", ".name")))
        elif key[1] not in ((container.get("resources") or {}).get("requests") or {}):
            why = among.format("extended resource name", ".resources.requests", ".resources.requests")
            causes.append(bad(f"{where}.resourceName", key[1], why))
        causes += label_name(f"{at}.requestName", key[2])
        if key in seen:
            names = ("containerName", "resourceName", "requestName")
            causes += [duplicate(f"{where}.{name}", value) for name, value in zip(names, key, strict=True)]
        seen.add(key)
    name = status.get("resourceClaimName", "")
    return causes + (subdomain(f"{at}.resourceClaimName", name) if name else [required(f"{at}.resourceClaimName")])


def _addresses(before: Object, status: Object, name: str) -> list[Cause]:
    at, known = f"status.{name}", [entry.get("ip") for entry in before.get(name) or ()]
    found = [entry.get("ip", "") for entry in status.get(name) or ()]
    causes = [cause for index, ip in enumerate(found) for cause in legacy_address(f"{at}[{index}]", ip, known)]
    if len(found) < 2:
        return causes
    shown = [{"IP": ip} for ip in found]
    wrong = next((ip for ip in found if not is_address(ip)), None)
    if wrong is not None:
        why = f"failed to check for dual stack with error:invalid IP: {wrong}"
        causes.append((at, "InternalError", f"Internal error: {why}"))
    if wrong is not None or len(found) > 2 or len({":" in ip for ip in found}) < 2:
        causes.append(bad(at, shown, "may specify no more than one IP for each IP family"))
    return causes


def _host_addresses(before: Object, status: Object) -> list[Cause]:
    found = status.get("hostIPs") or []
    causes: list[Cause] = []
    if found and status.get("hostIP", "") != found[0].get("ip", ""):
        causes.append(bad("status.hostIPs[0].ip", found[0].get("ip", ""), "must be equal to `hostIP`"))
    return causes + _addresses(before, status, "hostIPs")


def _users(statuses: list[Object] | tuple[()], name: str, system: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(statuses):
        user = (entry.get("user") or {}).get("linux")
        at = f"status.{name}[{index}].user.linux"
        if user is None:
            continue
        if system == "windows":
            causes.append(forbidden(at, "cannot be set for a windows pod"))
            continue
        ids = [(f"{at}.uid", user.get("uid", 0)), (f"{at}.gid", user.get("gid", 0))]
        ids += [
            (f"{at}.supplementalGroups[{i}]", value) for i, value in enumerate(user.get("supplementalGroups") or ())
        ]
        why = f"must be between 0 and {_MOST_ID}, inclusive"
        causes += [bad(where, value, why) for where, value in ids if not 0 <= value <= _MOST_ID]
    return causes


def _devices(statuses: list[Object] | tuple[()], name: str, containers: list[Object] | tuple[()]) -> list[Cause]:
    """How well the devices of containers are."""
    causes: list[Cause] = []
    found = {entry["name"]: entry.get("resources") or {} for entry in containers}
    for index, entry in enumerate(statuses):
        for number, part in enumerate(entry.get("allocatedResourcesStatus") or ()):
            at = f"status.{name}[{index}].allocatedResourcesStatus[{number}]"
            resource = part.get("name", "")
            if entry.get("name") in found:
                causes += _asked_for(resource, found[entry["name"]], f"{at}.name")
            seen = set()
            for place, device in enumerate(part.get("resources") or ()):
                where, health = f"{at}.resources[{place}]", device.get("health", "")
                if health not in _HEALTHS:
                    causes.append(unsupported(f"{where}.health", health, _HEALTHS))
                if device.get("resourceID") in seen:
                    causes.append(duplicate(f"{where}.resourceID", device.get("resourceID", "")))
                seen.add(device.get("resourceID"))
    return causes


def _asked_for(resource: str, resources: Object, at: str) -> list[Cause]:
    if not resource.startswith("claim:"):
        wanted = resources.get("requests") or {}
        return [] if resource in wanted else [bad(at, resource, "must match one of the container's resource requests")]
    entries = resources.get("claims") or ()
    claims = [f"claim:{e.get('name', '')}" + (f"/{e['request']}" if e.get("request") else "") for e in entries]
    why = "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or "
    why += "'claim:<claimName>' if request is empty"
    return [] if resource in claims else [bad(at, resource, why)]

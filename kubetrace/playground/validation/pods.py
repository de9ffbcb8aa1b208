"""Pods and pod templates (pkg/apis/core/validation ValidatePodSpec), in the real server's order."""

from __future__ import annotations

from kubetrace.playground.validation import containers, scheduling, security
from kubetrace.playground.validation.causes import (
    MAX_INT32,
    Cause,
    Object,
    address,
    annotation_keys,
    bad,
    duplicate,
    forbidden,
    label_name,
    labels,
    missing,
    one_of,
    qualified_name,
    required,
    subdomain,
    underscored_subdomain,
    unsupported,
)
from kubetrace.playground.validation.probes import hooks_and_probes
from kubetrace.playground.validation.volumes import volumes as pod_volumes


def pod(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    causes = pod_spec(spec, "spec", item["metadata"].get("name", ""))
    for index, volume in enumerate(spec.get("volumes") or () if not spec.get("serviceAccountName") else ()):
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                at = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                causes.append(forbidden(at, "must not be specified when serviceAccountName is not set"))
    return causes


def new_pod(item: Object) -> list[Cause]:
    """What only an update can bring (ValidatePodCreate)."""
    spec = item.get("spec") or {}
    causes = []
    if spec.get("ephemeralContainers"):
        causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        causes.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return causes


def template(value: Object, path: str) -> list[Cause]:
    """A PodTemplateSpec."""
    metadata = value.get("metadata") or {}
    causes = labels(f"{path}.labels", metadata.get("labels"))
    causes += annotation_keys(f"{path}.annotations", metadata.get("annotations") or ())
    return causes + pod_spec(value.get("spec") or {}, f"{path}.spec")


def pod_spec(spec: Object, path: str, pod: str = "") -> list[Cause]:
    """`pod`: the name of the pod, where it is not a template's."""
    volumes, causes = pod_volumes(spec.get("volumes") or [], f"{path}.volumes", pod)
    causes += _containers(spec, f"{path}.containers", volumes)
    causes += _init_containers(spec, f"{path}.initContainers", volumes)
    causes += _ephemeral_containers(spec, f"{path}.ephemeralContainers", volumes)
    causes += _host_network(spec, f"{path}.containers")
    policies = ["Always", "OnFailure", "Never"]
    causes += one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), policies)
    policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
    causes += one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), policies)
    causes += labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    causes += security.pod_context(spec, path)
    causes += scheduling.affinity(spec.get("affinity") or {}, f"{path}.affinity")
    causes += _dns(spec.get("dnsPolicy"), spec.get("dnsConfig"), f"{path}.dnsConfig")
    for index, gate in enumerate(spec.get("readinessGates") or ()):
        causes += qualified_name(f"{path}.readinessGates[{index}].conditionType", gate.get("conditionType", ""))
    gates: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or ()):
        at, name = f"{path}.schedulingGates[{index}]", gate.get("name", "")
        causes += qualified_name(at, name)
        causes += [duplicate(at, name)] if name in gates else []
        gates.add(name)
    causes += scheduling.spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
    causes += _names(spec, path)
    causes += scheduling.tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        at = f"{path}.hostAliases[{index}]"
        causes += address(f"{at}.ip", alias.get("ip", ""))
        for number, name in enumerate(alias.get("hostnames") or ()):
            causes += subdomain(f"{at}.hostnames[{number}]", name)
    if spec.get("priorityClassName"):
        causes += subdomain(f"{path}.priorityClassName", spec["priorityClassName"])
    if spec.get("runtimeClassName") is not None:
        causes += subdomain(f"{path}.runtimeClassName", spec["runtimeClassName"])
    if spec.get("preemptionPolicy") is not None:
        policies = ["PreemptLowerPriority", "Never"]
        causes += one_of(f"{path}.preemptionPolicy", spec["preemptionPolicy"], policies)
    return causes + _os(spec.get("os"), f"{path}.os")


def _names(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            causes += subdomain(f"{path}.{name}", spec[name])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MAX_INT32:
        why = f"must be between 1 and {MAX_INT32}, inclusive"
        causes.append(bad(f"{path}.activeDeadlineSeconds", deadline, why))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            causes += label_name(f"{path}.{name}", spec[name])
    return causes


def _os(system: Object | None, at: str) -> list[Cause]:
    return [] if system is None else one_of(f"{at}.name", system.get("name"), ["linux", "windows"])


def _host_network(spec: Object, path: str) -> list[Cause]:
    """On the node's network a container's port is the node's."""
    causes: list[Cause] = []
    for index, container in enumerate(spec.get("containers") or () if spec.get("hostNetwork") else ()):
        for number, entry in enumerate(container.get("ports") or ()):
            port, own = entry.get("hostPort") or 0, entry.get("containerPort")
            if port != own:
                at = f"{path}[{index}].ports[{number}].hostPort"
                causes.append(bad(at, port, "must match `containerPort` when `hostNetwork` is true"))
    return causes


def _dns(policy: str | None, config: Object | None, at: str) -> list[Cause]:
    servers = (config or {}).get("nameservers") or []
    if policy == "None":
        if config is None:
            return [required(at, "must provide `dnsConfig` when `dnsPolicy` is None")]
        if not servers:
            why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            return [required(f"{at}.nameservers", why)]
    causes: list[Cause] = []
    if len(servers) > 3:
        causes.append(bad(f"{at}.nameservers", servers, "must not have more than 3 nameservers"))
    for index, server in enumerate(servers):
        causes += address(f"{at}.nameservers[{index}]", server)
    searches = (config or {}).get("searches") or []
    if len(searches) > 32:
        causes.append(bad(f"{at}.searches", searches, "must not have more than 32 search paths"))
    if len(" ".join(searches)) > 2048:
        why = "must not have more than 2048 characters (including spaces) in the search list"
        causes.append(bad(f"{at}.searches", searches, why))
    for index, search in enumerate(searches):
        if search != ".":
            causes += underscored_subdomain(f"{at}.searches[{index}]", search.removesuffix("."))
    for index, option in enumerate((config or {}).get("options") or ()):
        causes += [] if option.get("name") else [required(f"{at}.options[{index}]", "must not be empty")]
    return causes


def _containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    found = spec.get("containers") or []
    if not found:
        return [required(path)]
    causes, names = [], set()
    for index, container in enumerate(found):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, volumes, spec.get("restartPolicy", ""))
        if container.get("name", "") in names:
            causes.append(duplicate(f"{where}.name", container.get("name", "")))
        names.add(container.get("name", ""))
        causes += hooks_and_probes(container, where, _grace(spec))
        causes += _restart_policy(container, where)
    return causes + containers.host_ports(found, path)


def _grace(spec: Object) -> int:
    seconds = spec.get("terminationGracePeriodSeconds")
    return 30 if seconds is None else int(seconds)


def _restart_policy(container: Object, where: str) -> list[Cause]:
    """A container's own."""
    policy, policies = container.get("restartPolicy"), ["Always", "Never", "OnFailure"]
    if policy is None:
        why = "must specify restartPolicy when restart rules are used"
        return [required(f"{where}.restartPolicy", why)] if container.get("restartPolicyRules") else []
    return [] if policy in policies else [unsupported(f"{where}.restartPolicy", policy, policies)]


def _init_containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    names = {container.get("name") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, volumes, spec.get("restartPolicy", ""))
        causes += _restart_policy(container, where)
        if container.get("name") in names:
            causes.append(duplicate(f"{where}.name", container.get("name", "")))
        elif container.get("name"):
            names.add(container["name"])
        causes += containers.host_ports([container], path)
        sidecar = container.get("restartPolicy") == "Always"
        if sidecar:
            causes += hooks_and_probes(container, where, _grace(spec))
        else:
            why = "may not be set for init containers without restartPolicy=Always"
            hooks = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
            causes += [forbidden(f"{where}.{hook}", why) for hook in hooks if hook in container]
    return causes


def _ephemeral_containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    others = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    names = {container.get("name") for container in others}
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where, name = f"{path}[{index}]", container.get("name", "")
        causes += containers.check(container, where, volumes, spec.get("restartPolicy", ""))
        if name in names:
            causes.append(duplicate(f"{where}.name", name))
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in {other.get("name") for other in others}:
            causes.append(missing(f"{where}.targetContainerName", target))
        for field in ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            if field in container:
                causes.append(forbidden(f"{where}.{field}", "cannot be set for an Ephemeral Container"))
    return causes

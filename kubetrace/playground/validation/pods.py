"""Pods and pod templates (pkg/apis/core/validation ValidatePodSpec), in the real server's order."""

from __future__ import annotations

from kubetrace.playground.validation import containers, hosts, pod_annotations, requirements, scheduling, security
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
)
from kubetrace.playground.validation.probes import hooks_and_probes
from kubetrace.playground.validation.volumes import volumes as pod_volumes


def pod(item: Object) -> list[Cause]:
    spec = item.get("spec") or {}
    found = item["metadata"].get("annotations") or {}
    causes = pod_annotations.of_pod(found, spec) + pod_spec(
        spec, "spec", item["metadata"].get("name", ""), pod_annotations.MIRROR in found
    )
    for index, volume in enumerate(spec.get("volumes") or () if not spec.get("serviceAccountName") else ()):
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                at = f"spec.volumes[{index}].projected.sources[{number}].serviceAccountToken"
                causes.append(forbidden(at, "must not be specified when serviceAccountName is not set"))
    for group in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(group) or ()):
            causes += containers.padded(container, f"spec.{group}[{index}]")
    return causes


def new_pod(item: Object) -> list[Cause]:
    """What only an update can bring (ValidatePodCreate)."""
    spec = item.get("spec") or {}
    causes = []
    if spec.get("ephemeralContainers"):
        causes.append(forbidden("spec.ephemeralContainers", "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        causes.append(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"))
    return causes + pod_annotations.beside_profiles(item["metadata"].get("annotations") or {}, spec)


def template(value: Object, path: str) -> list[Cause]:
    """A PodTemplateSpec."""
    metadata = value.get("metadata") or {}
    causes = labels(f"{path}.labels", metadata.get("labels"))
    found, spec = metadata.get("annotations") or {}, value.get("spec") or {}
    causes += annotation_keys(f"{path}.annotations", found)
    causes += pod_annotations.of_pod(found, spec, f"{path}.annotations")
    causes += pod_spec(spec, f"{path}.spec", in_template=True)
    causes += pod_annotations.beside_profiles(found, spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        causes.append(forbidden(f"{path}.spec.ephemeralContainers", why))
    return causes


def pod_spec(spec: Object, path: str, pod: str = "", mirror: bool = False, in_template: bool = False) -> list[Cause]:
    """`pod`: the name of the pod, where it is not a template's; `mirror`: it stands for one that its node runs."""
    volumes, causes = pod_volumes(spec.get("volumes") or [], f"{path}.volumes", pod)
    claims, wrong = requirements.pod_claims(spec.get("resourceClaims") or [], f"{path}.resourceClaims", mirror)
    around = containers.Around(volumes, claims, spec.get("restartPolicy", ""), hosts.shares_users(spec))
    causes += wrong + _containers(spec, f"{path}.containers", around)
    causes += _init_containers(spec, f"{path}.initContainers", around)
    causes += _ephemeral_containers(spec, f"{path}.ephemeralContainers", around)
    causes += requirements.of_pod(spec, path, claims)
    causes += hosts.network(spec, path, in_template)
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
    causes += hosts.processes(spec, path) + hosts.users(spec, path) + hosts.override(spec, path)
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
    overhead = spec.get("overhead")
    causes += requirements.of_container({"limits": overhead}, f"{path}.overhead") if overhead is not None else []
    return causes + hosts.system(spec, path) + containers.files(spec, path)


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


def _containers(spec: Object, path: str, around: containers.Around) -> list[Cause]:
    found = spec.get("containers") or []
    if not found:
        return [required(path)]
    causes, names = [], set()
    for index, container in enumerate(found):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, around)
        if container.get("name", "") in names:
            causes.append(duplicate(f"{where}.name", container.get("name", "")))
        names.add(container.get("name", ""))
        causes += hooks_and_probes(container, where, _grace(spec))
        causes += containers.restart_policy(container, where)
    return causes + containers.host_ports(found, path)


def _grace(spec: Object) -> int:
    seconds = spec.get("terminationGracePeriodSeconds")
    return 30 if seconds is None else int(seconds)


def _init_containers(spec: Object, path: str, around: containers.Around) -> list[Cause]:
    causes: list[Cause] = []
    names = {container.get("name") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, around)
        if container.get("restartPolicy") is not None:
            causes += containers.restart_policy(container, where)
        elif container.get("restartPolicyRules"):
            why = "must specify restartPolicy when restart rules are used"
            causes.append(required(f"{where}.restartPolicy", why))
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
            causes += _no_restart(container.get("resizePolicy") or [], f"{where}.resizePolicy")
    return causes


def _no_restart(policies: list[Object], at: str) -> list[Cause]:
    """An init container that has ended is not restarted for a new size."""
    policy, why = "RestartContainer", "must not be set to 'RestartContainer' for non-sidecar initContainers"
    found = [index for index, each in enumerate(policies) if each.get("restartPolicy") == policy]
    return [bad(f"{at}[{index}].restartPolicy", policy, why) for index in found]


def _ephemeral_containers(spec: Object, path: str, around: containers.Around) -> list[Cause]:
    causes: list[Cause] = []
    others = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    names = {container.get("name") for container in others}
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where, name = f"{path}[{index}]", container.get("name", "")
        causes += containers.check(container, where, around) + containers.padded(container, where)
        if name in names:
            causes.append(duplicate(f"{where}.name", name))
        names.add(name)
        target = container.get("targetContainerName")
        if target and target not in {other.get("name") for other in others}:
            causes.append(missing(f"{where}.targetContainerName", target))
        why = "cannot be set for an Ephemeral Container"
        causes += [forbidden(f"{where}.{field}", why) for field in _NOT_OF_EPHEMERAL if container.get(field)]
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            at = f"{where}.volumeMounts[{number}]"
            causes += [forbidden(f"{at}.{field}", why) for field in ("subPath", "subPathExpr") if mount.get(field)]
    return causes


_NOT_OF_EPHEMERAL = (
    *("ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules"),
    *("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
)
"""In the order of the struct, which is how they are told."""

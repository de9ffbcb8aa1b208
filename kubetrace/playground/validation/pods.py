"""Pods and pod templates (pkg/apis/core/validation ValidatePodSpec), in the real server's order."""

from __future__ import annotations

from kubetrace.playground.validation import containers
from kubetrace.playground.validation.causes import (
    MAX_INT32,
    Cause,
    Object,
    bad,
    duplicate,
    forbidden,
    label_name,
    label_selector,
    label_value,
    labels,
    missing,
    one_of,
    qualified_name,
    required,
    subdomain,
    unsupported,
)

_TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"]
# In the order in which validateVolumeSource counts them.
_VOLUME_KINDS = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi"),
    *("glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc"),
    *("flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk"),
    *("storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)


def pod(item: Object) -> list[Cause]:
    return pod_spec(item.get("spec") or {}, "spec")


def template(value: Object, path: str) -> list[Cause]:
    """A PodTemplateSpec."""
    metadata = value.get("metadata") or {}
    causes = labels(f"{path}.labels", metadata.get("labels"))
    for key in metadata.get("annotations") or {}:
        causes += qualified_name(f"{path}.annotations", key.lower(), key)
    return causes + pod_spec(value.get("spec") or {}, f"{path}.spec")


def pod_spec(spec: Object, path: str) -> list[Cause]:
    volumes, causes = _volumes(spec.get("volumes") or [], f"{path}.volumes")
    causes += _containers(spec.get("containers") or [], f"{path}.containers", volumes)
    causes += _init_containers(spec, f"{path}.initContainers", volumes)
    causes += _ephemeral_containers(spec, f"{path}.ephemeralContainers", volumes)
    policies = ["Always", "OnFailure", "Never"]
    causes += one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), policies)
    policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
    causes += one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), policies)
    causes += labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    causes += containers.ids(
        spec.get("securityContext") or {}, f"{path}.securityContext", ("fsGroup", "runAsUser", "runAsGroup")
    )
    causes += _affinity(spec.get("affinity") or {}, f"{path}.affinity")
    if spec.get("dnsPolicy") == "None" and not (spec.get("dnsConfig") or {}).get("nameservers"):
        why = "must provide at least one DNS nameserver when `dnsPolicy` is None"
        causes.append(required(f"{path}.dnsConfig.nameservers" if "dnsConfig" in spec else f"{path}.dnsConfig", why))
    causes += _spread(spec.get("topologySpreadConstraints") or [], f"{path}.topologySpreadConstraints")
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
    causes += _tolerations(spec.get("tolerations") or [], f"{path}.tolerations")
    if spec.get("priorityClassName"):
        causes += subdomain(f"{path}.priorityClassName", spec["priorityClassName"])
    return causes


def _volumes(volumes: list[Object], path: str) -> tuple[dict[str, Object], list[Cause]]:
    """(the volumes that are right, by name; what is wrong with the others)"""
    causes: list[Cause] = []
    good: dict[str, Object] = {}
    for index, volume in enumerate(volumes):
        where, name = f"{path}[{index}]", volume.get("name", "")
        found = _volume_source(volume, where)
        found += label_name(f"{where}.name", name) if name else [required(f"{where}.name")]
        if name in good:
            found.append(duplicate(f"{where}.name", name))
        if not found:
            good[name] = volume
        causes += found
    return good, causes


def _volume_source(volume: Object, where: str) -> list[Cause]:
    causes: list[Cause] = []
    kinds = [kind for kind in _VOLUME_KINDS if volume.get(kind) is not None]
    if not kinds:
        return [required(where, "must specify a volume type")]
    for kind in kinds[1:]:
        causes.append(forbidden(f"{where}.{kind}", "may not specify more than 1 volume type"))
    kind, source, at = kinds[0], volume[kinds[0]], f"{where}.{kinds[0]}"
    wanted = {"secret": "secretName", "configMap": "name", "hostPath": "path", "persistentVolumeClaim": "claimName"}
    if kind in wanted and not source.get(wanted[kind]):
        causes.append(required(f"{at}.{wanted[kind]}"))
    if kind == "hostPath":
        if ".." in source.get("path", "").split("/"):
            causes.append(bad(f"{at}.path", source["path"], "must not contain '..'"))
        kinds = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
        causes += one_of(f"{at}.type", source.get("type") or None, kinds, is_required=False)
    mode = source.get("defaultMode")
    if mode is not None and not 0 <= mode <= 0o777:
        why = "must be a number between 0 and 0777 (octal), both inclusive"
        causes.append(bad(f"{at}.defaultMode", mode, why))
    for number, item in enumerate(source.get("items") or ()):
        for name in ("key", "path") if kind in ("secret", "configMap") else ("path",):
            if not item.get(name):
                causes.append(required(f"{at}.items[{number}].{name}"))
    return causes


def _containers(found: list[Object], path: str, volumes: dict[str, Object]) -> list[Cause]:
    if not found:
        return [required(path)]
    causes, names = [], set()
    for index, container in enumerate(found):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, volumes)
        if container.get("name", "") in names:
            causes.append(duplicate(f"{where}.name", container.get("name", "")))
        names.add(container.get("name", ""))
        causes += containers.hooks_and_probes(container, where)
    return causes


def _init_containers(spec: Object, path: str, volumes: dict[str, Object]) -> list[Cause]:
    causes: list[Cause] = []
    names = {container.get("name") for container in spec.get("containers") or ()}
    for index, container in enumerate(spec.get("initContainers") or ()):
        where = f"{path}[{index}]"
        causes += containers.check(container, where, volumes)
        if container.get("name") in names:
            causes.append(duplicate(f"{where}.name", container.get("name")))
        names.add(container.get("name"))
        sidecar = container.get("restartPolicy") == "Always"
        if sidecar:
            causes += containers.hooks_and_probes(container, where)
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
        causes += containers.check(container, where, volumes)
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


def _tolerations(tolerations: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(tolerations):
        where, key, value = f"{path}[{index}]", entry.get("key", ""), entry.get("value", "")
        operator, effect = entry.get("operator", ""), entry.get("effect", "")
        if key:
            causes += qualified_name(f"{where}.key", key)
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
            causes.append(unsupported(f"{where}.operator", operator, ["Equal", "Exists"]))
        causes += one_of(f"{where}.effect", effect, _TAINT_EFFECTS, is_required=False)
    return causes


def _spread(constraints: list[Object], path: str) -> list[Cause]:
    causes: list[Cause] = []
    for index, entry in enumerate(constraints):
        where = f"{path}[{index}]"
        if (entry.get("maxSkew") or 0) <= 0:
            causes.append(bad(f"{where}.maxSkew", entry.get("maxSkew") or 0, "must be greater than zero"))
        if not entry.get("topologyKey"):
            causes.append(required(f"{where}.topologyKey", "can not be empty"))
        actions = ["DoNotSchedule", "ScheduleAnyway"]
        if entry.get("whenUnsatisfiable") not in actions:
            causes.append(unsupported(f"{where}.whenUnsatisfiable", entry.get("whenUnsatisfiable", ""), actions))
        causes += label_selector(f"{where}.labelSelector", entry.get("labelSelector"))
    return causes


_NODE_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


def _affinity(affinity: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    wanted = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    at = f"{path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    if wanted is not None:
        terms = wanted.get("nodeSelectorTerms") or []
        if not terms:
            causes.append(required(at, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            for number, entry in enumerate(term.get("matchExpressions") or ()):
                causes += _node_requirement(entry, f"{at}[{index}].matchExpressions[{number}]")
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = (affinity.get(kind) or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or []
        for index, term in enumerate(terms):
            where = f"{path}.{kind}.requiredDuringSchedulingIgnoredDuringExecution[{index}]"
            causes += label_selector(f"{where}.labelSelector", term.get("labelSelector"))
            if not term.get("topologyKey"):
                causes.append(required(f"{where}.topologyKey", "can not be empty"))
                causes += qualified_name(f"{where}.topologyKey", "")
    return causes


def _node_requirement(entry: Object, where: str) -> list[Cause]:
    operator, values = entry.get("operator", ""), entry.get("values")
    causes: list[Cause] = []
    if operator in ("In", "NotIn") and not values:
        causes.append(required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
    elif operator in ("Exists", "DoesNotExist") and values:
        why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        causes.append(forbidden(f"{where}.values", why))
    elif operator in ("Gt", "Lt") and len(values or ()) != 1:
        why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        causes.append(required(f"{where}.values", why))
    elif operator not in _NODE_OPERATORS:
        causes.append(bad(f"{where}.operator", operator, "not a valid selector operator"))
    return causes + qualified_name(f"{where}.key", entry.get("key", ""))

"""The checks that end in 422 Invalid, with the real server's fields and words (pkg/apis/*/validation)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import invalid
from kubetrace.playground.validation import (
    autoscaling,
    cluster,
    devices,
    drivers,
    endpoints,
    flowcontrol,
    jobs,
    networking,
    nodes,
    pods,
    policies,
    registration,
    request_statuses,
    services,
    statuses,
    storage,
    webhooks,
    workloads,
)
from kubetrace.playground.validation import metadata as of_metadata
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    address,
    bad,
    label_name,
    long_name,
    path_segment,
    required,
    subdomain,
)
from kubetrace.playground.validation.updates import immutable
from kubetrace.wire.schema import Type

_DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
_LABEL_NAMED = frozenset(("namespaces", "services", "statefulsets"))
_PATH_NAMED = frozenset(("roles", "clusterroles", "rolebindings", "clusterrolebindings", "apiservices"))


_LONG_NAMED = ("replicationcontrollers", "deviceclasses.resource.k8s.io")
_METADATA_LAST: dict[str, Callable[[Object, list[Cause]], list[Cause]]] = {
    "poddisruptionbudgets.policy": lambda item, causes: cluster.disruption_budget(item) or causes,
    "events": cluster.new_event,
}
"""Whose metadata nobody looks at but the server itself, when all else is right (BeforeCreate): from the causes of the
metadata of a new object all its causes."""


def name_causes(resource: Resource, name: str, prefix: str = "", item: Object | None = None) -> list[Cause]:
    """`prefix`: generateName, which stands in for the name before there is one; `item`: the named object."""
    field = "metadata.name"
    if not name:
        return [] if prefix else [required(field, "name or generateName is required")]
    if item is not None and resource.key == _DEFINITIONS:
        return subdomain(field, name) + definition_name(field, name, item["spec"])
    if item is not None and resource.key == "apiservices.apiregistration.k8s.io":
        return path_segment(field, name) or registration.name(field, name, item.get("spec") or {})
    if resource.name in _PATH_NAMED or (resource.key in _METADATA_LAST and resource.group != "events.k8s.io"):
        return path_segment(field, name)
    if resource.key == "certificatesigningrequests.certificates.k8s.io":
        return []
    if resource.key in _LONG_NAMED:
        return long_name(field, name)
    if resource.name == "ipaddresses":
        return address(field, name)
    return label_name(field, name) if resource.name in _LABEL_NAMED else subdomain(field, name)


def check(
    resource: Resource,
    item: Object,
    type: Type | None,
    old: Object | None = None,
    subresource: str = "",
    known: Sequence[Cause] = (),
) -> None:
    """Raises 422 with every cause that was found; `old` is what an update, of a subresource perhaps, replaces, and
    `known` what was found of its kind elsewhere."""
    metadata = item["metadata"]
    causes: list[Cause] = services.families(item, old) if resource.key == "services" else []
    if causes:
        raise invalid(resource.kind, "", metadata.get("name", ""), causes)
    if old is None:
        causes += _prefix_causes(resource, metadata.get("generateName", ""), item)
        causes += name_causes(resource, metadata.get("name", ""), item=item)
        causes += of_metadata.of_new(resource.key, metadata, custom=resource.custom is not None)
    else:
        custom = resource.custom is not None
        causes += of_metadata.of_update(resource.key, old["metadata"], metadata, custom)
    special = _CHECKS.get(resource.key) if old is None else _WHEN_UPDATED.get(resource.key) or _CHECKS.get(resource.key)
    fixed = immutable(resource.key, old, item, subresource) if old is not None else []
    if resource.key in _FIXED_FIRST:
        causes, fixed = causes + fixed, []
    if old is None and resource.key in _METADATA_LAST:
        causes = _METADATA_LAST[resource.key](item, causes)
    elif special is not None and (old is None or resource.key not in _NEVER_AGAIN):
        causes += _unforgiven(resource.key, special(item), old, item)
        causes += _ONCE[resource.key](item) if old is None and resource.key in _ONCE else []
    elif special is None and type is not None:
        causes += _missing(item, type, "")
    causes += [*fixed, *known]
    if not causes and old is None:
        causes += path_segment("metadata.name", metadata.get("name", ""))
    if causes:
        group = resource.key.partition(".")[2]  # an event is the core's, wherever it comes from
        raise invalid(resource.kind, group, metadata.get("name", ""), causes)


def _unforgiven(key: str, causes: list[Cause], old: Object | None, item: Object) -> list[Cause]:
    """Endpoints that stay as they are may be wrong (ValidateEndpointSlice)."""
    if key != "endpointslices.discovery.k8s.io" or old is None or old.get("endpoints") != item.get("endpoints"):
        return causes
    return [cause for cause in causes if not cause[0].startswith("endpoints[")]


def check_status(resource: Resource, item: Object, old: Object, subresource: str) -> None:
    """Raises 422 with every cause against a write of the status, or of the approval that is a part of it."""
    custom = resource.custom is not None
    causes = of_metadata.of_update(resource.key, old["metadata"], item["metadata"], custom, status=True)
    if subresource == "approval":
        causes = request_statuses.approval(old, item) + causes
    else:
        causes += statuses.check(resource.key, old, item)
    if causes:
        raise invalid(resource.kind, resource.key.partition(".")[2], item["metadata"]["name"], causes)


def definition_name(field: str, name: str, spec: Object) -> list[Cause]:
    """A CustomResourceDefinition is named after what it defines."""
    if name == f"{(spec.get('names') or {}).get('plural', '')}.{spec.get('group', '')}":
        return []
    return [bad(field, name, 'must be spec.names.plural+"."+spec.group')]


def _prefix_causes(resource: Resource, prefix: str, item: Object) -> list[Cause]:
    """generateName is a name, but for a "-" at its end."""
    if not prefix:
        return []
    masked = f"{prefix[:-1]}a" if prefix.endswith("-") else prefix
    found = name_causes(resource, masked, item=item)
    return [("metadata.generateName", why, text.replace(masked, prefix, 1)) for _, why, text in found]


_WHY_REQUIRED = {"pathType": "pathType must be specified"}


def _missing(value: Object, type: Type, path: str) -> list[Cause]:
    """Required fields by the schema, wherever their parent is present: for kinds without checks of their own."""
    causes = []
    for name in type.required:
        if name not in value and not (path == "" and name in ("spec", "status")):
            causes.append(required(f"{path}{name}", _WHY_REQUIRED.get(name, "")))
    for name, entry in value.items():
        inner = type.descend(name)
        if inner is None or inner.scalar or name in ("metadata", "status"):
            continue
        if isinstance(entry, list):
            for index, part in enumerate(entry):
                if isinstance(part, dict):
                    causes += _missing(part, inner, f"{path}{name}[{index}].")
        elif isinstance(entry, dict):
            field = type.field(name)
            if field is not None and field.map:
                continue
            causes += _missing(entry, inner, f"{path}{name}.")
    return causes


# What an update is not looked at for again: all of it must stay as it is, or updates.py looks at what may change.
_NEVER_AGAIN = frozenset(
    (
        *("resourceclaims.resource.k8s.io", "controllerrevisions.apps"),
        *("ipaddresses.networking.k8s.io", "servicecidrs.networking.k8s.io"),
        *("priorityclasses.scheduling.k8s.io", "resourceslices.resource.k8s.io"),
    )
)

_FIXED_FIRST = frozenset(
    (
        *("daemonsets.apps", "ingressclasses.networking.k8s.io", "volumeattributesclasses.storage.k8s.io", "secrets"),
        *("configmaps", "services"),
    )
)
"""Of which is told first what stays."""

_WHEN_UPDATED: dict[str, Callable[[Object], list[Cause]]] = {
    "statefulsets.apps": partial(workloads.stateful_set, new=False),
    "jobs.batch": jobs.changed_job,
    "apiservices.apiregistration.k8s.io": registration.changed_api_service,
}
"""How what is there already is looked at, where that differs."""

_ONCE: dict[str, Callable[[Object], list[Cause]]] = {
    "pods": pods.new_pod,
    "ingresses.networking.k8s.io": networking.new_ingress,
}
"""What is looked at in new objects only."""

_CHECKS: dict[str, Callable[[Object], list[Cause]]] = {
    "pods": pods.pod,
    "podtemplates": lambda item: pods.template(item.get("template") or {}, "template"),
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.replica_set,
    "statefulsets.apps": workloads.stateful_set,
    "daemonsets.apps": workloads.daemon_set,
    "replicationcontrollers": workloads.replication_controller,
    "jobs.batch": jobs.job,
    "cronjobs.batch": jobs.cron_job,
    "horizontalpodautoscalers.autoscaling": autoscaling.autoscaler,
    "services": services.service,
    "ingresses.networking.k8s.io": networking.ingress,
    "networkpolicies.networking.k8s.io": networking.network_policy,
    "persistentvolumeclaims": storage.claim,
    "persistentvolumes": storage.volume,
    "storageclasses.storage.k8s.io": storage.storage_class,
    "resourcequotas": storage.quota,
    "limitranges": storage.limit_range,
    "configmaps": cluster.config_map,
    "secrets": cluster.secret,
    "events": cluster.told_event,
    "leases.coordination.k8s.io": cluster.lease,
    "endpoints": endpoints.endpoints,
    "endpointslices.discovery.k8s.io": endpoints.endpoint_slice,
    "ingressclasses.networking.k8s.io": networking.ingress_class,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": webhooks.validating,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": webhooks.mutating,
    "validatingadmissionpolicies.admissionregistration.k8s.io": webhooks.policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": webhooks.policy_binding,
    "mutatingadmissionpolicies.admissionregistration.k8s.io": policies.mutating,
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": policies.mutating_binding,
    "nodes": nodes.node,
    "namespaces": cluster.namespace,
    "runtimeclasses.node.k8s.io": nodes.runtime_class,
    "roles.rbac.authorization.k8s.io": cluster.role,
    "clusterroles.rbac.authorization.k8s.io": cluster.cluster_role,
    "rolebindings.rbac.authorization.k8s.io": cluster.role_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": cluster.cluster_role_binding,
    "priorityclasses.scheduling.k8s.io": cluster.priority_class,
    "poddisruptionbudgets.policy": cluster.disruption_budget,
    "certificatesigningrequests.certificates.k8s.io": cluster.signing_request,
    "flowschemas.flowcontrol.apiserver.k8s.io": flowcontrol.flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": flowcontrol.priority_level,
    "apiservices.apiregistration.k8s.io": registration.api_service,
    _DEFINITIONS: lambda item: [],
    "controllerrevisions.apps": workloads.controller_revision,
    "ipaddresses.networking.k8s.io": networking.ip_address,
    "servicecidrs.networking.k8s.io": networking.service_cidr,
    "csinodes.storage.k8s.io": drivers.csi_node,
    "csidrivers.storage.k8s.io": drivers.csi_driver,
    "volumeattachments.storage.k8s.io": drivers.attachment,
    "csistoragecapacities.storage.k8s.io": drivers.storage_capacity,
    "volumeattributesclasses.storage.k8s.io": drivers.attributes_class,
    "deviceclasses.resource.k8s.io": devices.device_class,
    "resourceclaims.resource.k8s.io": devices.claim,
    "resourceclaimtemplates.resource.k8s.io": devices.claim_template,
    "resourceslices.resource.k8s.io": devices.resource_slice,
}

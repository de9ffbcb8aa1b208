from __future__ import annotations

import pytest

from kubetrace.wire.schema import Type, built_in


def at(type: Type | None, *path: str) -> Type:
    for name in path:
        assert type is not None
        type = type.descend(name)
    assert type is not None
    return type


@pytest.fixture(scope="module")
def pod() -> Type:
    return at(built_in().for_kind("v1", "Pod"))


def test_containers_merge_by_name(pod: Type) -> None:
    containers = at(pod, "spec").field("containers")
    assert containers is not None
    assert (containers.list, containers.merge_key, containers.merge_strategies) == (True, "name", ("merge",))
    assert (containers.list_type, containers.list_map_keys, containers.required) == ("map", ("name",), True)


def test_ports_merge_by_one_key_and_apply_by_two(pod: Type) -> None:
    ports = at(pod, "spec", "containers").field("ports")
    assert ports is not None
    assert (ports.merge_key, ports.list_map_keys) == ("containerPort", ("containerPort", "protocol"))


def test_retain_keys_of_volumes_and_deployment_strategy(pod: Type) -> None:
    volumes = at(pod, "spec").field("volumes")
    assert volumes is not None and volumes.merge_strategies == ("merge", "retainKeys")
    strategy = at(built_in().for_kind("apps/v1", "Deployment"), "spec").field("strategy")
    assert strategy is not None and strategy.merge_strategies == ("retainKeys",) and not strategy.list


def test_maps_and_their_values(pod: Type) -> None:
    labels = at(pod, "metadata").field("labels")
    assert labels is not None and labels.map and labels.type == "string"
    limits = at(pod, "spec", "containers", "resources").field("limits")
    assert limits is not None and limits.map and at(built_in().type(limits.type)).scalar == "quantity"
    secret = at(built_in().for_kind("v1", "Secret")).field("data")
    assert secret is not None and (secret.type, secret.format, secret.map) == ("string", "byte", True)
    extra = at(built_in().for_kind("authorization.k8s.io/v1", "SubjectAccessReview"), "spec").field("extra")
    assert extra is not None and extra.map and extra.list and extra.type == "string"


def test_scalars_have_names(pod: Type) -> None:
    assert at(pod, "metadata", "creationTimestamp").scalar == "string"
    assert at(pod, "metadata", "creationTimestamp").format == "date-time"
    probe = at(pod, "spec", "containers", "livenessProbe", "httpGet")
    assert at(probe, "port").scalar == "int-or-string"
    assert at(pod, "metadata", "managedFields", "fieldsV1").scalar == "object"


def test_atomic_maps(pod: Type) -> None:
    assert at(pod, "spec", "containers", "env", "valueFrom", "configMapKeyRef").atomic
    selector = at(pod, "spec").field("nodeSelector")
    assert selector is not None and selector.map_type == "atomic"


def test_the_unknown_is_none(pod: Type) -> None:
    assert built_in().for_kind("example.com/v1", "Widget") is None
    assert pod.field("sepc") is None and pod.descend("kind") is None


def test_every_field_can_be_made() -> None:
    schema = built_in()
    assert len(schema.kinds) > 150
    for api_version, kind in schema.kinds:
        type = at(schema.for_kind(api_version, kind))
        assert [field.name for field in type.fields] == list(type.field_names)

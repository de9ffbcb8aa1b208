"""What typed names mean, on a real server's kinds and on contrived ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubetrace.api.discovery import Discovery
from kubetrace.api.discovery_cache import DiscoveryFiles
from kubetrace.api.kind_index import NoKindMatchError, NoResourceMatchError, guessed_names
from kubetrace.api.mapper import Mapper
from kubetrace.api.resources import GroupKind, GroupVersionResource
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Note
from kubetrace.transport.errors import TransportError
from tests.api.fake import RECORDED, FakeServer, json_answer, recorded_routes


def real() -> Mapper:
    return Mapper(Discovery(FakeServer(recorded_routes("aggregated"))))


def contrived(*groups: tuple[str, list[str], list[dict[str, Any]]]) -> FakeServer:
    """An old server: (group, versions, resources); every version serves the same resources."""
    routes: dict[str, Any] = {"/api": json_answer({"kind": "APIVersions", "versions": []})}
    listed = []
    for name, versions, resources in groups:
        entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
        listed.append({"name": name, "versions": entries, "preferredVersion": entries[0]})
        for version in versions:
            document = {"kind": "APIResourceList", "groupVersion": f"{name}/{version}", "resources": resources}
            routes[f"/apis/{name}/{version}"] = json_answer(document)
    routes["/apis"] = json_answer({"kind": "APIGroupList", "groups": listed})
    return FakeServer(routes)


def thing(name: str, kind: str, *short: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "namespaced": True, "verbs": ["get"], "shortNames": list(short), **more}


@pytest.mark.parametrize(
    ("argument", "resource"),
    [
        ("po", "/v1, Resource=pods"),
        ("pods", "/v1, Resource=pods"),
        ("pod", "/v1, Resource=pods"),
        ("Pod", "/v1, Resource=pods"),
        ("PODS", "/v1, Resource=pods"),
        ("deploy", "apps/v1, Resource=deployments"),
        ("deploy.apps", "apps/v1, Resource=deployments"),
        ("deploy.app", "apps/v1, Resource=deployments"),
        ("deployments.v1.apps", "apps/v1, Resource=deployments"),
        ("Deployment.v1.apps", "apps/v1, Resource=deployments"),
        ("Pod.v1.", "/v1, Resource=pods"),
        ("events", "/v1, Resource=events"),
        ("events.events.k8s.io", "events.k8s.io/v1, Resource=events"),
        ("hpa", "autoscaling/v2, Resource=horizontalpodautoscalers"),
        ("hpa.v1.autoscaling", "autoscaling/v2, Resource=horizontalpodautoscalers"),
        ("horizontalpodautoscalers.v1.autoscaling", "autoscaling/v1, Resource=horizontalpodautoscalers"),
        ("podlist", "/v1, Resource=podlists"),
    ],
)
def test_names_on_a_real_server(argument: str, resource: str) -> None:
    assert str(real().mapping_for(argument).resource) == resource


@pytest.mark.parametrize(("argument", "named"), [("foo", "foo"), ("PO", "PO"), ("pods.v2.", "pods"), ("a.b.c", "a")])
def test_unknown_names(argument: str, named: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        real().mapping_for(argument)
    assert raised.value.lines() == [f'error: the server doesn\'t have a resource type "{named}"']


def test_unknown_kinds_say_where_they_were_looked_for() -> None:
    with pytest.raises(NoKindMatchError) as raised:
        real().mapping(GroupKind("apps", "Foo"), "v1")
    assert str(raised.value) == 'no matches for kind "Foo" in version "apps/v1"'
    with pytest.raises(NoKindMatchError, match='no matches for kind "Foo" in group "apps"'):
        real().mapping(GroupKind("apps", "Foo"))
    with pytest.raises(NoKindMatchError, match=r'in versions \["apps/v1" "apps/v2"\]'):
        real().mapping(GroupKind("apps", "Foo"), "v2", "v1")


def test_unknown_resources_in_checkerrs_words() -> None:
    with pytest.raises(NoResourceMatchError) as raised:
        real().resource_for(GroupVersionResource("apps", "v7", "foos"))
    assert raised.value.lines() == ['the server doesn\'t have a resource type "foos" in group "apps" and version "v7"']


def test_categories_are_the_servers() -> None:
    expanded = real().expand_categories("all,cm")
    assert expanded.split(",")[:3] == ["pods", "replicationcontrollers", "services"]
    assert expanded.endswith(",cm")
    assert "deployments.apps" in expanded.split(",")
    assert real().category("nothing") is None


def test_an_ambiguous_short_name_goes_to_the_first_and_warns_of_each_other_once() -> None:
    server = contrived(
        ("one.example.com", ["v1", "v2"], [thing("widgets", "Widget", "w")]),
        ("two.example.com", ["v1", "v2"], [thing("wheels", "Wheel", "w")]),
    )
    warned: list[str] = []
    mapping = Mapper(Discovery(server), warn=warned.append).mapping_for("w")
    assert str(mapping.resource) == "one.example.com/v1, Resource=widgets"
    assert warned == ['short name "w" could also match lower priority resource wheels.two.example.com']


def test_a_full_name_is_never_a_shortcut() -> None:
    server = contrived(
        ("one.example.com", ["v1"], [thing("alphas", "Alpha", "beta")]),
        ("two.example.com", ["v1"], [thing("betas", "Beta", singularName="beta")]),
    )
    warned: list[str] = []
    assert Mapper(Discovery(server), warn=warned.append).mapping_for("beta").kind.kind == "Beta"
    assert warned == []


def test_groups_come_in_the_servers_order_and_versions_by_preference() -> None:
    same = [thing("things", "Thing")]
    server = contrived(("b.example.com", ["v2", "v1"], same), ("a.example.com", ["v9"], same))
    mapper = Mapper(Discovery(server))
    assert str(mapper.mapping_for("things").resource) == "b.example.com/v2, Resource=things"
    assert str(mapper.mapping_for("things.a").resource) == "a.example.com/v9, Resource=things"
    assert str(mapper.mapping_for("things.v1.b.example.com").resource) == "b.example.com/v1, Resource=things"
    assert [mapping.resource.version for mapping in mapper.mappings(GroupKind("b.example.com", "Thing"))] == [
        "v2",
        "v1",
    ]


def test_a_stale_cache_is_asked_once_more_then_believed(tmp_path: Path) -> None:
    for name, text in RECORDED["cacheFiles"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    server = contrived(("new.example.com", ["v1"], [thing("novelties", "Novelty", "nov")]))
    notes: list[str] = []
    events = Events([lambda event: notes.append(event.name) if isinstance(event, Note) else None])
    mapper = Mapper(Discovery(server, DiscoveryFiles(tmp_path)), events=events)
    assert mapper.mapping_for("po").kind.kind == "Pod"
    assert server.calls == []
    assert mapper.mapping_for("nov").kind.kind == "Novelty"
    assert notes.count("cache-invalidated") == 1
    asked = len(server.calls)
    with pytest.raises(KubetraceError):
        mapper.mapping_for("nonsense")
    assert len(server.calls) == asked


def test_a_server_that_refuses_is_asked_as_often_as_kubectl_asks() -> None:
    refused = TransportError("GET", "https://server:6443/api?timeout=32s", "connection refused", "refused")
    server = FakeServer({"/api": refused})
    mapper = Mapper(Discovery(server))
    mapper.expand_categories("pods")
    with pytest.raises(TransportError):
        mapper.mapping_for("pods")
    assert len(server.calls) == 5


@pytest.mark.parametrize(
    ("kind", "plural"),
    [("Pod", "pods"), ("Proxy", "proxies"), ("Class", "classes"), ("Endpoints", "endpoints"), ("", "")],
)
def test_guesses(kind: str, plural: str) -> None:
    assert guessed_names(kind)[0] == plural

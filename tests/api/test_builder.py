"""What argv selects, in which order it is asked for, and the words for what can't be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from kubetrace.api.aggregates import AggregateError
from kubetrace.api.builder import Cluster, Info, Request, Result, build
from kubetrace.api.discovery import Discovery
from kubetrace.api.mapper import Mapper
from kubetrace.api.objects import Objects
from kubetrace.api.selection import NOTHING_SELECTED, Selection, has_names
from kubetrace.errors import KubetraceError
from tests.api.fake import FakeServer, failure, json_answer, recorded_routes

PODS = "/api/v1/namespaces/ns1/pods"


@dataclass
class Doc:
    object: dict[str, Any]
    source: str = "f.yaml"

    @property
    def typed_object(self) -> dict[str, Any]:
        return self.object


def pod(name: str, namespace: str = "ns1", **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "labels": labels, "resourceVersion": "7"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def listed(*items: dict[str, Any], token: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PodList",
        "metadata": {"continue": token, "resourceVersion": "9"},
        "items": items,
    }


def selection(words: Iterable[str], labels: str = "", fields: str = "", everything: bool = False) -> Selection:
    made = Selection()
    made.add_selectors(labels, fields, everything)
    made.add_arguments(list(words), allow_empty_selector=True)
    return made


def built(server: FakeServer, words: str, labels: str = "", fields: str = "", **more: Any) -> Result:
    more.setdefault("namespace", "ns1")
    discovery = Discovery(FakeServer(recorded_routes("aggregated")))
    return build(Cluster(Objects(server), Mapper(discovery)), Request(selection(words.split(), labels, fields), **more))


def refusal(words: str, labels: str = "", fields: str = "", **more: Any) -> str:
    server = FakeServer()
    with pytest.raises(KubetraceError) as raised:
        built(server, words, labels, fields, **more)
    assert server.calls == []
    return str(raised.value)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("", NOTHING_SELECTED),
        ("foo", 'the server doesn\'t have a resource type "foo"'),
        ("pods,foo", 'the server doesn\'t have a resource type "foo"'),
        ("pods/a/b", "arguments in resource/name form may not have more than one slash"),
        ("pods/", "arguments in resource/name form must have a single resource and name"),
        ("/a", "arguments in resource/name form must have a single resource and name"),
        ("po,svc/a", "arguments in resource/name form must have a single resource and name"),
        (
            "pod a pod/b",
            "there is no need to specify a resource type as a separate argument when passing arguments in "
            "resource/name form (e.g. 'kubetrace get resource/<resource_name>' instead of "
            "'kubetrace get resource resource/<resource_name>'",
        ),
    ],
)
def test_words_that_select_nothing(words: str, text: str) -> None:
    assert refusal(words) == text


def test_words_and_selectors_that_do_not_go_together() -> None:
    assert refusal("pod x", "a=b") == "name cannot be provided when a selector is specified"
    assert refusal("pod x", fields="a=b") == "name cannot be provided when a selector is specified"
    both = "selectors and the all flag cannot be used when passing resource/name arguments"
    assert refusal("pod/x", "a=b") == both
    assert refusal("", "a=b") == "at least one resource must be specified to use a selector"
    assert refusal("pods", subresource="scale") == "subresource cannot be used when bulk resources are specified"
    assert refusal("pods,svc", single_resource_type=True) == "you may only specify a single resource type"
    across = "a resource cannot be retrieved by name across all namespaces"
    assert refusal("pod x", namespace="", all_namespaces=True) == across
    assert refusal("pod/x", namespace="", all_namespaces=True) == across
    made = Selection()
    made.add_selectors("a=b", "", everything=True)
    assert str(made.errors[0]) == "setting 'all' parameter but found a non empty selector. "


def test_words_beside_files() -> None:
    docs = [Doc(pod("x"))]
    types = "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
    assert refusal("pods", documents=docs) == types
    assert refusal("pod/x", documents=docs) == "resource/name arguments cannot be provided when a path is specified"


def test_names_are_asked_for_one_by_one_in_their_order() -> None:
    server = FakeServer({f"{PODS}/{name}": json_answer(pod(name)) for name in "abc"})
    result = built(server, "po c a b")
    assert [info.name for info in result.infos()] == ["c", "a", "b"]
    assert server.targets == [f"GET {PODS}/{name}" for name in "cab"]
    assert not result.single_item
    assert result.targets_single_items
    assert built(server, "po/a").single_item


def test_several_types_and_names_are_each_with_each() -> None:
    server = FakeServer()
    with pytest.raises(AggregateError):
        built(server, "po,ns a b", continue_on_error=True).infos()
    assert server.targets == [
        f"GET {PODS}/a",
        "GET /api/v1/namespaces/ns1",
        f"GET {PODS}/b",
        "GET /api/v1/namespaces/ns1",
        "GET /api/v1/namespaces/a",
        "GET /api/v1/namespaces/b",
    ]


def test_collections_come_in_pages() -> None:
    pages = [json_answer(listed(pod("a"), token="t1")), json_answer(listed(pod("b")))]
    server = FakeServer({PODS: lambda call: pages.pop(0)})
    infos = built(server, "pods", "app=x", "status.phase=Running", chunk_size=500).infos()
    query = "fieldSelector=status.phase%3DRunning&labelSelector=app%3Dx&limit=500"
    assert server.targets == [f"GET {PODS}?{query}", f"GET {PODS}?continue=t1&{query}"]
    assert [len((info.object or {})["items"]) for info in infos] == [1, 1]
    assert infos[0].resource_version == "9"


def test_flattened_collections_are_objects() -> None:
    items = [{"metadata": {"name": name, "namespace": "ns1"}} for name in "ab"]
    server = FakeServer({PODS: json_answer(listed(*items))})
    infos = built(server, "pods", flatten=True).infos()
    assert [(info.name, (info.object or {})["kind"]) for info in infos] == [("a", "Pod"), ("b", "Pod")]
    assert infos[0].mapping is not None
    assert infos[0].resource_version == "9"


def test_what_lives_in_no_namespace_is_asked_for_in_none() -> None:
    server = FakeServer({"/api/v1/nodes": json_answer(listed())})
    built(server, "nodes").infos()
    assert server.targets == ["GET /api/v1/nodes"]


def test_a_missing_object_in_a_missing_namespace_blames_the_namespace() -> None:
    routes = {
        f"{PODS}/x": failure(404, "NotFound", 'pods "x" not found'),
        "/api/v1/namespaces/ns1": failure(404, "NotFound", 'namespaces "ns1" not found'),
    }
    with pytest.raises(KubetraceError, match='namespaces "ns1" not found'):
        built(FakeServer(routes), "pod x").infos()
    routes["/api/v1/namespaces/ns1"] = json_answer({"kind": "Namespace", "apiVersion": "v1", "metadata": {}})
    with pytest.raises(KubetraceError, match='pods "x" not found'):
        built(FakeServer(routes), "pod x").infos()


def test_the_first_error_ends_it_unless_told_to_go_on() -> None:
    routes = {f"{PODS}/b": json_answer(pod("b")), f"{PODS}/a": failure(403, "Forbidden", "no")}
    seen: list[str] = []
    server = FakeServer(routes)
    with pytest.raises(KubetraceError, match="no"):
        built(server, "pod a b").visit(lambda info: seen.append(info.name))
    assert seen == []
    with pytest.raises(KubetraceError, match="no"):
        built(server, "pod a b", continue_on_error=True).visit(lambda info: seen.append(info.name))
    assert seen == ["b"]


def test_lists_that_are_refused_say_what_was_looked_for() -> None:
    server = FakeServer({PODS: failure(400, "BadRequest", "bad selector")})
    with pytest.raises(KubetraceError) as raised:
        built(server, "pods", fields="x=y").infos()
    text = 'Unable to find "/v1, Resource=pods" that match label selector "", field selector "x=y": bad selector'
    assert raised.value.lines() == [f"Error from server (BadRequest): {text}"]
    expired = FakeServer({PODS: failure(410, "Expired", "too old")})
    with pytest.raises(KubetraceError) as raised:
        built(expired, "pods").infos()
    assert raised.value.lines() == ["Error from server (Expired): too old"]


def documents(*objects: dict[str, Any], **more: Any) -> list[Info]:
    return built(FakeServer(), "", documents=[Doc(value) for value in objects], **more).infos()


def test_manifests_get_the_namespace_they_lack() -> None:
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}
    [info] = documents(bare, default_namespace=True)
    assert info.namespace == "ns1"
    assert (info.object or {})["metadata"]["namespace"] == "ns1"
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "odd"}}
    [info] = documents(node, default_namespace=True)
    assert "namespace" not in (info.object or {})["metadata"]


def test_manifests_of_another_namespace_are_refused_where_one_was_given() -> None:
    with pytest.raises(KubetraceError) as raised:
        documents(pod("x", "other"), enforce_namespace=True)
    assert str(raised.value) == (
        'the namespace from the provided object "other" does not match the namespace "ns1". '
        "You must pass '--namespace=other' to perform this operation."
    )


def test_unknown_kinds_in_manifests_are_told_and_the_rest_goes_on() -> None:
    odd = {"apiVersion": "x.example.com/v1", "kind": "Odd", "metadata": {"name": "o"}}
    seen: list[str] = []
    result = built(FakeServer(), "", documents=[Doc(odd), Doc(pod("x"))], continue_on_error=True)
    with pytest.raises(KubetraceError) as raised:
        result.visit(lambda info: seen.append(info.name))
    assert seen == ["x"]
    assert raised.value.lines() == [
        'error: resource mapping not found for name: "o" namespace: "" from "f.yaml": '
        'no matches for kind "Odd" in version "x.example.com/v1"\nensure CRDs are installed first'
    ]


def test_lists_in_manifests_are_taken_apart_and_labels_select() -> None:
    both = {"apiVersion": "v1", "kind": "List", "items": [pod("a", app="x"), pod("b", app="y")]}
    assert [info.name for info in documents(both, flatten=True)] == ["a", "b"]
    with pytest.raises(KubetraceError, match="is not a list: no Items field"):
        documents({"apiVersion": "v1", "kind": "List", "items": [both]}, flatten=True)
    chosen = built(FakeServer(), "", labels="app=y", documents=[Doc(both)], flatten=True)
    assert [info.name for info in chosen.infos()] == ["b"]
    result = built(FakeServer(), "", labels="app in (x, z)", documents=[Doc(pod("a", app="x")), Doc(pod("b"))])
    assert [info.name for info in result.infos()] == ["a"]


def test_has_names() -> None:
    assert has_names(["pod", "x"])
    assert has_names(["pod/x"])
    assert not has_names(["pods"])
    assert not has_names([])
    with pytest.raises(KubetraceError):
        has_names(["pod", "pod/x"])

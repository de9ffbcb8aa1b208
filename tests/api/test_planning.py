"""What a plan sends, what it assumes, and where it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kubetrace.api.planning import AssumedAnswer, Plan
from kubetrace.errors import PlanEnd
from kubetrace.trace.exchange import Event, Planned, Request

POD = "https://h/api/v1/namespaces/a/pods/p"
LIVE = {"kind": "Pod", "metadata": {"name": "p", "uid": "7", "labels": {"a": "1", "b": "2"}}, "spec": {"x": [1]}}


class Walk:
    """A plan, a server that always answers `live`, and what was told."""

    def __init__(self, live: Any = LIVE, seen: int = 200) -> None:
        self._live = live
        self.seen = seen
        self.told: list[Planned] = []
        self.sent: list[str] = []
        self.plan = Plan(self._tell)

    def _tell(self, event: Event) -> None:
        assert isinstance(event, Planned)
        self.told.append(event)

    def ask(self, method: str, url: str, body: Any = None, content_type: str = "application/json") -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = Request(method, url, (("Content-Type", content_type),), data)

        def send() -> AssumedAnswer:
            self.sent.append(f"{method} {url}")
            return AssumedAnswer(request, 200, "OK", self._live)

        def look() -> AssumedAnswer:
            self.sent.append(f"look {url.partition('?')[0]}")
            return AssumedAnswer(request, self.seen, "", self._live)

        answer = self.plan(1, request, send, look)
        assert b"".join(answer.chunks()) == answer.body
        answer.close()
        return answer.status, json.loads(answer.body)


@pytest.mark.parametrize("url", [
    POD, "https://h/api/v1/pods", "https://h/apis", "https://h/version", POD + "/log", "https://h/api/v1/nodes/n/status",
])  # fmt: skip
def test_reads_are_sent(url: str) -> None:
    walk = Walk()
    assert walk.ask("GET", url) == (200, LIVE)
    assert walk.sent and not walk.told and not walk.plan.assumes


@pytest.mark.parametrize(("method", "url", "body"), [
    ("GET", POD + "/exec?command=rm", None), ("GET", POD + "/proxy/shutdown", None), ("GET", POD + "/attach", None),
    ("GET", POD + "/portforward", None), ("GET", POD + "/log?follow=true", None),
    ("GET", "https://h/api/v1/pods?watch=true", None), ("GET", "https://h/api/v1/watch/pods", None),
    ("POST", POD + "/exec", None), ("POST", "https://h/api/v1/namespaces/a/serviceaccounts/s/token", {"kind": "T"}),
    ("POST", "https://h/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"kind": "SelfSubjectAccessReview"}),
    ("POST", "https://h/api/v1/namespaces/a/pods", None), ("PUT", POD, None), ("PATCH", POD, {"spec": {}}),
    ("PATCH", POD, [{"op": "remove", "path": "/spec"}]), ("POST", "https://h/healthz", {}), ("BREW", POD, None),
])  # fmt: skip
def test_where_a_plan_ends(method: str, url: str, body: Any) -> None:
    walk = Walk()
    with pytest.raises(PlanEnd):
        walk.ask(method, url, body)
    assert walk.sent == [] and [event.assumed for event in walk.told] == [None]


def test_what_was_created_is_there() -> None:
    walk = Walk()
    made = {"kind": "Pod", "metadata": {"name": "n"}}
    assert walk.ask("POST", "https://h/api/v1/namespaces/a/pods?fieldManager=x", made)[0] == 201
    assert walk.ask("GET", "https://h/api/v1/namespaces/a/pods/n") == (
        200,
        {"kind": "Pod", "metadata": {"name": "n", "namespace": "a"}},
    )
    status, value = walk.ask("POST", "https://h/api/v1/namespaces/a/pods", {"metadata": {"generateName": "g-"}})
    assert (status, value["metadata"]["name"]) == (201, "g-xxxxx")
    assert walk.sent == [] and walk.plan.assumes


@pytest.mark.parametrize("content_type", ["application/merge-patch+json", "application/apply-patch+yaml"])
def test_a_patch_is_laid_over_what_was_read(content_type: str) -> None:
    walk = Walk()
    walk.ask("GET", POD)
    patch = {"metadata": {"labels": {"a": None, "c": "3"}}}
    status, value = walk.ask("PATCH", POD + "?fieldManager=x", patch, content_type)
    assert (status, value["metadata"]["labels"], value["spec"]) == (200, {"b": "2", "c": "3"}, {"x": [1]})
    assert walk.ask("GET", POD)[1] == value and len(walk.sent) == 1
    assert walk.ask("PATCH", POD, [{"op": "remove", "path": "/spec"}])[1] == value


def test_a_dry_run_changes_nothing_later() -> None:
    walk = Walk()
    walk.ask("GET", POD)
    walk.ask("PATCH", POD + "?dryRun=All", {"spec": {"x": 2}})
    walk.ask("DELETE", POD, {"dryRun": ["All"]})
    assert walk.ask("GET", POD) == (200, LIVE) and len(walk.sent) == 2


@pytest.mark.parametrize("gone", [("DELETE", POD, None), ("POST", POD + "/eviction", {"kind": "Eviction"})])
def test_what_was_deleted_is_gone(gone: tuple[str, str, Any]) -> None:
    walk = Walk()
    walk.ask("GET", POD)
    status, value = walk.ask(*gone)
    assert status in (200, 201) and value["status"] == "Success"
    assert walk.ask("GET", POD)[0] == 404
    assert walk.ask("DELETE", "https://h/api/v1/namespaces/a/pods?labelSelector=x", {})[0] == 200
    assert walk.ask("PUT", POD, LIVE) == (200, LIVE)
    assert walk.ask("GET", POD) == (200, LIVE) and len(walk.sent) == 1


@pytest.mark.parametrize(("url", "path"), [
    ("https://h/api/v1/pods?limit=500", "https://h/api/v1/namespaces/a/pods/"),
    ("https://h/api/v1/namespaces/a/pods", "https://h/api/v1/namespaces/a/pods/"),
    ("https://h/api/v1/nodes", "https://h/api/v1/nodes/"),
])  # fmt: skip
def test_what_a_list_has_shown_can_be_changed(url: str, path: str) -> None:
    meta = {} if url.endswith("nodes") else {"namespace": "a"}
    items = [{"metadata": {"name": name, **meta, "labels": {"a": "1"}}} for name in ("p", "q")]
    walk = Walk({"kind": "ThingList", "apiVersion": "v1", "items": [*items, 7, {"metadata": 7}]})
    walk.ask("GET", url)
    for name in ("p", "q"):
        _, changed = walk.ask("PATCH", path + name, {"metadata": {"labels": {"b": "2"}}})
        assert (changed["kind"], changed["apiVersion"], changed["metadata"]["name"]) == ("Thing", "v1", name)
        assert changed["metadata"]["labels"] == {"a": "1", "b": "2"}
    status, changed = walk.ask("PATCH", f"{path}p/scale", {"spec": {"replicas": 3}})
    assert (status, changed["spec"]) == (200, {"replicas": 3})


APPLY = "application/apply-patch+yaml"
OWNED = {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "fieldsV1": {
    "f:data": {"f:a": {}, "f:b": {}},
    "f:spec": {"f:list": {'k:{"name":"c"}': {".": {}, "f:image": {}}, 'v:"x"': {}}, "f:whole": {}},
}}  # fmt: skip
THING = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "p", "managedFields": [OWNED]},
         "data": {"a": "1", "b": "2"}, "spec": {"list": [{"name": "c", "image": "i"}], "whole": [1]}}  # fmt: skip


def sent(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "p"}, **fields}


def test_a_server_side_apply_has_the_live_object_looked_at() -> None:
    walk = Walk(THING)
    status, changed = walk.ask("PATCH", POD + "/status?fieldManager=me", sent(more={"x": 1}), APPLY)
    assert (status, walk.sent) == (200, [f"look {POD}/status"])
    assert changed["more"] == {"x": 1} and changed["data"] == {"a": "1", "b": "2"}
    assert [entry["manager"] for entry in changed["metadata"]["managedFields"]] == ["me", "kubectl-client-side-apply"]
    assert changed["metadata"]["managedFields"][0]["fieldsV1"] == {"f:more": {"f:x": {}}}
    for _ in range(2):
        walk.ask("PATCH", POD + "?fieldManager=me", sent(more={"x": 2}), APPLY)
    assert walk.sent[1:] == [f"look {POD}"]  # then it is known


def test_a_server_side_apply_of_what_is_not_there_creates_it() -> None:
    walk = Walk(seen=404)
    assert walk.ask("PATCH", POD, sent(), APPLY)[0] == 201
    assert walk.ask("GET", POD)[0] == 200 and walk.sent == [f"look {POD}"]
    assert Walk(seen=404).ask("PATCH", POD + "/status", sent(), APPLY)[0] == 404


def test_what_follows_a_server_side_apply_only_its_answer_says_where_nobody_may_look() -> None:
    walk = Walk(seen=403)
    walk.ask("PATCH", POD, LIVE, APPLY)
    assert "up to three more PATCHes" in (walk.told[0].assumed or "")


@pytest.mark.parametrize(("fields", "query", "message"), [
    ({"data": {"a": "1"}}, "", ""), ({"data": {"c": "9"}}, "", ""), ({"data": {"a": "9"}}, "&force=true", ""),
    ({"spec": {"list": [{"name": "d", "image": "j"}]}}, "", ""), ({"spec": {"whole": [2]}}, "", ""),
    ({"data": {"a": "9"}}, "", 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: '
                               ".data.a"),
    ({"data": {"a": "9"}, "spec": {"list": [{"name": "c", "image": "j"}]}}, "",
     'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using v1:\n- .data.a\n'
     '- .spec.list[name="c"].image'),
])  # fmt: skip
def test_conflicts_are_foreseen(fields: dict[str, Any], query: str, message: str) -> None:
    status, answer = Walk(THING).ask("PATCH", f"{POD}?fieldManager=me{query}", sent(**fields), APPLY)
    assert (status, answer.get("message", "")) == (409 if message else 200, message)


@pytest.mark.parametrize(("last", "manager", "status"), [
    ({"apiVersion": "v1", "data": {"a": "1"}}, "kubectl", 200), ({"apiVersion": "v1", "data": {"a": "1"}}, "me", 409),
    ({"apiVersion": "v1", "data": {"a": "0"}}, "kubectl", 409),
    ({"apiVersion": "v2", "data": {"a": "1"}}, "kubectl", 409),
])  # fmt: skip
def test_kubectl_may_change_what_it_applied_last(last: dict[str, Any], manager: str, status: int) -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(last)}
    walk = Walk({**THING, "metadata": {**THING["metadata"], "annotations": annotations}})
    got, changed = walk.ask("PATCH", f"{POD}?fieldManager={manager}", sent(data={"a": "9"}), APPLY)
    assert got == status
    if status == 200:
        assert json.loads(*changed["metadata"]["annotations"].values()) == sent(data={"a": "9"})

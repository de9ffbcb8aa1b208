"""rbac, lint and diff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Connection, Exchange, Request, Response
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.permissions import needed
from kubetrace.trace.views import diff, lint, rbac
from kubetrace.wire.yaml_reader import loads
from tests.conftest import Kubetrace
from tests.trace_views.conversation import written


def trace(
    *calls: tuple[str, str] | tuple[str, str, int] | tuple[str, str, int, bytes], **extra: object
) -> Iterator[Recorded]:
    """(method, target, status, body) as exchanges."""
    for number, (method, target, *rest) in enumerate(calls, 1):
        status = rest[0] if rest else 200
        body = rest[1] if len(rest) > 1 else b"{}"
        headers = extra.get("headers", ())
        yield Recorded(
            number,
            Exchange(
                number, number, 1, Request(method, "https://h:6443" + target, body=extra.get("sent")),  # type: ignore[arg-type]
                Response(int(status), "", headers) if status else None, body, len(body), connection=Connection(),  # type: ignore[arg-type]
            ),
        )  # fmt: skip


def roles(*calls: tuple[str, str] | tuple[str, str, int]) -> dict[str, list[dict[str, object]]]:
    text = "".join(rbac.render(trace(*calls)))
    found = {}
    for part in text.split("---\n")[1:]:
        document = json.loads(json.dumps(loads(part.encode())))
        found[document["metadata"].get("namespace", "")] = document["rules"]
    return found


PODS = "/api/v1/namespaces/a/pods"


def test_rules_allow_what_was_asked_and_no_more() -> None:
    assert roles(
        ("GET", PODS), ("GET", PODS + "/x"), ("GET", PODS + "/y"), ("DELETE", PODS + "/x"), ("POST", PODS, 201),
        ("GET", "/api/v1/namespaces/a/services"), ("GET", "/api/v1/nodes"), ("GET", "/metrics"),
        ("GET", "/api"), ("GET", "/apis/apps/v1"), ("GET", "/version"),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 201),
    ) == {
        "": [
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
            {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
        ],
        "a": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "list"]},
            {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"], "verbs": ["delete"]},
            {"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x", "y"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["services"], "verbs": ["list"]},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "rules"),
    [
        (("PATCH", PODS + "/x", 200), [("pods", ["x"], ["patch"])]),
        (("PATCH", PODS + "/x", 201), [("pods", ["x"], ["create", "patch"])]),
        (("PUT", PODS + "/x/status", 200), [("pods/status", ["x"], ["update"])]),
        (("GET", PODS + "/x/log", 200), [("pods/log", ["x"], ["get"])]),
        (("GET", PODS + "/x/exec?command=sh", 101), [("pods/exec", ["x"], ["create", "get"])]),
        (("POST", PODS + "/x/exec", 101), [("pods/exec", ["x"], ["create"])]),
        (("GET", PODS + "?watch=1&fieldSelector=metadata.name%3Dx", 200), [("pods", ["x"], ["watch"])]),
        (("DELETE", PODS, 200), [("pods", None, ["deletecollection"])]),
        (("GET", PODS, 403), [("pods", None, ["list"])]),
        (("GET", PODS + "?fieldSelector=spec.nodeName%3Dn,metadata.name%3Dx", 200), [("pods", ["x"], ["list"])]),
        (("GET", PODS + "?fieldSelector=metadata.name%21%3Dx", 200), [("pods", None, ["list"])]),
        (("DELETE", PODS + "?fieldSelector=metadata.name%3Dx", 200), [("pods", None, ["deletecollection"])]),
        (("POST", PODS + "/x/eviction", 201), [("pods/eviction", ["x"], ["create"])]),
        (("POST", PODS, 201), [("pods", None, ["create"])]),
        (("GET", "/api/v1/namespaces/a/services/http:s:80/proxy/x", 200), [("services/proxy", ["http:s:80"], ["get"])]),
    ],
)
def test_verbs_names_and_subresources(
    call: tuple[str, str, int], rules: list[tuple[str, list[str] | None, list[str]]]
) -> None:
    found = roles(call)["a"]
    assert [(rule["resources"], rule.get("resourceNames"), rule["verbs"]) for rule in found] == [
        ([resource], names, verbs) for resource, names, verbs in rules
    ]


def test_what_the_whole_cluster_allows_is_not_allowed_twice() -> None:
    assert roles(("GET", "/api/v1/pods"), ("GET", PODS), ("GET", PODS + "/x"), ("GET", "/api/v1/namespaces/a")) == {
        "": [
            {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["a"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        ],
        "a": [{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"], "verbs": ["get"]}],
    }


RBAC = "/apis/rbac.authorization.k8s.io/v1"
ROLE = {"kind": "Role", "rules": [
    {"apiGroups": ["", "apps"], "resources": ["x"], "verbs": ["get"], "resourceNames": ["n"]},
    {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
]}  # fmt: skip
BINDING = {"kind": "RoleBinding", "roleRef": {"kind": "ClusterRole", "name": "view"}}


@pytest.mark.parametrize(
    ("call", "body", "expected"),
    [
        (("POST", f"{RBAC}/namespaces/a/roles", 201), ROLE,
         {"create roles", "get x n", "get x.apps n", "get /metrics"}),
        (("PATCH", f"{RBAC}/namespaces/a/roles/r", 200), {"kind": "Role"}, {"patch roles r", "escalate roles r"}),
        (("POST", f"{RBAC}/clusterroles", 201), {"kind": "ClusterRole", "rules": [], "aggregationRule": {"a": 1}},
         {"create clusterroles", "escalate clusterroles"}),
        (("POST", f"{RBAC}/namespaces/a/rolebindings", 201), BINDING,
         {"create rolebindings", "bind clusterroles view"}),
        (("PUT", "/apis/certificates.k8s.io/v1/certificatesigningrequests/c/approval", 200),
         {"kind": "CertificateSigningRequest", "spec": {"signerName": "a/b"}},
         {"update certificatesigningrequests/approval c", "approve signers a/b"}),
    ],
)  # fmt: skip
def test_handing_on_rights_needs_them(call: tuple[str, str, int], body: object, expected: set[str]) -> None:
    found = set()
    answered = list(trace((*call, json.dumps(body).encode())))
    sent = list(trace(call, sent=json.dumps(body).encode()))
    for recorded in (*answered, *sent):
        for one in needed(recorded):
            group = f".{one.group}" if one.group == "apps" else ""
            found.add(f"{one.verb} {one.resource + group or one.path} {one.name}".strip())
        assert found == expected


def test_impersonation_is_a_right_of_its_own() -> None:
    headers = (("Impersonate-User", "system:serviceaccount:ci:bot"), ("Impersonate-Group", "g"),
               ("Impersonate-Extra-Scopes", "s"), ("Impersonate-Uid", "7"))  # fmt: skip
    request = Request("GET", "https://h" + PODS, headers)
    text = "".join(rbac.render([Recorded(1, Exchange(1, 1, 1, request, Response(200, "")))]))
    above, below = text.split("# The requests impersonated somebody")
    assert 'resources: ["pods"]' in above and "impersonate" not in above
    documents = [loads(part.encode()) for part in below.split("---\n")[1:]]
    rules = {(d["metadata"].get("namespace"), *rule["resources"], *rule["resourceNames"]) for d in documents
             for rule in d["rules"]}  # fmt: skip
    assert rules == {(None, "groups", "g"), (None, "userextras/scopes", "s"), (None, "uids", "7"),
                     ("ci", "serviceaccounts", "bot")}  # fmt: skip
    assert all(d["metadata"]["name"] == "from-trace-impersonator" for d in documents)


def test_a_namespace_that_the_trace_makes() -> None:
    made = json.dumps({"kind": "Namespace", "metadata": {"name": "a"}}).encode()
    text = "".join(rbac.render(trace(("POST", "/api/v1/namespaces", 201, made), ("GET", PODS))))
    assert "# Request #1 made the namespace of this Role: it has to be there first.\n---\n" in text


def test_nothing_more_is_needed() -> None:
    assert "".join(rbac.render(trace(("GET", "/api"), ("GET", PODS, 401)))).endswith(
        "# No further permission is needed.\n"
    )


def test_bindings(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = str(written(tmp_path / "t.jsonl"))
    done = kubetrace("trace", "rbac", path, "--name", "n: #x", "--bind-to", "serviceaccount:ci:bot")
    documents = [loads(part.encode()) for part in done.out.split("---\n")[1:]]
    assert [document["kind"] for document in documents] == ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    assert all(document["metadata"]["name"] == "n: #x" for document in documents)
    assert documents[3]["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "ci"}]
    for bad in ("bot", "user:", "serviceaccount:bot", "role:x"):
        with pytest.raises(KubetraceError, match="--bind-to takes"):
            list(rbac.render([], bind_to=bad))


def test_a_comment_cannot_be_left() -> None:
    text = "".join(rbac.render(trace(("GET", "/x\nrules: evil\r\x85"))))
    assert "\nrules: evil" not in text and text.count("rules:") == 3


# --- lint -------------------------------------------------------------------------------------------------------------


def findings(
    *calls: tuple[str, str] | tuple[str, str, int] | tuple[str, str, int, bytes], **extra: object
) -> list[str]:
    return "".join(lint.render(trace(*calls, **extra))).splitlines()


def test_nothing_to_say() -> None:
    assert findings(("GET", PODS), ("GET", PODS + "/x")) == ["nothing found"]


def test_repeats_polls_and_discovery() -> None:
    assert findings(("GET", PODS), ("GET", PODS)) == [
        f"repeated: {PODS} was read 2 times and answered the same (#1, #2)"
    ]
    assert findings(("GET", PODS, 200, b"1"), ("GET", PODS, 200, b"2")) == ["nothing found"]
    polls = [("GET", PODS, 200, b"%d" % number) for number in range(10)]
    assert findings(*polls) == [
        f"polling: {PODS} was read 10 times and changed; a watch tells changes "
        "(#1, #2, #3, #4, #5, #6, #7, #8 and 2 more)"
    ]
    cold = [("GET", f"/apis/g{number}/v1") for number in range(10)]
    assert findings(*cold)[0].startswith("cold discovery: 10 calls")


def test_answers_that_ask_for_attention() -> None:
    found = findings(("PUT", PODS + "/x", 409), ("GET", PODS, 429), ("GET", PODS, 403), ("GET", PODS, 503))
    assert [line.partition(":")[0] for line in found] == ["conflict", "failed", "forbidden", "throttled"]
    deprecated = (("Warning", '299 - "v1 \\"Old\\" is deprecated in v1.33+"'),)
    assert findings(("GET", "/api/v1/old"), headers=deprecated) == [
        'deprecated API: /api/v1/old: v1 "Old" is deprecated in v1.33+ (#1)'
    ]
    many = b'{"uid": "x"}' * 501
    assert findings(("GET", PODS, 200, many))[0].startswith("unpaged list: ")
    assert findings(("GET", PODS + "?limit=500", 200, many)) == ["nothing found"]
    assert findings(("GET", PODS + "?limit=5", 200, b" " * (1 << 20) + b" "))[0].startswith("big answer: ")


def test_connections_waits_and_what_expired() -> None:
    def at(number: int, reused: bool, waited: float = 0.0, status: int = 200) -> Recorded:
        request = Request("GET", f"https://h{PODS}/{number}")
        connection = Connection("h:1", "TLSv1.3", reused)
        exchange = Exchange(number, 1, 1, request, Response(status, ""), b"{}", 2, connection=connection)
        return Recorded(number, exchange, waited=waited)

    def lines(*found: Recorded) -> list[str]:
        return "".join(lint.render(found)).splitlines()

    assert lines(*(at(number, False) for number in range(1, 8))) == [
        "no keep-alive: 7 of 7 calls made a new connection (#1, #2, #3, #4, #5, #6, #7)"
    ]
    assert lines(*(at(number, number > 1) for number in range(1, 8))) == ["nothing found"]
    assert lines(at(1, True, 0.3), at(2, True, 0.01), at(3, True, 1.2)) == [
        "throttled: the client's own rate limiter held 2 calls back for 1.50 s (#1, #3)"
    ]
    assert lines(at(1, True, status=410)) == [
        f"expired: get {PODS.replace('/a/', '/{namespace}/')}/{{name}} asked for what the server no longer has: "
        "start anew from a list (#1)"
    ]


def test_discovery_that_is_asked_again() -> None:
    assert findings(("GET", "/api"), ("GET", "/apis")) == ["nothing found"]
    assert findings(("GET", "/api"), ("GET", "/apis"), ("GET", "/api"), ("GET", "/apis", 304)) == [
        "cold discovery: what the server serves was asked more than once in 3 calls, which a cache saves (#1, #2, #3)"
    ]


def test_ever_new_calls_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_REMEMBERED", 10)
    calls = [("GET", f"{PODS}/{number if number % 3 else 'same'}") for number in range(1, 100)]
    assert findings(*calls)[0].startswith(f"repeated: {PODS}/same was read 33 times")


# --- diff -------------------------------------------------------------------------------------------------------------


def compared(before: Iterator[Recorded], after: Iterator[Recorded]) -> list[str]:
    return "".join(diff.render(before, after)).splitlines()


def test_calls_that_came_and_went() -> None:
    assert compared(trace(("GET", "/a"), ("GET", "/b")), trace(("GET", "/b"), ("POST", "/c", 201))) == [
        "- #1 GET /a → 200",
        "+ #2 POST /c → 201",
    ]


def test_versions_and_times_are_set_aside() -> None:
    one = trace(("PUT", "/a?resourceVersion=1"), sent=b'{"metadata":{"uid":"1","resourceVersion":"1"},"a":1}')
    other = trace(("PUT", "/a?resourceVersion=2"), sent=b'{"a":1,"metadata":{"resourceVersion":"22","uid":"2"}}')
    assert compared(one, other) == []


def test_changed_calls() -> None:
    one = trace(("PUT", "/a", 200), sent=b'{"a":1,"b":2}')
    other = trace(("PUT", "/a", 409), sent=b'{"a":1,"b":3}')
    assert compared(one, other) == ["~ #1 → #1 PUT /a", "    status 200 → 409", '    -   "b": 2', '    +   "b": 3']


def test_bodies_that_are_cut_are_not_compared() -> None:
    def cut(body: bytes) -> Iterator[Recorded]:
        for recorded in trace(("PUT", "/a"), sent=body):
            yield Recorded(1, recorded.exchange, frozenset({"request"}))

    assert compared(cut(b'{"a":1'), trace(("PUT", "/a"), sent=b'{"a":1,"b":2}')) == [
        "# 1 body not compared: the traces do not hold them whole."
    ]
    assert compared(cut(b'{"a":1'), cut(b'{"a":1')) == []


def test_long_traces_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "_ALIGNED", 3)
    one = trace(("GET", "/a"), ("GET", "/b"), ("GET", "/c"), ("GET", "/a"))
    other = trace(("GET", "/a"), ("GET", "/c"), ("GET", "/a"), ("GET", "/a"), ("GET", "/d", 404))
    assert compared(one, other) == [
        "# More than 3 calls: counted, not put side by side.",
        "~ GET /a → 200: 2 → 3 times",
        "- GET /b → 200: 1 → 0 times",
        "+ GET /d → 404: 0 → 1 times",
    ]
    assert compared(trace(*[("GET", "/a")] * 4), trace(*[("GET", "/a")] * 4)) == []


def test_bodies_without_room_are_compared_by_their_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "_ROOM", 0)
    assert compared(trace(("PUT", "/a"), sent=b"1"), trace(("PUT", "/a"), sent=b"1")) == []
    found = compared(trace(("PUT", "/a"), sent=b"1"), trace(("PUT", "/a"), sent=b"2"))
    assert found == ["~ #1 → #1 PUT /a", "    the bodies differ"]


def test_the_exit_code_tells(kubetrace: Kubetrace, tmp_path: Path) -> None:
    path = str(written(tmp_path / "t.jsonl"))
    assert kubetrace("trace", "diff", path, path).code == 0
    other = tmp_path / "o.jsonl"
    other.write_bytes(b"\n".join(Path(path).read_bytes().split(b"\n")[:3]))
    assert kubetrace("trace", "diff", path, str(other)).code == 1
    for words, problem in (([], "two traces"), (["nowhere"], "No such file"), ([path, "--status=9xx"], "--status")):
        done = kubetrace("trace", "diff", path, *words)
        assert done.code == 2 and problem in done.err

"""Objects that do not fit their kind, in bodies, patches and applies: cases for tests/playground/golden/misfits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.playground.cases import APPLY, CORE, JSON, JSON_PATCH, MERGE, STRATEGIC, Case

_FORCED = "?fieldManager=x&force=true&dryRun=All"
_MAP: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}}
_POLICY = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "m"}}
_POLICY |= {"spec": {"podSelector": {"matchLabels": {"a": "b"}}}}
_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_NETWORKING = "/apis/networking.k8s.io/v1/namespaces/NS"
_VALUES = ({}, [], True, 5, 1.5, None, "x", "5")
_KINDS: list[dict[str, Any]] = [
    *({"kind": value} for value in ("Pod", "Secret", "Foo", "", None, {}, 5)),
    *({"apiVersion": value} for value in ("apps/v1", "v2", "a/b/c", None, [1])),
    {"kind": "Pod", "apiVersion": "v1"},
    {"kind": "Foo", "apiVersion": "x/v1"},
    *({"metadata": value} for value in (5, [], {"name": "other"}, {"labels": []}, {"labels": {"a": 1}})),
    {"spec": 5},
    {"data": 5},
]


def _renamed() -> Iterator[Case]:
    """What an object calls itself, in every kind of write."""
    for place, whole in ((f"{CORE}/configmaps", _MAP), (f"{_NETWORKING}/networkpolicies", _POLICY)):
        yield "POST", place, whole, JSON
        for part in _KINDS:
            for kind in (MERGE, STRATEGIC):
                yield "PATCH", f"{place}/m?dryRun=All", part, kind
            operations = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in part.items()]
            yield "PATCH", f"{place}/m?dryRun=All", operations, JSON_PATCH
            yield "PATCH", f"{place}/m{_FORCED}", _applied(whole, part), APPLY
            yield "PUT", f"{place}/m?dryRun=All", whole | part, JSON
            if part.get("metadata") != {"name": "other"}:
                yield "POST", f"{place}?dryRun=All", whole | {"metadata": {"name": "n"}} | part, JSON


def _applied(whole: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {name: whole[name] for name in ("apiVersion", "kind", "metadata")} | part


def _pod(container: dict[str, Any] | None = None, **spec: Any) -> Case:
    containers = [{"name": "c", "image": "i", **(container or {})}]
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **spec}}
    return "PATCH", f"{CORE}/pods/p{_FORCED}", body, APPLY


def _map(**part: Any) -> Case:
    return "PATCH", f"{CORE}/configmaps/m{_FORCED}", _applied(_MAP, part), APPLY


def _mistyped() -> Iterator[Case]:
    """Applied values of every type in fields of every type."""
    for value in _VALUES:
        yield _pod({"resources": {"limits": {"cpu": value}}})
        yield _pod({"livenessProbe": {"httpGet": {"port": value}}})
        for name in ("tty", "args", "env", "ports", "image", "restartPolicy"):
            yield _pod({name: value})
        yield _pod({"args": [value]})
        yield _pod({"env": [value]})
        yield _pod({"ports": [value]})
        yield _pod({"ports": [{"containerPort": value}]})
        yield _pod({"livenessProbe": {"exec": {"command": ["x"]}, "periodSeconds": value}})
        for name in ("nodeSelector", "affinity", "restartPolicy", "securityContext"):
            yield _pod(**{name: value})
        for name in ("imagePullSecrets", "containers", "tolerations"):
            yield _pod(**{name: [value]})
        yield _pod(nodeSelector={"a": value})
        yield _pod(hostAliases=[{"ip": value}])
        for name in ("data", "immutable"):
            yield _map(**{name: value})
        yield _map(data={"a": value})
        for name in ("creationTimestamp", "finalizers", "managedFields", "generation", "namespace", "name"):
            if (name, value) not in (("creationTimestamp", "5"), ("name", None)):
                yield _map(metadata={"name": "m", name: value})
        yield _map(metadata=value)
        yield _map(metadata={"name": "m", "finalizers": [value]})
        if value != {}:  # whose causes the real server tells twice
            yield _map(metadata={"name": "m", "ownerReferences": [value]})


def _lists() -> Iterator[Case]:
    """Keys that come twice or not at all, and fields that nobody knows."""
    yield _pod({"env": [{"name": "a"}, {"name": "a"}]})
    yield _pod({"ports": [{"containerPort": 1}, {"containerPort": 1}]})
    yield _pod({"ports": [{"containerPort": 1, "protocol": "UDP"}, {"containerPort": 1, "foo": 1}]})
    yield _pod({"env": [{"value": "x"}]})
    yield _pod(imagePullSecrets=[{}, {}])
    yield _pod(hostAliases=[{"hostnames": ["a"]}])
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "s"}, "secrets": [{"kind": "Secret"}]}
    yield "PATCH", f"{CORE}/serviceaccounts/s{_FORCED}", account, APPLY


def _decoded() -> Iterator[Case]:
    """Go's own types have names."""
    for part in ({"restartPolicy": 5}, {"dnsPolicy": []}, {"tolerations": [{"effect": {}}]}, {"nodeSelector": [1]},
                 {"volumes": [{"name": "v", "emptyDir": {"medium": 1}}]}, {"hostNetwork": "yes"}):  # fmt: skip
        body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **part}}
        yield "POST", f"{CORE}/pods?dryRun=All", body, JSON
    for spec in ({"type": 1}, {"sessionAffinity": {}}, {"ports": [{"port": "x"}]}, {"ports": [{"targetPort": []}]},
                 {"type": 1, "ports": [{"port": 1, "targetPort": {}}]}, {"selector": "x"}):  # fmt: skip
        yield "POST", f"{CORE}/services?dryRun=All", {"metadata": {"name": "s"}, "spec": spec}, JSON
    yield "POST", f"{CORE}/persistentvolumeclaims?dryRun=All", {"spec": {"resources": {"requests": "x"}}}, JSON
    yield "POST", f"{CORE}/configmaps", {"metadata": {"resourceVersion": "1"}}, JSON
    yield "POST", f"{CORE}/configmaps", {"metadata": {"name": "new", "resourceVersion": "1"}}, JSON


def _defaults() -> Iterator[Case]:
    """Defaults in a definition are held to its schema."""
    values = ({"type": "string", "default": 5}, {"type": "integer", "minimum": 3, "default": 2},
              {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"c": 1}},
              {"type": "object", "properties": {"b": {"type": "string"}}, "default": {"b": 1}})  # fmt: skip
    for value in values:
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"a": value}}}
        spec = {"group": "b.c", "scope": "Cluster", "names": {"plural": "as", "kind": "A"}}
        spec |= {"versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]}
        body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}
        place = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
        yield "POST", place, body | {"metadata": {"name": "as.b.c"}}, JSON


def _bodies() -> Iterator[Case]:
    for text in ("", "null", "[]", "5", '"x"', "{}", "kind: ConfigMap", "apiVersion: v1", "a: b: c", "---\n---\n"):
        yield "PATCH", f"{CORE}/configmaps/m{_FORCED}", text.encode(), APPLY


def _merged_lists() -> Iterator[Case]:
    place = f"{CORE}/serviceaccounts"
    yield "POST", place, {"metadata": {"name": "full"}, "secrets": [{"name": "a"}]}, JSON
    yield "POST", place, {"metadata": {"name": "empty"}}, JSON
    for entries in (["x"], [5, {"name": "b"}], [{}], [[]]):
        yield "PATCH", f"{place}/full?dryRun=All", {"secrets": entries}, STRATEGIC
    yield "PATCH", f"{place}/empty?dryRun=All", {"secrets": ["x"]}, STRATEGIC
    for entries in ([{}], ["a/b", 1]):
        yield "PATCH", f"{place}/full?dryRun=All", {"metadata": {"finalizers": entries}}, STRATEGIC
    yield "PATCH", f"{place}/full?dryRun=All", {"metadata": {"annotations": {"a": {"b": 1}}}}, STRATEGIC


def _updates() -> Iterator[Case]:
    """Updates that must say what they change, and what stays."""
    lease = {"metadata": {"name": "l"}, "spec": {"holderIdentity": "h"}}
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}, "scopes": ["NotTerminating"]}}
    for place, body in (
        ("/apis/coordination.k8s.io/v1/namespaces/NS/leases", lease),
        ("/apis/policy/v1/namespaces/NS/poddisruptionbudgets", budget),
        (f"{CORE}/resourcequotas", quota),
    ):
        yield "POST", place, body, JSON
        yield "PUT", f"{place}/{body['metadata']['name']}?dryRun=All", body, JSON
    yield "PATCH", f"{CORE}/resourcequotas/q?dryRun=All", {"spec": {"scopes": ["Terminating"]}}, MERGE
    yield "PUT", f"{CORE}/configmaps/m?dryRun=All", _MAP | {"apiVersion": [], "kind": ""}, JSON
    yield "PATCH", f"{CORE}/configmaps/m?dryRun=All", {"apiVersion": []}, MERGE
    port = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 1, "targetPort": 1 << 31}]}}
    yield "POST", f"{CORE}/services?dryRun=All", port, JSON


def _refused() -> Iterator[Case]:
    """Words of single kinds that tests/playground/refusals.py does not come past."""
    for service in ({}, {"name": "a"}, {"namespace": "b"}, {"name": "a", "namespace": "b", "path": "x//A"}):
        webhook = {"name": "a.b.c", "admissionReviewVersions": ["v1"], "sideEffects": "None"}
        hooks = {"metadata": {"name": "w"}, "webhooks": [webhook | {"clientConfig": {"service": service}}]}
        yield "POST", f"{_ADMISSION}/mutatingwebhookconfigurations?dryRun=All", hooks, JSON
    for entry in (
        {"scopeName": "Terminating", "operator": "In", "values": ["a"]},
        {"scopeName": "X", "operator": "Y"},
        {"scopeName": "PriorityClass", "operator": "In"},
        {"scopeName": "PriorityClass", "operator": "Exists", "values": ["a"]},
    ):
        quota = {"hard": {"pods": "1", "foo": "1", "services": "1"}, "scopeSelector": {"matchExpressions": [entry]}}
        yield "POST", f"{CORE}/resourcequotas?dryRun=All", {"metadata": {"name": "q"}, "spec": quota}, JSON
    for data in ("", "W10=", "eA==", "e30="):
        secret = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": data}}
        yield "POST", f"{CORE}/secrets?dryRun=All", {"metadata": {"name": "s"}} | secret, JSON
    addresses = [{"ip": ip} for ip in ("", "127.0.0.1", "x", "0.0.0.0", "169.254.1.1")]
    yield (
        "POST",
        f"{CORE}/endpoints?dryRun=All",
        {"metadata": {"name": "e"}, "subsets": [{"addresses": addresses}]},
        JSON,
    )
    controller = {"metadata": {"name": "r"}, "spec": {"selector": {"a": "b"}}}
    yield "POST", f"{CORE}/replicationcontrollers?dryRun=All", controller, JSON
    for kind in ("statefulsets", "replicasets", "deployments", "daemonsets"):
        body = {"metadata": {"name": "x"}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}
        yield "POST", f"/apis/apps/v1/namespaces/NS/{kind}?dryRun=All", body, JSON
    ports = [{"endPort": 5}, {"port": "a", "endPort": 5}, {"port": 7, "endPort": 5}]
    policy = {"podSelector": {}, "ingress": [{"ports": ports}]}
    yield "POST", f"{_NETWORKING}/networkpolicies?dryRun=All", {"metadata": {"name": "n"}, "spec": policy}, JSON


_GROUPS = (_renamed, _mistyped, _lists, _decoded, _defaults, _bodies, _merged_lists, _updates, _refused)
CASES: list[Case] = [case for group in _GROUPS for case in group()]

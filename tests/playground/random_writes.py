"""Random writes to kinds that no controller touches: creates, updates, patches of all four kinds, also of their
subresources, deletes of one and of many, under several managers, with finalizers, with and without a dry run."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from hypothesis import strategies as st

from tests.playground.answers import plain
from tests.playground.conftest import Client

Step = tuple[str, str, Any, str]
"""(method, path in the namespace NS, body, content type)"""

JSON = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
MANAGERS = st.sampled_from(["one", "two", "kubectl"])


def sometimes(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


WORDS = st.sampled_from(["a", "b", "c"])
LABELS = st.dictionaries(WORDS, WORDS, max_size=2)
FINALIZERS = st.lists(st.sampled_from(["e.com/a", "e.com/b"]), max_size=2, unique=True)
METADATA = sometimes(labels=LABELS, annotations=LABELS, finalizers=FINALIZERS)
PORTS = st.lists(
    sometimes(
        name=WORDS,
        containerPort=st.sampled_from([80, 81]),
        protocol=st.sampled_from(["TCP", "UDP"]),
        hostPort=st.sampled_from([0, 80]),
    ),
    max_size=2,
)
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": WORDS},
        optional={
            "image": st.sampled_from(["x", "y:1", ""]),
            "ports": PORTS,
            "env": st.lists(st.fixed_dictionaries({"name": WORDS}, optional={"value": WORDS}), max_size=2),
            "args": st.lists(WORDS, max_size=2),
            "resources": sometimes(
                limits=st.dictionaries(st.sampled_from(["cpu", "memory"]), st.sampled_from(["1", "500m", "1000m"]))
            ),
        },
    ),
    max_size=2,
)
POD_SPEC = sometimes(
    containers=CONTAINERS,
    nodeSelector=LABELS,
    restartPolicy=st.sampled_from(["Always", "Never"]),
    terminationGracePeriodSeconds=st.sampled_from([0, 5]),
    tolerations=st.lists(st.just({"key": "k", "operator": "Exists"}), max_size=1),
    volumes=st.lists(st.fixed_dictionaries({"name": WORDS, "emptyDir": st.just({})}), max_size=2),
)
_CORE, _RBAC, _NETWORKING = "/api/v1", "/apis/rbac.authorization.k8s.io/v1", "/apis/networking.k8s.io/v1"
SELECTOR = sometimes(matchLabels=st.dictionaries(WORDS, WORDS, min_size=1, max_size=2))
"""Not empty: to some strategies of the real server an empty map is another than none, and raises the generation."""
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["e.com/a", "e.com/b"]), "status": st.sampled_from(["True", "False"])},
        optional={"message": WORDS},
    ),
    max_size=2,
)
PORT_NUMBER = sometimes(number=st.sampled_from([80, 0]))
STATUSES = {
    "pods": sometimes(conditions=CONDITIONS, phase=st.sampled_from(["Pending", "Running", "Failed"]), message=WORDS),
    "ingresses": sometimes(
        loadBalancer=sometimes(
            ingress=st.lists(sometimes(hostname=st.sampled_from(["a.b", "A_"]), ip=st.just("1.2.3.4")), max_size=2)
        )
    ),
}
KINDS: dict[str, tuple[str, str, st.SearchStrategy[dict[str, Any]]]] = {
    "configmaps": (_CORE, "ConfigMap", sometimes(data=LABELS, immutable=st.booleans(), metadata=METADATA)),
    "secrets": (_CORE, "Secret", sometimes(stringData=LABELS, metadata=METADATA)),
    "podtemplates": (
        _CORE,
        "PodTemplate",
        sometimes(template=sometimes(metadata=METADATA, spec=POD_SPEC), metadata=METADATA),
    ),
    "services": (
        _CORE,
        "Service",
        sometimes(
            metadata=METADATA,
            spec=sometimes(
                clusterIP=st.just("None"),
                selector=LABELS,
                ports=st.lists(
                    sometimes(name=WORDS, port=st.sampled_from([80, 81]), protocol=st.sampled_from(["TCP", "UDP"])),
                    max_size=2,
                ),
                sessionAffinity=st.sampled_from(["None", "ClientIP"]),
            ),
        ),
    ),
    "pods": (
        _CORE,
        "Pod",
        st.fixed_dictionaries(
            {
                "spec": st.fixed_dictionaries(
                    {
                        "schedulerName": st.just("nobody"),
                        "automountServiceAccountToken": st.just(False),
                        "terminationGracePeriodSeconds": st.just(1),
                    },
                    optional={"containers": CONTAINERS, "tolerations": st.just([{"key": "k", "operator": "Exists"}])},
                )
            },
            optional={"metadata": METADATA},
        ),
    ),
    "roles": (
        _RBAC,
        "Role",
        sometimes(
            metadata=METADATA,
            rules=st.lists(
                sometimes(
                    apiGroups=st.just([""]), resources=st.just(["pods"]), verbs=st.lists(st.just("get"), max_size=1)
                ),
                min_size=1,
                max_size=2,
            ),
        ),
    ),
    "networkpolicies": (
        _NETWORKING,
        "NetworkPolicy",
        sometimes(
            metadata=METADATA,
            spec=sometimes(
                podSelector=SELECTOR,
                ingress=st.lists(
                    sometimes(ports=st.lists(sometimes(port=st.sampled_from([80, "x"])), max_size=1)), max_size=2
                ),
                policyTypes=st.lists(st.sampled_from(["Ingress", "Egress"]), max_size=2),
            ),
        ),
    ),
    "ingresses": (
        _NETWORKING,
        "Ingress",
        sometimes(
            metadata=METADATA,
            spec=sometimes(
                defaultBackend=sometimes(
                    service=sometimes(name=WORDS, port=sometimes(number=st.sampled_from([80, 0])))
                ),
                ingressClassName=WORDS,
                rules=st.lists(sometimes(host=st.sampled_from(["a.b", "A"])), max_size=2),
            ),
        ),
    ),
    "serviceaccounts": (
        _CORE,
        "ServiceAccount",
        sometimes(
            metadata=METADATA,
            automountServiceAccountToken=st.booleans(),
            secrets=st.lists(st.fixed_dictionaries({"name": WORDS}), max_size=2),
            imagePullSecrets=st.lists(st.fixed_dictionaries({"name": WORDS}), max_size=2),
        ),
    ),
}
_ACTIONS = ["create", "create", "generate", "update", "merge", "strategic", "json", "apply", "apply", "delete", "many"]
_GENERATED = re.compile(r"\bg-[a-z0-9]{5}\b")
_ADDRESS = re.compile(r"10\.96\.\d+\.\d+")
_POINTERS: tuple[str, ...] = (
    "/data/a",
    "/data",
    "/metadata/labels",
    "/metadata/labels/a",
    "/spec/ports/0",
    "/template/spec/containers/-",
)
_POINTERS += ("/template/spec/containers/0/image", "/template/metadata")


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    resource = draw(st.sampled_from(sorted(KINDS)))
    prefix, kind, fields = KINDS[resource]
    version = prefix.partition("/")[2].partition("/")[2]
    base = f"{prefix}/namespaces/NS/{resource}"
    found: list[Step] = []
    for _ in range(draw(st.integers(1, 6))):
        body = {"apiVersion": version, "kind": kind, **draw(fields)}
        body["metadata"] = {"name": "it", **body.get("metadata", {})}
        query = f"?fieldManager={draw(MANAGERS)}"
        query += "&dryRun=All" if draw(st.integers(0, 5)) == 0 else ""
        action = draw(st.sampled_from(_ACTIONS))
        place = f"{base}/it"
        if resource in STATUSES and action in ("update", "merge", "apply") and draw(st.booleans()):
            place += "/status"
            body["status"] = draw(STATUSES[resource])
        if action == "create":
            found.append(("POST", f"{base}{query}", body, JSON))
        elif action == "generate":
            del body["metadata"]["name"]
            body["metadata"] |= {"generateName": "g-"}
            found.append(("POST", f"{base}{query}", body, JSON))
        elif action == "update":
            found.append(("PUT", f"{place}{query}", body, JSON))
        elif action == "apply":
            force = "&force=true" if draw(st.booleans()) else ""
            found.append(("PATCH", f"{place}{query}{force}", body, APPLY))
        elif action == "json":
            operation = {"op": draw(st.sampled_from(["add", "remove", "replace", "test"]))}
            operation |= {"path": draw(st.sampled_from(_POINTERS)), "value": draw(WORDS)}
            found.append(("PATCH", f"{base}/it{query}", [operation], JSON_PATCH))
        elif action == "delete":
            found.append(("DELETE", f"{base}/it", None, JSON))
        elif action == "many":
            found.append(("DELETE", f"{base}?labelSelector=a={draw(WORDS)}", None, JSON))
        else:
            found.append(("PATCH", f"{place}{query}", body, MERGE if action == "merge" else STRATEGIC))
    return found


def answers(client: Client, sequence: list[Step]) -> list[dict[str, Any]]:
    """What a server makes of them, in a namespace of its own."""
    namespace = f"random-{uuid.uuid4().hex[:10]}"
    client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    client.until(f"/api/v1/namespaces/{namespace}/serviceaccounts/default", lambda status, _: status == 200)
    found = []
    for method, path, body, kind in sequence:
        data = None if body is None else json.dumps(body).encode()
        status, answer = client.call(method, path.replace("NS", namespace), data, Content_Type=kind)
        text = answer.decode() if isinstance(answer, bytes) else json.dumps(answer)
        told = _GENERATED.sub("g-NAME", _ADDRESS.sub("ADDRESS", text))
        found.append(plain(status, told if isinstance(answer, bytes) else in_order(json.loads(told)), namespace))
    client.call("DELETE", f"/api/v1/namespaces/{namespace}")
    return found


def in_order(answer: dict[str, Any]) -> dict[str, Any]:
    """Go walks over maps as it happens to: so are the lines of an apply's errors."""
    head, _, lines = str(answer.get("message", "")).partition(": errors:\n")
    return answer | {"message": f"{head}: errors:\n" + "\n".join(sorted(lines.split("\n")))} if lines else answer

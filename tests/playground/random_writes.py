"""Random writes to a few kinds that no controller touches: creates, updates, patches of all four kinds, deletes."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from hypothesis import strategies as st

from tests.playground.answers import plain
from tests.playground.conftest import Client

Step = tuple[str, str, Any, str]
"""(method, path below the namespace, body, content type)"""

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
METADATA = sometimes(labels=LABELS, annotations=LABELS)
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
KINDS: dict[str, tuple[str, str, st.SearchStrategy[dict[str, Any]]]] = {
    "configmaps": ("v1", "ConfigMap", sometimes(data=LABELS, immutable=st.booleans(), metadata=METADATA)),
    "secrets": ("v1", "Secret", sometimes(stringData=LABELS, metadata=METADATA)),
    "podtemplates": (
        "v1",
        "PodTemplate",
        sometimes(template=sometimes(metadata=METADATA, spec=POD_SPEC), metadata=METADATA),
    ),
    "services": (
        "v1",
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
}
_ADDRESS = re.compile(r"10\.96\.\d+\.\d+")
_POINTERS = (
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
    version, kind, fields = KINDS[resource]
    found: list[Step] = []
    for _ in range(draw(st.integers(1, 6))):
        body = {"apiVersion": version, "kind": kind, **draw(fields)}
        body["metadata"] = {"name": "it", **body.get("metadata", {})}
        manager = draw(MANAGERS)
        query = f"?fieldManager={manager}"
        action = draw(st.sampled_from(["create", "update", "merge", "strategic", "json", "apply", "apply", "delete"]))
        if action == "create":
            found.append(("POST", f"{resource}{query}", body, JSON))
        elif action == "update":
            found.append(("PUT", f"{resource}/it{query}", body, JSON))
        elif action == "apply":
            force = "&force=true" if draw(st.booleans()) else ""
            found.append(("PATCH", f"{resource}/it{query}{force}", body, APPLY))
        elif action == "json":
            operation = {"op": draw(st.sampled_from(["add", "remove", "replace", "test"]))}
            operation |= {"path": draw(st.sampled_from(_POINTERS)), "value": draw(WORDS)}
            found.append(("PATCH", f"{resource}/it{query}", [operation], JSON_PATCH))
        elif action == "delete":
            found.append(("DELETE", f"{resource}/it", None, JSON))
        else:
            found.append(("PATCH", f"{resource}/it{query}", body, MERGE if action == "merge" else STRATEGIC))
    return found


def answers(client: Client, sequence: list[Step]) -> list[dict[str, Any]]:
    """What a server makes of them, in a namespace of its own."""
    namespace = f"random-{uuid.uuid4().hex[:10]}"
    client.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    found = []
    for method, path, body, kind in sequence:
        data = None if body is None else json.dumps(body).encode()
        status, answer = client.call(method, f"/api/v1/namespaces/{namespace}/{path}", data, Content_Type=kind)
        value = (
            answer.decode() if isinstance(answer, bytes) else json.loads(_ADDRESS.sub("ADDRESS", json.dumps(answer)))
        )
        found.append(plain(status, value, namespace))
    client.call("DELETE", f"/api/v1/namespaces/{namespace}")
    return found

"""What newer versions of Kubernetes added to pods: resources of the whole, claims of their own, labels that selectors
take over, and what is dropped because its feature is off."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.playground import pod_security
from tests.playground.test_behaviour import BOX, Place

_NOWHERE = {"nodeSelector": {"nowhere": "yes"}}


@pytest.fixture
def place(client: Any, namespace: str) -> Place:
    return Place(client, namespace)


def test_an_ephemeral_volumes_claim_is_the_pods(place: Place) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Gi"}}}
    template = {"metadata": {"labels": {"type": "scratch"}}, "spec": spec}
    place.pod("app", **_NOWHERE, volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}])
    claim = place.until("persistentvolumeclaims", "app-scratch", lambda item: True)
    assert claim["metadata"]["labels"] == {"type": "scratch"}
    assert [owner["kind"] for owner in claim["metadata"]["ownerReferences"]] == ["Pod"]
    place.delete("pods", "app")
    place.gone("persistentvolumeclaims", "app-scratch")


def test_another_pods_claim_is_not_taken(place: Place) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    place.make("persistentvolumeclaims", "app-scratch", spec)
    volume = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": spec}}}
    place.pod("app", **_NOWHERE, volumes=[volume])
    assert "was not created for pod" in place.told("app", "FailedBinding")


def test_a_pod_as_a_whole_asks_for_what_its_containers_ask_for(place: Place) -> None:
    sidecar = {"name": "s", "image": "x", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}}
    whole = {"limits": {"cpu": "2", "memory": "1Gi"}}
    container = BOX | {"resources": {"requests": {"cpu": "250m"}}}
    made = place.pod("p", container, **_NOWHERE, resources=whole, initContainers=[sidecar])
    assert made["spec"]["resources"]["requests"] == {"cpu": "350m", "memory": "1Gi"}
    assert made["status"]["qosClass"] == "Burstable"
    assert place.pod("q", **_NOWHERE, resources=whole)["status"]["qosClass"] == "Guaranteed"


def test_labels_become_a_part_of_selectors(place: Place) -> None:
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
    constraint |= {"labelSelector": {"matchLabels": {"a": "b"}}, "matchLabelKeys": ["hash", "missing"]}
    made = place.make(
        "pods",
        "p",
        {"containers": [BOX], "topologySpreadConstraints": [constraint]},
        metadata={"labels": {"hash": "x"}},
    )
    selector = made["spec"]["topologySpreadConstraints"][0]["labelSelector"]
    assert selector["matchExpressions"] == [{"key": "hash", "operator": "In", "values": ["x"]}]


def test_what_is_off_is_dropped(place: Place) -> None:
    sources = [{"configMap": {"name": "x"}}, {"clusterTrustBundle": {"name": "x", "path": "p"}}]
    container = BOX | {"lifecycle": {"stopSignal": "SIGUSR1"}}
    made = place.pod("p", container, **_NOWHERE, volumes=[{"name": "v", "projected": {"sources": sources}}])
    assert made["spec"]["volumes"][0]["projected"]["sources"] == [{"configMap": {"name": "x"}}, {}]
    assert "lifecycle" not in made["spec"]["containers"][0]


def test_an_annotation_becomes_a_profile(place: Place) -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    metadata = {"annotations": {key: "localhost/mine"}}
    made = place.make("pods", "p", {"containers": [BOX], **_NOWHERE}, metadata=metadata)
    profile = made["spec"]["containers"][0]["securityContext"]["appArmorProfile"]
    assert profile == {"type": "Localhost", "localhostProfile": "mine"}


def test_checks_of_pod_security_by_version() -> None:
    def reasons(version: str) -> set[str]:
        found = pod_security.violations(("restricted", version), {"spec": {"containers": [BOX]}})
        return {reason for reason, _ in found}

    assert reasons("v1.0") == {"runAsNonRoot != true"}
    assert reasons("v1.20") == reasons("v1.0") | {"allowPrivilegeEscalation != false", "seccompProfile"}
    assert reasons("v1.22") == reasons("latest") == reasons("v1.20") | {"unrestricted capabilities"}


def test_hosts_of_probes_are_looked_at_since_they_are() -> None:
    probe = {"livenessProbe": {"httpGet": {"host": "1.2.3.4", "port": 80}}}
    pod = {"spec": {"containers": [BOX | probe]}}
    assert not pod_security.violations(("baseline", "v1.33"), pod)
    assert pod_security.violations(("baseline", "v1.34"), pod) == pod_security.violations(("baseline", "latest"), pod)

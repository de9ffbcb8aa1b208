"""What controllers, scheduler and kubelet make of objects, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.playground.conftest import TABLE, Client

BOX = {"name": "c", "image": "busybox", "command": ["sleep", "infinity"]}


class Place:
    """One namespace."""

    def __init__(self, client: Client, namespace: str) -> None:
        self.client, self.namespace = client, namespace

    def path(self, resource: str, name: str = "") -> str:
        group, _, plural = resource.rpartition("/")
        start = f"/apis/{group}" if group else "/api/v1"
        return f"{start}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def make(self, resource: str, name: str, spec: Any = None, **rest: Any) -> Any:
        metadata = {"name": name} | rest.pop("metadata", {})
        return self.client.post(self.path(resource), {"metadata": metadata, **({"spec": spec} if spec else {}), **rest})

    def pod(self, name: str, *containers: Any, **spec: Any) -> Any:
        return self.make("pods", name, {"containers": list(containers) or [BOX]} | spec)

    def get(self, resource: str, name: str) -> Any:
        return self.client.get(self.path(resource, name))

    def items(self, resource: str, query: str = "") -> list[Any]:
        return list(self.client.get(f"{self.path(resource)}{query}")["items"])

    def until(self, resource: str, name: str, wanted: Any) -> Any:
        return self.client.until(self.path(resource, name), lambda status, item: status == 200 and wanted(item))

    def gone(self, resource: str, name: str) -> None:
        self.client.until(self.path(resource, name), lambda status, item: status == 404)

    def patch(self, resource: str, name: str, body: Any) -> Any:
        status, value = self.client.call(
            "PATCH", self.path(resource, name), body, Content_Type="application/merge-patch+json"
        )
        assert status == 200, value
        return value

    def delete(self, resource: str, name: str, body: Any = None) -> None:
        status, value = self.client.call("DELETE", self.path(resource, name), body)
        assert status in (200, 202), value

    def reasons(self, name: str) -> set[str]:
        items = self.items("events", f"?fieldSelector=involvedObject.name={name}")
        return {item["reason"] for item in items}

    def told(self, name: str, reason: str) -> str:
        """The message of an event, once there is one."""
        path = f"{self.path('events')}?fieldSelector=involvedObject.name={name},reason={reason}"
        return str(self.client.until(path, lambda status, value: value["items"])["items"][0]["message"])


@pytest.fixture
def place(client: Client, namespace: str) -> Place:
    return Place(client, namespace)


def state(pod: Any, index: int = 0, group: str = "containerStatuses") -> Any:
    return ((pod.get("status") or {}).get(group) or [{"state": {}, "lastState": {}}])[index]["state"]


def phase(pod: Any) -> str:
    return str((pod.get("status") or {}).get("phase"))


def is_ready(pod: Any) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def waits(pod: Any) -> str:
    return str((state(pod).get("waiting") or {}).get("reason"))


def test_a_pod_runs(place: Place) -> None:
    made = place.pod("p")
    assert made["status"]["phase"] == "Pending"
    pod = place.until("pods", "p", is_ready)
    assert phase(pod) == "Running" and pod["spec"]["nodeName"] and pod["status"]["podIP"].startswith("10.244.")
    kinds = [condition["type"] for condition in pod["status"]["conditions"]]
    assert kinds == ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
    assert place.reasons("p") == {"Scheduled", "Pulling", "Pulled", "Created", "Started"} or place.reasons("p") == {
        "Scheduled",
        "Pulled",
        "Created",
        "Started",
    }
    place.delete("pods", "p")
    place.gone("pods", "p")


def test_commands_that_end(place: Place) -> None:
    def once(name: str, command: list[str], policy: str) -> None:
        place.pod(name, {"name": "c", "image": "busybox", "command": command}, restartPolicy=policy)

    once("good", ["true"], "Never")
    once("bad", ["sh", "-c", "echo to-the-log; exit 3"], "OnFailure")
    once("failed", ["false"], "Never")
    once("loop", ["false"], "Always")
    once("typo", ["sleeep", "1"], "Never")
    pod = place.until("pods", "good", lambda pod: phase(pod) == "Succeeded")
    assert state(pod)["terminated"]["reason"] == "Completed"
    assert next(c for c in pod["status"]["conditions"] if c["type"] == "Ready")["reason"] == "PodCompleted"
    pod = place.until("pods", "failed", lambda pod: phase(pod) == "Failed")
    assert state(pod)["terminated"] | {"startedAt": "", "finishedAt": "", "containerID": ""} == {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": "",
        "finishedAt": "",
        "containerID": "",
    }
    pod = place.until("pods", "loop", lambda pod: waits(pod) == "CrashLoopBackOff")
    entry = pod["status"]["containerStatuses"][0]
    assert entry["restartCount"] >= 1 and entry["lastState"]["terminated"]["exitCode"] == 1
    assert entry["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=c pod=loop_")
    assert phase(pod) == "Running" and "BackOff" in place.reasons("loop")
    place.until("pods", "bad", lambda pod: waits(pod) == "CrashLoopBackOff")
    status, text = place.client.call("GET", place.path("pods", "bad") + "/log?previous=true")
    assert (status, text) == (200, b"to-the-log\n")
    pod = place.until("pods", "typo", lambda pod: phase(pod) == "Failed")
    assert state(pod)["terminated"]["reason"] == "StartError" and state(pod)["terminated"]["exitCode"] == 128


def test_images_that_cannot_be_pulled(place: Place) -> None:
    place.pod("p", {"name": "c", "image": "nginx:broken"})
    pod = place.until("pods", "p", lambda pod: waits(pod) == "ImagePullBackOff")
    assert phase(pod) == "Pending" and state(pod)["waiting"]["message"].startswith(
        'Back-off pulling image "nginx:broken"'
    )
    assert {"Pulling", "Failed", "BackOff"} <= place.reasons("p")


def test_what_a_container_needs_and_does_not_find(place: Place) -> None:
    source = {"configMapKeyRef": {"name": "settings", "key": "color"}}
    place.pod("env", BOX | {"env": [{"name": "COLOR", "valueFrom": source}]})
    volume = {"name": "v", "secret": {"secretName": "login"}}
    place.pod("mount", BOX | {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, volumes=[volume])
    pod = place.until("pods", "env", lambda pod: waits(pod) == "CreateContainerConfigError")
    assert state(pod)["waiting"]["message"] == 'configmap "settings" not found'
    told = place.told("mount", "FailedMount")
    assert told == 'MountVolume.SetUp failed for volume "v" : secret "login" not found'
    assert waits(place.get("pods", "mount")) == "ContainerCreating"
    place.make("configmaps", "settings", data={"color": "blue"})
    place.make("secrets", "login", stringData={"password": "open"})
    place.until("pods", "env", is_ready)
    place.until("pods", "mount", is_ready)


def test_init_containers_and_sidecars(place: Place) -> None:
    init = [
        {"name": "side", "image": "busybox", "command": ["sleep", "infinity"], "restartPolicy": "Always"},
        {"name": "first", "image": "busybox", "command": ["sh", "-c", "echo $HOSTNAME > /d/f"], "volumeMounts": _MOUNT},
    ]
    second = {"name": "c", "image": "busybox", "command": ["sh", "-c", "cat /d/f; sleep infinity"]}
    volumes = [{"name": "d", "emptyDir": {}}]
    place.pod("p", second | {"volumeMounts": _MOUNT}, initContainers=init, volumes=volumes)
    pod = place.until("pods", "p", is_ready)
    assert "running" in state(pod, 0, "initContainerStatuses")
    assert state(pod, 1, "initContainerStatuses")["terminated"]["reason"] == "Completed"
    assert place.client.call("GET", place.path("pods", "p") + "/log?container=c") == (200, b"p\n")
    place.pod("stuck", BOX, initContainers=[{"name": "i", "image": "busybox", "command": ["false"]}])
    pod = place.until("pods", "stuck", lambda pod: waits_init(pod) == "CrashLoopBackOff")
    assert phase(pod) == "Pending" and waits(pod) == "PodInitializing"


_MOUNT = [{"name": "d", "mountPath": "/d"}]


def waits_init(pod: Any) -> str:
    return str((state(pod, 0, "initContainerStatuses").get("waiting") or {}).get("reason"))


def test_ephemeral_containers(place: Place) -> None:
    place.pod("p")
    place.until("pods", "p", is_ready)
    extra = {"name": "debug", "image": "busybox", "command": ["sh", "-c", "echo hi"], "targetContainerName": "c"}
    status, _ = place.client.call(
        "PATCH",
        place.path("pods", "p") + "/ephemeralcontainers",
        {"spec": {"ephemeralContainers": [extra]}},
        Content_Type="application/strategic-merge-patch+json",
    )
    assert status == 200
    place.until("pods", "p", lambda pod: "terminated" in state(pod, 0, "ephemeralContainerStatuses"))
    assert place.client.call("GET", place.path("pods", "p") + "/log?container=debug") == (200, b"hi\n")


def test_probes(place: Place) -> None:
    exec_probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1, "failureThreshold": 1}
    command = ["sh", "-c", "sleep 2; touch /tmp/ready; sleep infinity"]
    place.pod("slow", BOX | {"command": command, "readinessProbe": exec_probe})
    refused = {"httpGet": {"path": "/", "port": 9999}, "periodSeconds": 1, "failureThreshold": 1}
    ports = [{"containerPort": 80}]
    place.pod("dead", {"name": "c", "image": "nginx", "ports": ports, "livenessProbe": refused})
    place.pod("fine", {"name": "c", "image": "nginx", "ports": ports, "readinessProbe": {"tcpSocket": {"port": 80}}})
    pod = place.until("pods", "slow", lambda pod: phase(pod) == "Running")
    assert not is_ready(pod)
    told = place.told("slow", "Unhealthy")
    assert told == "Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory\n"
    place.until("pods", "slow", is_ready)
    place.until("pods", "fine", is_ready)
    place.until("pods", "dead", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] >= 1)
    assert place.told("dead", "Unhealthy").endswith(":9999: connect: connection refused")
    assert place.told("dead", "Killing") == "Container c failed liveness probe, will be restarted"


def test_pods_that_fit_nowhere(place: Place) -> None:
    place.pod("selective", nodeSelector={"disk": "ssd"})
    place.pod("greedy", BOX | {"resources": {"requests": {"cpu": "1000"}}})
    start, end = "0/1 nodes are available: ", "0/1 nodes are available: 1 "
    assert place.told("selective", "FailedScheduling") == (
        f"{start}1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, "
        f"preemption: {end}Preemption is not helpful for scheduling."
    )
    assert place.told("greedy", "FailedScheduling") == (
        f"{start}1 Insufficient cpu. no new claims to deallocate, "
        f"preemption: {end}Preemption is not helpful for scheduling."
    )
    assert place.get("pods", "greedy")["status"]["conditions"][0]["reason"] == "Unschedulable"


def _template(app: str, image: str = "nginx:1") -> Any:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}]}}


def _set(app: str, replicas: int = 2, **spec: Any) -> Any:
    return {"replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": _template(app)} | spec


def _sets(place: Place, app: str) -> dict[str, int]:
    items = place.items("apps/v1/replicasets", f"?labelSelector=app={app}")
    key = "deployment.kubernetes.io/revision"
    return {item["metadata"]["annotations"][key]: item["spec"]["replicas"] for item in items}


def test_a_deployment_rolls_and_stalls(place: Place) -> None:
    place.make("apps/v1/deployments", "web", _set("web", progressDeadlineSeconds=2))

    def reason(item: Any) -> str:
        entries = {c["type"]: c["reason"] for c in (item.get("status") or {}).get("conditions") or ()}
        return str(entries.get("Progressing"))

    item = place.until("apps/v1/deployments", "web", lambda item: reason(item) == "NewReplicaSetAvailable")
    assert item["status"]["availableReplicas"] == 2 and _sets(place, "web") == {"1": 2}
    place.patch("apps/v1/deployments", "web", {"spec": {"template": _template("web", "nginx:broken")}})
    item = place.until("apps/v1/deployments", "web", lambda item: reason(item) == "ProgressDeadlineExceeded")
    assert item["status"]["availableReplicas"] == 2 and _sets(place, "web") == {"1": 2, "2": 1}
    place.patch("apps/v1/deployments", "web", {"spec": {"template": _template("web")}})
    place.until("apps/v1/deployments", "web", lambda item: reason(item) == "NewReplicaSetAvailable")
    assert _sets(place, "web") == {"3": 2, "2": 0}
    place.patch("apps/v1/deployments", "web", {"spec": {"paused": True, "template": _template("web", "nginx:2")}})
    place.until("apps/v1/deployments", "web", lambda item: reason(item) == "DeploymentPaused")
    assert _sets(place, "web") == {"3": 2, "2": 0}
    place.patch("apps/v1/deployments", "web", {"spec": {"paused": None}})
    place.until("apps/v1/deployments", "web", lambda item: item["status"].get("updatedReplicas") == 2)
    place.until("apps/v1/deployments", "web", lambda item: reason(item) == "NewReplicaSetAvailable")
    assert _sets(place, "web") == {"4": 2, "3": 0, "2": 0}


def test_deletion_reaches_dependents_as_asked(place: Place) -> None:
    for name in ("back", "fore", "orphan"):
        place.make("apps/v1/deployments", name, _set(name, 1))
        place.until("apps/v1/deployments", name, lambda item: (item.get("status") or {}).get("availableReplicas") == 1)
    place.delete("apps/v1/deployments", "back", {"propagationPolicy": "Background"})
    place.gone("apps/v1/deployments", "back")
    place.delete("apps/v1/deployments", "fore", {"propagationPolicy": "Foreground"})
    place.delete("apps/v1/deployments", "orphan", {"propagationPolicy": "Orphan"})
    place.gone("apps/v1/deployments", "fore")
    place.gone("apps/v1/deployments", "orphan")
    assert not place.items("apps/v1/replicasets", "?labelSelector=app=fore")
    assert not place.items("pods", "?labelSelector=app=fore"), "a foreground deletion waits for dependents' dependents"
    pods = f"{place.path('pods')}?labelSelector=app=back"
    place.client.until(pods, lambda status, value: not value["items"])
    left = place.items("apps/v1/replicasets", "?labelSelector=app=orphan")
    assert len(left) == 1 and "ownerReferences" not in left[0]["metadata"]
    assert len(place.items("pods", "?labelSelector=app=orphan")) == 1


def test_a_circle_of_owners_goes_in_the_foreground(place: Place) -> None:
    kept = {name: place.make("configmaps", name) for name in ("a", "b")}
    for name, other in (("a", "b"), ("b", "a")):
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": other, "uid": kept[other]["metadata"]["uid"]}
        place.patch("configmaps", name, {"metadata": {"ownerReferences": [owner | {"blockOwnerDeletion": True}]}})
    place.delete("configmaps", "a", {"propagationPolicy": "Foreground"})
    place.gone("configmaps", "a")
    place.gone("configmaps", "b")


def test_a_job_leaves_its_pods_where_nobody_says_otherwise(place: Place) -> None:
    place.make("batch/v1/jobs", "left", _job(["sleep", "infinity"]))
    place.until("batch/v1/jobs", "left", lambda item: (item.get("status") or {}).get("active"))
    status, answer = place.client.call("DELETE", place.path("batch/v1/jobs", "left"))
    assert (status, answer["kind"], answer["metadata"]["finalizers"]) == (200, "Job", ["orphan"])
    place.gone("batch/v1/jobs", "left")
    [pod] = place.items("pods", "?labelSelector=job-name=left")
    assert "ownerReferences" not in pod["metadata"] and "deletionTimestamp" not in pod["metadata"]
    place.make("batch/v1/jobs", "taken", _job(["sleep", "infinity"]))
    place.until("batch/v1/jobs", "taken", lambda item: (item.get("status") or {}).get("active"))
    status, answer = place.client.call("DELETE", f"{place.path('batch/v1/jobs', 'taken')}?propagationPolicy=Background")
    assert (status, answer["status"]) == (200, "Success")
    gone = place.path("pods") + "?labelSelector=job-name=taken"
    place.client.until(gone, lambda _, found: not [p for p in found["items"] if p["status"]["phase"] == "Running"])


def test_a_stateful_sets_rolling_update_is_filled_in_where_its_type_is(place: Place) -> None:
    def strategy(name: str, **wanted: Any) -> Any:
        return place.make("apps/v1/statefulsets", name, _set(name, 0) | wanted)["spec"]["updateStrategy"]

    assert strategy("none") == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert strategy("typed", updateStrategy={"type": "RollingUpdate"}) == {"type": "RollingUpdate"}
    place.patch("apps/v1/statefulsets", "typed", {"metadata": {"labels": {"a": "b"}}})
    assert place.get("apps/v1/statefulsets", "typed")["spec"]["updateStrategy"] == {"type": "RollingUpdate"}
    empty = strategy("empty", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {}})
    assert empty == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}


def test_a_stateful_set_is_ordered_and_keeps_its_claims(place: Place) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    templates = [{"metadata": {"name": "data"}, "spec": claim}]
    spec = _set("db", 2, serviceName="db", volumeClaimTemplates=templates)
    place.make("apps/v1/statefulsets", "db", spec)
    place.until("apps/v1/statefulsets", "db", lambda item: (item.get("status") or {}).get("readyReplicas") == 2)
    first, second = place.get("pods", "db-0"), place.get("pods", "db-1")
    assert first["metadata"]["creationTimestamp"] <= second["metadata"]["creationTimestamp"]
    assert first["metadata"]["labels"]["apps.kubernetes.io/pod-index"] == "0" and first["spec"]["hostname"] == "db-0"
    assert place.get("persistentvolumeclaims", "data-db-1")["status"]["phase"] == "Bound"
    place.patch("apps/v1/statefulsets", "db", {"spec": {"template": _template("db", "nginx:2")}})
    item = place.until(
        "apps/v1/statefulsets",
        "db",
        lambda item: (
            item["status"]["currentRevision"] == item["status"]["updateRevision"]
            and item["status"].get("updatedReplicas") == 2
            and item["metadata"]["generation"] > 1
            and item["status"].get("readyReplicas") == 2
            and place.get("pods", "db-0")["spec"]["containers"][0]["image"] == "nginx:2"
        ),
    )
    assert len(place.items("apps/v1/controllerrevisions", "?labelSelector=app=db")) == 2
    place.patch("apps/v1/statefulsets", "db", {"spec": {"replicas": 1}})
    place.gone("pods", "db-1")
    assert place.get("persistentvolumeclaims", "data-db-1")["status"]["phase"] == "Bound"
    assert item["status"]["replicas"] == 2


def test_a_daemon_set_has_a_pod_on_each_node(place: Place) -> None:
    place.make("apps/v1/daemonsets", "agent", {"selector": {"matchLabels": {"app": "a"}}, "template": _template("a")})
    nodes = place.client.get("/api/v1/nodes")["items"]
    item = place.until("apps/v1/daemonsets", "agent", lambda item: (item.get("status") or {}).get("numberReady"))
    assert item["status"]["desiredNumberScheduled"] == len(nodes) == item["status"]["numberAvailable"]
    place.patch("apps/v1/daemonsets", "agent", {"spec": {"template": _template("a", "nginx:2")}})
    place.until(
        "apps/v1/daemonsets",
        "agent",
        lambda item: (
            item["status"]["observedGeneration"] == 2
            and item["status"].get("updatedNumberScheduled") == len(nodes)
            and item["status"].get("numberAvailable") == len(nodes)
        ),
    )
    item = place.get("apps/v1/daemonsets", "agent")
    assert item["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "2"


def _job(command: list[str], **spec: Any) -> Any:
    container = {"name": "c", "image": "busybox", "command": command}
    return {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}} | spec


def test_jobs(place: Place) -> None:
    def ended(kind: str) -> Any:
        return lambda item: any(c["type"] == kind for c in (item.get("status") or {}).get("conditions") or ())

    place.make("batch/v1/jobs", "good", _job(["true"], completions=3, parallelism=2))
    indexed = _job(["sh", "-c", "echo $JOB_COMPLETION_INDEX"], completions=2, parallelism=2, completionMode="Indexed")
    place.make("batch/v1/jobs", "indexed", indexed)
    place.make("batch/v1/jobs", "bad", _job(["false"], backoffLimit=0))
    place.make("batch/v1/jobs", "late", _job(["sleep", "100"], activeDeadlineSeconds=1))
    place.make("batch/v1/jobs", "brief", _job(["true"], ttlSecondsAfterFinished=0))
    place.make("batch/v1/jobs", "held", _job(["true"], suspend=True))
    item = place.until("batch/v1/jobs", "good", ended("Complete"))
    assert item["status"]["succeeded"] == 3 and "completionTime" in item["status"]
    assert [c["type"] for c in item["status"]["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    item = place.until("batch/v1/jobs", "indexed", ended("Complete"))
    assert item["status"]["completedIndexes"] == "0,1" or item["status"]["completedIndexes"] == "0-1"
    item = place.until("batch/v1/jobs", "bad", ended("Failed"))
    assert item["status"]["failed"] == 1 and item["status"]["conditions"][1]["reason"] == "BackoffLimitExceeded"
    item = place.until("batch/v1/jobs", "late", ended("Failed"))
    assert item["status"]["conditions"][1]["reason"] == "DeadlineExceeded"
    place.gone("batch/v1/jobs", "brief")
    assert place.until("batch/v1/jobs", "held", ended("Suspended"))["status"].get("active") is None
    place.patch("batch/v1/jobs", "held", {"spec": {"suspend": False}})
    place.until("batch/v1/jobs", "held", ended("Complete"))


def test_cron_jobs(place: Place) -> None:
    template = {"spec": _job(["true"])}
    place.make("batch/v1/cronjobs", "tick", {"schedule": "@every 1s", "jobTemplate": template})
    place.until("batch/v1/cronjobs", "tick", lambda item: (item.get("status") or {}).get("lastSuccessfulTime"))
    jobs = place.items("batch/v1/jobs")
    assert jobs[0]["metadata"]["name"].startswith("tick-")
    assert jobs[0]["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    place.patch("batch/v1/cronjobs", "tick", {"spec": {"suspend": True}})
    never = place.make("batch/v1/cronjobs", "never", {"schedule": "0 0 31 2 *", "jobTemplate": template})
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "never", "uid": never["metadata"]["uid"]}
    long = _job(["sleep", "infinity"])
    place.make("batch/v1/jobs", "by-hand", long, metadata={"ownerReferences": [owner | {"controller": True}]})
    told = place.told("never", "UnexpectedJob")
    assert told == "Saw a job that the controller did not create or forgot: by-hand"
    assert "active" not in place.get("batch/v1/cronjobs", "never")["status"]
    assert {"SuccessfulCreate", "SawCompletedJob"} <= place.reasons("tick")


def test_claims_and_volumes(place: Place) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    place.make("persistentvolumeclaims", "dynamic", claim)
    place.make("persistentvolumeclaims", "unmet", claim | {"storageClassName": "unheard-of"})
    bound = place.until("persistentvolumeclaims", "dynamic", lambda item: item["status"]["phase"] == "Bound")
    assert bound["spec"]["storageClassName"] == "standard"
    volume = f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}"
    assert place.client.get(volume)["spec"]["claimRef"]["name"] == "dynamic"
    told = place.told("unmet", "ProvisioningFailed")
    assert told == 'storageclass.storage.k8s.io "unheard-of" not found'
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "dynamic"}}]
    writer = BOX | {"command": ["sh", "-c", "echo kept > /v/f"], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    place.pod("writer", writer, volumes=volumes, restartPolicy="Never")
    place.until("pods", "writer", lambda pod: phase(pod) == "Succeeded")
    place.pod("reader", writer | {"command": ["sh", "-c", "cat /v/f; sleep infinity"]}, volumes=volumes)
    place.until("pods", "reader", is_ready)
    assert place.client.call("GET", place.path("pods", "reader") + "/log") == (200, b"kept\n")
    place.delete("persistentvolumeclaims", "dynamic")
    assert place.get("persistentvolumeclaims", "dynamic")["metadata"]["deletionTimestamp"]
    place.delete("pods", "reader", {"gracePeriodSeconds": 0})
    place.gone("persistentvolumeclaims", "dynamic")
    place.client.until(volume, lambda status, value: status == 404)


def test_static_volumes(place: Place) -> None:
    name = f"pv-{place.namespace}"
    spec = {"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    made = {"metadata": {"name": name}, "spec": spec | {"storageClassName": place.namespace}}
    place.client.post("/api/v1/persistentvolumes", made)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    place.make("persistentvolumeclaims", "c", claim | {"storageClassName": place.namespace})
    bound = place.until("persistentvolumeclaims", "c", lambda item: item["status"]["phase"] == "Bound")
    assert bound["spec"]["volumeName"] == name and bound["status"]["capacity"] == {"storage": "2Gi"}
    place.delete("persistentvolumeclaims", "c")
    path = f"/api/v1/persistentvolumes/{name}"
    place.client.until(path, lambda status, value: value["status"]["phase"] == "Released")
    place.client.call("DELETE", path)
    place.client.until(path, lambda status, value: status == 404)


def test_limit_ranges(place: Place) -> None:
    limits = {
        "type": "Container",
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
        "max": {"cpu": "1"},
        "min": {"cpu": "50m"},
    }
    place.make("limitranges", "l", {"limits": [limits]})
    pod = place.pod("p")
    assert pod["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m"}}
    note = pod["metadata"]["annotations"]["kubernetes.io/limit-ranger"]
    assert note == "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    assert pod["status"]["qosClass"] == "Burstable"
    big = BOX | {"resources": {"limits": {"cpu": "2"}}}
    status, value = place.client.call(
        "POST", place.path("pods"), {"metadata": {"name": "big"}, "spec": {"containers": [big]}}
    )
    assert status == 403
    assert value["message"] == 'pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2'


def test_quotas_on_amounts(place: Place) -> None:
    place.make("resourcequotas", "q", {"hard": {"requests.cpu": "1", "pods": "2"}})
    asked = BOX | {"resources": {"requests": {"cpu": "600m"}}}
    place.pod("a", asked)
    quota = place.until(
        "resourcequotas", "q", lambda item: (item.get("status") or {}).get("used", {}).get("pods") == "1"
    )
    assert quota["status"]["used"] == {"pods": "1", "requests.cpu": "600m"}

    def refused(*containers: Any) -> str:
        body = {"metadata": {"name": "b"}, "spec": {"containers": list(containers)}}
        status, value = place.client.call("POST", place.path("pods"), body)
        assert status == 403
        return str(value["message"])

    assert refused(asked) == (
        'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, '
        "limited: requests.cpu=1"
    )
    assert refused(BOX) == 'pods "b" is forbidden: failed quota: q: must specify requests.cpu for: c'
    place.make("apps/v1/deployments", "web", _set("web", 2))
    item = place.until(
        "apps/v1/deployments",
        "web",
        lambda item: any(c["type"] == "ReplicaFailure" for c in (item.get("status") or {}).get("conditions") or ()),
    )
    failure = next(c for c in item["status"]["conditions"] if c["type"] == "ReplicaFailure")
    assert failure["reason"] == "FailedCreate" and "failed quota: q" in failure["message"]


def test_budgets_at_eviction(place: Place) -> None:
    place.make("apps/v1/deployments", "web", _set("web", 2))
    place.make("policy/v1/poddisruptionbudgets", "b", {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}})
    budget = place.until(
        "policy/v1/poddisruptionbudgets", "b", lambda item: (item.get("status") or {}).get("disruptionsAllowed") == 1
    )
    assert budget["status"]["conditions"][0]["reason"] == "SufficientPods"
    names = [pod["metadata"]["name"] for pod in place.items("pods", "?labelSelector=app=web")]
    answers = []
    for name in names:
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        answers.append(place.client.call("POST", place.path("pods", name) + "/eviction", body))
    assert [status for status, _ in answers] == [201, 429]
    assert answers[1][1]["details"]["causes"][0]["reason"] == "DisruptionBudget"


def test_autoscalers_report_and_hold_their_bounds(place: Place) -> None:
    place.make("apps/v1/deployments", "web", _set("web", 1))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    place.make(
        "autoscaling/v2/horizontalpodautoscalers", "h", {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 3}
    )
    place.until("apps/v1/deployments", "web", lambda item: (item.get("status") or {}).get("readyReplicas") == 1)
    place.patch("autoscaling/v2/horizontalpodautoscalers", "h", {"spec": {"maxReplicas": 4}})
    item = place.get("autoscaling/v2/horizontalpodautoscalers", "h")
    assert "conditions" not in item["status"], "it is looked at after 15 seconds, not before"
    place.until("apps/v1/deployments", "web", lambda item: item["spec"]["replicas"] == 2)
    item = place.until("autoscaling/v2/horizontalpodautoscalers", "h", lambda item: item["status"].get("conditions"))
    assert item["status"]["desiredReplicas"] == 2
    assert item["status"]["conditions"][0]["reason"] in ("SucceededGetScale", "SucceededRescale")


METRICS: list[Any] = [
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "5Mi"}}},
    {
        "type": "ContainerResource",
        "containerResource": {
            "container": "c",
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50},
        },
    },
    {"type": "Pods", "pods": {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "5"}}},
    {
        "type": "Object",
        "object": {
            "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "s"},
            "metric": {"name": "req"},
            "target": {"type": "AverageValue", "averageValue": "5"},
        },
    },
    {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "5"}}},
]
CUSTOM = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
LACKS = "the server could not find the requested resource (get"


def test_autoscalers_say_which_metrics_they_lack(place: Place) -> None:
    path = "autoscaling/v2/horizontalpodautoscalers"
    cells = ("memory: <unknown>/5Mi", "cpu: <unknown>/50%", "<unknown>/5", "<unknown>/5 (avg)", "<unknown>/5")
    for index, metric in enumerate(METRICS):
        place.make("apps/v1/deployments", f"d{index}", _set(f"d{index}", 1))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"d{index}"}
        place.make(path, f"h{index}", {"scaleTargetRef": target, "maxReplicas": 3, "metrics": [metric]})
        row = place.client.get(place.path(path, f"h{index}"), Accept=TABLE)["rows"][0]
        assert row["cells"][2] == cells[index]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d0"}
    place.make(path, "second", {"scaleTargetRef": target, "maxReplicas": 3, "metrics": METRICS})
    why = "unable to fetch metrics from resource metrics API"
    found = (
        "",
        f"failed to get cpu utilization: unable to get metrics for resource cpu: {why}: {LACKS} pods.metrics.k8s.io)",
        f"unable to get metric hits: {CUSTOM}",
        f"unable to get metric req: Service on {place.namespace} s/{CUSTOM}",
        f"unable to get external metric {place.namespace}/q/nil: unable to fetch metrics from external metrics API: "
        f"{LACKS} q.external.metrics.k8s.io)",
    )
    for index in range(1, len(METRICS)):
        item = place.until(path, f"h{index}", lambda item: len(item["status"].get("conditions") or ()) > 1)
        active = next(each for each in item["status"]["conditions"] if each["type"] == "ScalingActive")
        assert active["message"] == f"the HPA was unable to compute the replica count: {found[index]}"
    start = "invalid metrics (1 invalid out of 1), first error is: failed to get object metric value: "
    assert place.told("h3", "FailedComputeMetricsReplicas") == f"{start}failed to get req object metric: {found[3]}"
    first = place.client.get(f"/apis/autoscaling/v1/namespaces/{place.namespace}/horizontalpodautoscalers/h2")
    known = first["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/current-metrics"]
    assert known == '[{"type":""}]'
    whose = f"[{place.namespace}/h0 {place.namespace}/second]"
    told = f"pods by selector app=d0 are controlled by multiple HPAs: {whose}"
    assert place.told("second", "AmbiguousSelector") == told


def test_services_and_their_endpoints(place: Place) -> None:
    place.make("services", "web", {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]})
    ports = [{"name": "http", "containerPort": 8080}]
    container = {"name": "c", "image": "nginx", "ports": ports}
    place.make("pods", "p", {"containers": [container]}, metadata={"labels": {"app": "web"}})
    item = place.until("endpoints", "web", lambda item: item.get("subsets") and item["subsets"][0].get("addresses"))
    assert item["subsets"][0]["ports"] == [{"port": 8080, "protocol": "TCP"}]
    slices = place.items("discovery.k8s.io/v1/endpointslices")
    assert slices[0]["endpoints"][0]["conditions"] == {"ready": True, "serving": True, "terminating": False}
    status, page = place.client.call("GET", place.path("services", "web:80") + "/proxy/hello?x=1")
    assert status == 200 and b"GET /hello?x=1 HTTP/1.1" in page and b":8080" in page
    place.delete("services", "web")
    place.gone("endpoints", "web")


def test_a_namespace_ends_with_its_content(client: Client, namespace: str) -> None:
    place = Place(client, namespace)
    place.make("configmaps", "held", data={}, metadata={"finalizers": ["example.com/hold"]})
    place.make("apps/v1/deployments", "web", _set("web", 1))
    path = f"/api/v1/namespaces/{namespace}"
    client.call("DELETE", path)
    found = client.until(path, lambda status, value: len((value.get("status") or {}).get("conditions") or ()) == 5)
    conditions = {entry["type"]: entry for entry in found["status"]["conditions"]}
    assert found["status"]["phase"] == "Terminating"
    assert conditions["NamespaceFinalizersRemaining"]["message"].endswith("example.com/hold in 1 resource instances")
    status, value = client.call("POST", f"{path}/configmaps", {"metadata": {"name": "new"}})
    assert status == 403 and "is being terminated" in value["message"]
    place.patch("configmaps", "held", {"metadata": {"finalizers": None}})
    client.until(path, lambda status, value: status == 404)


def test_what_every_namespace_has(client: Client, namespace: str) -> None:
    place = Place(client, namespace)
    place.until("serviceaccounts", "default", lambda item: True)
    place.until("configmaps", "kube-root-ca.crt", lambda item: "BEGIN CERTIFICATE" in item["data"]["ca.crt"])
    place.delete("serviceaccounts", "default")
    place.until("serviceaccounts", "default", lambda item: True)


def test_important_pods_take_the_room_of_others(client: Client, place: Place) -> None:
    node = client.get("/api/v1/nodes")["items"][0]["metadata"]["name"]
    room = {"status": {"allocatable": {"example.com/gpu": "1"}, "capacity": {"example.com/gpu": "1"}}}
    merge = "application/merge-patch+json"
    assert client.call("PATCH", f"/api/v1/nodes/{node}/status", room, Content_Type=merge)[0] == 200
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    for name, policy in (("urgent", "PreemptLowerPriority"), ("patient", "Never")):
        title = f"{name}-{place.namespace}"
        client.post(classes, {"metadata": {"name": title}, "value": 1000, "preemptionPolicy": policy})
    one = BOX | {"resources": {"limits": {"example.com/gpu": "1"}}}
    place.pod("low", one)
    place.until("pods", "low", lambda pod: pod["status"]["phase"] == "Running")

    place.pod("patient", one, priorityClassName=f"patient-{place.namespace}")
    found = place.until("pods", "patient", lambda pod: pod["status"].get("conditions"))
    assert found["status"]["conditions"][0]["message"] == (
        "0/1 nodes are available: 1 Insufficient example.com/gpu. no new claims to deallocate, preemption: "
        "not eligible due to preemptionPolicy=Never."
    )
    client.call("DELETE", place.path("pods", "patient"))

    place.pod("urgent", one, priorityClassName=f"urgent-{place.namespace}")
    place.until("pods", "urgent", lambda pod: pod["status"]["phase"] == "Running")
    assert client.call("GET", place.path("pods", "low"))[0] == 404
    told = [event for event in place.items("events") if event["reason"] == "Preempted"]
    uid = place.get("pods", "urgent")["metadata"]["uid"]
    assert [event["message"] for event in told] == [f"Preempted by pod {uid} on node {node}"]


def test_a_custom_resource_gets_its_first_replicas_by_scaling(client: Client, place: Place) -> None:
    group, integer = f"{place.namespace}.example.com", {"type": "integer"}
    spec = {"type": "object", "properties": {"copies": integer, "host": {"type": "string", "format": "ipv4"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}
    scale = {"specReplicasPath": ".spec.copies", "statusReplicasPath": ".status.copies"}
    version = {"served": True, "schema": {"openAPIV3Schema": schema}, "subresources": {"scale": scale}}
    versions = [{"name": "v1beta1", "storage": False, "deprecated": True, **version}]
    versions += [{"name": "v1", "storage": True, **version}]
    names = {"plural": "things", "kind": "Thing"}
    body = {"group": group, "scope": "Namespaced", "names": names, "versions": versions}
    metadata = {"name": f"things.{group}"}
    client.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"metadata": metadata, "spec": body})
    things = f"/apis/{group}/v1/namespaces/{place.namespace}/things"
    client.until(things, lambda status, answer: status == 200)
    thing = {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": "t"}}
    client.post(things, thing)
    merge = "application/merge-patch+json"
    status, scaled = client.call("PATCH", f"{things}/t/scale", {"spec": {"replicas": 3}}, Content_Type=merge)
    assert (status, scaled["spec"], client.get(f"{things}/t")["spec"]) == (200, {"replicas": 3}, {"copies": 3})

    status, refused = client.call("POST", things, thing | {"metadata": {"name": "u"}, "spec": {"host": "1.2.3"}})
    told = 'spec.host: Invalid value: "1.2.3": spec.host in body must be of type ipv4: "1.2.3"'
    assert (status, refused["message"]) == (422, f'Thing.{group} "u" is invalid: {told}')

    response = client.open("GET", things.replace("/v1/", "/v1beta1/"))
    response.read()
    response.connection.close()  # type: ignore[attr-defined]
    told = f"{group}/v1beta1 Thing is deprecated; use {group}/v1 Thing"
    assert response.getheader("Warning") == f'299 - "{told}"'
    assert client.get(f"/apis/apiregistration.k8s.io/v1/apiservices/v1.{group}")["spec"]["groupPriorityMinimum"] == 1000


def test_gates_hold_a_pod_until_they_are_taken_away(place: Place) -> None:
    place.pod("p", schedulingGates=[{"name": "a.b/c"}])
    status, answer = place.client.call(
        "PATCH",
        place.path("pods", "p"),
        {"spec": {"schedulingGates": [{"name": "a.b/c"}, {"name": "d.e/f"}]}},
        Content_Type="application/merge-patch+json",
    )
    assert (status, answer["details"]["causes"][0]["field"]) == (422, "spec.schedulingGates[1].name")
    place.patch("pods", "p", {"spec": {"schedulingGates": None}})
    place.until("pods", "p", is_ready)


def test_budgets_do_not_count_pods_without_a_controller(place: Place) -> None:
    place.make("pods", "p", {"containers": [BOX]}, metadata={"labels": {"app": "p"}})
    place.until("pods", "p", is_ready)
    place.make("policy/v1/poddisruptionbudgets", "b", {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "p"}}})
    told = place.told("b", "UnmanagedPods")
    assert "(selector: &LabelSelector{MatchLabels:map[string]string{app: p,}," in told
    status = place.get("policy/v1/poddisruptionbudgets", "b")["status"]
    assert (status["expectedPods"], status["disruptionsAllowed"]) == (0, 0)


def test_a_service_that_becomes_a_name_lets_its_address_go(place: Place) -> None:
    place.make("services", "s", {"type": "NodePort", "ports": [{"port": 80}]})
    place.patch("services", "s", {"spec": {"type": "ExternalName", "externalName": "a.b", "ports": None}})
    spec = place.get("services", "s")["spec"]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "externalTrafficPolicy"} & set(spec)


def test_sidecars_count_among_the_containers_of_a_row(place: Place) -> None:
    side = {"name": "s", "image": "busybox", "command": ["sleep", "infinity"], "restartPolicy": "Always"}
    place.make("pods", "p", {"initContainers": [side], "containers": [BOX]})
    place.until("pods", "p", is_ready)
    rows = place.client.get(place.path("pods"), Accept=TABLE)["rows"]
    assert rows[0]["cells"][:4] == ["p", "2/2", "Running", "0"]


def test_a_watch_by_path_may_be_of_one_object(place: Place) -> None:
    place.make("configmaps", "c")
    path = f"/api/v1/watch/namespaces/{place.namespace}/configmaps/c?timeoutSeconds=1"
    assert place.client.call("GET", path)[1]["type"] == "ADDED"
    assert place.client.get(f"{place.path('configmaps', 'c')}?watch=1")["kind"] == "ConfigMap"


def test_limits_are_requests_in_pods_not_in_templates(place: Place) -> None:
    box = BOX | {"resources": {"limits": {"memory": "64Mi"}}}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [box]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "a"}}, "template": template}
    made = place.make("apps/v1/deployments", "a", spec)
    assert made["spec"]["template"]["spec"]["containers"][0]["resources"] == {"limits": {"memory": "64Mi"}}
    place.until("apps/v1/deployments", "a", lambda item: (item.get("status") or {}).get("readyReplicas"))
    resources = place.items("pods")[0]["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"memory": "64Mi"}, "requests": {"memory": "64Mi"}}

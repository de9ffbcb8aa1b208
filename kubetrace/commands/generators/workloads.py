"""Deployments, Jobs, CronJobs and Pods (kubectl pkg/cmd/create: create_deployment.go, create_job.go,
create_cronjob.go; pkg/generate/versioned/run.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubetrace.commands.generators.metadata import Object, new_object, random_suffix

INSTANTIATED = "cronjob.kubernetes.io/instantiate"


def deployment(
    name: str, namespace: str, images: Sequence[str], replicas: int, port: int, command: Sequence[str]
) -> Object:
    """A Deployment with a container an image; a negative `port` is none."""
    labels = {"app": name}
    containers: list[dict[str, Any]] = [
        {"name": container_name(image), "image": image, "command": list(command)} for image in images
    ]
    if port >= 0 and containers:
        containers[0]["ports"] = [{"containerPort": port}]
    result = new_object("apps/v1", "Deployment", name, namespace)
    result["metadata"]["labels"] = labels
    result["spec"] = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }
    return result


def container_name(image: str) -> str:
    """The image's last part without tag and digest; one with "_" or "." gets a random end, too
    (sanitizeAndUniquify)."""
    name = image.rpartition("/")[2].partition(":")[0].partition("@")[0]
    if "_" in name or "." in name:
        name = f"{name.replace('_', '-').replace('.', '-')}-{random_suffix()}"
    return name


def job(name: str, namespace: str, image: str, command: Sequence[str]) -> Object:
    return {**new_object("batch/v1", "Job", name, namespace), "spec": _job_spec(name, image, command, "Never")}


def cron_job(name: str, namespace: str, image: str, schedule: str, restart: str, command: Sequence[str]) -> Object:
    result = new_object("batch/v1", "CronJob", name, namespace)
    template = {"metadata": {"name": name}, "spec": _job_spec(name, image, command, restart or "OnFailure")}
    result["spec"] = {"schedule": schedule, "jobTemplate": template}
    return result


def _job_spec(name: str, image: str, command: Sequence[str], restart: str) -> Object:
    container = {"name": name, "image": image, "command": list(command)}
    return {"template": {"spec": {"containers": [container], "restartPolicy": restart}}}


def job_from_cron_job(name: str, namespace: str, origin: Object) -> Object:
    """What the CronJob would make now, owned by it."""
    template = (origin.get("spec") or {}).get("jobTemplate") or {}
    metadata = template.get("metadata") or {}
    result = new_object("batch/v1", "Job", name, namespace)
    result["metadata"] |= {
        "labels": metadata.get("labels"),
        "annotations": {INSTANTIATED: "manual", **(metadata.get("annotations") or {})},
        "ownerReferences": [
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "name": origin["metadata"].get("name"),
                "uid": origin["metadata"].get("uid"),
                "controller": True,
            }
        ],
    }
    result["spec"] = template.get("spec")
    return result

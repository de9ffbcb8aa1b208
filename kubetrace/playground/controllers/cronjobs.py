"""CronJobs: a Job whenever the schedule says so (pkg/controller/cronjob)."""

from __future__ import annotations

import copy
import datetime
import zoneinfo

from kubetrace.playground.controllers.base import Controller, owner_reference
from kubetrace.playground.controllers.jobs import KEY as JOBS
from kubetrace.playground.controllers.jobs import finished
from kubetrace.playground.objects import Object, moment
from kubetrace.playground.schedules import InvalidSchedule, Schedule, parse
from kubetrace.playground.status import ApiError

_KEY = "cronjobs.batch"
_STAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_TOO_MANY = 100


def _text(time: datetime.datetime) -> str:
    return time.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reference(job: Object) -> Object:
    metadata = job["metadata"]
    found = {"kind": "Job", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    return found | {"apiVersion": job["apiVersion"], "resourceVersion": metadata["resourceVersion"]}


class CronJobs(Controller):
    component = "cronjob-controller"
    asks = False

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(_KEY, namespace, name)
        if item is None:
            return None
        status: Object = copy.deepcopy(item.get("status") or {})
        jobs = self.owned(JOBS, item)
        self._notice(item, status, jobs)
        self._clean_up(item, jobs)
        again = None if item["spec"].get("suspend") else self._run(item, status)
        if not status.get("active"):
            status.pop("active", None)
        self.put_status(_KEY, item, status)
        return again

    def _notice(self, item: Object, status: Object, jobs: list[Object]) -> None:
        """Jobs that have ended, that are gone, or that somebody else made."""
        active = list(status.get("active") or ())
        by_uid = {job["metadata"]["uid"]: job for job in jobs}
        for entry in list(active):
            job = by_uid.get(entry["uid"])
            if job is None:
                active.remove(entry)
                self.events.normal(item, "MissingJob", f"Active job went missing: {entry['name']}")
            elif finished(job):
                active.remove(entry)
                told = f"Saw completed job: {entry['name']}, condition: {finished(job)}"
                self.events.normal(item, "SawCompletedJob", told)
        known = {entry["uid"] for entry in active}
        for job in jobs:
            ended = (job.get("status") or {}).get("completionTime")
            if finished(job) == "Complete" and ended and ended > status.get("lastSuccessfulTime", ""):
                status["lastSuccessfulTime"] = ended
            if not finished(job) and job["metadata"]["uid"] not in known:
                told = f"Saw a job that the controller did not create or forgot: {job['metadata']['name']}"
                self.events.warning(item, "UnexpectedJob", told)
        status["active"] = active

    def _clean_up(self, item: Object, jobs: list[Object]) -> None:
        for kind, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            done = sorted(
                (job for job in jobs if finished(job) == kind),
                key=lambda job: (job["status"].get("startTime", ""), job["metadata"]["name"]),
            )
            for job in done[: max(0, len(done) - item["spec"].get(limit, 1))]:
                if self.delete(JOBS, job):
                    self.events.normal(item, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")

    def _run(self, item: Object, status: Object) -> float | None:
        try:
            schedule, zone = parse(item["spec"]["schedule"]), self._zone(item)
        except (InvalidSchedule, zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            text = item["spec"]["schedule"]
            reason, told = "UnparseableSchedule", f'unparseable schedule: "{text}" : {error}'
            if not isinstance(error, InvalidSchedule):
                reason, told = "UnknownTimeZone", f'invalid timeZone: "{item["spec"].get("timeZone")}": {error}'
            self.events.warning(item, reason, told)
            return None
        now = datetime.datetime.now(datetime.UTC)
        due, following = self._due(item, status, schedule, zone, now)
        if due is not None:
            self._start(item, status, due)
        return None if following is None else max(0.1, (following - now).total_seconds() + 0.1)

    @staticmethod
    def _zone(item: Object) -> datetime.tzinfo:
        name = item["spec"].get("timeZone")
        return zoneinfo.ZoneInfo(name) if name else datetime.UTC

    def _due(
        self, item: Object, status: Object, schedule: Schedule, zone: datetime.tzinfo, now: datetime.datetime
    ) -> tuple[datetime.datetime | None, datetime.datetime | None]:
        """(the latest scheduled time that was not served, the next one)."""
        start = moment(status.get("lastScheduleTime") or item["metadata"]["creationTimestamp"])
        deadline = item["spec"].get("startingDeadlineSeconds")
        if deadline is not None:
            start = max(start, now - datetime.timedelta(seconds=deadline))
        due, count, time = None, 0, schedule.after(start.astimezone(zone))
        while time is not None and time <= now:
            due, count = time, count + 1
            if count > _TOO_MANY:
                told = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
                self.events.warning(item, "TooManyMissedTimes", f"{told}clock skew")
                time = schedule.after(now.astimezone(zone))
                break
            time = schedule.after(time)
        return due, time

    def _start(self, item: Object, status: Object, due: datetime.datetime) -> None:
        spec, metadata = item["spec"], item["metadata"]
        policy = spec.get("concurrencyPolicy", "Allow")
        if policy == "Forbid" and status.get("active"):
            told = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.events.normal(item, "JobAlreadyActive", told)
            return
        if policy == "Replace":
            for entry in list(status.get("active") or ()):
                job = self.store.get(JOBS, metadata["namespace"], entry["name"])
                if job is not None and self.delete(JOBS, job):
                    self.events.normal(item, "SuccessfulDelete", f"Deleted job {entry['name']}")
                status["active"].remove(entry)
        template = copy.deepcopy(spec["jobTemplate"])
        name = f"{metadata['name']}-{int(due.timestamp()) // 60}"
        own = template.get("metadata") or {}
        stamp = due.strftime("%Y-%m-%dT%H:%M:%S") + ("Z" if not spec.get("timeZone") else due.strftime("%z"))
        made: Object = {
            "name": name,
            "labels": own.get("labels") or {},
            "annotations": dict(own.get("annotations") or {}) | {_STAMP: stamp},
            "ownerReferences": [owner_reference(item)],
        }
        try:
            job = self.create(JOBS, metadata["namespace"], {"metadata": made, "spec": template.get("spec") or {}})
        except ApiError as error:
            if error.code != 409:
                self.events.warning(item, "FailedCreate", f"Error creating job: {error}")
            else:
                status["lastScheduleTime"] = _text(due)
            return
        self.events.normal(item, "SuccessfulCreate", f"Created job {name}")
        status["lastScheduleTime"] = _text(due)
        status.setdefault("active", []).append(_reference(job))

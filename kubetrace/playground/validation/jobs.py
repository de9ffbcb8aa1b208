"""Jobs and CronJobs (pkg/apis/batch/validation)."""

from __future__ import annotations

import re

from kubetrace.playground import schedules
from kubetrace.playground.selectors import matches_labels
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    duplicate,
    label_name,
    not_negative,
    one_of,
    qualified_name,
    required,
    supported,
    unsupported,
)
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.pods import template
from kubetrace.playground.validation.workloads import mismatch

_JOB_NUMBERS = (
    *("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"),
    *("backoffLimitPerIndex", "maxFailedIndexes"),
)


def _job_spec(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    for name in _JOB_NUMBERS:
        causes += not_negative(f"{path}.{name}", spec.get(name))
    mode = spec.get("completionMode")
    causes += supported(f"{path}.completionMode", mode, ["NonIndexed", "Indexed"])
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        causes.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    causes += _indexed(spec, path) if mode == "Indexed" else []
    if mode in (None, "NonIndexed"):
        names = [name for name in ("backoffLimitPerIndex", "maxFailedIndexes") if spec.get(name) is not None]
        causes += [bad(f"{path}.{name}", spec[name], "requires indexed completion mode") for name in names]
    if spec.get("podFailurePolicy") is not None:
        causes += _failure_policy(spec, f"{path}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        at = f"{path}.successPolicy"
        wrong = [bad(at, internal("batch.SuccessPolicy", spec["successPolicy"]), "requires indexed completion mode")]
        causes += _success_policy(spec, f"{at}.rules") if mode == "Indexed" else wrong
    policies = ["Failed", "TerminatingOrFailed"] if spec.get("podFailurePolicy") is None else ["Failed"]
    causes += supported(f"{path}.podReplacementPolicy", spec.get("podReplacementPolicy"), policies)
    causes += template(spec["template"], f"{path}.template")
    restart, at = (spec["template"].get("spec") or {}).get("restartPolicy"), f"{path}.template.spec.restartPolicy"
    if restart in ("Always", "", None):
        causes.append(required(at, 'valid values: "OnFailure", "Never"'))
    elif restart not in ("OnFailure", "Never"):
        causes.append(unsupported(at, restart, ["OnFailure", "Never"]))
    elif spec.get("podFailurePolicy") is not None and restart != "Never":
        causes.append(bad(at, restart, 'only "Never" is supported when podFailurePolicy is specified'))
    return causes


_MOST = 100_000
"""How many pods of an indexed job may run at once."""


def _indexed(spec: Object, path: str) -> list[Cause]:
    causes: list[Cause] = []
    wanted, parallel, failed = (spec.get(name) for name in ("completions", "parallelism", "maxFailedIndexes"))
    if wanted is None:
        causes.append(required(f"{path}.completions", "when completion mode is Indexed"))
    if parallel is not None and parallel > _MOST:
        why = f"must be less than or equal to {_MOST} when completion mode is Indexed"
        causes.append(bad(f"{path}.parallelism", parallel, why))
    if wanted is not None and failed is not None and failed > wanted:
        causes.append(bad(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > _MOST:
        causes.append(bad(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {_MOST}"))
    return causes


_ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"]


def _failure_policy(spec: Object, path: str) -> list[Cause]:
    pod = spec["template"].get("spec") or {}
    names = {entry.get("name") for part in ("containers", "initContainers") for entry in pod.get(part) or ()}
    causes: list[Cause] = []
    for index, rule in enumerate(spec["podFailurePolicy"].get("rules") or ()):
        where, action = f"{path}[{index}]", rule.get("action", "")
        if not action:
            causes.append(required(f"{where}.action", f"valid values: {_go_list(_ACTIONS)}"))
        elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            causes.append(bad(f"{where}.action", action, "requires the backoffLimitPerIndex to be set"))
        elif action not in _ACTIONS:
            causes.append(unsupported(f"{where}.action", action, _ACTIONS))
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        causes += _exit_codes(codes, f"{where}.onExitCodes", names) if codes is not None else []
        for number, pattern in enumerate(conditions):
            at = f"{where}.onPodConditions[{number}]"
            causes += qualified_name(f"{at}.type", pattern.get("type", ""))
            causes += _known(f"{at}.status", pattern.get("status", ""), ["False", "True", "Unknown"])
        if (codes is None) == (not conditions):
            both = "specifying both OnExitCodes and OnPodConditions is not supported"
            why = "specifying one of OnExitCodes and OnPodConditions is required" if codes is None else both
            causes.append((where, "FieldValueInvalid", f"Invalid value: {why}"))
    return causes


def _go_list(words: list[str]) -> str:
    return "[" + " ".join(f'"{word}"' for word in words) + "]"


def _known(field: str, value: str, allowed: list[str]) -> list[Cause]:
    if not value:
        return [required(field, f"valid values: {_go_list(allowed)}")]
    return [] if value in allowed else [unsupported(field, value, allowed)]


def _exit_codes(codes: Object, at: str, names: set[str | None]) -> list[Cause]:
    operator, values, name = codes.get("operator", ""), codes.get("values") or [], codes.get("containerName")
    causes = _known(f"{at}.operator", operator, ["In", "NotIn"])
    if name is not None and name not in names:
        why = "must be one of the container or initContainer names in the pod template"
        causes.append(bad(f"{at}.containerName", name, why))
    if not values:
        causes.append(bad(f"{at}.values", codes.get("values"), "at least one value is required"))
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            causes.append(bad(f"{at}.values[{index}]", value, "must not be 0 for the In operator"))
        if value in values[:index]:
            causes.append(duplicate(f"{at}.values[{index}]", value))
    return causes if values == sorted(values) else [*causes, bad(f"{at}.values", values, "must be ordered")]


def _success_policy(spec: Object, path: str) -> list[Cause]:
    rules, most = spec["successPolicy"].get("rules") or [], spec.get("completions") or 0
    if not rules:
        return [required(path, "at least one rules must be specified when the successPolicy is specified")]
    causes: list[Cause] = []
    for index, rule in enumerate(rules):
        where, count, indexes = f"{path}[{index}]", rule.get("succeededCount"), rule.get("succeededIndexes")
        total, why = _indexes(indexes, most) if indexes is not None else (most, "")
        if count is None and indexes is None:
            causes.append(required(where, "at least one of succeededCount or succeededIndexes must be specified"))
        if why:
            causes.append(bad(f"{where}.succeededIndexes", indexes, f"error parsing succeededIndexes: {why}"))
        if count is None:
            continue
        at, words = f"{where}.succeededCount", "must be less than or equal to"
        causes += not_negative(at, count)
        if count > most:
            causes.append(bad(at, count, f"{words} {most} (the number of specified completions)"))
        if indexes is not None and count > total:
            told = f"{words} {total} (the number of indexes in the specified succeededIndexes field)"
            causes.append(bad(at, count, told))
    return causes


def index_problem(text: str, completions: int) -> str:
    """Why a text names no indexes below `completions`; empty where it does."""
    return _indexes(text, completions)[1]


def _indexes(text: str, completions: int) -> tuple[int, str]:
    """How many indexes "1,3-5" names, and why it names none (validateIndexesFormat)."""
    total, before = 0, -1
    for part in text.split(",") if text else ():
        ends = part.split("-")
        if len(ends) > 2:
            why = "violates the requirement that an index interval can have at most two parts separated by '-'"
            return 0, f'the fragment "{part}" {why}'
        found = []
        for end in ends:
            if not re.fullmatch(r"[+-]?\d+", end):
                return 0, f'cannot convert string to integer for index: "{end}"'
            found.append(int(end))
            if found[-1] >= completions:
                return 0, f'too large index: "{end}"'
        if before >= found[0]:
            return 0, f"non-increasing order, previous: {before}, current: {found[0]}"
        if len(found) == 2 and found[0] >= found[1]:
            return 0, f"non-increasing order, previous: {found[0]}, current: {found[1]}"
        before = found[-1]
        total += found[-1] - found[0] + 1
    return total, ""


def job(item: Object) -> list[Cause]:
    return _own_selector(item) + _specified(item) + _host_names(item)


def changed_job(item: Object) -> list[Cause]:
    """A job that an update makes: its spec is looked at twice."""
    return job(item) + _specified(item)


def _host_names(item: Object) -> list[Cause]:
    """The pods of an indexed job are named after it, with their index."""
    spec, name = item["spec"], item["metadata"].get("name", "")
    if spec.get("completionMode") != "Indexed" or not spec.get("completions"):
        return []
    longest = f"{name}-{spec['completions'] - 1}"
    why = f"will not able to create pod with invalid DNS label: {longest}"
    return [bad("metadata.name", name, why)] if label_name("", longest) else []


def _specified(item: Object) -> list[Cause]:
    spec = item["spec"]
    causes = _job_spec(spec, "spec")
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if spec.get("selector") is None:
        causes += [required("spec.selector"), mismatch(labels)]
    elif not matches_labels(spec["selector"], labels):
        causes.append(mismatch(labels))
    return causes


def _own_selector(item: Object) -> list[Cause]:
    """A selector that a job did not choose is the one that it was given (validateGeneratedSelector)."""
    spec, metadata = item["spec"], item["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return []
    told = {"controller-uid": metadata.get("uid", ""), "job-name": metadata.get("name", "")}
    given = told | {f"batch.kubernetes.io/{name}": value for name, value in told.items()}
    if matches_labels(spec["selector"], given):
        return []
    return [bad("spec.selector", spec["selector"], "`selector` not auto-generated")]


def cron_job(item: Object) -> list[Cause]:
    spec = item["spec"]
    schedule = spec.get("schedule", "")
    causes: list[Cause] = []
    if not schedule:
        causes.append(required("spec.schedule"))
    elif why := _schedule_error(schedule):
        causes.append(bad("spec.schedule", schedule, why))
    if "TZ" in schedule:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        causes.append(bad("spec.schedule", schedule, why))
    causes += not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    causes += _time_zone(spec.get("timeZone"))
    policies = ["Allow", "Forbid", "Replace"]
    causes += one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
    causes += _job_spec(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")
    causes += not_negative("spec.successfulJobsHistoryLimit", spec.get("successfulJobsHistoryLimit"))
    causes += not_negative("spec.failedJobsHistoryLimit", spec.get("failedJobsHistoryLimit"))
    if len(item["metadata"].get("name", "")) > 52:
        causes.append(bad("metadata.name", item["metadata"]["name"], "must be no more than 52 characters"))
    return causes


def _time_zone(zone: str | None) -> list[Cause]:
    if zone is None:
        return []
    if not zone:
        return [bad("spec.timeZone", zone, "timeZone must be nil or non-empty string")]
    if zone.lower() == "local":
        return [bad("spec.timeZone", zone, "timeZone must be an explicit time zone as defined in "
                                           "https://www.iana.org/time-zones")]  # fmt: skip
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return [bad("spec.timeZone", zone, f"unknown time zone {zone}")]
    return []


def _schedule_error(schedule: str) -> str:
    """Why a schedule can't be read, empty for a good one."""
    try:
        schedules.parse(re.sub(r"^(CRON_)?TZ=\S+\s*", "", schedule))
    except schedules.InvalidSchedule as error:
        return str(error)
    return ""

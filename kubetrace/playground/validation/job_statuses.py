"""A Job's status (ValidateJobStatusUpdate in pkg/apis/batch/validation, and when it looks at what:
getStatusValidationOptions in pkg/registry/batch/job/strategy.go): most rules count only where a write breaks them anew.
"""

from __future__ import annotations

import re
from typing import Any

from kubetrace.playground.objects import moment
from kubetrace.playground.validation.causes import Cause, Object, bad, duplicate, not_negative, required
from kubetrace.playground.validation.jobs import index_problem

_CONDITIONS = "status.conditions"


def check(old: Object, new: Object) -> list[Cause]:
    return _Change(old, new).causes()


class _Change:
    """One write of a status, from `old` to `new`."""

    def __init__(self, old: Object, new: Object) -> None:
        self._spec = new["spec"]
        self._before, self._after = old.get("status") or {}, new.get("status") or {}

    def causes(self) -> list[Cause]:
        return [*self._counted(), *self._finished(), *self._indexes(), *self._criteria(), *self._since()]

    @staticmethod
    def _has(status: Object, *kinds: str) -> bool:
        found = ((entry.get("type"), entry.get("status")) for entry in status.get("conditions") or ())
        return any(kind in kinds and value == "True" for kind, value in found)

    def _now(self, *kinds: str) -> bool:
        return self._has(self._after, *kinds)

    def _flips(self, *kinds: str) -> bool:
        return self._has(self._before, *kinds) != self._has(self._after, *kinds)

    def _changes(self, name: str) -> bool:
        return bool((self._before.get(name) or None) != (self._after.get(name) or None))

    def _indexed(self) -> bool:
        return bool(self._spec.get("completionMode") == "Indexed")

    def _counted(self) -> list[Cause]:
        causes: list[Cause] = []
        for name in ("active", "succeeded", "failed", "ready", "terminating"):
            causes += not_negative(f"status.{name}", self._after.get(name))
        seen: set[str] = set()
        for name in ("succeeded", "failed"):
            for index, uid in enumerate((self._after.get("uncountedTerminatedPods") or {}).get(name) or ()):
                at = f"status.uncountedTerminatedPods.{name}[{index}]"
                if not uid:
                    causes.append(bad(at, uid, "must not be empty"))
                elif uid in seen:
                    causes.append(duplicate(at, uid))
                seen.add(uid)
        return causes

    def _finished(self) -> list[Cause]:
        """What being complete or failed goes with."""
        causes: list[Cause] = []
        after, complete, failed = self._after, self._now("Complete"), self._now("Failed")
        start, end = after.get("startTime"), after.get("completionTime")
        completes, fails, target = self._flips("Complete"), self._flips("Failed"), self._now("FailureTarget")
        ended, ends = complete or failed, self._flips("Complete", "Failed")
        moved = completes or self._changes("completionTime")
        if (completes or fails) and complete and failed:
            causes.append(_wrong(_CONDITIONS, "cannot set Complete=True and Failed=true conditions"))
        if (completes or self._flips("FailureTarget")) and complete and target:
            causes.append(_wrong(_CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions"))
        if moved and end and not complete:
            why = "cannot set completionTime when there is no Complete=True condition"
            causes.append(bad("status.completionTime", end, why))
        if moved and complete and not end:
            causes.append(required("status.completionTime", "completionTime is required for Complete jobs"))
        times = self._changes("startTime") or self._changes("completionTime")
        if times and start and end and moment(end) < moment(start):
            causes.append(bad("status.completionTime", end, "must be equal to or after `startTime`"))
        if (fails or self._changes("failedIndexes")) and failed and not target:
            told = "cannot set Failed=True condition without the FailureTarget=true condition"
            causes.append(_wrong(_CONDITIONS, told))
        criteria = self._now("SuccessCriteriaMet")
        if (completes or self._flips("SuccessCriteriaMet")) and complete and not criteria:
            told = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
            causes.append(_wrong(_CONDITIONS, told))
        if (ends or self._changes("active")) and ended and (after.get("active") or 0) > 0:
            causes.append(bad("status.active", after["active"], "active>0 is invalid for finished job"))
        idle = self._spec.get("suspend") and self._spec.get("completions") == 0
        if (ends or self._changes("startTime")) and not idle and ended and not start:
            causes.append(required("status.startTime", "startTime is required for finished job"))
        uncounted = after.get("uncountedTerminatedPods") or {}
        if (ends or self._changes("uncountedTerminatedPods")) and ended and any(uncounted.values()):
            shown = {"Succeeded": uncounted.get("succeeded"), "Failed": uncounted.get("failed")}
            causes.append(bad("status.uncountedTerminatedPods", shown, "must be empty for finished job"))
        return causes

    def _indexes(self) -> list[Cause]:
        causes: list[Cause] = []
        done, failed = self._after.get("completedIndexes") or "", self._after.get("failedIndexes")
        most = self._spec.get("completions")
        done_at, failed_at = "status.completedIndexes", "status.failedIndexes"
        new_done, new_failed = self._changes("completedIndexes"), self._before.get("failedIndexes") != failed
        if new_done and most is not None and (why := index_problem(done, most)):
            causes.append(bad(done_at, done, f"error parsing completedIndexes: {why}"))
        each = self._spec.get("backoffLimitPerIndex")
        if new_failed and None not in (most, each) and (why := index_problem(failed or "", most)):
            causes.append(bad(failed_at, failed, f"error parsing failedIndexes: {why}"))
        if new_done and done and not self._indexed():
            told = "cannot set non-empty completedIndexes when non-indexed completion mode"
            causes.append(bad(done_at, done, told))
        if new_failed and each is None and failed is not None:
            told = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            causes.append(bad(failed_at, failed, told))
        if (new_failed or new_done) and most is not None and failed is not None:
            shared = _overlap(done, failed, most)
            if shared is not None:
                causes.append(bad(failed_at, failed, f"failedIndexes and completedIndexes overlap at index: {shared}"))
        return causes

    def _criteria(self) -> list[Cause]:
        causes: list[Cause] = []
        after, ended = self._after, self._now("Complete", "Failed")
        ends = self._flips("Complete", "Failed")
        if (ends or self._changes("terminating")) and ended and (after.get("terminating") or 0) > 0:
            causes.append(bad("status.terminating", after["terminating"], "terminating>0 is invalid for finished job"))
        ready, active = after.get("ready"), after.get("active") or 0
        if (self._changes("ready") or self._changes("active")) and ready is not None and ready > active:
            causes.append(bad("status.ready", ready, "cannot set more ready pods than active"))
        met = self._now("SuccessCriteriaMet")
        for other, title in (("Failed", "Failed"), ("FailureTarget", "FailureTarget")):
            if met and self._now(other):
                causes.append(_wrong(_CONDITIONS, f"cannot set SuccessCriteriaMet=True and {title}=true conditions"))
        if self._spec.get("successPolicy") is not None and not met and self._now("Complete"):
            told = "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
            causes.append(_wrong(_CONDITIONS, told))
        return causes

    def _since(self) -> list[Cause]:
        """What was true and stays so."""
        causes: list[Cause] = []
        before, after = self._before, self._after
        for kind in ("Failed", "Complete", "FailureTarget"):
            if self._has(before, kind) and not self._now(kind):
                causes.append(_wrong(_CONDITIONS, f"cannot disable the terminal {kind}=True condition"))
        even = self._spec.get("completions") == self._spec.get("parallelism")
        for name, counts in (("failed", True), ("succeeded", not self._indexed() or not even)):
            value = after.get(name) or 0
            if counts and value < (before.get(name) or 0):
                causes.append(bad(f"status.{name}", value, f"cannot decrease the {name} counter"))
        ends = [status.get("completionTime") for status in (before, after)]
        if all(ends) and ends[0] != ends[1]:
            causes.append(bad("status.completionTime", ends[1], "field is immutable"))
        if self._restarted():
            why = "field is immutable for unsuspended job once set"
            causes.append(bad("status.startTime", after.get("startTime"), why))
        was, met = self._has(before, "SuccessCriteriaMet"), self._now("SuccessCriteriaMet")
        if was and not met:
            causes.append(_wrong(_CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition"))
        if self._has(before, "Complete") and met and not was:
            told = "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
            causes.append(_wrong(_CONDITIONS, told))
        return causes

    def _restarted(self) -> bool:
        """Whether a Job that runs gets another start."""
        if not self._before.get("startTime") or not self._changes("startTime") or self._spec.get("suspend"):
            return False
        resumed = any(
            entry.get("type") == "Suspended" and entry.get("status") == "False"
            for entry in self._after.get("conditions") or ()
        )
        return not (self._has(self._before, "Suspended") and resumed)


def _wrong(at: str, why: str) -> Cause:
    """A cause that does not show the value."""
    return (at, "FieldValueInvalid", f"Invalid value: {why}")


def _intervals(text: str, most: int) -> list[tuple[int, int]]:
    found = []
    for part in text.split(",") if text else ():
        if not index_problem(part, most):
            ends = [int(end) for end in re.split("-", part)]
            found.append((ends[0], ends[-1]))
    return found


def _overlap(done: str, failed: str, most: Any) -> int | None:
    """The first index that is in both lists."""
    left, right = _intervals(done, most), _intervals(failed, most)
    while left and right:
        (a, b), (c, d) = left[0], right[0]
        if a <= d and c <= b:
            return max(a, c)
        (left if a <= c else right).pop(0)
    return None

"""Deployments: a ReplicaSet for each template, rolled from one to the next (pkg/controller/deployment)."""

from __future__ import annotations

import copy

from kubetrace.playground.controllers.base import Controller, controller_of, is_active, owner_reference
from kubetrace.playground.controllers.rollouts import (
    available_of,
    bounds,
    condition_of,
    counts,
    is_complete,
    progressing,
    set_condition,
    size_of,
)
from kubetrace.playground.controllers.template_hash import template_hash
from kubetrace.playground.objects import Object
from kubetrace.playground.pods import is_done
from kubetrace.playground.selectors import matches_labels

_KEY, _SETS = "deployments.apps", "replicasets.apps"
_PREFIX = "deployment.kubernetes.io/"
REVISION, HISTORY = f"{_PREFIX}revision", f"{_PREFIX}revision-history"
_DESIRED, _MAX = f"{_PREFIX}desired-replicas", f"{_PREFIX}max-replicas"
_OWN_ANNOTATIONS = frozenset(
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        HISTORY,
        _DESIRED,
        _MAX,
        "deprecated.deployment.rollback.to",
    )
)
_HASH = "pod-template-hash"


def _revision(entry: Object) -> int:
    text = (entry["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def _plain(template: Object) -> Object:
    """Without the label that a ReplicaSet adds."""
    found = copy.deepcopy(template)
    (found.get("metadata", {}).get("labels") or {}).pop(_HASH, None)
    return found


class Deployments(Controller):
    component = "deployment-controller"

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(_KEY, namespace, name)
        if item is None:
            return None
        sets = self._claimed(item)
        current = self._current(item, sets)
        if item["spec"].get("paused"):
            self._pause(item)
            self._proportion(item, current, sets)
            self._clean_up(item, [entry for entry in sets if entry is not current])
            return self._report(item, sets, current)
        self._pause(item)
        if current is not None and self._scaled(item, sets):
            self._proportion(item, current, sets)
            return self._report(item, sets, current)
        if (item["spec"].get("strategy") or {}).get("type") == "Recreate":
            return self._recreate(item, sets, current)
        current = self._set_for(item, sets, current)
        others = [entry for entry in sets if entry["metadata"]["uid"] != current["metadata"]["uid"]]
        self._grow(item, current, others)
        self._shrink(item, current, others)
        return self._finish(item, others, current)

    def _finish(self, item: Object, others: list[Object], current: Object) -> float | None:
        again = self._report(item, [current, *others], current)
        fresh = self.store.get(_KEY, item["metadata"]["namespace"], item["metadata"]["name"])
        if fresh is not None and is_complete(fresh):
            self._clean_up(item, others)
        return again

    def _claimed(self, item: Object) -> list[Object]:
        """Its ReplicaSets, oldest first; adopts orphans that its selector matches."""
        for entry in self.store.select(_SETS, item["metadata"]["namespace"]):
            labels = entry["metadata"].get("labels") or {}
            matches = matches_labels(item["spec"].get("selector"), labels)
            if controller_of(entry) is None and matches and not entry["metadata"].get("deletionTimestamp"):
                entry["metadata"].setdefault("ownerReferences", []).append(owner_reference(item))
                self.store.put(_SETS, entry)
        found = self.owned(_SETS, item)
        return sorted(found, key=lambda entry: (entry["metadata"]["creationTimestamp"], entry["metadata"]["name"]))

    def _current(self, item: Object, sets: list[Object]) -> Object | None:
        wanted = _plain(item["spec"]["template"])
        return next((entry for entry in sets if _plain(entry["spec"]["template"]) == wanted), None)

    def _set_for(self, item: Object, sets: list[Object], found: Object | None) -> Object:
        """The ReplicaSet of the template that is wanted now, made or brought to the newest revision."""
        others = [entry for entry in sets if entry is not found]
        number = max(map(_revision, others), default=0) + 1
        if found is None:
            found = self._make(item, number)
            told = f'Created new replica set "{found["metadata"]["name"]}"'
            self._progress(item, "NewReplicaSetCreated", told)
        else:
            number = max(number, _revision(found))
            if self._annotate(item, found, number):
                found = self.store.put(_SETS, found)
            known = condition_of(item, "Progressing")
            if known is None and item["spec"].get("progressDeadlineSeconds") is not None:
                self._progress(item, "FoundNewReplicaSet", f'Found new replica set "{found["metadata"]["name"]}"')
        self._note_revision(item, _revision(found))
        return found

    def _make(self, item: Object, number: int) -> Object:
        template, metadata = copy.deepcopy(item["spec"]["template"]), item["metadata"]
        mark = self._free_hash(item)
        template.setdefault("metadata", {}).setdefault("labels", {})[_HASH] = mark
        selector = copy.deepcopy(item["spec"]["selector"])
        selector.setdefault("matchLabels", {})[_HASH] = mark
        body: Object = {
            "metadata": {
                "name": f"{metadata['name']}-{mark}",
                "labels": dict(template["metadata"]["labels"]),
                "ownerReferences": [owner_reference(item)],
            },
            "spec": {"replicas": self._first_size(item), "selector": selector, "template": template},
        }
        if item["spec"].get("minReadySeconds"):
            body["spec"]["minReadySeconds"] = item["spec"]["minReadySeconds"]
        self._annotate(item, body, number)
        self._mark_sizes(item, body)
        made = self.create(_SETS, metadata["namespace"], body)
        if size_of(made):
            told = f"Scaled up replica set {made['metadata']['name']} from 0 to {size_of(made)}"
            self.events.normal(item, "ScalingReplicaSet", told)
        return made

    def _free_hash(self, item: Object) -> str:
        """Of the template; where a ReplicaSet of somebody else has the name, with how often that happened."""
        metadata, template = item["metadata"], item["spec"]["template"]
        known: int | None = (item.get("status") or {}).get("collisionCount")
        collisions = known
        mark = template_hash(template, collisions)
        while self.store.get(_SETS, metadata["namespace"], f"{metadata['name']}-{mark}") is not None:
            collisions = (collisions or 0) + 1
            mark = template_hash(template, collisions)
        if collisions != known:
            fresh = self.read(_KEY, metadata["namespace"], metadata["name"]) or item
            fresh.setdefault("status", {})["collisionCount"] = collisions
            item["status"] = self.store.put(_KEY, fresh)["status"]
        return mark

    def _first_size(self, item: Object) -> int:
        """NewRSNewReplicas."""
        wanted = int(item["spec"].get("replicas", 1))
        if (item["spec"].get("strategy") or {}).get("type") == "Recreate":
            return wanted
        surge, _ = bounds(item)
        total = sum(map(size_of, self._claimed(item)))
        return max(0, min(wanted, wanted + surge - total))

    def _annotate(self, item: Object, entry: Object, number: int) -> bool:
        """SetNewReplicaSetAnnotations; True where something changed."""
        annotations = entry["metadata"].setdefault("annotations", {})
        before = dict(annotations)
        wanted = {k: v for k, v in (item["metadata"].get("annotations") or {}).items() if k not in _OWN_ANNOTATIONS}
        annotations.update(wanted)
        old = annotations.get(REVISION)
        if old is None or int(old) < number:
            annotations[REVISION] = str(number)
            if old is not None:
                history = [part for part in annotations.get(HISTORY, "").split(",") if part]
                annotations[HISTORY] = ",".join([*history, old])
        return bool(annotations != before)

    @staticmethod
    def _mark_sizes(item: Object, entry: Object) -> bool:
        wanted = int(item["spec"].get("replicas", 1))
        annotations = entry["metadata"].setdefault("annotations", {})
        marks = {_DESIRED: str(wanted), _MAX: str(wanted + bounds(item)[0])}
        changed = {key: annotations.get(key) for key in marks} != marks
        annotations.update(marks)
        return changed

    def _note_revision(self, item: Object, revision: int) -> None:
        metadata = item["metadata"]
        fresh = self.store.get(_KEY, metadata["namespace"], metadata["name"])
        if fresh is not None and (fresh["metadata"].get("annotations") or {}).get(REVISION) != str(revision):
            fresh["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
            self.store.put(_KEY, fresh)

    def _progress(self, item: Object, reason: str, message: str, status: str = "True") -> None:
        """Sets Progressing at once; the report that follows may refine it."""
        metadata = item["metadata"]
        fresh = self.store.get(_KEY, metadata["namespace"], metadata["name"])
        if fresh is None or item["spec"].get("progressDeadlineSeconds") is None:
            return
        found = fresh.setdefault("status", {})
        entries: list[Object] = list(found.get("conditions") or [])
        set_condition(entries, "Progressing", status, reason, message)
        found["conditions"] = entries
        item["status"] = self.store.put(_KEY, fresh)["status"]

    def _pause(self, item: Object) -> None:
        """The Progressing condition of a Deployment that is paused or goes on."""
        known = condition_of(item, "Progressing")
        reason = (known or {}).get("reason")
        if reason == "ProgressDeadlineExceeded":
            return
        if item["spec"].get("paused") and reason != "DeploymentPaused":
            self._progress(item, "DeploymentPaused", "Deployment is paused", "Unknown")
        elif not item["spec"].get("paused") and reason == "DeploymentPaused":
            self._progress(item, "DeploymentResumed", "Deployment is resumed", "Unknown")

    @staticmethod
    def _scaled(item: Object, sets: list[Object]) -> bool:
        """Whether replicas changed since the ReplicaSets were last sized (isScalingEvent)."""
        wanted = str(item["spec"].get("replicas", 1))
        active = [entry for entry in sets if size_of(entry)]
        return any((e["metadata"].get("annotations") or {}).get(_DESIRED, wanted) != wanted for e in active)

    def _proportion(self, item: Object, current: Object | None, sets: list[Object]) -> None:
        """Scales the ReplicaSets that are there in proportion (deployment/sync.go, scale)."""
        wanted = int(item["spec"].get("replicas", 1))
        active = [entry for entry in sets if size_of(entry)]
        if len(active) <= 1:
            only = active[0] if active else current
            if only is not None and (size_of(only) != wanted or self._mark_sizes(item, copy.deepcopy(only))):
                self._scale(item, only, wanted)
            return
        surge = bounds(item)[0]
        allowed = wanted + surge if wanted else 0
        total = sum(map(size_of, active))
        to_add, added = allowed - total, 0
        order = sorted(active, key=size_of, reverse=True)
        sizes = {}
        for entry in order:
            mine = 0
            if to_add and total:
                before = int((entry["metadata"].get("annotations") or {}).get(_MAX, total)) or total
                part = round(size_of(entry) * allowed / before) - size_of(entry)
                left = to_add - added
                mine = min(part, left) if to_add > 0 else max(part, left)
            sizes[entry["metadata"]["uid"]] = size_of(entry) + mine
            added += mine
        sizes[order[0]["metadata"]["uid"]] = max(0, sizes[order[0]["metadata"]["uid"]] + to_add - added)
        for entry in order:
            self._scale(item, entry, sizes[entry["metadata"]["uid"]])

    def _scale(self, item: Object, entry: Object, size: int) -> None:
        metadata = entry["metadata"]
        fresh = self.store.get(_SETS, metadata["namespace"], metadata["name"])
        if fresh is None:
            return
        before = size_of(fresh)
        marked = self._mark_sizes(item, fresh)
        if before == size and not marked:
            return
        if before != size:
            fresh["spec"]["replicas"] = size
            fresh["metadata"]["generation"] = fresh["metadata"].get("generation", 1) + 1
        entry["spec"]["replicas"] = size
        self.store.put(_SETS, fresh)
        if before != size:
            way = "up" if size > before else "down"
            told = f"Scaled {way} replica set {metadata['name']} from {before} to {size}"
            self.events.normal(item, "ScalingReplicaSet", told)

    def _grow(self, item: Object, current: Object, others: list[Object]) -> None:
        wanted, size = int(item["spec"].get("replicas", 1)), size_of(current)
        if size > wanted:
            self._scale(item, current, wanted)
        elif size <= wanted:
            room = wanted + bounds(item)[0] - sum(map(size_of, [current, *others]))
            self._scale(item, current, size + max(0, min(room, wanted - size)))

    def _shrink(self, item: Object, current: Object, others: list[Object]) -> None:
        """Unhealthy old pods first, then as many as may be missing (deployment/rolling.go)."""
        wanted, (_, unavailable) = int(item["spec"].get("replicas", 1)), bounds(item)
        old = [entry for entry in others if size_of(entry)]
        if not old:
            return
        least = wanted - unavailable
        missing = size_of(current) - available_of(current)
        spare = sum(map(size_of, [current, *old])) - least - missing
        if spare <= 0:
            return
        for entry in old:
            broken = min(size_of(entry) - available_of(entry), spare)
            if broken > 0:
                self._scale(item, entry, size_of(entry) - broken)
                spare -= broken
        free = sum(map(available_of, [current, *others])) - least
        for entry in old:
            take = min(size_of(entry), max(0, free))
            if take:
                self._scale(item, entry, size_of(entry) - take)
                free -= take

    def _recreate(self, item: Object, sets: list[Object], current: Object | None) -> float | None:
        others = [entry for entry in sets if entry is not current]
        busy = False
        for entry in others:
            if size_of(entry):
                self._scale(item, entry, 0)
                busy = True
        if busy or any(
            is_active(pod) or pod["metadata"].get("deletionTimestamp")
            for entry in others
            for pod in self.owned("pods", entry)
            if not is_done(pod)
        ):
            again = self._report(item, sets, current)
            return 0.3 if again is None else min(again, 0.3)
        current = self._set_for(item, sets, current)
        self._scale(item, current, int(item["spec"].get("replicas", 1)))
        return self._finish(item, others, current)

    def _report(self, item: Object, sets: list[Object], current: Object | None) -> float | None:
        metadata = item["metadata"]
        fresh = self.store.get(_KEY, metadata["namespace"], metadata["name"])
        if fresh is None:
            return None
        newest = [self.store.get(_SETS, e["metadata"]["namespace"], e["metadata"]["name"]) for e in sets]
        sets = [entry for entry in newest if entry is not None]
        name = current["metadata"]["name"] if current else ""
        mine = next((entry for entry in sets if entry["metadata"]["name"] == name), None)
        status = counts(fresh, sets, mine)
        before: Object = fresh.get("status") or {}
        entries: list[Object] = [dict(entry) for entry in before.get("conditions") or []]
        wanted, (_, unavailable) = int(fresh["spec"].get("replicas", 1)), bounds(fresh)
        if status.get("availableReplicas", 0) >= wanted - unavailable:
            told = "Deployment has minimum availability."
            set_condition(entries, "Available", "True", "MinimumReplicasAvailable", told)
        else:
            told = "Deployment does not have minimum availability."
            set_condition(entries, "Available", "False", "MinimumReplicasUnavailable", told)
        again = progressing(fresh, status, entries, mine)
        failures = [c for e in sets for c in (e.get("status") or {}).get("conditions") or () if c["status"] == "True"]
        entries = [entry for entry in entries if entry["type"] != "ReplicaFailure" or failures]
        if failures:
            set_condition(entries, "ReplicaFailure", "True", failures[0]["reason"], failures[0]["message"])
        self.put_status(_KEY, fresh, status | {"conditions": entries})
        return again

    def _clean_up(self, item: Object, others: list[Object]) -> None:
        limit = item["spec"].get("revisionHistoryLimit", 10)
        empty = [
            entry
            for entry in others
            if not size_of(entry) and not (entry.get("status") or {}).get("replicas") and not self.owned("pods", entry)
        ]
        for entry in sorted(empty, key=_revision)[: max(0, len(others) - limit)]:
            self.delete(_SETS, entry)

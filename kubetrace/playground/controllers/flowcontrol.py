"""FlowSchemas say whether their priority level is there (apiserver util/flowcontrol/apf_controller.go)."""

from __future__ import annotations

from kubetrace.playground.controllers.base import Controller, condition
from kubetrace.playground.flow_control import LEVELS, SCHEMAS


class FlowSchemas(Controller):
    component = "api-priority-and-fairness-config-consumer-v1"

    def concerned(self, level: str) -> list[str]:
        """Names of the schemas of a priority level."""
        return [each["metadata"]["name"] for each in self.store.select(SCHEMAS) if self._level(each) == level]

    def reconcile(self, _: str, name: str) -> float | None:
        item = self.read(SCHEMAS, "", name)
        if item is None:
            return None
        level = self._level(item)
        found = self.store.get(LEVELS, "", level) is not None
        told = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
        state = ("False", "Found", f"{told} and it exists")
        if not found:
            state = ("True", "NotFound", f"{told} but there is no such object")
        before = (item.get("status") or {}).get("conditions") or []
        wanted = condition(before, "Dangling", *state)
        if wanted not in before:
            self.apply_status(SCHEMAS, item, {"conditions": [wanted]}, self.component)
        return None

    @staticmethod
    def _level(item: dict[str, dict[str, dict[str, str]]]) -> str:
        return item["spec"].get("priorityLevelConfiguration", {}).get("name", "")

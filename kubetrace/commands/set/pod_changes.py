"""What the `set` commands share: pod templates changed in objects, and the strategic patches that say so (kubectl
pkg/cmd/set/helper.go, pkg/polymorphichelpers/updatepodspec.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.commands.shared_options import RecordedOptions, everything, field_manager, local, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer

_TEMPLATES = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), ("spec", "template")
    ),
}
"""Where each kind has its pods' spec, but for the last step."""


class PodChangeOptions(RecordedOptions):
    all: bool = everything()
    field_manager: str = field_manager("kubectl-set")
    local: bool = local()
    selector: str = selector()


def pod_spec(value: dict[str, Any]) -> dict[str, Any]:
    """The spec of an object's pods. Raises KubetraceError."""
    from kubetrace.wire.go_struct import go_type

    kind = str(value.get("kind"))
    if kind not in _TEMPLATES:
        found = go_type(str(value.get("apiVersion")), kind)
        raise KubetraceError(f"the object is not a pod or does not have a pod template: {found}")
    for key in (*_TEMPLATES[kind], "spec"):
        value = value.setdefault(key, {})
    return value


def infos(environment: Environment, options: PodChangeOptions, words: Sequence[str]) -> list[Info]:
    """The objects to change, as they are now. Raises KubetraceError."""
    from kubetrace.api.selection import ONLY_LOCAL_FILES
    from kubetrace.commands.selecting import Selecting, select
    from kubetrace.trace.exchange import Purpose

    if options.local and words:
        raise KubetraceError(ONLY_LOCAL_FILES)
    how = Selecting(
        purpose=Purpose("set", "change: what does the object look like now?"),
        labels=options.selector,
        everything=options.all,
        latest=True,
        local=options.local,
        typed=True,
    )
    return select(environment, options, words, how).infos()


class PodChanges(Value):
    """One run of a `set` command: `failure` begins the message of what the server refuses."""

    environment: Environment
    options: PodChangeOptions
    strategy: DryRun
    recorder: Recorder
    printer: Printer
    failure: str
    even_unchanged: bool = False

    def make(
        self, found: Sequence[Info], change: Callable[[dict[str, Any]], None], errors: list[KubetraceError]
    ) -> None:
        """Changes the pods' spec of each, and sends what differs. Raises KubetraceError: `errors`, and what fails."""
        from kubetrace.api.aggregates import raise_all

        patches = [(info, self._patch(info, change, errors)) for info in found]
        for info, patch in patches:
            if not patch or (patch == b"{}" and not self.even_unchanged):
                continue
            try:
                self.printer.print(self._send(info, patch), self.environment.stdout)
            except KubetraceError as error:
                errors.append(error)
        raise_all(errors)

    def _patch(self, info: Info, change: Callable[[dict[str, Any]], None], errors: list[KubetraceError]) -> bytes:
        from copy import deepcopy

        from kubetrace.api.merge_meta import built_in_meta
        from kubetrace.api.strategic_merge import two_way_patch
        from kubetrace.commands.writing import as_typed
        from kubetrace.wire import go_json

        assert info.object is not None
        before = as_typed(info.object)
        after = deepcopy(before)
        try:
            change(pod_spec(after))
        except KubetraceError as error:
            errors.append(KubetraceError(f"error: {info.object_name} {error}\n"))
            return b""
        self.recorder.record(after)
        info.object = as_typed(after)
        meta = built_in_meta(str(before.get("apiVersion")), str(before.get("kind")))
        assert meta is not None
        return go_json.dumps(two_way_patch(before, info.object, meta))

    def _send(self, info: Info, patch: bytes) -> dict[str, Any]:
        from kubetrace.api import verbs
        from kubetrace.commands.writing import DryRun, as_typed
        from kubetrace.trace.exchange import Purpose

        assert info.object is not None
        if self.options.local or self.strategy is DryRun.CLIENT:
            return info.object
        assert info.mapping is not None
        write = verbs.WriteOptions(self.options.field_manager, dry_run=self.strategy is DryRun.SERVER)
        purpose = Purpose("set", "change: only what differs")
        where = (info.mapping, info.namespace, info.name)
        call = verbs.patch(*where, verbs.STRATEGIC_PATCH, patch, write, purpose=purpose)
        try:
            return as_typed(self.environment.cluster.typed.objects.send(call, info.mapping, info.name))
        except KubetraceError as error:
            raise KubetraceError(f"{self.failure}{error}") from None

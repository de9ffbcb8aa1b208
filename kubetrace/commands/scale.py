"""`scale`: another number of replicas, through the subresource "scale" (kubectl pkg/cmd/scale, pkg/scale)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import RecordedOptions, everything, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.transport.call import Call

_POLL = 1.0
"""Seconds between two tries, and between two looks."""
_RETRY = 300.0
"""Seconds; how long a change that comes second is tried again."""


class ScaleOptions(RecordedOptions):
    all: bool = everything()
    current_replicas: int = flag(-1, help="Scale only if there are so many replicas now; -1: however many.")
    replicas: int = flag(0, help="How many replicas there shall be. Must be given.", required=True)
    resource_version: str = flag("", help="Scale only if this is the object's version on the server.")
    selector: str = selector()
    timeout: float = flag(0.0, help="How long to wait until the replicas are there; 0 is not at all.")


def run(environment: Environment, options: ScaleOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import load_namespace

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("scaled"))
    load_namespace(environment)
    environment.make_client()
    _ = environment.cluster.discovery
    environment.make_client()  # the one for scales
    if options.replicas < 0:
        raise KubetraceError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if options.current_replicas < -1:
        raise KubetraceError("The --current-replicas must specify an integer of -1 or greater")
    infos, failure = _infos(environment, options, arguments.words)
    if options.resource_version and len(infos) > 1:
        raise KubetraceError("cannot use --resource-version with multiple resources")
    if not infos:
        raise failure or KubetraceError("no objects passed to scale")
    run_ = Run(environment, options, strategy, recorder, printer)
    for info in infos:
        run_.one(info)
    if failure is not None:
        raise failure


def _infos(
    environment: Environment, options: ScaleOptions, words: tuple[str, ...]
) -> tuple[list[Info], KubetraceError | None]:
    """What can be had of what is meant, and what went wrong with the rest. Raises KubetraceError for a bad request."""
    from kubetrace.commands.selecting import Selecting, select
    from kubetrace.trace.exchange import Purpose

    how = Selecting(
        purpose=Purpose("scale", "change: what does the object look like now?"),
        labels=options.selector,
        everything=options.all,
    )
    result = select(environment, options, words, how)
    infos: list[Info] = []
    try:
        result.visit(infos.append)
    except KubetraceError as error:
        return infos, error
    return infos, None


class Run(Value):
    """One run of scale over all its objects."""

    environment: Environment
    options: ScaleOptions
    strategy: DryRun
    recorder: Recorder
    printer: Printer

    def one(self, info: Info) -> None:
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        replicas = self.options.replicas
        if self.strategy is not DryRun.CLIENT:
            replicas = self._scale(info)
        group = str(info.object.get("apiVersion") or "").rpartition("/")[0]
        if group in ("", "apps"):
            _set_replicas(info.object, replicas)
        if self.strategy is not DryRun.CLIENT:
            self._record(info)
        self.printer.print(info.object, self.environment.stdout)

    def _scale(self, info: Info) -> int:
        """Scales the object, again where another change came first; how many replicas it shall have then."""
        from kubetrace.api.status import is_conflict
        from kubetrace.commands.writing import DryRun

        count = 0

        def scaled() -> bool:
            nonlocal count
            try:
                count = self._once(info)
            except KubetraceError as error:
                if is_conflict(error):
                    return False
                raise
            return True

        if not _poll(scaled, _RETRY):
            raise KubetraceError("context deadline exceeded")
        if self.options.timeout and self.strategy is DryRun.NONE:
            self._wait(info)
        return count

    def _wait(self, info: Info) -> None:
        """Until the replicas are there, or somebody wants another number of them (WaitForScaleHasDesiredReplicas)."""
        import time

        from kubetrace.commands.deadline import is_deadline

        deadline = time.monotonic() + self.options.timeout

        def has() -> bool:
            found = self._get(info, deadline)
            wanted = _replicas(found, "spec")
            return wanted != self.options.replicas or _replicas(found, "status") == wanted

        try:
            there = _poll(has, self.options.timeout)
        except KubetraceError as error:
            if not is_deadline(error):
                raise
            there = False
        if not there:
            raise KubetraceError(f'timed out waiting for "{info.name}" to be synced')

    def _once(self, info: Info) -> int:
        if self.options.current_replicas != -1 or self.options.resource_version:
            return self._update(info)
        from kubetrace.api import verbs
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace
        from kubetrace.wire import go_json

        assert info.mapping is not None
        body = go_json.dumps({"spec": {"replicas": self.options.replicas}})
        purpose = Purpose("scale", "change: only what differs")
        where = (info.mapping, info.namespace, info.name)
        call = verbs.patch(*where, verbs.MERGE_PATCH, body, self._write, "scale", purpose=purpose)
        return _replicas(self._send(replace(call, operation="scale-patch"), info), "spec")

    def _update(self, info: Info) -> int:
        """The same where only one state of the object may be changed."""
        from kubetrace.api import last_applied, verbs
        from kubetrace.api.metadata import text
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        assert info.mapping is not None
        found = self._get(info)
        wanted, version = self.options.current_replicas, self.options.resource_version
        if wanted not in (-1, _replicas(found, "spec")):
            raise KubetraceError(f"Expected replicas to be {wanted}, was {_replicas(found, 'spec')}")
        if version and text(found, "resourceVersion") != version:
            raise KubetraceError(f"Expected resource version to be {version}, was {text(found, 'resourceVersion')}")
        _set_replicas(found, self.options.replicas)
        purpose = Purpose("scale", "change: only what differs")
        body = last_applied.encode_typed(found)
        call = verbs.replace_(info.mapping, info.namespace, info.name, body, self._write, "scale", purpose=purpose)
        headers = tuple(pair for pair in call.headers if pair[0] != "Content-Type")
        return _replicas(self._send(replace(call, operation="scale-update", headers=headers), info), "spec")

    @property
    def _write(self) -> Any:
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.writing import DryRun

        return WriteOptions(dry_run=self.strategy is DryRun.SERVER)

    def _get(self, info: Info, deadline: float = math.inf) -> dict[str, Any]:
        from kubetrace.api import verbs
        from kubetrace.commands.deadline import send_before
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        assert info.mapping is not None
        purpose = Purpose("scale", "change: what does the object look like now?")
        call = verbs.get(info.mapping, info.namespace, info.name, "scale", purpose=purpose)
        call = replace(call, operation="scale-get")
        return send_before(self.environment, deadline, call, lambda call: self._send(call, info))

    def _send(self, call: Call, info: Info) -> dict[str, Any]:
        assert info.mapping is not None
        answer: dict[str, Any] = self.environment.cluster.typed.objects.send(call, info.mapping, info.name)
        return answer

    def _record(self, info: Info) -> None:
        """Keeps the command line in the object, if the server lets it."""
        import contextlib

        from kubetrace.api import verbs
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None and info.object is not None
        text = self.recorder.merge_patch(info.object)
        if not text:
            return
        purpose = Purpose("scale", "change: only what differs")
        where = (info.mapping, info.namespace, info.name)
        call = verbs.patch(*where, verbs.MERGE_PATCH, text, purpose=purpose)
        self.environment.make_client()
        with contextlib.suppress(KubetraceError):
            self.environment.cluster.objects.send(call, info.mapping, info.name)


def _replicas(value: dict[str, Any], part: str) -> int:
    found = value.get(part)
    count = found.get("replicas") if isinstance(found, dict) else 0
    return count if isinstance(count, int) else 0


def _set_replicas(value: dict[str, Any], count: int) -> None:
    if not isinstance(value.get("spec"), dict):
        value["spec"] = {}
    value["spec"]["replicas"] = count


def _poll(condition: Callable[[], bool], timeout: float) -> bool:
    """Asks at once and each second; False when time is up."""
    import time

    deadline = time.monotonic() + timeout
    while not condition():
        pause = min(_POLL, deadline - time.monotonic())
        if pause <= 0:
            return False
        time.sleep(pause)
    return True


COMMAND = Command(
    run=run,
    options=ScaleOptions,
    words="resources:deployment,replicaset,replicationcontroller,statefulset",
    usage=(
        "scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME) "
        "[options]"
    ),
    description="""
    Set how many replicas a deployment, replica set, replication controller or stateful set shall have.

    --current-replicas and --resource-version are conditions: if one does not hold, nothing is changed.
    """,
    examples="""
    # Three pods for a replica set
    kubetrace scale --replicas=3 rs/web

    # Three for what web.yaml describes
    kubetrace scale --replicas=3 -f web.yaml

    # Three if there are two now
    kubetrace scale --current-replicas=2 --replicas=3 deployment/mysql

    # Several at once
    kubetrace scale --replicas=5 rc/one rc/two rc/three
    """,
)

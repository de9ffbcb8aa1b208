"""`autoscale`: a HorizontalPodAutoscaler for what runs already (kubectl pkg/cmd/autoscale)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import RecordedOptions, field_manager, save_config
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment

Object = dict[str, Any]


class AutoscaleOptions(RecordedOptions):
    cpu: str = flag(
        "", help='CPU that each pod shall use: a share of its request ("70%") or an amount ("500m"; "500" is the same).'
    )
    cpu_percent: int = flag(
        -1,
        kind="int32",
        help="The share of its CPU request that each pod shall use.",
        deprecated="Use --cpu with percentage or resource quantity format "
        "(e.g., '70%' for utilization or '500m' for milliCPU).",
    )
    field_manager: str = field_manager("kubectl-autoscale")
    max: int = flag(-1, kind="int32", help="How many pods there may be at most. Must be given.", required=True)
    memory: str = flag(
        "",
        help='Memory that each pod shall use: a share of its request ("60%") or an amount ("200Mi" or "200").',
    )
    min: int = flag(-1, kind="int32", help="How many pods there are at least; without it, the server decides.")
    name: str = flag("", help="Name of the autoscaler; without one, it is the scaled object's own.")
    save_config: bool = save_config()


def run(environment: Environment, options: AutoscaleOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import Selecting, load_namespace, select
    from kubetrace.trace.exchange import Purpose

    strategy = writing.dry_run(environment, options.dry_run)
    _ = environment.cluster.discovery
    environment.make_client()
    recorder = Recorder.of(environment, options, options.record)
    load_namespace(environment)
    _check(options)
    run_ = Run(environment, options, strategy, recorder)
    found = 0

    def one(info: Info) -> None:
        nonlocal found
        run_.one(info)
        found += 1

    how = Selecting(purpose=Purpose("autoscale", "change: what does the object look like now?"))
    select(environment, options, arguments.words, how).visit(one)
    if not found:
        raise KubetraceError("no objects passed to autoscale")


def _check(options: AutoscaleOptions) -> None:
    """Raises KubetraceError (AutoscaleOptions.Validate)."""
    from kubetrace.commands.generators.autoscalers import target

    if options.max < 1:
        raise KubetraceError(f"--max=MAXPODS is required and must be at least 1, max: {options.max}")
    if options.max < options.min:
        raise KubetraceError(
            f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {options.max}, min: {options.min}"
        )
    if options.cpu_percent > 0 and options.cpu:
        raise KubetraceError("--cpu-percent and --cpu are mutually exclusive")
    for text, resource in ((options.cpu, "cpu"), (options.memory, "memory")):
        if text:
            target(text, resource)


class Run(Value):
    """One run of autoscale over all its objects."""

    environment: Environment
    options: AutoscaleOptions
    strategy: DryRun
    recorder: Recorder

    def one(self, info: Info) -> None:
        """Makes the autoscaler in the newest version; where that fails, in the first one, if that can say the same."""
        self._check_scalable(info)
        made = self._autoscaler(info)
        try:
            self._create(made)
        except KubetraceError as error:
            self.environment.note("autoscale-fallback", error=str(error))
            self._check_first_version()
            self._create(self._in_first_version(made))

    def _check_scalable(self, info: Info) -> None:
        """Raises KubetraceError for a kind without the subresource "scale" (ScaleForResource)."""
        assert info.mapping is not None
        kind, resource = info.mapping.kind, info.mapping.resource
        where = f"{kind.group}/{kind.version}, Resource={resource.resource}"
        try:
            known = self.environment.cluster.discovery.resources(kind.group_version)
        except KubetraceError as error:
            raise KubetraceError(
                f"cannot autoscale a {kind.kind}: unable to fetch discovery information for {where}: {error}"
            ) from None
        if not any(one.name == f"{resource.resource}/scale" for one in known):
            raise KubetraceError(
                f"cannot autoscale a {kind.kind}: could not find scale subresource for {where} in discovery information"
            )

    def _autoscaler(self, info: Info) -> Object:
        from kubetrace.commands.generators.autoscalers import autoscaler, metric, target

        assert info.mapping is not None
        options = self.options
        limits: Object = {"maxReplicas": options.max}
        if options.min > 0:
            limits["minReplicas"] = options.min
        metrics = []
        if options.cpu_percent > 0:
            metrics.append(metric("cpu", target(f"{options.cpu_percent}%", "cpu")))
        for text, resource in ((options.cpu, "cpu"), (options.memory, "memory")):
            if text:
                metrics.append(metric(resource, target(text, resource)))
        if metrics:
            limits["metrics"] = metrics
        namespace = self.environment.namespace if self.environment.namespace_given else ""
        return autoscaler(options.name or info.name, namespace, info.mapping.kind, info.name, limits)

    def _check_first_version(self) -> None:
        """Raises KubetraceError where autoscaling/v1 can't say what the flags do (canCreateHPAV1)."""
        from kubetrace.commands.generators.autoscalers import target

        prefix = "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: "
        try:
            wanted = target(self.options.cpu, "cpu")
        except KubetraceError as error:
            raise KubetraceError(f"{prefix}{error}") from None
        if self.options.memory or (wanted["type"] != "Utilization" and self.options.cpu_percent < 0):
            raise KubetraceError(f"{prefix}%!w(<nil>)")  # Go's word for an error that is none

    def _in_first_version(self, made: Object) -> Object:
        """The same as autoscaling/v1, where only --cpu-percent counts, as in kubectl."""
        spec = {key: item for key, item in made["spec"].items() if key != "metrics"}
        if self.options.cpu_percent >= 0:
            spec["targetCPUUtilizationPercentage"] = self.options.cpu_percent
        return {**made, "apiVersion": "autoscaling/v1", "spec": spec}

    def _create(self, value: Object) -> None:
        from kubetrace.api.last_applied import create_or_update
        from kubetrace.api.typed_kinds import AUTOSCALERS
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.writing import DryRun, create_typed, object_printer
        from kubetrace.wire.go_struct import typed

        made = typed(value)
        self.recorder.record(made)
        if self.strategy is DryRun.CLIENT:
            printer = object_printer(self.environment, self.options, self.strategy.mark("created"))
            printer.print(typed(made), self.environment.stdout)
            return
        create_or_update(made, self.options.save_config)
        write = WriteOptions(self.options.field_manager, dry_run=self.strategy is DryRun.SERVER)
        mapping = AUTOSCALERS[str(made["apiVersion"])]
        answer = create_typed(self.environment, mapping, self.environment.namespace, typed(made), write)
        printer = object_printer(self.environment, self.options, self.strategy.mark("autoscaled"))
        printer.print(answer, self.environment.stdout)


COMMAND = Command(
    run=run,
    options=AutoscaleOptions,
    words="resources:deployment,replicaset,replicationcontroller,statefulset",
    usage=(
        "autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY] "
        "[options]"
    ),
    description="""
    Create an autoscaler for a deployment, replica set, stateful set or replication controller: it has as many pods run
    as are needed for each to use about as much CPU or memory as it should.

    The autoscaler is an autoscaling/v2 object; a server that does not take it is offered autoscaling/v1.
    """,
    examples="""
    # Between 2 and 10 pods, by the server's own measure
    kubetrace autoscale deployment web --min=2 --max=10

    # Up to 5 pods, at 80 percent of the CPU that they request
    kubetrace autoscale rc web --max=5 --cpu=80%

    # Half a CPU and 200 MiB for each
    kubetrace autoscale deployment web --min=3 --max=6 --cpu=500m --memory=200Mi
    """,
)

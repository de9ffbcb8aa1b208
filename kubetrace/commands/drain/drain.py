"""`drain`: a node without pods (kubectl pkg/cmd/drain/drain.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.drain.nodes import CHUNK_SIZE, NodeOptions
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.drain.eviction import Removal
    from kubetrace.commands.drain.pods import Fates, Filter
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.transport.call import Call


class DrainOptions(NodeOptions):
    chunk_size: int = flag(CHUNK_SIZE, help="Fetch long lists in pages of this many objects; 0 fetches all at once.")
    delete_emptydir_data: bool = flag(
        False, help="Remove pods with an emptyDir volume, too. What is in it is lost with them."
    )
    disable_eviction: bool = flag(
        False, help="Delete pods instead of evicting them. Their disruption budgets are not respected then."
    )
    force: bool = flag(False, help="Remove pods, too, that no controller will replace.")
    grace_period: int = flag(-1, help="Seconds that each pod has to end; negative: its own.")
    ignore_daemonsets: bool = flag(False, help="Leave the pods of daemon sets where they are.")
    pod_selector: str = flag("", help="Only pods whose labels meet this selector.")
    skip_wait_for_delete_timeout: int = flag(
        0, help="Do not wait for a pod that should have been gone for more than so many seconds; 0: wait for all."
    )
    timeout: float = flag(0.0, help="How long to wait for a node's pods to go; 0 is as long as it takes.")


def run(environment: Environment, options: DrainOptions, arguments: Arguments) -> None:
    from kubetrace.api.related import Related
    from kubetrace.commands import writing
    from kubetrace.commands.drain.eviction import Removal
    from kubetrace.commands.drain.nodes import check_words, nodes
    from kubetrace.commands.drain.pods import Filter

    check_words(options, arguments)
    strategy = writing.dry_run(environment, options.dry_run)
    environment.make_client()
    _check_pod_selector(options.pod_selector)
    found = nodes(environment, options, arguments, options.chunk_size)
    skip_after = options.skip_wait_for_delete_timeout
    choice = Filter(
        Related(environment.cluster.transformed(_limited).objects, chunk_size=options.chunk_size),
        options.pod_selector,
        options.force,
        options.ignore_daemonsets,
        options.delete_emptydir_data,
        skip_after,
    )
    removal = Removal(
        environment,
        strategy,
        grace_period=options.grace_period,
        timeout=options.timeout,
        skip_after=skip_after,
        disable_eviction=options.disable_eviction,
    )
    Run(environment, strategy, choice, removal).drain(found)


def _limited(call: Call) -> Call:
    """kubectl has one client for pods, and one for daemon sets."""
    return replace(call, client="apps/v1" if call.path.startswith("/apis/apps/") else "v1")


def _check_pod_selector(selector: str) -> None:
    from kubetrace.api.labels import requirements

    try:
        requirements(selector)
    except ValueError:
        raise KubetraceError("--pod-selector=<pod_selector> must be a valid label selector") from None


class Run(Value):
    """One run of drain over all its nodes."""

    environment: Environment
    strategy: DryRun
    choice: Filter
    removal: Removal

    def drain(self, nodes: list[Info]) -> None:
        """Every node is cordoned first. What fails for one is told, the next one follows, and at the end it is
        raised."""
        from kubetrace.api.aggregates import AggregateError
        from kubetrace.api.go_words import quoted
        from kubetrace.commands.drain.nodes import cordon, tell

        for info in nodes:
            cordon(self.environment, info, True, self.strategy)
        errors: list[KubetraceError] = []
        remaining: list[str] = []
        for info in nodes:
            assert info.object is not None
            try:
                self._empty(info.name)
            except KubetraceError as error:
                words = f"error: unable to drain node {quoted(info.name)} due to error: {error}"
                self._complain(f"{words}, continuing command...\n")
                errors.append(error)
                remaining.append(info.name)
            else:
                tell(self.environment, info.object, "drained", self.strategy)
        if errors:
            names = "".join(f" {name}\n" for name in remaining)
            self._complain(f"There are pending nodes to be drained:\n{names}")
            raise AggregateError(errors)

    def _empty(self, node: str) -> None:
        """Removes the node's pods. Raises KubetraceError."""
        from kubetrace.api.aggregates import AggregateError
        from kubetrace.api.metadata import text
        from kubetrace.commands.writing import DryRun

        fates = self._fates(node)
        if errors := fates.errors:
            raise AggregateError(errors)
        if fates.warning:
            self.environment.warn(fates.warning)
        if self.strategy is DryRun.CLIENT:
            for pod in fates.going:
                name = f"{text(pod, 'namespace')}/{text(pod, 'name')}"
                self.environment.stdout.write(f"evicting pod {name} ({self.strategy.value})\n")
            return
        try:
            self.removal.remove(fates.going)
        except KubetraceError as error:
            self._tell_pending(node, error)
            raise

    def _fates(self, node: str) -> Fates:
        """What becomes of the node's pods. Raises AggregateError where they cannot be listed."""
        from kubetrace.api.aggregates import AggregateError

        try:
            return self.choice.fates(node)
        except KubetraceError as error:
            raise AggregateError([error]) from None

    def _tell_pending(self, node: str, failure: KubetraceError) -> None:
        """Which pods are still there."""
        from kubetrace.api.aggregates import AggregateError
        from kubetrace.api.go_words import quoted
        from kubetrace.api.metadata import text

        head = "Following errors occurred while getting the list of pods to delete:\n"
        try:
            fates = self._fates(node)
        except AggregateError as error:
            self._complain(f"{head}{error}")
            return
        if pods := fates.going:
            names = "".join(f"pod/{text(pod, 'name')}\n" for pod in pods)
            self._complain(f"There are pending pods in node {quoted(node)} when an error occurred: {failure}\n{names}")
        if errors := fates.errors:
            self._complain(f"{head}{AggregateError(errors)}")

    def _complain(self, words: str) -> None:
        self.environment.stderr.write(words)
        self.environment.stderr.flush()


COMMAND = Command(
    run=run,
    options=DrainOptions,
    words="names:node",
    usage="drain NODE [options]",
    description="""
    Empty a node, before it is taken out of service.

    No more pods come to the node, and those that are there are evicted: a pod whose disruption budget does not allow
    it yet is tried again every five seconds. Where the server knows no evictions, and with --disable-eviction, pods are
    deleted. The command returns when the pods are gone. Pods of daemon sets would come back at once, so they stay
    (--ignore-daemonsets must say that this is known); nothing is removed while there are pods that no controller
    replaces (--force) or that would lose the data of an emptyDir volume (--delete-emptydir-data). "uncordon" puts the
    node into service again.
    """,
    examples="""
    # Empty a node, pods without a controller included
    kubetrace drain one --force

    # Each pod has 15 minutes to end
    kubetrace drain one --grace-period=900 --ignore-daemonsets

    # What would happen
    kubetrace drain one --ignore-daemonsets --dry-run=server
    """,
)

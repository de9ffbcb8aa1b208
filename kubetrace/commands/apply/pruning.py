"""--prune in its two forms, as one run of apply uses them (kubectl pkg/cmd/apply/apply.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kubetrace.commands.apply import prune as by_list
from kubetrace.commands.apply.manifests import refuse
from kubetrace.commands.writing import DryRun
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands.apply.applyset import ApplySet
    from kubetrace.commands.apply.manifests import ApplyOptions
    from kubetrace.commands.apply.visited import Visited
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer


class Pruning(Value):
    """What is deleted after all has been applied."""

    environment: Environment
    options: ApplyOptions
    strategy: DryRun
    propagation: str
    allowed: tuple[by_list.Prunable, ...]
    applyset: ApplySet | None

    @classmethod
    def of(
        cls, environment: Environment, options: ApplyOptions, strategy: DryRun, write: WriteOptions, propagation: str
    ) -> Pruning:
        """Reads --applyset and --prune-allowlist. Raises KubetraceError."""
        applyset = None
        if options.applyset:
            from kubetrace.commands.apply.applyset import ApplySet, parse_parent

            parent = parse_parent(environment, options.applyset)
            environment.make_client()
            applyset = ApplySet(environment, parent, write, sends=strategy is not DryRun.CLIENT)
        allowed = by_list.allow_list(environment, options.prune_allowlist) if options.prune else ()
        return cls(environment, options, strategy, propagation, allowed, applyset)

    def check(self) -> None:
        """The combinations that kubectl refuses (ApplyOptions.Validate)."""
        options, applyset = self.options, self.applyset
        if applyset is not None:
            applyset.validate()
        refuse(
            (options.force, "--force cannot be used with --prune"),
            (applyset is not None and options.all, "--all is incompatible with --applyset"),
            (applyset is not None and bool(options.selector), "--selector is incompatible with --applyset"),
            (applyset is not None and bool(self.allowed), "--prune-allowlist is incompatible with --applyset"),
            (
                applyset is None and not options.all and not options.selector,
                "all resources selected for prune without explicitly passing --all. To prune all resources, pass the "
                "--all flag. If you did not mean to prune all resources, specify a label selector",
            ),
            (
                applyset is None and options.server_side,
                "--prune is in alpha and doesn't currently work on objects created by server-side apply",
            ),
        )

    def prune(self, visited: Visited, printer: Callable[[str], Printer]) -> None:
        """Deletes what was applied once and is not in the manifests. Raises KubetraceError."""

        def say(left: by_list.Left) -> None:
            printer("pruned").print(left.object, self.environment.stdout)

        def delete_and_say(left: by_list.Left) -> None:
            self._delete(left)
            say(left)

        if self.applyset is not None:
            self.applyset.prune(visited.uids, self._delete, say)
        else:
            by_list.visit_left(self.environment, self.allowed, visited, self.options.selector, delete_and_say)

    def _delete(self, left: by_list.Left) -> None:
        if self.strategy is not DryRun.CLIENT:
            by_list.delete(
                self.environment, left, self.propagation, self.options.grace_period, self.strategy is DryRun.SERVER
            )

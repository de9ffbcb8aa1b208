"""`create poddisruptionbudget` (kubectl pkg/cmd/create/create_pdb.go)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import GeneratedOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_NUMBER = r"[0-9]+%?"


class CreatePodDisruptionBudgetOptions(GeneratedOptions):
    max_unavailable: str = flag("", help="How many pods may be missing, a number or a percentage.")
    min_available: str = flag("", help="How many pods must stay, a number or a percentage.")
    selector: str = flag("", help="Labels of the pods that the budget is about.")


def run(environment: Environment, options: CreatePodDisruptionBudgetOptions, arguments: Arguments) -> None:
    from kubetrace.api.typed_kinds import DISRUPTION_BUDGETS
    from kubetrace.commands.create.generated import prepare
    from kubetrace.commands.generators.policies import disruption_budget

    creation = prepare(environment, options, arguments)
    creation.require_name()
    _check(options)
    value = disruption_budget(
        creation.name, creation.namespace, options.selector, options.min_available, options.max_unavailable
    )
    creation.create(value, DISRUPTION_BUDGETS, "failed to create poddisruptionbudgets: ")


def _check(options: CreatePodDisruptionBudgetOptions) -> None:
    if not options.selector:
        raise KubetraceError("a selector must be specified")
    if not options.max_unavailable and not options.min_available:
        raise KubetraceError("one of min-available or max-unavailable must be specified")
    if options.max_unavailable and options.min_available:
        raise KubetraceError("min-available and max-unavailable cannot be both specified")
    for value, name in ((options.min_available, "min-available"), (options.max_unavailable, "max-unavailable")):
        if value and not re.fullmatch(_NUMBER, value, re.ASCII):
            raise KubetraceError(f"invalid format specified for {name}")


COMMAND = Command(
    run=run,
    options=CreatePodDisruptionBudgetOptions,
    usage=(
        "create poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none] [options]"
    ),
    description="Create a pod disruption budget: how many of the selected pods must stay when pods are evicted.",
    examples="""
    # At least one of the pods labelled app=web
    kubetrace create poddisruptionbudget web --selector=app=web --min-available=1

    # At least half of them
    kubetrace create pdb web --selector=app=web --min-available=50%
    """,
)

"""`options`: the global options (kubectl pkg/cmd/options)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions
from kubetrace.cmdline.global_options import KUBECTL_FLAGS, OWN_FLAGS
from kubetrace.cmdline.help import options_help

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    defaults = {"cache-dir": str(environment.default_cache_dir)}
    environment.stdout.write(options_help(KUBECTL_FLAGS, OWN_FLAGS, environment.help_width, defaults))


COMMAND = Command(
    run=run, usage="options", description="List the options that every command takes.", errs_on_stdout=True
)

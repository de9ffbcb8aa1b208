"""`alpha`: kubectl's group of commands that are tried out, which has none at the moment (kubectl pkg/cmd/alpha.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, NoOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    environment.stderr.write("No alpha commands are available in this version of kubetrace\n")


COMMAND = Command(run=run, usage="alpha [options]", description="Commands that are being tried out: none.")

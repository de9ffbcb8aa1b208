"""`completion`: scripts that let a shell ask `kubetrace __complete` (kubectl pkg/cmd/completion).

The scripts are ours and lie in `kubetrace/cmdline/shells/`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubetrace import cmdline
from kubetrace.cmdline.command import Arguments, Command, NoOptions

if TYPE_CHECKING:
    from kubetrace.environment import Environment

SHELLS = ("bash", "zsh", "fish", "powershell")


def run(environment: Environment, options: NoOptions, arguments: Arguments) -> None:
    if not arguments.words:
        raise arguments.usage_error("Shell not specified.")
    if len(arguments.words) > 1:
        raise arguments.usage_error("Too many arguments. Expected only the shell type.")
    if arguments.words[0] not in SHELLS:
        raise arguments.usage_error(f'Unsupported shell type "{arguments.words[0]}".')
    script = Path(cmdline.__file__).parent / "shells" / f"completion.{arguments.words[0]}"
    environment.stdout.write(script.read_text(encoding="utf-8"))


COMMAND = Command(
    run=run,
    usage="completion SHELL",
    words="=bash,zsh,fish,powershell",
    description="""
    Print a script that makes a shell complete kubetrace's commands, options, resource types, names and contexts.

    The shell is one of bash, zsh, fish and powershell.
    """,
    examples="""
    # bash, in this session
    source <(kubetrace completion bash)

    # zsh, in every session
    kubetrace completion zsh > "${fpath[1]}/_kubetrace"

    # fish, in every session
    kubetrace completion fish > ~/.config/fish/completions/kubetrace.fish

    # PowerShell, in every session
    kubetrace completion powershell >> $PROFILE
    """,
)

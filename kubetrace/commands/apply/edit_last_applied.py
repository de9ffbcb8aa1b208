"""`apply edit-last-applied`: what was applied last in the user's editor (kubectl
pkg/cmd/apply/apply_edit_last_applied.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.apply.manifests import CLIENT_SIDE_MANAGER
from kubetrace.commands.shared_options import (
    PrintOptions,
    field_manager,
    filename,
    kustomize,
    record,
    recursive,
    validate,
)

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class EditLastAppliedOptions(PrintOptions):
    field_manager: str = field_manager(CLIENT_SIDE_MANAGER)
    filename: tuple[str, ...] = filename("the objects whose last applied manifests are edited")
    kustomize: str = kustomize()
    record: bool = record()
    recursive: bool = recursive()
    validate: str = validate()
    windows_line_endings: bool = flag(False, help="Write the file with CRLF line ends.")


def run(environment: Environment, options: EditLastAppliedOptions, arguments: Arguments) -> None:
    from kubetrace.commands.editing.opening import edit_last_applied

    edit_last_applied(environment, options, arguments.words)


COMMAND = Command(
    run=run,
    options=EditLastAppliedOptions,
    words="resources",
    usage="apply edit-last-applied (RESOURCE/NAME | -f FILENAME)",
    description="""
    Edit the manifests that were applied last, which the objects keep in an annotation, in your editor: the one that
    KUBE_EDITOR names, or EDITOR, or else vi. Nothing else of the objects changes.

    When the edit fails, your text stays in a temporary file, and its name is printed.
    """,
    examples="""
    # What was applied last for a deployment, as YAML
    kubetrace apply edit-last-applied deployment/web

    # The same as JSON, for the objects of a file
    kubetrace apply edit-last-applied -f deploy.yaml -o json
    """,
)

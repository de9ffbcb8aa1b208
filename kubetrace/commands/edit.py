"""`edit`: objects of the server in the user's editor (kubectl pkg/cmd/edit)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import (
    PrintOptions,
    field_manager,
    filename,
    kustomize,
    record,
    recursive,
    save_config,
    subresource,
    validate,
)

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class EditOptions(PrintOptions):
    field_manager: str = field_manager("kubectl-edit")
    filename: tuple[str, ...] = filename("the objects to edit")
    kustomize: str = kustomize()
    output_patch: bool = flag(False, help="Print the patch that is sent.")
    record: bool = record()
    recursive: bool = recursive()
    save_config: bool = save_config()
    subresource: str = subresource("Edit")
    validate: str = validate()
    windows_line_endings: bool = flag(False, help="Write the file with CRLF line ends.")


def run(environment: Environment, options: EditOptions, arguments: Arguments) -> None:
    from kubetrace.commands.editing.opening import edit

    edit(environment, options, arguments.words)


COMMAND = Command(
    run=run,
    options=EditOptions,
    words="resources",
    usage="edit (RESOURCE/NAME | -f FILENAME)",
    description="""
    Edit objects of the server in your editor: the one that KUBE_EDITOR names, or EDITOR, or else vi.

    Several objects stand in one file, and are changed one after the other. What the server calls invalid is opened
    again, with the reasons as comments. When the edit fails otherwise, for example because somebody else changed the
    object meanwhile, your text stays in a temporary file, and its name is printed.

    The objects are shown in the version in which they were fetched: name another one as in deployments.v1.apps/web.
    """,
    examples="""
    # The service "registry"
    kubetrace edit svc/registry

    # In another editor
    KUBE_EDITOR="nano" kubetrace edit svc/registry

    # A job, as JSON
    kubetrace edit job.v1.batch/myjob -o json

    # A deployment; what is saved is kept in its annotation, for 'apply'
    kubetrace edit deployment/web -o yaml --save-config

    # A deployment's status
    kubetrace edit deployment web --subresource=status
    """,
)

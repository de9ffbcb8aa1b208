"""The three ways to an editor: objects of the server, what was applied last, a new object from a manifest
(editoptions.go: Complete and Run)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from kubetrace.api.verbs import WriteOptions
from kubetrace.commands import writing
from kubetrace.commands.change_cause import Recorder
from kubetrace.commands.editing.changes import READ, Changes
from kubetrace.commands.editing.reasons import LAST_APPLIED_HEADER, OBJECTS_HEADER
from kubetrace.commands.editing.session import Session, Text, read_objects
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.api.builder import Result
    from kubetrace.api.field_validation import FieldValidation
    from kubetrace.commands.apply.edit_last_applied import EditLastAppliedOptions
    from kubetrace.commands.create.manifests import CreateOptions
    from kubetrace.commands.edit import EditOptions
    from kubetrace.commands.selecting import Files
    from kubetrace.environment import Environment


def edit(environment: Environment, options: EditOptions, words: Sequence[str]) -> None:
    """All objects in one file; each is patched with what changed in it. Raises KubetraceError."""
    recorder = Recorder.of(environment, options, options.record)
    selected = _select(environment, options, words, options.subresource)
    directive = writing.validation_directive(options.validate)
    infos = selected.infos()
    if not infos:
        raise KubetraceError("edit cancelled, no objects found")
    write = WriteOptions(options.field_manager, directive)
    changes = Changes(environment, options, write, options.subresource, options.output_patch)
    text = Text(options.output, OBJECTS_HEADER, options.windows_line_endings)
    annotate = _annotations(options.save_config, recorder)
    _session(environment, text, directive, annotate, changes.patch).run(infos)


def edit_last_applied(environment: Environment, options: EditLastAppliedOptions, words: Sequence[str]) -> None:
    """The manifests that were applied last, in one file. Raises KubetraceError."""
    from kubetrace.api.last_applied import original_configuration

    recorder = Recorder.of(environment, options, options.record)
    selected = _select(environment, options, words)
    directive = writing.validation_directive(options.validate)
    found = (original_configuration(info.object or {}) for info in selected.infos())
    manifests = [read_objects(environment, text)[0] for text in found if text is not None]
    if not manifests:
        raise KubetraceError(
            "no last-applied-configuration annotation found on resources, to create the annotation, use command "
            "`kubectl apply set-last-applied --create-annotation`"
        )
    changes = Changes(environment, options, WriteOptions(options.field_manager, directive))
    text = Text(options.output, LAST_APPLIED_HEADER, options.windows_line_endings)
    _session(environment, text, directive, _annotations(False, recorder), changes.annotate).run(manifests)


def edit_and_create(
    environment: Environment, options: CreateOptions, directive: str, result: Result, recorder: Recorder
) -> None:
    """Each manifest in a file of its own, then created; flags of a dry run and of line ends do not count here, as in
    kubectl. Raises KubetraceError."""
    changes = Changes(environment, options, WriteOptions("kubectl-create", directive))
    text = Text(options.output, OBJECTS_HEADER)
    annotate = _annotations(options.save_config, recorder)
    result.visit(lambda info: _session(environment, text, directive, annotate, changes.create).run([info]))


def _session(
    environment: Environment,
    text: Text,
    directive: str,
    annotate: Callable[[dict[str, Any]], object],
    change: Callable[..., None],
) -> Session:
    openapi = cache(lambda: writing.make_openapi(environment))

    def validation() -> FieldValidation | None:
        return writing.field_validation(environment, directive, openapi())

    return Session(environment, text, validation, annotate, change)


def _annotations(save_config: bool, recorder: Recorder) -> Callable[[dict[str, Any]], object]:
    """--save-config and --record, as what is done to an edited object."""
    from kubetrace.api.last_applied import annotate

    def both(value: dict[str, Any]) -> None:
        if save_config:
            annotate(value)
        recorder.record(value)

    return both


def _select(environment: Environment, options: Files, words: Sequence[str], subresource: str = "") -> Result:
    """The objects as they are now, those that files name, too; a type alone is all of its objects."""
    from kubetrace.commands.selecting import Selecting, select

    return select(
        environment, options, words, Selecting(purpose=READ, everything=True, latest=True, subresource=subresource)
    )

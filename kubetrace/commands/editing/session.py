"""One edit: the objects as a text, the editor, what became of the text, and again while the server calls it invalid
(kubectl pkg/cmd/util/editor/editoptions.go)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.api.field_validation import FieldValidation
from kubetrace.api.go_words import quoted
from kubetrace.cmdline.command import PROGRAM
from kubetrace.commands.editing.managed import ManagedFields
from kubetrace.commands.editing.program import Editor, temporary_file
from kubetrace.commands.editing.reasons import Reason, Results
from kubetrace.errors import KubetraceError, SilentExit, aggregate_text, read_words
from kubetrace.value import Value
from kubetrace.wire.yaml_text import without_comment_lines, without_comments

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment
    from kubetrace.trace.masking import Masker

_EDITED = "edited-file"  # how messages call the text

Change = Callable[["Info", Results, Sequence["Info"]], None]
"""Brings one edited object to the server; the last argument is all objects as they were. Raises KubetraceError where
the edit ends with it; what can be edited again is added to the results."""


class Text(Value):
    """How objects look in the editor: -o's format, with comments above YAML."""

    output: str
    header: str
    carriage_returns: bool = False

    @property
    def extension(self) -> str:
        return ".json" if self.output == "json" else ".yaml"

    def beginning(self, reasons: Sequence[Reason]) -> bytes:
        if self.output == "json":
            return b""
        return self._ended("".join([self.header, *(reason.comment() for reason in reasons)]))

    def objects(self, environment: Environment, value: dict[str, Any]) -> bytes:
        """Raises KubetraceError for a format that is neither JSON nor YAML."""
        import io

        from kubetrace.printing.formats import OutputOptions, editor_printer

        out = io.StringIO()
        editor_printer(OutputOptions(self.output or "yaml"), environment.environ).print(value, out)
        return self._ended(out.getvalue())

    def _ended(self, text: str) -> bytes:
        data = text.encode("utf-8", "surrogateescape")
        return data.replace(b"\n", b"\r\n") if self.carriage_returns else data


class Session:
    """`change` gets the edited objects one by one; `annotate` what shall be done to each of them first; `validation` is
    made anew for each time that the text was edited."""

    def __init__(
        self,
        environment: Environment,
        text: Text,
        validation: Callable[[], FieldValidation | None],
        annotate: Callable[[dict[str, Any]], object],
        change: Change,
    ) -> None:
        self._environment = environment
        self._text = text
        self._validation = validation
        self._annotate = annotate
        self._change = change
        self._editor = Editor.of(environment.environ)

    def run(self, infos: Sequence[Info]) -> None:
        """Edits the objects until they are changed or the user gives up. Raises KubetraceError."""
        managed = ManagedFields()
        results = Results()
        edited = original = b""
        again = False
        while True:
            with self._keeping(results.file):
                text = self._text.beginning(results.reasons)
                if again:
                    text += without_comment_lines(edited)
                else:
                    text = original = text + self._text.objects(self._environment, managed.taken_from(infos))
                before = edited
                edited, file = self._edited(text)
            if again and without_comments(before) == without_comments(edited):
                with self._keeping(file):
                    raise KubetraceError("Edit cancelled, no valid changes were saved.")
            _remove(results.file)
            self._note_edited(edited)
            results, again = Results(file), True
            if not self._valid(edited, infos[0], results):
                continue
            if self._cancelled(original, edited, file):
                return
            with self._keeping(file):
                updated = self._updated(edited, results)
                if updated is None:
                    continue
                managed.give_back([*updated, *infos])
                self._apply(updated, infos, results)
            self._tell(results)
            if not results.invalid:
                _remove(file)
                return

    @contextlib.contextmanager
    def _keeping(self, file: str) -> Iterator[None]:
        """Where the edit ends with an error, says where the user's text is."""
        try:
            yield
        except KubetraceError as error:
            if not isinstance(error, SilentExit) and file and Path(file).exists():
                self._say(f"A copy of your changes has been stored to {quoted(file)}")
            raise

    def _say(self, line: str) -> None:
        self._environment.stderr.write(line + "\n")

    def _edited(self, text: bytes) -> tuple[bytes, str]:
        """The text as the user left it, and the file that holds it."""
        path = temporary_file(self._environment.environ, self._text.extension, text)
        self._editor.edit(self._environment, path)
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise KubetraceError(read_words(path, error)) from None
        return data, path

    def _note_edited(self, edited: bytes) -> None:
        shown = _masked(edited, self._environment.masker)
        self._environment.note("user-edited", text=shown.decode("utf-8", "surrogateescape").removesuffix("\n"))

    def _valid(self, edited: bytes, first: Info, results: Results) -> bool:
        """--validate's checks of the first document, before anything is sent."""
        from kubetrace.wire.yaml_reader import InvalidYAML, loads

        validation = self._validation()
        if validation is None:
            return True
        try:
            problems = validation.problems(loads(without_comments(edited)))
        except InvalidYAML as error:
            problems = [str(error)]
        if not problems:
            return True
        cause = f'<nil>: Invalid value: "The edited file failed validation": {aggregate_text(problems)}'
        self._say(results.add_invalid(first, (cause,)))
        return False

    def _cancelled(self, original: bytes, edited: bytes, file: str) -> bool:
        """Is there nothing to do?"""
        if without_comments(original) == without_comments(edited):
            self._say("Edit cancelled, no changes made.")
        elif not any(line.strip() and not line.strip().startswith(b"#") for line in edited.split(b"\n")):
            self._say("Edit cancelled, saved file was empty.")
        else:
            return False
        _remove(file)
        return True

    def _updated(self, edited: bytes, results: Results) -> list[Info] | None:
        """The objects in the text; None where it can't be read, with the reason among the results."""
        try:
            return read_objects(self._environment, edited)
        except KubetraceError as error:
            results.reasons.append(Reason(f"The edited file had a syntax error: {error}"))
            return None

    def _apply(self, updated: Sequence[Info], infos: Sequence[Info], results: Results) -> None:
        """Changes what was edited. Of several errors the last object's counts, as in kubectl (InfoListVisitor)."""
        from kubetrace.api.built import require_namespace

        for info in updated:
            if info.namespaced:
                require_namespace(info, self._environment.namespace)
        for info in updated:
            assert info.object is not None
            self._annotate(info.object)
        problem: KubetraceError | None = None
        for info in updated:
            problem = None
            try:
                self._change(info, results, infos)
            except KubetraceError as error:
                problem = error
        if problem is not None:
            raise problem

    def _tell(self, results: Results) -> None:
        """Ends the edit where another look at the file would not help."""
        if results.retryable:
            self._say(f"You can run `{PROGRAM} replace -f {results.file}` to try this update again.")
            raise SilentExit(1)
        if results.not_found:
            self._say(f"The edits you made on deleted resources have been saved to {quoted(results.file)}")
            raise SilentExit(1)


def read_objects(environment: Environment, text: bytes) -> list[Info]:
    """The objects in an edited text. Raises KubetraceError."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.manifests import Source, read_documents
    from kubetrace.api.selection import Selection

    documents = read_documents([Source(_EDITED, lambda: text)])
    request = Request(selection=Selection(), documents=documents, flatten=True, continue_on_error=True)
    return build(environment.cluster, request).infos()


def _masked(text: bytes, masker: Masker) -> bytes:
    """The text for the log, without the values of Secrets; what was applied last is a line of JSON in it."""
    lines = masker.body(text).split(b"\n")
    return b"\n".join(re.sub(rb"\{.*\}", lambda match: masker.body(match[0]), line) for line in lines)


def _remove(file: str) -> None:
    if file:
        Path(file).unlink(missing_ok=True)

"""Which objects a command line names: the grammar of TYPE, NAME, TYPE/NAME and selectors, checked as cli-runtime's
resource builder checks it (pkg/resource/builder.go), before anything is asked of the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubetrace.errors import KubetraceError
from kubetrace.value import Mutable, fresh

PROGRAM = "kubetrace"

NOTHING_SELECTED = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""

ONLY_LOCAL_FILES = """error: you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'"""


class Selection(Mutable):
    """What argv selects: types with or without names, or pairs of both. `label_selector` None is "no selector",
    empty is "everything"."""

    types: list[str] = fresh(list)
    names: list[str] = fresh(list)
    pairs: list[tuple[str, str]] = fresh(list)
    label_selector: str | None = None
    field_selector: str | None = None
    everything: bool = False
    errors: list[KubetraceError] = fresh(list)

    def add_everything(self, everything: bool) -> None:
        """--all, where no selector has been added before (SelectAllParam)."""
        if everything and (self.label_selector is not None or self.field_selector is not None):
            self._fail("setting 'all' parameter but found a non empty selector. ")
        elif everything:
            self.label_selector = ""
            self.everything = True

    def add_label_selector(self, labels: str) -> None:
        """-l, where no --all has been added before (LabelSelectorParam)."""
        from kubetrace.api.go_words import quoted

        if labels.strip() and self.everything:
            self._fail(f"found non-empty label selector {quoted(labels)} with previously set 'all' parameter. ")
        elif labels.strip():
            self.label_selector = labels.strip()

    def add_selectors(self, labels: str, fields: str, everything: bool = False) -> None:
        """-l, --field-selector and --all."""
        if everything and (labels.strip() or fields.strip()):
            self._fail("setting 'all' parameter but found a non empty selector. ")
            return
        self.label_selector = labels.strip() or None
        self.field_selector = fields.strip() or None
        if everything:
            self.label_selector = ""

    def add_arguments(self, words: Sequence[str], *, allow_empty_selector: bool = False) -> None:
        """TYPE [NAME…], TYPE/NAME…, TYPE,TYPE [NAME…]; a single TYPE selects everything where that is allowed."""
        words = spread(words)
        slashes = sum("/" in word for word in words)
        if slashes:
            self._add_pairs(words, mixed=slashes != len(words))
            return
        if words:
            self.types += split_types(words[0])
            self.names += words[1:]
        if len(words) == 1 and self.label_selector is None and allow_empty_selector:
            self.label_selector = ""

    def add_names(self, kind: str, words: Sequence[str]) -> None:
        """NAME… of one kind, or TYPE/NAME… (Builder.ResourceNames)."""
        for word in words:
            try:
                self.pairs.append(split_pair(word) if "/" in word else (kind, word))
            except KubetraceError as error:
                self.errors.append(error)
                return

    def _add_pairs(self, words: Sequence[str], *, mixed: bool) -> None:
        if mixed:
            self._fail(
                "there is no need to specify a resource type as a separate argument when passing arguments in "
                f"resource/name form (e.g. '{PROGRAM} get resource/<resource_name>' instead of "
                f"'{PROGRAM} get resource resource/<resource_name>'"
            )
            return
        for word in words:
            try:
                self.pairs.append(split_pair(word))
            except KubetraceError as error:
                self.errors.append(error)
                return

    def _fail(self, text: str) -> None:
        self.errors.append(KubetraceError(text))


def split_types(argument: str) -> list[str]:
    """ "po,svc,po" → po, svc."""
    return list(dict.fromkeys(argument.split(",")))


def spread(words: Sequence[str]) -> list[str]:
    """Several types and names become pairs of each with each."""
    if len(words) >= 2 and len(types := split_types(words[0])) > 1:
        return [f"{kind}/{name}" for kind in types for name in words[1:]]
    return list(words)


def split_pair(word: str) -> tuple[str, str]:
    """TYPE/NAME. Raises KubetraceError."""
    parts = word.split("/")
    if len(parts) != 2:
        raise KubetraceError("arguments in resource/name form may not have more than one slash")
    kind, name = parts
    if not kind or not name or len(split_types(kind)) != 1:
        raise KubetraceError("arguments in resource/name form must have a single resource and name")
    return kind, name


def has_names(words: Sequence[str]) -> bool:
    """Whether argv names single objects (resource.HasNames). Raises KubetraceError where it mixes both forms."""
    selection = Selection()
    selection.add_arguments(words)
    if selection.errors:
        raise selection.errors[0]
    return bool(selection.pairs) or len(spread(words)) > 1

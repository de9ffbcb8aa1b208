"""What descriptions are written with: lines at a level, columns aligned by tabs (kubectl pkg/describe's PrefixWriter on
Go's text/tabwriter: cells padded by two blanks at least)."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kubetrace.printing.durations import age
from kubetrace.printing.tabwriter import TabWriter, escape_terminal

LONGEST_ANNOTATION = 140
HIDDEN_ANNOTATIONS = frozenset(("kubectl.kubernetes.io/last-applied-configuration",))
NONE, UNSET = "<none>", "<unset>"


class Writer:
    """Collects one description. `now` is in seconds since the epoch, for ages. A level is two blanks. Without `aligned`
    the tabs stay."""

    def __init__(self, now: float, *, aligned: bool = True) -> None:
        self.now = now
        self._text = io.StringIO()
        self._tabs: TabWriter | io.StringIO = self._text
        if aligned:
            self._tabs = TabWriter(self._text, min_width=0, padding=2, remembers=False)
        self._indent = 0

    def write(self, text: str, level: int = 0) -> None:
        """Text at a level; control characters that move a terminal's cursor are made visible."""
        self._tabs.write("  " * (level + self._indent) + escape_terminal(text))

    def line(self, text: str, level: int = 0) -> None:
        self.write(text + "\n", level)

    def row(self, label: str, value: object, level: int = 0) -> None:
        """ "Label:", then a value as %v prints it."""
        self.write(f"{label}:\t{go_value(value)}\n", level)

    def flush(self) -> None:
        """Ends the columns that are open: what follows is aligned on its own."""
        self._tabs.flush()

    def indented(self, level: int, write: Callable[[], None]) -> None:
        """What `write` writes stands `level` deeper."""
        self._indent += level
        try:
            write()
        finally:
            self._indent -= level

    @property
    def text(self) -> str:
        self._tabs.flush()
        return self._text.getvalue()

    # --- what many descriptions have -------------------------------------------------------------------------------

    def head(self, value: Mapping[str, Any], *, namespace: bool = True) -> None:
        """Name, namespace, labels and annotations."""
        metadata = value.get("metadata") or {}
        self.row("Name", metadata.get("name", ""))
        if namespace:
            self.row("Namespace", metadata.get("namespace", ""))
        self.labels_and_annotations(metadata)

    def labels_and_annotations(self, metadata: Mapping[str, Any], prefix: str = "") -> None:
        self.pairs(f"{prefix}Labels", metadata.get("labels"))
        self.annotations(metadata.get("annotations"), f"{prefix}Annotations")

    def pairs(self, title: str, pairs: Mapping[str, str] | None, indent: str = "") -> None:
        """A map, one line an entry, sorted."""
        self.several(f"{indent}{title}", [f"{key}={value}" for key, value in sorted((pairs or {}).items())], indent)

    def several(self, title: str, texts: Sequence[str], indent: str = "", level: int = 0) -> None:
        """Values one below the other; the first stands beside the title."""
        self.write(f"{title}:\t", level)
        if not texts:
            self.line(NONE, 0)
        for number, text in enumerate(texts):
            if number:
                self.write(f"{indent}\t", level)
            self.line(text)

    def annotations(self, annotations: Mapping[str, str] | None, title: str = "Annotations") -> None:
        """Annotations, sorted; long ones stand on lines of their own and are cut."""
        self.write(f"{title}:\t")
        shown = sorted(key for key in annotations or {} if key not in HIDDEN_ANNOTATIONS)
        if not shown:
            self.line(NONE)
        for number, key in enumerate(shown):
            if number:
                self.write("\t")
            value = (annotations or {})[key].removesuffix("\n")
            if _length(value) + _length(key) + 2 > LONGEST_ANNOTATION or "\n" in value:
                self.line(f"{key}:")
                for part in value.split("\n"):
                    self.line("\t  " + _shortened(part, LONGEST_ANNOTATION - 2))
            else:
                self.line(f"{key}: {value}")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], level: int = 1) -> None:
        """A small table with its heading underlined."""
        self.line("\t".join(columns), level)
        self.line("\t".join("-" * len(name) for name in columns), level)
        for row in rows:
            self.line("\t".join(row), level)

    def since(self, timestamp: str | None) -> str:
        return age(timestamp, self.now)


def _length(text: str) -> int:
    """Go counts bytes."""
    return len(text.encode("utf-8", "surrogateescape"))


def _shortened(text: str, longest: int) -> str:
    data = text.encode("utf-8", "surrogateescape")
    return data[:longest].decode("utf-8", "replace") + "..." if len(data) > longest else text


def go_value(value: object) -> str:
    """A value as Go's %v prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(map(go_value, value)) + "]"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value)) + "]"
    return "" if value is None else str(value)


def date(timestamp: str | None) -> str:
    """A timestamp in RFC 1123 form and local time; Go's zero time where there is none."""
    moment = _moment(timestamp)
    if moment is None:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return moment.strftime("%a, %d %b %Y %H:%M:%S %z")


def full_date(timestamp: str | None) -> str:
    """A timestamp as Go's Time.String writes it."""
    moment = _moment(timestamp)
    if moment is None:
        return "0001-01-01 00:00:00 +0000 UTC"
    return moment.strftime("%Y-%m-%d %H:%M:%S %z %Z")


def _moment(timestamp: str | None) -> datetime | None:
    if not timestamp:
        return None
    try:
        return datetime.fromisoformat(timestamp).astimezone()
    except ValueError:
        return None


def epoch(timestamp: str | None) -> datetime:
    """A timestamp that sorts: no time is before every other."""
    return _moment(timestamp) or datetime.min.replace(tzinfo=UTC)


def or_none(text: object) -> str:
    return str(text) if text else NONE


def boolean(value: object) -> str:
    """True, False, or that nothing was said (printBoolPtr)."""
    return UNSET if value is None else "True" if value else "False"

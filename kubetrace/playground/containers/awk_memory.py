"""What an awk program can name: its variables and arrays, the record and its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.awk_values import Outside, Value, number, shown
from kubetrace.playground.containers.patterns import compiled

MOST_FIELDS = 16 * 1024


class Memory:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.names: dict[str, Any] = {"NR": 0.0, "FNR": 0.0, "NF": 0.0, "FS": " ", "OFS": " ", "ORS": "\n", "RS": "\n"}
        self.names |= {"ENVIRON": {name: Outside(value) for name, value in environment.items()}}
        self.names |= {"SUBSEP": "\x1c", "FILENAME": "", "CONVFMT": "%.6g", "OFMT": "%.6g"}
        self.names |= {"RSTART": 0.0, "RLENGTH": -1.0}
        self.frames: list[dict[str, Any]] = []
        """The parameters of the functions that run."""
        self.line: Value = ""
        self._fields: list[Value] = []

    def text(self, value: Value, form: str = "CONVFMT") -> str:
        """By the format in that variable."""
        return value if isinstance(value, str) else shown(value, str(self.names[form]))

    def setting(self, name: str) -> str:
        return self.text(self.names[name])

    def scope(self, name: str) -> dict[str, Any]:
        return self.frames[-1] if self.frames and name in self.frames[-1] else self.names

    def array(self, name: str) -> dict[str, Value]:
        scope = self.scope(name)
        found = scope.get(name)
        if not isinstance(found, dict):
            if found not in (None, ""):
                raise UsageFailure("cmd. line:1: Not an array")
            found = scope[name] = {}
        return found

    def assign(self, name: str, value: Value) -> None:
        self.scope(name)[name] = value
        if name == "NF":
            count = max(0, min(int(number(value)), MOST_FIELDS))
            self._fields = [*self._fields[:count], *[""] * (count - len(self._fields))]
            self._rebuild()

    def count_record(self) -> None:
        self.names["NR"] += 1.0
        self.names["FNR"] += 1.0

    def set_line(self, line: str) -> None:
        self.line = Outside(line)
        self._fields = list(self.split(line, self.setting("FS")))
        self.names["NF"] = float(len(self._fields))

    def split(self, text: str, separator: str) -> list[Outside]:
        """As a record is split into fields."""
        if text == "":
            return []
        if separator == " ":
            return [Outside(part) for part in text.split()]
        if self.names["RS"] == "":
            separator = f"{separator}|\n"
        if len(separator) == 1 and separator != "\t" and separator != "\\":
            return [Outside(part) for part in text.split(separator)]
        return [Outside(part) for part in compiled(separator, extended=True).split(text)]

    def field(self, place: int) -> Value:
        if place < 0:
            raise UsageFailure("cmd. line:1: Access to negative field")
        return self.line if place == 0 else self._fields[place - 1] if place <= len(self._fields) else Outside("")

    def set_field(self, place: int, value: Value) -> None:
        if place == 0:
            self.set_line(self.text(value))
        elif 0 < place <= MOST_FIELDS:
            self._fields += [""] * (place - len(self._fields))
            self._fields[place - 1] = value
            self.names["NF"] = float(len(self._fields))
            self._rebuild()

    def _rebuild(self) -> None:
        self.line = Outside(self.setting("OFS").join(self.text(field) for field in self._fields))

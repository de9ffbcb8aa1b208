"""sed: its commands on lines, with addresses, the hold space and branches (POSIX sed, and GNU's -i and -E)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.patterns import compiled

_STEPS = 100_000
"""Commands that one line may take: a branch must not go on for ever."""


@dataclass(slots=True)
class _Edit:
    first: str | int | re.Pattern[str] | None = None
    """A line's number, "$", "0,…" as 0, a pattern, "N~M" as such, or None for every line."""
    last: str | int | re.Pattern[str] | None = None
    negated: bool = False
    command: str = ""
    text: str = ""
    """Of a, i, c; a label; y's letters; the file of w and r."""
    pattern: re.Pattern[str] | None = None
    replacement: str = ""
    flags: str = ""
    jump: int = 0
    """Where { } and b go on."""
    active: bool = False
    until: int = 0


@dataclass(slots=True)
class Script:
    edits: list[_Edit] = field(default_factory=list)
    quiet: bool = False


def parsed(text: str, extended: bool, quiet: bool = False) -> Script:
    """Raises UsageFailure."""
    script = Script(quiet=quiet or text.startswith("#n\n"))
    _Parser(text, extended, script.edits).all()
    return script


class _Parser:
    def __init__(self, text: str, extended: bool, edits: list[_Edit]) -> None:
        self._text, self._extended, self._edits = text, extended, edits
        self._at = 0

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _blank(self, more: str = "") -> None:
        while self._next() and self._next() in " \t" + more:
            self._at += 1

    def all(self) -> None:
        blocks: list[int] = []
        while True:
            self._blank("\n;")
            if not self._next():
                break
            if self._next() == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
                continue
            edit = _Edit()
            edit.first = self._address()
            if edit.first is not None:
                self._blank()
                if self._next() == ",":
                    self._at += 1
                    self._blank()
                    edit.last = self._address()
                    if edit.last is None:
                        raise UsageFailure("unexpected ','")
            self._blank()
            while self._next() == "!":
                edit.negated = True
                self._at += 1
                self._blank()
            edit.command = self._next()
            self._at += 1
            if edit.command == "{":
                blocks.append(len(self._edits))
            elif edit.command == "}":
                if not blocks:
                    raise UsageFailure("unexpected }")
                self._edits[blocks.pop()].jump = len(self._edits)
            else:
                self._command(edit)
            self._edits.append(edit)
        if blocks:
            raise UsageFailure("unterminated {")
        self._branches()

    def _branches(self) -> None:
        labels = {edit.text: place for place, edit in enumerate(self._edits) if edit.command == ":"}
        for edit in self._edits:
            if edit.command in ("b", "t", "T"):
                if edit.text and edit.text not in labels:
                    raise UsageFailure(f"can't find label for jump to '{edit.text}'")
                edit.jump = labels.get(edit.text, len(self._edits))

    def _address(self) -> str | int | re.Pattern[str] | None:
        match = re.compile(r"\d+~\d+|\$|[+~]?\d+").match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            return int(match.group()) if match.group().isdigit() else match.group()
        mark = self._next()
        if mark == "\\":
            self._at += 1
            mark = self._next()
        elif mark != "/":
            return None
        source = self._delimited(mark)
        flags = re.IGNORECASE if self._next() == "I" else 0
        self._at += bool(flags)
        return compiled(_newlines(source), self._extended, flags=flags)

    def _delimited(self, mark: str) -> str:
        """What stands between the mark here and the next one; a mark after a backslash is itself."""
        self._at += 1
        found, inside = "", False
        while True:
            char = self._next()
            if not char:
                raise UsageFailure("unmatched '" + mark + "'")
            self._at += 1
            if char == "\\":
                after = self._next()
                self._at += 1
                found += after if after == mark and after not in "()|+?{}&" else char + after
            elif char == "[" and not inside:
                inside = True
                found += char
                if self._next() == "^":
                    found += self._next()
                    self._at += 1
                if self._next() == "]":
                    found += self._next()
                    self._at += 1
            elif char == mark and not (inside and "]" in self._text[self._at :].partition("\n")[0]):
                return found
            else:
                inside = inside and char != "]"
                found += char

    def _line(self) -> str:
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        text, self._at = self._text[self._at : end], end
        return text

    def _command(self, edit: _Edit) -> None:
        command = edit.command
        if command in ("s", "y"):
            mark = self._next()
            if not mark or mark in "\n\\":
                raise UsageFailure(f"unterminated '{command}' command")
            first = self._delimited(mark)
            self._at -= 1
            second = self._replacement(mark)
            if command == "y":
                edit.text, edit.replacement = _plain(first), _plain(second)
                if len(edit.text) != len(edit.replacement):
                    raise UsageFailure("strings for 'y' command are different lengths")
                return
            match = re.compile(r"[gpiImMe0-9]*").match(self._text, self._at)
            edit.flags = match.group() if match is not None else ""
            self._at += len(edit.flags)
            flags = re.IGNORECASE if set("iI") & set(edit.flags) else 0
            flags |= re.MULTILINE if set("mM") & set(edit.flags) else 0
            edit.pattern = compiled(_newlines(first), self._extended, flags=flags)
            edit.replacement = second
            if self._next() == "w":
                self._at += 1
                edit.text = self._line().strip()
        elif command in ("a", "i", "c"):
            self._blank()
            if self._next() == "\\":
                self._at += 1
                self._blank()
                if self._next() == "\n":
                    self._at += 1
            text = self._line()
            while text.endswith("\\") and self._next() == "\n":
                self._at += 1
                text = text[:-1] + "\n" + self._line()
            edit.text = re.sub(r"\\(.)", r"\1", text)
        elif command in (":", "b", "t", "T"):
            match = re.compile(r"[ \t]*([^\s;}]*)").match(self._text, self._at)
            assert match is not None
            edit.text, self._at = match.group(1), match.end()
        elif command in ("r", "w"):
            edit.text = self._line().strip()
        elif command in ("q", "Q", "l"):
            match = re.compile(r"[ \t]*(\d*)").match(self._text, self._at)
            assert match is not None
            edit.text, self._at = match.group(1), match.end()
        elif command not in ("=", "d", "D", "p", "P", "n", "N", "g", "G", "h", "H", "x", "z"):
            raise UsageFailure(f"unsupported command {command}" if command else "missing command")
        self._blank()
        if self._next() not in ("", ";", "\n", "}", "#"):
            raise UsageFailure("garbage after command")

    def _replacement(self, mark: str) -> str:
        """s's second part as it is written: what its backslashes mean is seen when it is put in."""
        self._at += 1
        found = ""
        while True:
            char = self._next()
            if not char:
                raise UsageFailure("unterminated 's' command")
            self._at += 1
            if char == mark:
                return found
            if char == "\\":
                after = self._next()
                self._at += 1
                found += after if after == mark and after != "&" else char + after
            else:
                found += char


def _newlines(source: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match.group(1), match.group()), source)


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t"}.get(match.group(1), match.group(1)), text)


class Editor:
    """A script on the lines of its input."""

    def __init__(self, script: Script, lines: list[str]) -> None:
        self._script, self._lines = script, lines
        self._out: list[str] = []
        self._after: list[str] = []
        self._held = ""
        self._space = ""
        self._number = 0
        self.written: dict[str, str] = {}
        """What w wrote, by file."""
        self.wanted: dict[str, str] = {}
        """What r reads, by file."""
        self.code = 0

    def run(self) -> str:
        """Raises UsageFailure."""
        ended = False
        while not ended and self._number < len(self._lines):
            self._space = self._lines[self._number]
            self._number += 1
            ended = self._line()
        return "".join(f"{line}\n" for line in self._out)

    def _show(self) -> None:
        if not self._script.quiet:
            self._out.append(self._space)

    def _finish(self) -> None:
        self._out += self._after
        self._after = []

    def _line(self) -> bool:
        """One cycle; whether it was the last."""
        edits, at, replaced, steps = self._script.edits, 0, False, 0
        while at < len(edits):
            steps += 1
            if steps > _STEPS:
                raise UsageFailure("too many commands for one line")
            edit = edits[at]
            at += 1
            if self._selected(edit) == edit.negated:
                if edit.command == "{":
                    at = edit.jump
                continue
            command = edit.command
            if command == "s":
                replaced = self._substitute(edit) or replaced
            elif command in ("b", "t", "T"):
                if command == "b" or replaced == (command == "t"):
                    at = edit.jump
                replaced = replaced and command == "b"
            elif command in ("d", "D"):
                if command == "D" and "\n" in self._space:
                    self._space = self._space.partition("\n")[2]
                    self._finish()
                    at = 0
                    continue
                self._finish()
                return False
            elif command == "c":
                if edit.last is None or edit.negated or not edit.active:
                    self._out.append(edit.text)
                self._finish()
                return False
            elif command in ("q", "Q"):
                self.code = int(edit.text or 0)
                if command == "q":
                    self._show()
                self._finish()
                return True
            elif command in ("n", "N"):
                if self._number >= len(self._lines):
                    self._show()
                    self._finish()
                    return True
                if command == "n":
                    self._show()
                    self._finish()
                following = self._lines[self._number]
                self._number += 1
                self._space = following if command == "n" else f"{self._space}\n{following}"
            else:
                self._plain(edit)
        self._show()
        self._finish()
        return False

    def _plain(self, edit: _Edit) -> None:
        """The commands that go on with the next one."""
        command = edit.command
        if command == "p":
            self._out.append(self._space)
        elif command == "P":
            self._out.append(self._space.partition("\n")[0])
        elif command == "=":
            self._out.append(str(self._number))
        elif command == "l":
            self._out.append(self._space.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") + "$")
        elif command == "i":
            self._out.append(edit.text)
        elif command == "a":
            self._after.append(edit.text)
        elif command == "r":
            self._after += self.wanted.get(edit.text, "").splitlines()
        elif command == "w":
            self.written[edit.text] = self.written.get(edit.text, "") + self._space + "\n"
        elif command == "y":
            self._space = self._space.translate(dict(zip(map(ord, edit.text), edit.replacement, strict=True)))
        elif command == "z":
            self._space = ""
        elif command in ("g", "G"):
            self._space = self._held if command == "g" else f"{self._space}\n{self._held}"
        elif command in ("h", "H"):
            self._held = self._space if command == "h" else f"{self._held}\n{self._space}"
        elif command == "x":
            self._space, self._held = self._held, self._space
        if max(len(self._space), len(self._held)) > 1024 * 1024:
            raise MemoryError

    def _selected(self, edit: _Edit) -> bool:
        if edit.first is None or edit.command in ("}", ":"):
            return True
        if edit.last is None:
            return self._at(edit.first)
        if edit.active:
            if isinstance(edit.last, int) or edit.until:
                end = edit.until or edit.last
                assert isinstance(end, int)
                edit.active = self._number < end
                if self._number > end:
                    edit.until = 0
                    return self._begin(edit)
                return True
            edit.active = not self._at(edit.last)
            return True
        return self._begin(edit)

    def _begin(self, edit: _Edit) -> bool:
        """Whether a range begins here."""
        first, last = edit.first, edit.last
        assert first is not None and last is not None
        if first == 0 and self._number == 1 and isinstance(last, re.Pattern):
            edit.active = not self._at(last)
            return True
        if not self._at(first):
            return False
        edit.until = self._number + int(last[1:]) if isinstance(last, str) and last.startswith("+") else 0
        end = edit.until or last
        edit.active = self._number < end if isinstance(end, int) else end != "$" or self._number < len(self._lines)
        return True

    def _at(self, address: str | int | re.Pattern[str]) -> bool:
        if isinstance(address, int):
            return self._number == address
        if isinstance(address, re.Pattern):
            return address.search(self._space) is not None
        if address == "$":
            return self._number == len(self._lines)
        first, _, step = address.partition("~")
        return self._number >= int(first or 0) and (self._number - int(first or 0)) % max(1, int(step or 1)) == 0

    def _substitute(self, edit: _Edit) -> bool:
        assert edit.pattern is not None
        digits = "".join(char for char in edit.flags if char.isdigit())
        wanted, every, count = int(digits or 1), "g" in edit.flags, 0
        changed = False

        def put(match: re.Match[str]) -> str:
            nonlocal count, changed
            count += 1
            if count < wanted or (count > wanted and not every):
                return match.group()
            changed = True
            return _put_in(edit.replacement, match)

        self._space = edit.pattern.sub(put, self._space)
        if changed and "p" in edit.flags:
            self._out.append(self._space)
        if changed and edit.text:
            self.written[edit.text] = self.written.get(edit.text, "") + self._space + "\n"
        return changed


def _put_in(replacement: str, match: re.Match[str]) -> str:
    """& and \\1 in a replacement, and GNU's \\U, \\L, \\u, \\l and \\E."""
    out, way, once = "", "", ""
    for piece in re.finditer(r"\\(.)|(&)|([^\\&]+)|\\", replacement, re.DOTALL):
        escaped, whole, plain = piece.groups()
        if escaped in ("U", "L", "E"):
            way = "" if escaped == "E" else escaped
            continue
        if escaped in ("u", "l"):
            once = escaped
            continue
        if escaped is not None and escaped.isdigit():
            try:
                text = match.group(int(escaped)) or ""
            except IndexError:
                raise UsageFailure(f"invalid reference \\{escaped} on 's' command's RHS") from None
        elif whole:
            text = match.group()
        else:
            text = {"n": "\n", "t": "\t", "r": "\r"}.get(escaped, escaped) if escaped is not None else plain or ""
        text = text.upper() if way == "U" else text.lower() if way == "L" else text
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        out += text
    return out

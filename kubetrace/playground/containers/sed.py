"""sed's everyday commands: s, p, d, q, y-less, with line numbers, $, /patterns/ and ranges before them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetrace.playground.containers.arguments import UsageFailure
from kubetrace.playground.containers.patterns import compiled


@dataclass(slots=True)
class _Edit:
    first: str
    last: str
    command: str
    pattern: re.Pattern[str] | None = None
    replacement: str = ""
    flags: str = ""
    active: bool = False


def edited(script: str, text: str, quiet: bool, extended: bool) -> str:
    """Raises UsageFailure for what is not simulated."""
    edits = _parsed(script, extended)
    lines = text.splitlines()
    out: list[str] = []
    for number, start in enumerate(lines, 1):
        line, deleted, stop = start, False, False
        for edit in edits:
            if not _selected(edit, number, line, len(lines)):
                continue
            if edit.command == "d":
                deleted = True
                break
            if edit.command == "p":
                out.append(line)
            if edit.command == "q":
                stop = True
                break
            if edit.command == "s" and edit.pattern is not None:
                count = 0 if "g" in edit.flags else 1
                line, changed = edit.pattern.subn(edit.replacement, line, count=count)
                if changed and "p" in edit.flags:
                    out.append(line)
        if not quiet and not deleted:
            out.append(line)
        if stop:
            break
    return "".join(f"{line}\n" for line in out)


def _selected(edit: _Edit, number: int, line: str, total: int) -> bool:
    def at(address: str) -> bool:
        if address == "$":
            return number == total
        return number == int(address) if address.isdigit() else re.search(address[1:-1], line) is not None

    if not edit.first:
        return True
    if not edit.last:
        return at(edit.first)
    if edit.active:
        edit.active = not at(edit.last)
        return True
    if at(edit.first):
        edit.active = not (edit.last.isdigit() and int(edit.last) <= number)
        return True
    return False


_ADDRESS = r"(?:\d+|\$|/(?:[^/\\]|\\.)*/)"


def _parsed(script: str, extended: bool) -> list[_Edit]:
    edits, rest = [], script.strip()
    while rest:
        match = re.match(rf"\s*({_ADDRESS})?(?:,({_ADDRESS}))?\s*([spdq])", rest)
        if match is None:
            raise UsageFailure(f"unsupported command {rest[:20]}")
        edit = _Edit(match.group(1) or "", match.group(2) or "", match.group(3))
        rest = rest[match.end() :]
        if edit.command == "s":
            rest = _substitution(edit, rest, extended)
        rest = re.sub(r"^\s*(;|\n)?\s*", "", rest)
        edits.append(edit)
    return edits


def _substitution(edit: _Edit, rest: str, extended: bool) -> str:
    mark = re.escape(rest[:1])
    match = re.match(rf"{mark}((?:[^\\]|\\.)*?){mark}((?:[^\\]|\\.)*?){mark}([gipI0-9]*)", rest, re.DOTALL)
    if not rest or match is None:
        raise UsageFailure("unmatched '/'")
    pattern, replacement, edit.flags = match.groups()
    pattern = pattern.replace("\\" + rest[0], rest[0])
    edit.pattern = compiled(pattern, extended, flags=re.IGNORECASE if {"i", "I"} & set(edit.flags) else 0)
    text = replacement.replace("\\" + rest[0], rest[0]).replace("\\n", "\n")
    text = re.sub(r"\\(\d)", r"\\g<\1>", re.sub(r"(?<!\\)&", r"\\g<0>", text)).replace("\\&", "&")
    edit.replacement = text
    return rest[match.end() :]

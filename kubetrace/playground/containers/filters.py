"""Programs that choose and change lines: grep, sort, uniq, cut, tr, sed, awk, and those that encode."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.awk import awk
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.filesystem import Directory, FileFailure
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.patterns import basic, classes, compiled
from kubetrace.playground.containers.pipes import Lines, read_all
from kubetrace.playground.containers.sorting import sort
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of

_GREP = {"color": "", "colour": "", "ignore-case": "i", "count": "c", "invert-match": "v", "line-number": "n"}
_GREP |= {"quiet": "q", "recursive": "r", "extended-regexp": "E", "fixed-strings": "F", "word-regexp": "w"}
_GREP |= {"only-matching": "o", "max-count": "m", "after-context": "A", "before-context": "B", "regexp": "e"}


@program
async def _grep(process: Process) -> int:
    flags, names = options(process, "ivncqrRhHEFowlLsxaPI", "eABCmf", _GREP, joined="ef")
    pattern = flags.get("e")
    if "f" in flags:
        listed = text_of(process.files.read(process.path(flags["f"]))).removesuffix("\n")
        pattern = listed if pattern is None else f"{pattern}\n{listed}"
    if pattern is None:
        if not names:
            raise UsageFailure("no pattern")
        pattern, names = names[0], names[1:]
    fixed = "F" in flags or process.name == "fgrep"
    extended = bool({"E", "P"} & set(flags)) or process.name == "egrep"
    bodies = [re.escape(p) if fixed else classes(p) if extended else basic(p) for p in pattern.split("\n")]
    if "w" in flags or "x" in flags or len(bodies) > 1:
        body = "|".join(f"(?:{each})" for each in bodies)
        pattern = rf"(?<!\w)(?:{body})(?!\w)" if "w" in flags else rf"^(?:{body})$" if "x" in flags else body
        extended, fixed = True, False
    expression = compiled(pattern, extended, fixed, re.IGNORECASE if "i" in flags else 0)
    recursive = bool({"r", "R"} & set(flags))
    if recursive:
        names = [path for name in names or ["."] for path in _below(process, name)]
    titled = ("H" in flags or recursive or len(names) > 1) and "h" not in flags
    matched, failed = False, False
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            failed = True
            continue
        found = await _grep_one(process, flags, expression, lines, f"{name}:" if titled else "")
        matched = matched or found > 0
        if "c" in flags:
            await process.say(f"{name + ':' if titled else ''}{found}\n")
        if ("l" in flags and found) or ("L" in flags and not found):
            await process.say(f"{name}\n")
        if matched and "q" in flags:
            return 0
    return 0 if matched else 2 if failed else 1


async def _grep_one(
    process: Process, flags: dict[str, str], expression: re.Pattern[str], lines: Lines, title: str
) -> int:
    found, place = 0, 0
    silent = {"q", "c", "l", "L"} & set(flags)
    most = number(flags["m"]) if "m" in flags else 0
    after = number(flags.get("A", flags.get("C", "0")))
    before = number(flags.get("B", flags.get("C", "0")))
    past: list[str] = []
    following = 0
    async for data in lines:
        place += 1
        text = text_of(data).removesuffix("\n")
        hit = (expression.search(text) is not None) != ("v" in flags)
        mark = f"{place}:" if "n" in flags else ""
        if hit:
            found += 1
            following = after
            if not silent:
                await process.say("".join(past))
                shown = [match.group() for match in expression.finditer(text)] if "o" in flags else [text]
                await process.say("".join(f"{title}{mark}{entry}\n" for entry in shown))
            past = []
            if "q" in flags or (most and found >= most):
                break
        elif following and not silent:
            following -= 1
            await process.say(f"{title}{mark}{text}\n")
        elif before:
            past = [*past, f"{title}{mark}{text}\n"][-before:]
    return found


def _below(process: Process, name: str) -> list[str]:
    start = process.path(name)
    found = []
    try:
        for path, node in process.files.every(start):
            if not isinstance(node, Directory):
                found.append(name + path[len(start) :] if path != start else name)
    except FileFailure:
        return [name]
    return found


def _seen(line: str, flags: dict[str, str]) -> str:
    """What uniq compares of a line."""
    if "f" in flags:
        line = re.sub(rf"^(\s*\S+){{0,{number(flags['f'])}}}", "", line)
    line = line[number(flags.get("s", "0")) :]
    line = line[: number(flags["w"])] if "w" in flags else line
    return line.lower() if "i" in flags else line


@program
async def _uniq(process: Process) -> int:
    flags, names = options(process, "cdui", "fsw")
    previous: str | None = None
    count = 0

    async def flush() -> None:
        if previous is not None and ("d" not in flags or count > 1) and ("u" not in flags or count == 1):
            await process.say(f"{count:7} {previous}\n" if "c" in flags else f"{previous}\n")

    async for _, lines in inputs(process, names[:1]):
        async for data in lines:
            line = text_of(data).removesuffix("\n")
            if previous is None or _seen(line, flags) != _seen(previous, flags):
                await flush()
                previous, count = line, 0
            count += 1
    await flush()
    return 0


def _ranges(text: str) -> Callable[[int], bool]:
    spans = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = number(first) if first else 1
        spans.append((low, (number(last) if last else 1 << 30) if dash else low))
    return lambda place: any(low <= place <= high for low, high in spans)


@program
async def _cut(process: Process) -> int:
    flags, names = options(process, "sn", "dfcbO", {"output-delimiter": "O", "delimiter": "d", "fields": "f"})
    which = flags.get("f") or flags.get("c") or flags.get("b")
    if not which:
        raise UsageFailure("expected a list of bytes, characters, or fields")
    chosen, mark, code = _ranges(which), flags.get("d", "\t"), 0
    async for _, lines in inputs(process, names):
        code = code or int(lines is MISSING)
        async for data in lines:
            line = text_of(data).removesuffix("\n")
            parts = line.split(mark) if "f" in flags else list(line)
            if "f" in flags and mark not in line:
                if "s" not in flags:
                    await process.say(f"{line}\n")
                continue
            kept = [part for place, part in enumerate(parts, 1) if chosen(place)]
            await process.say(flags.get("O", mark if "f" in flags else "").join(kept) + "\n")
    return code


def _set_of(text: str) -> str:
    known = {"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:space:]": " \t\n\r", "[:alpha:]": "A-Za-z"}
    known |= {"[:alnum:]": "A-Za-z0-9", "[:blank:]": " \t", "[:punct:]": "!-/:-@[-`{-~"}
    for name, letters in known.items():
        text = text.replace(name, letters)
    text = unescaped(text)
    return re.sub(
        r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m.group(1)), min(ord(m.group(2)), 0x2FF) + 1))), text
    )


@program
async def _tr(process: Process) -> int:
    flags, sets = options(process, "dscCt")
    flags |= {"c": ""} if "C" in flags else {}
    first = _set_of(sets[0]) if sets else ""
    second = _set_of(sets[1]) if len(sets) > 1 else ""
    text = text_of(await read_all(process.input))
    if "d" in flags:
        text = "".join(char for char in text if (char in first) == ("c" in flags))
    elif second:
        padded = second + second[-1] * max(0, len(first) - len(second))
        if "c" in flags:
            text = "".join(char if char in first else second[-1] for char in text)
        else:
            text = text.translate({ord(a): b for a, b in zip(first, padded, strict=False)})
    if "s" in flags:
        letters = re.escape(second or first)
        text = re.sub(rf"([{letters}])\1+", r"\1", text)
    await process.say(text)
    return 0


@program
async def _sed(process: Process) -> int:
    from kubetrace.playground.containers.sed import Editor, parsed

    words, scripts, names, quiet, extended, place = list(process.arguments), [], [], False, False, None
    while words:
        word = words.pop(0)
        if word in ("--quiet", "--silent"):
            quiet = True
        elif word == "--regexp-extended":
            extended = True
        elif word.startswith(("-i", "--in-place")):
            place = word[2:] if word.startswith("-i") else word.partition("=")[2]
            if word[:2] == "-i" and word[2:] and set(word[2:]) <= set("nrEes"):
                words, place = [f"-{word[2:]}", *words], ""
        elif word.startswith("-") and word not in ("-", "--"):
            for index, letter in enumerate(word[1:], 2):
                quiet, extended = quiet or letter == "n", extended or letter in "rE"
                if letter == "i":
                    place = ""
                if letter in "ef":
                    value = word[index:] or (words.pop(0) if words else "")
                    scripts.append(value if letter == "e" else text_of(process.files.read(process.path(value))))
                    break
                if letter not in "nrEisuz":
                    raise UsageFailure(f"invalid option -- '{letter}'")
        elif word != "--":
            names.append(word)
    if not scripts:
        if not names:
            raise UsageFailure("usage: sed [-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]...")
        scripts.append(names.pop(0))
    script = parsed("\n".join(scripts), extended, quiet)
    code, texts = 0, []
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        texts.append((name, text_of(await read_all(lines))))
    if place is None:
        texts = [("-", "".join(text if text.endswith("\n") else f"{text}\n" for _, text in texts if text))]
    for name, text in texts:
        rows = text.splitlines()
        editor = Editor(script, rows)
        for edit in script.edits:
            if edit.command == "r" and process.files.find(process.path(edit.text)) is not None:
                editor.wanted[edit.text] = text_of(process.files.read(process.path(edit.text)))
        found = editor.run()
        for path, kept in editor.written.items():
            if path == "/dev/stdout":
                found += kept
            else:
                process.files.write(process.path(path), kept.encode("utf-8", "surrogateescape"))
        if place is None:
            await process.say(found)
        else:
            if place:
                process.files.write(process.path(name + place), text.encode("utf-8", "surrogateescape"))
            process.files.write(process.path(name), found.encode("utf-8", "surrogateescape"))
        code = editor.code or code
    return code


@program
async def _base64(process: Process) -> int:
    flags, names = options(process, "di", "w", {"decode": "d", "wrap": "w"})
    code = 0
    async for _, lines in inputs(process, names):
        data = await read_all(lines)
        if "d" in flags:
            try:
                await process.output.write(base64.b64decode(data))
            except ValueError:
                await process.complain("truncated input")
                code = 1
            continue
        width = number(flags.get("w", "76"))
        text = base64.b64encode(data).decode()
        rows = [text[i : i + width] for i in range(0, len(text), width)] if width else [text]
        await process.say("\n".join(rows) + ("\n" if width else ""))
    return code


@program
async def _sum(process: Process) -> int:
    kind = process.name.removesuffix("sum")
    flags, names = options(process, "btcsw", "", {"check": "c", "status": "s", "quiet": "s"})
    code = 0
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        data = await read_all(lines)
        if "c" not in flags:
            await process.say(f"{_digest(kind, data)}  {name}\n")
            continue
        for row in text_of(data).splitlines():
            wanted, _, path = row.partition("  ")
            node = process.files.find(process.path(path))
            good = node is not None and _digest(kind, process.files.read(process.path(path))) == wanted
            code = code or int(not good)
            if "s" not in flags:
                await process.say(f"{path}: {'OK' if good else 'FAILED'}\n")
    return code


def _digest(kind: str, data: bytes) -> str:
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()


PROGRAMS: dict[str, Program] = {
    "awk": awk,
    "gawk": awk,
    "mawk": awk,
    "base64": _base64,
    "cut": _cut,
    "egrep": _grep,
    "fgrep": _grep,
    "grep": _grep,
    "md5sum": _sum,
    "sed": _sed,
    "sha1sum": _sum,
    "sha256sum": _sum,
    "sha512sum": _sum,
    "sort": sort,
    "tr": _tr,
    "uniq": _uniq,
}

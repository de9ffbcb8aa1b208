"""Programs that choose and change lines: grep, sort, uniq, cut, tr, sed, awk, and those that encode."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.escapes import unescaped
from kubetrace.playground.containers.filesystem import Directory, FileFailure
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.patterns import basic, classes, compiled
from kubetrace.playground.containers.pipes import Lines, read_all
from kubetrace.playground.containers.text_programs import MISSING, inputs, program, text_of


@program
async def _grep(process: Process) -> int:
    flags, names = options(process, "ivncqrRhHEFowlLsxaP", "eABCm", {"color": "", "colour": ""})
    pattern = flags.get("e")
    if pattern is None:
        if not names:
            raise UsageFailure("no pattern")
        pattern, names = names[0], names[1:]
    fixed = "F" in flags or process.name == "fgrep"
    extended = bool({"E", "P"} & set(flags)) or process.name == "egrep"
    if "w" in flags or "x" in flags:
        body = re.escape(pattern) if fixed else classes(pattern) if extended else basic(pattern)
        pattern, extended, fixed = rf"\b(?:{body})\b" if "w" in flags else rf"^(?:{body})$", True, False
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
        if "l" in flags and found:
            await process.say(f"{name}\n")
        if matched and "q" in flags:
            return 0
    return 0 if matched else 2 if failed else 1


async def _grep_one(
    process: Process, flags: dict[str, str], expression: re.Pattern[str], lines: Lines, title: str
) -> int:
    found, place = 0, 0
    silent = {"q", "c", "l"} & set(flags)
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


@program
async def _sort(process: Process) -> int:
    flags, names = options(process, "rnufbhV", "kto")
    rows: list[str] = []
    async for _, lines in inputs(process, names):
        rows += text_of(await read_all(lines)).splitlines()
    column = flags.get("k", "").partition(",")[0].partition(".")[0]
    place = number(re.sub(r"[a-zA-Z]+$", "", column)) - 1 if column else -1
    numeric = "n" in flags or column.endswith("n") or "h" in flags

    def key(row: str) -> tuple[float, str]:
        text = row
        if place >= 0:
            parts = row.split(flags["t"]) if flags.get("t") else row.split()
            text = parts[place] if place < len(parts) else ""
        if numeric:
            match = re.match(r"\s*-?\d+(\.\d+)?", text)
            return (float(match.group()) if match else 0.0, row)
        return (0.0, text.lower() if "f" in flags else text)

    rows.sort(key=key, reverse="r" in flags)
    if "u" in flags:
        rows = list(dict.fromkeys(rows))
    await process.say("".join(f"{row}\n" for row in rows))
    return 0


@program
async def _uniq(process: Process) -> int:
    flags, names = options(process, "cdui")
    previous: str | None = None
    count = 0

    async def flush() -> None:
        if previous is not None and ("d" not in flags or count > 1) and ("u" not in flags or count == 1):
            await process.say(f"{count:7} {previous}\n" if "c" in flags else f"{previous}\n")

    async for _, lines in inputs(process, names[:1]):
        async for data in lines:
            line = text_of(data).removesuffix("\n")
            if line != previous:
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
    flags, names = options(process, "s", "dfcb")
    which = flags.get("f") or flags.get("c") or flags.get("b")
    if not which:
        raise UsageFailure("expected a list of bytes, characters, or fields")
    chosen, mark = _ranges(which), flags.get("d", "\t")
    async for _, lines in inputs(process, names):
        async for data in lines:
            line = text_of(data).removesuffix("\n")
            parts = line.split(mark) if "f" in flags else list(line)
            if "f" in flags and mark not in line:
                if "s" not in flags:
                    await process.say(f"{line}\n")
                continue
            kept = [part for place, part in enumerate(parts, 1) if chosen(place)]
            await process.say((mark if "f" in flags else "").join(kept) + "\n")
    return 0


def _set_of(text: str) -> str:
    known = {"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:digit:]": "0-9", "[:space:]": " \t\n\r", "[:alpha:]": "A-Za-z"}
    for name, letters in known.items():
        text = text.replace(name, letters)
    text = unescaped(text)
    return re.sub(
        r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m.group(1)), min(ord(m.group(2)), 0x2FF) + 1))), text
    )


@program
async def _tr(process: Process) -> int:
    flags, sets = options(process, "dsc")
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
    from kubetrace.playground.containers.sed import edited

    flags, names = options(process, "nirE", "e", {"in-place": "i", "expression": "e"})
    script = flags.get("e")
    if script is None:
        if not names:
            raise UsageFailure("no script")
        script, names = names[0], names[1:]
    extended = bool({"E", "r"} & set(flags))
    code = 0
    async for name, lines in inputs(process, names):
        if lines is MISSING:
            code = 1
            continue
        text = edited(script, text_of(await read_all(lines)), quiet="n" in flags, extended=extended)
        if "i" in flags and name != "-":
            process.files.write(process.path(name), text.encode("utf-8", "surrogateescape"))
        else:
            await process.say(text)
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
    _, names = options(process, "bt")
    async for name, lines in inputs(process, names):
        if lines is not MISSING:
            digest = hashlib.new(kind, await read_all(lines), usedforsecurity=False).hexdigest()
            await process.say(f"{digest}  {name}\n")
    return 0


@program
async def _awk(process: Process) -> int:
    """Only '{print $N, …}', with -F and a /pattern/ before it: the awk of everyday pipelines."""
    flags, names = options(process, "", "Fv")
    source = names[0] if names else ""
    match = re.fullmatch(r"\s*(?:/((?:[^/\\]|\\.)*)/)?\s*(?:\{\s*print\s*([^}]*)\})?\s*", source)
    if match is None or not source.strip():
        raise UsageFailure("only '/pattern/ {print $1, \"text\", $2}' is simulated")
    pattern = compiled(match.group(1), extended=True) if match.group(1) is not None else None
    wanted = match.group(2)
    async for _, lines in inputs(process, names[1:]):
        count = 0
        async for data in lines:
            count += 1
            line = text_of(data).removesuffix("\n")
            if pattern is not None and not pattern.search(line):
                continue
            parts = line.split(flags["F"]) if flags.get("F") else line.split()
            await process.say(_printed(wanted or "", line, parts, count) + "\n")
    return 0


def _printed(wanted: str, line: str, parts: list[str], count: int) -> str:
    if not wanted.strip():
        return line

    def value(token: str) -> str:
        token = token.strip()
        if token.startswith('"'):
            return unescaped(token[1:-1])
        if token == "NR":
            return str(count)
        if token == "NF":
            return str(len(parts))
        place = len(parts) if token == "$NF" else int(token[1:]) if re.fullmatch(r"\$\d+", token) else -1
        return line if place == 0 else parts[place - 1] if 0 < place <= len(parts) else ""

    found = []
    for group in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', wanted):
        found.append("".join(value(token) for token in re.findall(r'"(?:[^"\\]|\\.)*"|\$?\w+', group)))
    return " ".join(found)


PROGRAMS: dict[str, Program] = {
    "awk": _awk,
    "base64": _base64,
    "cut": _cut,
    "egrep": _grep,
    "fgrep": _grep,
    "grep": _grep,
    "md5sum": _sum,
    "sed": _sed,
    "sha1sum": _sum,
    "sha256sum": _sum,
    "sort": _sort,
    "tr": _tr,
    "uniq": _uniq,
}

"""Programs that read and write text: cat, grep, head, sort, sed and the like."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from functools import wraps

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.filesystem import Directory, FileFailure
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import Bytes, Lines, read_all

_FOLLOW_SECONDS = 0.3


def program(function: Program) -> Program:
    """Turns a wrong option into the line and the exit code that a program gives."""

    @wraps(function)
    async def checked(process: Process) -> int:
        try:
            return await function(process)
        except UsageFailure as failure:
            await process.complain(str(failure))
            return 1

    return checked


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


async def _inputs(process: Process, names: list[str]) -> AsyncIterator[tuple[str, Lines]]:
    """(name, lines) of each file, of stdin for none and "-"; what can't be read is told."""
    for name in names or ["-"]:
        if name == "-" or process.path(name) == "/dev/stdin":
            yield name, process.input
            continue
        if process.path(name) == "/dev/null":
            continue
        try:
            yield name, Lines(Bytes(process.files.read(process.path(name))))
        except FileFailure as failure:
            told = f"{name}: {failure}"
            if process.name in ("head", "tail"):
                told = f"cannot open '{name}' for reading: {failure}"
            if process.name == "sort":
                told = f"cannot read: {name}: {failure}"
            if process.name == "sed":
                told = f"can't read {name}: {failure}"
            await process.complain(told)
            yield name, _MISSING


_MISSING = Lines(Bytes())


@program
async def _cat(process: Process) -> int:
    flags, names = options(process, "nbAetTuv")
    code, count = 0, 0
    async for _, lines in _inputs(process, names):
        if lines is _MISSING:
            code = 1
            continue
        if "n" not in flags:
            while data := await lines.read():
                await process.output.write(data)
            continue
        async for line in lines:
            count += 1
            await process.output.write(f"{count:6}\t".encode() + line)
    return code


async def _echo(process: Process) -> int:
    words, end, escapes = process.arguments, "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        escapes = escapes or "e" in words[0]
        words = words[1:]
    text = " ".join(words)
    if escapes:
        text, _, cut = _unescaped(text).partition("\x00c")
        end = "" if cut else end
    await process.say(text + end)
    return 0


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "e": "\x1b"}


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        found = match.group(1)
        if found == "c":
            return "\x00c"
        if found[0] == "x":
            return chr(int(found[1:], 16))
        if found[0].isdigit():
            return chr(int(found, 8) & 255)
        return _ESCAPES.get(found, "\\" + found)

    return re.sub(r"\\(x[0-9a-fA-F]{1,2}|0?[0-7]{1,3}|.)", one, text)


async def _printf(process: Process) -> int:
    if not process.arguments:
        await process.complain("not enough arguments")
        return 2
    form, values = _unescaped(process.arguments[0]), process.arguments[1:]
    code, out, before = 0, "", -1
    while before == -1 or (values and len(values) != before):
        before = len(values)
        for match in re.finditer(r"%([-+ 0#]*)(\d*)(\.\d+)?([sdiuxXocbfegq%])|[^%]+|%", form):
            if match.group(4) in (None, "%"):
                out += "%" if match.group(4) else match.group()
                continue
            try:
                out += _formatted(match, values.pop(0) if values else "")
            except ValueError:
                code = 1
    await process.say(out.partition("\x00c")[0])
    return code


def _formatted(match: re.Match[str], value: str) -> str:
    """Raises ValueError where the value is no number and should be."""
    kind = match.group(4)
    start = "%" + match.group(1) + match.group(2)[:6] + (match.group(3) or "")[:6]
    if kind in "sbq":
        return (start + "s") % (_unescaped(value) if kind == "b" else value)
    if kind == "c":
        return value[:1]
    plain = float(value or 0) if kind in "feg" else int(value or "0", 0)
    return str((start + ("d" if kind in "iu" else kind)) % plain)


@program
async def _head(process: Process) -> int:
    process.words = [re.sub(r"^-(\d+)$", r"-n\1", word) for word in process.words]
    flags, names = options(process, "qv", "nc")
    count = number(flags.get("n", flags.get("c", "10")))
    code = 0
    async for name, lines in _inputs(process, names):
        if lines is _MISSING:
            code = 1
            continue
        if len(names) > 1 and "q" not in flags:
            await process.say(f"==> {name} <==\n")
        left = count
        while left > 0:
            data = await (lines.read(left) if "c" in flags else lines.line())
            if not data:
                break
            left -= len(data) if "c" in flags else 1
            await process.output.write(data)
    return code


@program
async def _tail(process: Process) -> int:
    process.words = [re.sub(r"^-(\d+)$", r"-n\1", word) for word in process.words]
    flags, names = options(process, "fFqv", "ncs")
    if ("f" in flags or "F" in flags) and [process.path(name) for name in names] == ["/dev/null"]:
        await asyncio.Event().wait()
    text = flags.get("n", flags.get("c", "10"))
    count, code = number(text.lstrip("+-")), 0
    async for name, lines in _inputs(process, names):
        if lines is _MISSING:
            code = 1
            continue
        if len(names) > 1 and "q" not in flags:
            await process.say(f"==> {name} <==\n")
        if text.startswith("+") and "c" in flags:
            skip = max(0, count - 1)
            while skip and (data := await lines.read(skip)):
                skip -= len(data)
            while data := await lines.read():
                await process.output.write(data)
            continue
        data = await read_all(lines)
        await process.output.write(_end_of(data, text, count, bytes_wanted="c" in flags))
    if "f" in flags or "F" in flags:
        await _follow(process, names)
    return code


def _end_of(data: bytes, text: str, count: int, bytes_wanted: bool) -> bytes:
    if bytes_wanted:
        return data[-count:] if count else b""
    lines = data.splitlines(keepends=True)
    if text.startswith("+"):
        return b"".join(lines[max(0, count - 1) :])
    return b"".join(lines[-count:]) if count else b""


async def _follow(process: Process, names: list[str]) -> None:
    sizes = {}
    for name in names:
        with contextlib.suppress(FileFailure):
            sizes[name] = len(process.files.read(process.path(name)))
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        for name in names:
            try:
                data = process.files.read(process.path(name))
            except FileFailure:
                continue
            if len(data) > sizes.get(name, 0):
                await process.output.write(data[sizes.get(name, 0) :])
            sizes[name] = len(data)


def _basic(pattern: str) -> str:
    """A basic regular expression as Python writes it."""
    swapped = re.sub(r"\\([(){}|+?])|([(){}|+?])", lambda match: match.group(1) or "\\" + match.group(2), pattern)
    return _classes(swapped)


def _classes(pattern: str) -> str:
    known = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "space": r"\s", "upper": "A-Z", "lower": "a-z"}
    return re.sub(r"\[:(\w+):\]", lambda match: known.get(match.group(1), match.group(1)), pattern)


def _compiled(pattern: str, extended: bool, fixed: bool = False, flags: int = 0) -> re.Pattern[str]:
    source = re.escape(pattern) if fixed else _classes(pattern) if extended else _basic(pattern)
    try:
        return re.compile(source, flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageFailure(f"bad regex '{pattern}': {error}") from None


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
        body = re.escape(pattern) if fixed else _classes(pattern) if extended else _basic(pattern)
        pattern, extended, fixed = rf"\b(?:{body})\b" if "w" in flags else rf"^(?:{body})$", True, False
    expression = _compiled(pattern, extended, fixed, re.IGNORECASE if "i" in flags else 0)
    recursive = bool({"r", "R"} & set(flags))
    if recursive:
        names = [path for name in names or ["."] for path in _below(process, name)]
    titled = ("H" in flags or recursive or len(names) > 1) and "h" not in flags
    matched, failed = False, False
    async for name, lines in _inputs(process, names):
        if lines is _MISSING:
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
async def _wc(process: Process) -> int:
    flags, names = options(process, "lwcmL")
    wanted = [letter for letter in "lwcm" if letter in flags] or ["l", "w", "c"]
    totals, code = [0] * len(wanted), 0
    async for name, lines in _inputs(process, names):
        if lines is _MISSING:
            code = 1
            continue
        data = await read_all(lines)
        counts = {"l": data.count(b"\n"), "w": len(data.split()), "c": len(data), "m": len(text_of(data))}
        row = [counts[letter] for letter in wanted]
        totals = [a + b for a, b in zip(totals, row, strict=True)]
        await process.say(_counts(row, name if names else "", len(wanted) > 1 or bool(names)))
    if len(names) > 1:
        await process.say(_counts(totals, "total", aligned=True))
    return code


def _counts(row: list[int], name: str, aligned: bool) -> str:
    if len(row) == 1 and not name:
        return f"{row[0]}\n"
    width = 9 if len(row) > 1 else 0
    text = " ".join(f"{count:{width}}" for count in row) if width else str(row[0])
    return f"{text} {name}\n" if name else f"{text}\n"


@program
async def _sort(process: Process) -> int:
    flags, names = options(process, "rnufbhV", "kto")
    rows: list[str] = []
    async for _, lines in _inputs(process, names):
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

    async for _, lines in _inputs(process, names[:1]):
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
    async for _, lines in _inputs(process, names):
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
    text = _unescaped(text)
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
async def _tee(process: Process) -> int:
    flags, names = options(process, "ai")
    for name in names:
        if "a" not in flags:
            process.files.write(process.path(name), b"")
    while data := await process.input.read():
        await process.output.write(data)
        for name in names:
            process.files.write(process.path(name), data, append=True)
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
    async for name, lines in _inputs(process, names):
        if lines is _MISSING:
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
    async for _, lines in _inputs(process, names):
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
    async for name, lines in _inputs(process, names):
        if lines is not _MISSING:
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
    pattern = _compiled(match.group(1), extended=True) if match.group(1) is not None else None
    wanted = match.group(2)
    async for _, lines in _inputs(process, names[1:]):
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
            return _unescaped(token[1:-1])
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


@program
async def _rev(process: Process) -> int:
    async for data in process.input:
        await process.say(text_of(data).removesuffix("\n")[::-1] + "\n")
    return 0


@program
async def _tac(process: Process) -> int:
    async for _, lines in _inputs(process, process.arguments):
        rows = text_of(await read_all(lines)).splitlines()
        await process.say("".join(f"{row}\n" for row in reversed(rows)))
    return 0


async def _yes(process: Process) -> int:
    text = (" ".join(process.arguments) or "y") + "\n"
    while True:
        await process.machine.pace()
        await process.say(text * 100)


PROGRAMS: dict[str, Program] = {
    "awk": _awk,
    "base64": _base64,
    "cat": _cat,
    "cut": _cut,
    "echo": _echo,
    "egrep": _grep,
    "fgrep": _grep,
    "grep": _grep,
    "head": _head,
    "less": _cat,
    "md5sum": _sum,
    "more": _cat,
    "printf": _printf,
    "rev": _rev,
    "sed": _sed,
    "sha1sum": _sum,
    "sha256sum": _sum,
    "sort": _sort,
    "tac": _tac,
    "tail": _tail,
    "tee": _tee,
    "tr": _tr,
    "uniq": _uniq,
    "wc": _wc,
    "yes": _yes,
}

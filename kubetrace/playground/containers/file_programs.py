"""Programs that look at files and change them: ls, mkdir, rm, cp, mv, find and the like."""

from __future__ import annotations

import errno
import fnmatch
import time
from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure, number, options
from kubetrace.playground.containers.filesystem import LIMIT, Directory, File, FileFailure, Link, Node
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.text_programs import program


def _kind(node: Node) -> str:
    return "d" if isinstance(node, Directory) else "l" if isinstance(node, Link) else "-"


def _permissions(node: Node) -> str:
    letters = "".join(letter if node.mode >> (8 - i) & 1 else "-" for i, letter in enumerate("rwxrwxrwx"))
    return _kind(node) + letters


def _length(node: Node) -> int:
    if isinstance(node, File):
        return len(node.data)
    return len(node.target) if isinstance(node, Link) else 4096


def _row(name: str, node: Node) -> str:
    date = time.strftime("%b %e %H:%M", time.gmtime(node.mtime))
    links = 2 if isinstance(node, Directory) else 1
    arrow = f" -> {node.target}" if isinstance(node, Link) else ""
    return f"{_permissions(node)} {links:4} root     root     {_length(node):9} {date} {name}{arrow}\n"


@program
async def _ls(process: Process) -> int:
    flags, names = options(process, "laA1dhRtrSFins", "", {"all": "a", "color": "1"})
    code, plain, folders = 0, [], []
    for name in names or ["."]:
        path = process.path(name)
        node = process.files.find(path, follow=not ({"l", "d"} & set(flags)) or name.endswith("/"))
        if node is None:
            await process.complain(f"cannot access '{name}': No such file or directory")
            code = 2
        elif isinstance(node, Directory) and "d" not in flags:
            folders.append((name, path))
        else:
            plain.append((name, node))
    await process.say("".join(_listed(flags, name, node) for name, node in plain))
    for index, (name, path) in enumerate(folders):
        if len(folders) + len(plain) > 1 or "R" in flags:
            await process.say(f"{chr(10) if index or plain else ''}{name}:\n")
        await _folder(process, flags, name, path)
    return code


def _listed(flags: dict[str, str], name: str, node: Node) -> str:
    if "l" in flags:
        return _row(name, node)
    mark = "/" if "F" in flags and isinstance(node, Directory) else ""
    return f"{name}{mark}\n"


async def _folder(process: Process, flags: dict[str, str], name: str, path: str) -> None:
    node = process.files.get(path)
    assert isinstance(node, Directory)
    entries = sorted(node.entries.items())
    if "t" in flags:
        entries.sort(key=lambda pair: -pair[1].mtime)
    if "S" in flags:
        entries.sort(key=lambda pair: -_length(pair[1]))
    if "r" in flags:
        entries.reverse()
    shown = [pair for pair in entries if not pair[0].startswith(".") or {"a", "A"} & set(flags)]
    if "a" in flags:
        shown = [(".", node), ("..", node), *shown]
    if "l" in flags:
        await process.say(f"total {4 * len(shown)}\n")
    await process.say("".join(_listed(flags, entry, inner) for entry, inner in shown))
    if "R" in flags:
        for entry, inner in entries:
            if isinstance(inner, Directory):
                await process.say(f"\n{name.rstrip('/')}/{entry}:\n")
                await _folder(process, flags, f"{name.rstrip('/')}/{entry}", f"{path.rstrip('/')}/{entry}")


async def _each(process: Process, names: list[str], act: Callable[[str], object], complaint: str) -> int:
    """Acts on each path; what fails is told, with its name in the complaint, and the exit code is 1."""
    code = 0
    for name in names:
        try:
            act(process.path(name))
        except FileFailure as failure:
            await process.complain(f"{complaint.format(name)}: {failure}")
            code = 1
    return code


@program
async def _mkdir(process: Process) -> int:
    flags, names = options(process, "pv", "m")
    parents = "p" in flags
    return await _each(
        process, names, lambda path: process.files.make_folder(path, parents), "cannot create directory '{}'"
    )


@program
async def _rm(process: Process) -> int:
    flags, names = options(process, "rRfiv")
    code = 0
    for name in names:
        path = process.path(name)
        try:
            if path == "/":
                raise UsageFailure("refusing to remove '/'")
            process.files.remove(path, recursive=bool({"r", "R"} & set(flags)))
        except FileFailure as failure:
            if "f" in flags and str(failure) == "No such file or directory":
                continue
            await process.complain(f"cannot remove '{name}': {failure}")
            code = 1
    return code


@program
async def _rmdir(process: Process) -> int:
    _, names = options(process, "p")
    return await _each(process, names, process.files.remove_folder, "'{}'")


@program
async def _touch(process: Process) -> int:
    _, names = options(process, "acm", "dtr")
    return await _each(process, names, process.files.touch, "cannot touch '{}'")


def _inside(process: Process, target: str, source: str) -> str:
    """Where something goes that is copied, moved or linked to a target: into it, if it is a folder."""
    if isinstance(process.files.find(target), Directory):
        return f"{target.rstrip('/')}/{source.rpartition('/')[2]}"
    return target


def _copy(process: Process, source: str, target: str) -> None:
    for path, node in list(process.files.every(source)):
        place = target + path[len(source) :]
        if isinstance(node, Directory):
            process.files.make_folder(place, parents=True)
        elif isinstance(node, Link):
            process.files.link(place, node.target)
        elif isinstance(node, File):
            process.files.write(place, bytes(node.data), mode=node.mode)


@program
async def _cp(process: Process) -> int:
    flags, names = options(process, "rRafpdvuLT")
    if len(names) < 2:
        raise UsageFailure("missing file operand")
    code = 0
    for name in names[:-1]:
        source = process.path(name)
        target = _inside(process, process.path(names[-1]), source)
        node = process.files.find(source)
        if node is None:
            await process.complain(f"cannot stat '{name}': No such file or directory")
            code = 1
        elif isinstance(node, Directory) and not {"r", "R", "a"} & set(flags):
            await process.complain(f"-r not specified; omitting directory '{name}'")
            code = 1
        elif isinstance(node, File):
            process.files.write(target, bytes(node.data), mode=node.mode)
        else:
            _copy(process, source, target)
    return code


@program
async def _mv(process: Process) -> int:
    _, names = options(process, "fivn")
    if len(names) < 2:
        raise UsageFailure("missing file operand")
    code = 0
    for name in names[:-1]:
        source = process.path(name)
        target = _inside(process, process.path(names[-1]), source)
        try:
            process.files.move(source, target)
        except FileFailure as failure:
            await process.complain(f"cannot move '{name}': {failure}")
            code = 1
    return code


@program
async def _ln(process: Process) -> int:
    flags, names = options(process, "sfnv")
    if not names:
        raise UsageFailure("missing file operand")
    target = names[0]
    path = _inside(process, process.path(names[1] if len(names) > 1 else target.rpartition("/")[2]), target)
    if "f" in flags and process.files.find(path, follow=False) is not None:
        process.files.remove(path)
    if "s" not in flags:
        process.files.write(path, process.files.read(process.path(target)))
        return 0
    process.files.link(path, target)
    return 0


@program
async def _chmod(process: Process) -> int:
    process.words = [process.words[0], *_protected(process.arguments)]
    _, names = options(process, "Rv")
    if len(names) < 2:
        raise UsageFailure("missing operand")
    mode = names[0].removeprefix("=")
    for name in names[1:]:
        node = process.files.get(process.path(name))
        if mode.isdigit():
            node.mode = int(mode, 8) & 0o7777
        elif "x" in mode:
            node.mode = node.mode & ~0o111 if "-" in mode else node.mode | 0o111
    return 0


def _protected(words: list[str]) -> list[str]:
    """A mode such as -x is no option."""
    return [f"={word}" if word in ("-x", "-w", "-r", "-rwx") else word for word in words]


async def _chown(process: Process) -> int:
    for name in [word for word in process.arguments if not word.startswith("-")][1:]:
        process.files.get(process.path(name))
    return 0


@program
async def _find(process: Process) -> int:
    words, places = list(process.arguments), []
    while words and not words[0].startswith(("-", "!", "(")):
        places.append(words.pop(0))
    name, kind, deepest, insensitive = None, "", 1 << 30, False
    while words:
        word = words.pop(0)
        if word in ("-name", "-iname") and words:
            name, insensitive = words.pop(0), word == "-iname"
        elif word == "-type" and words:
            kind = words.pop(0)
        elif word == "-maxdepth" and words:
            deepest = number(words.pop(0))
        elif word not in ("-print",):
            raise UsageFailure(f"unrecognized: {word}")
    code = 0
    for place in places or ["."]:
        start = process.path(place)
        try:
            for path, node in process.files.every(start):
                shown = place.rstrip("/") + path[len(start.rstrip("/")) :] if path != start else place
                depth = path[len(start.rstrip("/")) :].count("/")
                last = path.rpartition("/")[2]
                match = name is None or fnmatch.fnmatchcase(
                    last.lower() if insensitive else last, name.lower() if insensitive else name
                )
                if match and depth <= deepest and (not kind or _kind(node) == {"f": "-"}.get(kind, kind)):
                    await process.say(f"{shown}\n")
        except FileFailure as failure:
            await process.complain(f"{place}: {failure}")
            code = 1
    return code


@program
async def _stat(process: Process) -> int:
    flags, names = options(process, "L", "c")
    for name in names:
        node = process.files.get(process.path(name), follow="L" in flags)
        if "c" in flags:
            values = {"%s": str(_length(node)), "%n": name, "%a": f"{node.mode:o}", "%U": "root", "%G": "root"}
            text = flags["c"]
            for mark, value in values.items():
                text = text.replace(mark, value)
            await process.say(f"{text}\n")
            continue
        kind = {"d": "directory", "l": "symbolic link"}.get(_kind(node), "regular file")
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(node.mtime))
        await process.say(f"  File: {name}\n  Size: {_length(node)}\t{kind}\n")
        await process.say(f"Access: ({node.mode:04o}/{_permissions(node)})  Uid: (    0/    root)\nModify: {when}\n")
    return 0


@program
async def _readlink(process: Process) -> int:
    flags, names = options(process, "fn")
    for name in names:
        node = process.files.find(process.path(name), follow=False)
        if isinstance(node, Link):
            await process.say(f"{node.target}\n")
        elif "f" in flags:
            await process.say(f"{process.path(name)}\n")
        else:
            return 1
    return 0


@program
async def _du(process: Process) -> int:
    _, names = options(process, "shakm", "d")
    for name in names or ["."]:
        total = sum(_length(node) for _, node in process.files.every(process.path(name)))
        await process.say(f"{max(1, total // 1024)}\t{name}\n")
    return 0


@program
async def _df(process: Process) -> int:
    options(process, "hkTP")
    await process.say("Filesystem           1K-blocks      Used Available Use% Mounted on\n")
    await process.say("simulated              104857600   1048576 103809024   1% /\n")
    return 0


async def _basename(process: Process) -> int:
    words = process.arguments
    name = words[0].rstrip("/").rpartition("/")[2] if words else ""
    await process.say(f"{name.removesuffix(words[1]) if len(words) > 1 else name}\n")
    return 0


async def _dirname(process: Process) -> int:
    for word in process.arguments:
        place = word.rstrip("/").rpartition("/")
        await process.say(f"{place[0] or ('/' if word.startswith('/') else '.')}\n")
    return 0


@program
async def _mktemp(process: Process) -> int:
    from kubetrace.playground.objects import random_suffix

    flags, names = options(process, "dqut", "p")
    name = names[0] if names else "/tmp/tmp.XXXXXX"
    path = process.path(name.replace("XXXXXX", random_suffix(6)))
    if "d" in flags:
        process.files.make_folder(path)
    else:
        process.files.write(path, b"")
    await process.say(f"{path}\n")
    return 0


async def _dd(process: Process) -> int:
    """if=, of=, bs= and count= only."""
    values = dict(word.partition("=")[::2] for word in process.arguments)
    units = {"k": 1024, "K": 1024, "M": 1024 * 1024, "G": 1024**3}

    def size(text: str) -> int:
        return int(text[:-1]) * units[text[-1]] if text[-1:] in units else int(text)

    try:
        wanted = size(values.get("bs", "512")) * int(values.get("count", "1"))
    except ValueError:
        await process.complain("invalid number")
        return 1
    if wanted > LIMIT:
        raise FileFailure(errno.ENOSPC)
    source = values.get("if", "")
    data = (
        bytes(wanted)
        if source in ("/dev/zero", "/dev/urandom", "/dev/random", "")
        else process.files.read(process.path(source))[:wanted]
    )
    if values.get("of"):
        process.files.write(process.path(values["of"]), data)
    else:
        await process.output.write(data)
    await process.error.write(f"{len(data)} bytes copied\n".encode())
    return 0


PROGRAMS: dict[str, Program] = {
    "basename": _basename,
    "chgrp": _chown,
    "chmod": _chmod,
    "chown": _chown,
    "cp": _cp,
    "dd": _dd,
    "df": _df,
    "dirname": _dirname,
    "du": _du,
    "find": _find,
    "ln": _ln,
    "ls": _ls,
    "mkdir": _mkdir,
    "mktemp": _mktemp,
    "mv": _mv,
    "readlink": _readlink,
    "rm": _rm,
    "rmdir": _rmdir,
    "stat": _stat,
    "touch": _touch,
}

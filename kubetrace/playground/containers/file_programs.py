"""Programs that look at files and change them: ls, mkdir, rm, cp, mv, find and the like."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable

from kubetrace.playground.containers.arguments import UsageFailure, amount, options
from kubetrace.playground.containers.filesystem import LIMIT, Directory, File, FileFailure, Link, Node
from kubetrace.playground.containers.finding import find
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import ENDLESS
from kubetrace.playground.containers.text_programs import program

_UNITS = {"c": 1, "w": 2, "b": 512, "k": 1024, "K": 1024, "M": 1024**2, "G": 1024**3}


def _kind(node: Node) -> str:
    return "d" if isinstance(node, Directory) else "l" if isinstance(node, Link) else "-"


def permissions(node: Node) -> str:
    """-rwxr-xr-x, with s and t where they are set."""
    letters = [letter if node.mode >> (8 - i) & 1 else "-" for i, letter in enumerate("rwxrwxrwx")]
    for bit, place, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
        if node.mode & bit:
            letters[place] = letter if letters[place] == "x" else letter.upper()
    return _kind(node) + "".join(letters)


def length(node: Node) -> int:
    if isinstance(node, File):
        return len(node.data)
    return len(node.target) if isinstance(node, Link) else 4096


def inode(node: Node) -> int:
    return id(node) // 16 % 10_000_000


def _row(name: str, node: Node, readable: bool = False) -> str:
    old = time.time() - node.mtime > 180 * 86400
    date = time.strftime("%b %e  %Y" if old else "%b %e %H:%M", time.gmtime(node.mtime))
    links = 2 if isinstance(node, Directory) else node.links
    arrow = f" -> {node.target}" if isinstance(node, Link) else ""
    owner, group = ("root" if number == 0 else str(number) for number in (node.uid, node.gid))
    size = human(length(node)) if readable else str(length(node))
    return f"{permissions(node)} {links:4} {owner:8} {group:8} {size:>9} {date} {name}{arrow}\n"


def human(size: float) -> str:
    """1.5K, 2.0M."""
    for unit in ("", "K", "M", "G"):
        if size < 1024 or unit == "G":
            return f"{size:.1f}{unit}" if unit else str(int(size))
        size /= 1024
    return ""


@program
async def _ls(process: Process) -> int:
    flags, names = options(process, "laA1dhRtrSFinspCcgLHXv", "wT", {"all": "a", "color": "1"})
    code, plain, folders = 0, [], []
    for name in names or ["."]:
        path = process.path(name)
        node = process.files.find(path, follow=not ({"l", "d"} & set(flags)) or name.endswith("/"))
        if node is None:
            small = process.machine.minimal
            await process.complain(f"{name if small else f'cannot access {name!r}'}: No such file or directory")
            code = 1 if small else 2
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
        return _row(name, node, "h" in flags)
    mark = "/" if {"F", "p"} & set(flags) and isinstance(node, Directory) else ""
    if "F" in flags and not mark:
        mark = "@" if isinstance(node, Link) else "*" if node.mode & 0o111 else ""
    if "i" in flags:
        return f"{inode(node):7} {name}{mark}\n"
    return f"{name}{mark}\n"


async def _folder(process: Process, flags: dict[str, str], name: str, path: str) -> None:
    node = process.files.get(path)
    assert isinstance(node, Directory)
    entries = sorted(node.entries.items())
    if "t" in flags:
        entries.sort(key=lambda pair: -pair[1].mtime)
    if "S" in flags:
        entries.sort(key=lambda pair: -length(pair[1]))
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


async def each(process: Process, names: list[str], act: Callable[[str], object], complaint: str = "{}") -> int:
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
    return await each(
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
    return await each(process, names, process.files.remove_folder, "'{}'")


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
    flags, names = options(process, "rRafpdvuLTPiHn")
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
    target = process.path(names[-1])

    def move(source: str) -> None:
        process.files.move(source, _inside(process, target, source))

    return await each(process, names[:-1], move, "cannot move '{}'")


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
        process.files.hard_link(path, process.path(target))
        return 0
    process.files.link(path, target)
    return 0


@program
async def _readlink(process: Process) -> int:
    flags, names = options(process, "fnemsq")
    code = 0
    for name in names:
        node = process.files.find(process.path(name), follow=False)
        if "f" in flags or "e" in flags or process.name == "realpath":
            path = process.files.real_path(process.path(name))
            if process.files.find(path.rpartition("/")[0] or "/") is None or (
                process.name == "realpath" and process.files.find(path) is None
            ):
                if process.name == "realpath":
                    await process.complain(f"{name}: No such file or directory")
                code = 1
                continue
            await process.say(f"{path}\n")
        elif isinstance(node, Link):
            await process.say(f"{node.target}\n")
        else:
            code = 1
    return code


@program
async def _du(process: Process) -> int:
    flags, names = options(process, "shakmcx", "d")
    for name in names or ["."]:
        start = process.path(name)
        for path, node in reversed(list(process.files.every(start))):
            shown = path == start or ("s" not in flags and (isinstance(node, Directory) or "a" in flags))
            if shown:
                total = sum(4096 * -(-length(inner) // 4096) for _, inner in process.files.every(path))
                size = human(total) if "h" in flags else str(total // (1024 * 1024 if "m" in flags else 1024))
                await process.say(
                    f"{size}\t{name if path == start else name.rstrip('/') + path[len(start.rstrip('/')) :]}\n"
                )
    return 0


@program
async def _df(process: Process) -> int:
    flags, names = options(process, "hkmTPai")
    size = "Size" if "h" in flags else "1K-blocks"
    rows = [("overlay", "/")] + [("/dev/vda1", path) for path in sorted(process.files.mounts)]
    wanted = {process.path(name) for name in names}
    cells = ("100.0G", "1.0G", "99.0G") if "h" in flags else ("104857600", "1048576", "103809024")
    await process.say(f"Filesystem           {size:>9}      Used Available Use% Mounted on\n")
    for source, place in rows:
        if not wanted or place in wanted or (place == "/" and not wanted & set(process.files.mounts)):
            await process.say(f"{source:20} {cells[0]:>9} {cells[1]:>9} {cells[2]:>9}   1% {place}\n")
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
    if flags.get("p"):
        path = f"{process.path(flags['p'])}/{path.rpartition('/')[2]}"
    if "d" in flags:
        process.files.make_folder(path)
    else:
        process.files.write(path, b"")
    await process.say(f"{path}\n")
    return 0


@program
async def _dd(process: Process) -> int:
    """if=, of=, bs=, count=, skip= and seek=; conv= and status= change nothing of the data."""
    values = dict(word.partition("=")[::2] for word in process.arguments)
    block, most = amount(values.get("bs", "512"), _UNITS), values.get("count")
    wanted = block * amount(most, _UNITS) if most is not None else LIMIT
    if wanted > LIMIT:
        raise FileFailure(errno.ENOSPC)
    source = process.path(values["if"]) if values.get("if") else ""
    if source in ENDLESS:
        data = bytes(wanted) if source == "/dev/zero" else os.urandom(wanted)
        if most is None:
            raise FileFailure(errno.ENOSPC)
    elif source and source != "/dev/stdin":
        start = block * amount(values.get("skip", "0"), _UNITS)
        data = process.files.read(source)[start : start + wanted]
    else:
        data = b""
        while len(data) < wanted and (more := await process.input.read(min(65536, wanted - len(data)))):
            data += more
    if values.get("of") and process.path(values["of"]) != "/dev/null":
        process.files.write(process.path(values["of"]), data)
    elif not values.get("of"):
        await process.output.write(data)
    if values.get("status") != "none":
        records = f"{len(data) // max(1, block)}+{int(len(data) % max(1, block) > 0)} records"
        told = f"{records} in\n{records} out\n"
        await process.error.write(f"{told}{len(data)} bytes ({human(len(data))}B) copied\n".encode())
    return 0


@program
async def _truncate(process: Process) -> int:
    flags, names = options(process, "c", "s")
    size = amount(flags.get("s", "0"), _UNITS)
    if size > LIMIT:
        raise FileFailure(errno.EFBIG)
    for name in names:
        node = process.files.find(process.path(name))
        data = bytes(node.data) if isinstance(node, File) else b""
        process.files.write(process.path(name), data[:size] + bytes(max(0, size - len(data))))
    return 0


@program
async def _install(process: Process) -> int:
    flags, names = options(process, "dDcv", "mog")
    if "d" in flags:
        for name in names:
            process.files.make_folder(process.path(name), parents=True)
        return 0
    if len(names) < 2:
        raise UsageFailure("missing file operand")
    for name in names[:-1]:
        target = _inside(process, process.path(names[-1]), process.path(name))
        process.files.write(target, process.files.read(process.path(name)), mode=int(flags.get("m", "755"), 8))
    return 0


PROGRAMS: dict[str, Program] = {
    "basename": _basename,
    "cp": _cp,
    "dd": _dd,
    "df": _df,
    "dirname": _dirname,
    "du": _du,
    "find": find,
    "install": _install,
    "ln": _ln,
    "ls": _ls,
    "mkdir": _mkdir,
    "mktemp": _mktemp,
    "mv": _mv,
    "readlink": _readlink,
    "realpath": _readlink,
    "rm": _rm,
    "truncate": _truncate,
    "rmdir": _rmdir,
}

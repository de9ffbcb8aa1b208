"""Programs about who owns a file, what may be done with it and when it changed: chmod, chown, stat, touch."""

from __future__ import annotations

import datetime
import errno
import re
import time

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.file_programs import each, inode, length, permissions
from kubetrace.playground.containers.filesystem import Directory, FileFailure, Link, Node
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.text_programs import program


def changed_mode(mode: int, text: str, is_folder: bool, umask: int) -> int:
    """A mode after u+x,go=r or 0644 is done to it. Raises UsageFailure."""
    if re.fullmatch(r"[0-7]{1,4}", text):
        return int(text, 8)
    for clause in text.split(","):
        match = re.fullmatch(r"([ugoa]*)((?:[-+=][rwxXst]*)+)", clause)
        if match is None:
            raise UsageFailure(f"invalid mode '{text}'")
        who = match.group(1)
        allowed = 0o7777 if who else 0o7777 & ~umask
        for sign, letters in re.findall(r"([-+=])([rwxXst]*)", match.group(2)):
            bits = _bits(who or "a", letters, mode, is_folder) & allowed
            if sign == "=":
                mode &= ~_bits(who or "a", "rwx", mode, is_folder)
            mode = mode & ~bits if sign == "-" else mode | bits
    return mode


def _bits(who: str, letters: str, mode: int, is_folder: bool) -> int:
    who = "ugo" if "a" in who else who
    bits = 0
    for letter in letters:
        if letter == "X":
            letter = "x" if is_folder or mode & 0o111 else ""
        value = {"r": 4, "w": 2, "x": 1}.get(letter, 0)
        bits |= sum(value << shift for group, shift in (("u", 6), ("g", 3), ("o", 0)) if group in who)
        if letter == "s":
            bits |= (0o4000 if "u" in who else 0) | (0o2000 if "g" in who else 0)
        bits |= 0o1000 if letter == "t" else 0
    return bits


def _nodes(process: Process, path: str, below: bool) -> list[Node]:
    """What a path stands for, and all below it. Raises FileFailure."""
    node = process.files.get(path)
    return [inner for _, inner in process.files.every(path)] if below else [node]


@program
async def _chmod(process: Process) -> int:
    words = [f"\0{word}" if re.fullmatch(r"-[rwxXst]+(,.*)?", word) else word for word in process.arguments]
    process.words = [process.words[0], *words]  # a mode such as -x is no option
    flags, names = options(process, "Rvcf")
    if len(names) < 2:
        raise UsageFailure("usage: chmod [-R] MODE[,MODE]... FILE...")
    mode, *names = [name.lstrip("\0") for name in names]

    def change(path: str) -> None:
        for node in _nodes(process, path, "R" in flags):
            if process.files.uid not in (0, node.uid):
                raise FileFailure(errno.EPERM)
            node.mode = changed_mode(node.mode, mode, isinstance(node, Directory), process.files.umask)

    return await each(process, names, change)


@program
async def _chown(process: Process) -> int:
    flags, names = options(process, "Rhvcf")
    if len(names) < 2:
        raise UsageFailure(f"usage: {process.name} [-R] OWNER FILE...")
    user, _, group = ("", "", names[0]) if process.name == "chgrp" else names[0].partition(":")

    def change(path: str) -> None:
        for node in _nodes(process, path, "R" in flags):
            if process.files.uid != 0:
                raise FileFailure(errno.EPERM)
            node.uid = _number(user, "user") if user else node.uid
            node.gid = _number(group, "group") if group else node.gid

    return await each(process, names[1:], change)


def _number(name: str, kind: str) -> int:
    known = {"root": 0, "nobody": 65534, "www-data": 33, "nginx": 101}
    if name.isdigit():
        return int(name)
    if name not in known:
        raise UsageFailure(f"unknown {kind} {name}")
    return known[name]


@program
async def _touch(process: Process) -> int:
    flags, names = options(process, "acmh", "dtr", {"date": "d", "no-create": "c", "reference": "r"})
    when = time.time()
    if "r" in flags:
        when = process.files.get(process.path(flags["r"])).mtime
    elif "d" in flags:
        when = _moment(flags["d"])
    elif "t" in flags:
        match = re.fullmatch(r"(\d{2}|\d{4})?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?", flags["t"])
        if match is None:
            raise UsageFailure(f"invalid date '{flags['t']}'")
        year = match.group(1) or str(datetime.datetime.now(datetime.UTC).year)
        year = f"20{year}" if len(year) == 2 else year
        when = _moment("{}-{}-{}T{}:{}:{}".format(year, *match.groups()[1:5], match.group(6) or "00"))

    def touch(path: str) -> None:
        if process.files.find(path) is not None or "c" not in flags:
            process.files.touch(path)
            process.files.get(path).mtime = when

    return await each(process, names, touch)


def _moment(text: str) -> float:
    """Seconds since 1970. Raises UsageFailure."""
    if re.fullmatch(r"@\d+", text):
        return float(text[1:])
    try:
        found = datetime.datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UsageFailure(f"invalid date '{text}'") from None


def _facts(process: Process, name: str, node: Node) -> dict[str, str]:
    """What stat -c knows by its letters."""
    kind = {Directory: "directory", Link: "symbolic link"}.get(type(node), "regular file")
    kind = "regular empty file" if kind == "regular file" and not length(node) else kind
    when, seconds = time.strftime("%Y-%m-%d %H:%M:%S.000000000 +0000", time.gmtime(node.mtime)), int(node.mtime)
    found: dict[str, object] = {"s": length(node), "n": name, "a": f"{node.mode:o}", "A": permissions(node)}
    found |= {"U": process.machine.owner(node.uid), "G": process.machine.owner(node.gid), "u": node.uid, "g": node.gid}
    found |= {"F": kind, "h": 2 if kind == "directory" else node.links, "i": inode(node), "%": "%"}
    found |= dict.fromkeys("XYZ", seconds) | dict.fromkeys("xyz", when)
    found |= {"b": -(-length(node) // 512), "B": 512, "o": 4096, "f": f"{node.mode:x}", "m": "/"}
    found["N"] = f"'{name}' -> '{node.target}'" if isinstance(node, Link) else f"'{name}'"
    return {letter: str(value) for letter, value in found.items()}


def _who(title: str, facts: dict[str, str], letter: str) -> str:
    return f"{title}: ({facts[letter]:>5}/{facts[letter.upper()]:>8})"


def _told(facts: dict[str, str]) -> str:
    mode = f"{int(facts['a'], 8):04o}"
    shown = facts["N"].replace("'", "")
    return (
        f"  File: {shown}\n"
        f"  Size: {facts['s']:<10}\tBlocks: {facts['b']:<10} IO Block: 4096   {facts['F']}\n"
        f"Device: 0h/0d\tInode: {facts['i']:<11} Links: {facts['h']}\n"
        f"Access: ({mode}/{facts['A']})  {_who('Uid', facts, 'u')}   {_who('Gid', facts, 'g')}\n"
        f"Access: {facts['x']}\nModify: {facts['y']}\nChange: {facts['z']}\n"
    )


@program
async def _stat(process: Process) -> int:
    flags, names = options(process, "Lft", "c", {"format": "c"})
    code = 0
    for name in names:
        try:
            node = process.files.get(process.path(name), follow="L" in flags)
        except FileFailure as failure:
            await process.complain(f"can't stat '{name}': {failure}")
            code = 1
            continue
        if "c" in flags:
            facts = _facts(process, name, node)
            text = "".join(
                facts.get(piece[1:], piece) if piece.startswith("%") else piece
                for piece in re.findall(r"%.|[^%]+|%", flags["c"], re.DOTALL)
            )
            await process.say(f"{text}\n")
        else:
            await process.say(_told(_facts(process, name, node)))
    return code


PROGRAMS: dict[str, Program] = {"chgrp": _chown, "chmod": _chmod, "chown": _chown, "stat": _stat, "touch": _touch}

"""tar, as far as `kubectl cp` and people need it: create, extract and list, over the simulated files."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import zlib

from kubetrace.playground.containers.arguments import UsageFailure, options
from kubetrace.playground.containers.filesystem import LIMIT, Directory, File, FileFailure, Link, absolute
from kubetrace.playground.containers.machine import Process, Program
from kubetrace.playground.containers.pipes import read_all
from kubetrace.playground.containers.text_programs import program

_LONG = {"create": "c", "extract": "x", "list": "t", "file": "f", "directory": "C", "gzip": "z", "verbose": "v"}
_LONG |= {"no-same-permissions": "p", "no-same-owner": "o", "touch": "m", "strip-components": "s"}


@program
async def _tar(process: Process) -> int:
    if process.arguments and not process.arguments[0].startswith("-"):  # tar cf - x
        letters = process.arguments[0]
        valued = [letter for letter in letters if letter in "fC"]
        rest = process.arguments[1:]
        moved = [part for letter in valued for part in (f"-{letter}", rest.pop(0) if rest else "")]
        plain = "".join(letter for letter in letters if letter not in "fC")
        process.words = [process.words[0], f"-{plain}", *moved, *rest]
    flags, names = options(process, "cxtzvmpoPhkO", "fCXTs", _LONG)
    place = process.path(flags["C"]) if flags.get("C") else process.folder
    if not isinstance(process.files.find(place), Directory):
        await process.complain(f"{flags.get('C')}: Cannot open: No such file or directory")
        return 1
    if "c" in flags:
        return await _create(process, flags, names, place)
    if "x" in flags or "t" in flags:
        return await _extract(process, flags, names, place)
    raise UsageFailure("must specify one of -c, -x, -t")


async def _create(process: Process, flags: dict[str, str], names: list[str], place: str) -> int:
    buffer, code = io.BytesIO(), 0
    stripped = False
    with tarfile.open(fileobj=buffer, mode="w:gz" if "z" in flags else "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            start = absolute(name, place)
            if process.files.find(start, follow=False) is None:
                await process.complain(f"{name}: Cannot stat: No such file or directory")
                code = 2
                continue
            if name.startswith("/") and not stripped:
                await process.complain("Removing leading `/' from member names")
                stripped = True
            for path, node in process.files.every(start):
                inner = path[len(start.rstrip("/")) :]
                entry = tarfile.TarInfo((name.rstrip("/") + inner).lstrip("/") or ".")
                entry.mode, entry.mtime, entry.uname, entry.gname = node.mode, int(node.mtime), "root", "root"
                data = b""
                if isinstance(node, Directory):
                    entry.type = tarfile.DIRTYPE
                elif isinstance(node, Link):
                    entry.type, entry.linkname = tarfile.SYMTYPE, node.target
                elif isinstance(node, File):
                    data = bytes(node.data)
                    entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    if code:
        await process.complain("Exiting with failure status due to previous errors")
    if flags.get("f", "-") == "-":
        await process.output.write(buffer.getvalue())
    else:
        process.files.write(process.path(flags["f"]), buffer.getvalue())
    return code


async def _extract(process: Process, flags: dict[str, str], names: list[str], place: str) -> int:
    source = flags.get("f", "-")
    try:
        data = await read_all(process.input, LIMIT) if source == "-" else process.files.read(process.path(source))
    except MemoryError:
        raise FileFailure(errno.ENOSPC) from None
    code = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for entry in archive:
                if names and not any(entry.name == n or entry.name.startswith(n.rstrip("/") + "/") for n in names):
                    continue
                if "t" in flags or "v" in flags:
                    await process.say(f"{entry.name}\n")
                if "x" in flags:
                    try:
                        await _put(process, archive, entry, absolute(entry.name.lstrip("/"), place), "O" in flags)
                    except FileFailure as failure:
                        await process.complain(f"{entry.name}: Cannot open: {failure}")
                        code = 1
    except (tarfile.TarError, EOFError, OSError):
        await process.complain("This does not look like a tar archive")
        return 2
    return code


async def _put(process: Process, archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str, shown: bool) -> None:
    files = process.files
    if entry.isdir():
        if isinstance(there := files.find(path), Directory):  # "." among them
            there.mode = entry.mode & 0o7777
            return
        files.make_folder(path, parents=True).mode = entry.mode & 0o7777
        return
    content = archive.extractfile(entry) if entry.isreg() else None
    data = content.read() if content is not None else b""
    if shown:
        await process.output.write(data)
        return
    parent = path.rpartition("/")[0]
    if parent and files.find(parent) is None:
        files.make_folder(parent, parents=True)
    if entry.issym():
        if files.find(path, follow=False) is not None:
            files.remove(path)
        files.link(path, entry.linkname)
    elif entry.isreg():
        files.write(path, data, mode=entry.mode & 0o7777)


@program
async def _gzip(process: Process) -> int:
    """gzip, gunzip and zcat."""
    flags, names = options(process, "cdkfqtvn123456789")
    opens = "d" in flags or process.name != "gzip"
    to_output = "c" in flags or process.name == "zcat" or not names
    code = 0
    for name in names or ["-"]:
        try:
            data = await read_all(process.input, LIMIT) if name == "-" else process.files.read(process.path(name))
            found = gzip.decompress(data) if opens else gzip.compress(data)
        except FileFailure as failure:
            await process.complain(f"{name}: {failure}")
            code = 1
            continue
        except (OSError, EOFError, zlib.error):
            await process.complain("invalid magic" if name == "-" else f"{name}: invalid magic")
            code = 1
            continue
        if len(found) > LIMIT:
            raise FileFailure(errno.ENOSPC)
        if to_output or name == "-":
            await process.output.write(found)
            continue
        if opens and not name.endswith((".gz", ".tgz")):
            await process.complain(f"{name}: unknown suffix - ignored")
            code = 1
            continue
        target = name.removesuffix(".gz") if opens else f"{name}.gz"
        process.files.write(process.path(target), found)
        if "k" not in flags:
            process.files.remove(process.path(name))
    return code


PROGRAMS: dict[str, Program] = {"gunzip": _gzip, "gzip": _gzip, "tar": _tar, "zcat": _gzip}

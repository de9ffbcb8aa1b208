"""The tar streams of `cp`: read in pieces of any size, and unpacked nowhere but where they may be."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.api.go_paths import clean, glob
from kubetrace.commands.file_specs import FileSpec, parse_spec, stays_within, without_shortcuts
from kubetrace.commands.tar_reading import Entry, TarReader, Unpacker
from kubetrace.commands.tar_writing import TarWriter
from kubetrace.errors import KubetraceError

LONG = "long/" + "n" * 120 + "/" + "m" * 90


Member = tuple[tarfile.TarInfo, bytes]


class Seen:
    def __init__(self) -> None:
        self.files: list[tuple[str, bytes]] = []
        self._data = b""
        self._name = ""

    def begin(self, entry: Entry) -> None:
        self._name, self._data = entry.name, b""

    def data(self, piece: bytes) -> None:
        self._data += piece

    def end(self) -> None:
        self.files.append((self._name, self._data))


def archive(*members: Member, format: int = tarfile.GNU_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, data


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found = []
    for size in [*sizes, len(data)]:
        found.append(data[:size])
        data = data[size:]
    return found


@given(st.lists(st.integers(1, 1500), max_size=30), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_pieces_of_any_size(sizes: list[int], format: int) -> None:
    files = [("a", b"x" * 700), ("b", b""), (LONG, b"deep"), ("ü/日本", b"y" * 512), ("c", b"z" * 1025)]
    seen = Seen()
    reader = TarReader(seen)
    for piece in pieces(archive(*(member(name, data) for name, data in files), format=format), sizes):
        reader.feed(piece)
    assert reader.complete
    assert seen.files == files


def test_an_archive_that_breaks_off_is_not_whole() -> None:
    data = archive(member("a", b"x" * 700), member("b", b"y"))
    reader = TarReader(Seen())
    reader.feed(data[:1000])
    assert not reader.complete and not reader.between
    reader.feed(data[1000:1536])
    assert reader.between


@pytest.mark.parametrize("data", [b"no archive" * 60, bytes(512) + b"x" * 512])
def test_what_is_no_archive(data: bytes) -> None:
    with pytest.raises(KubetraceError, match="archive/tar: invalid tar header"):
        TarReader(Seen()).feed(data)


def unpack(folder: Path, *members: Member, prefix: str = "src") -> list[str]:
    warnings: list[str] = []
    target = folder / "inside" / "out"
    target.parent.mkdir(exist_ok=True)
    TarReader(Unpacker(prefix, str(target), warnings.append, " (hint)")).feed(archive(*members))
    return warnings


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    warnings = unpack(
        tmp_path,
        member("src/../../escaped", b"x"),
        member("src/a/../../../escaped", b"x"),
        member("src/ok", b"x"),
        member("srcok", b"x"),
        member("src/..\\..\\escaped", b"x"),
    )
    assert everything(tmp_path) == ["inside/out/ok"]
    outside = [line for line in warnings if "is outside target destination, skipping" in line]
    assert len(outside) == 3


@pytest.mark.parametrize("name", ["/etc/passwd", "../src/x", "other/x"])
def test_a_name_without_the_prefix_ends_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(KubetraceError, match="tar contents corrupted"):
        unpack(tmp_path, member(name, b"x"))
    assert everything(tmp_path) == []


def test_links_are_left_out(tmp_path: Path) -> None:
    warnings = unpack(
        tmp_path,
        member("src/l", kind=tarfile.SYMTYPE, link="/etc"),
        member("src/l/x", b"written into a folder"),
        member("src/m", kind=tarfile.SYMTYPE, link="/"),
        member("src/h", kind=tarfile.LNKTYPE, link="/etc/passwd"),
        member("src/p", kind=tarfile.FIFOTYPE),
    )
    out = tmp_path / "inside" / "out"
    assert warnings[0] == f'warning: skipping symlink: "{out}/l" -> "/etc" (hint)\n'
    assert warnings[1] == f'warning: skipping symlink: "{out}/m" -> "/"\n'
    assert not (out / "l").is_symlink() and (out / "l" / "x").read_bytes() == b"written into a folder"
    assert (out / "h").read_bytes() == b"" and (out / "p").is_file()


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    source = tmp_path / "src"
    (source / LONG).parent.mkdir(parents=True)
    (source / LONG).write_bytes(b"deep")
    (source / "empty").mkdir()
    (source / "link").symlink_to("nowhere")
    (source / "run").write_bytes(b"#!" * 40_000)
    (source / "run").chmod(0o750)
    writer = TarWriter(f"{source}/", "/srv/target")
    data = b"".join(iter(writer.read, b""))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        found = {info.name: info for info in tar.getmembers()}
        assert set(found) == {f"target/{name}" for name in (LONG, "empty", "link", "run")}
        assert found["target/empty"].isdir() and found["target/link"].linkname == "nowhere"
        assert found["target/run"].mode == 0o750 and found["target/run"].size == 80_000
        assert found["target/run"].mtime == int((source / "run").stat().st_mtime)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        with pytest.raises(KubetraceError, match="archive/tar: sockets not supported"):
            list(iter(TarWriter(str(tmp_path / "sock"), "x").read, b""))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a/b", FileSpec("a/b")),
        ("pod:/x/", FileSpec("/x", "pod")),
        ("ns/pod:a\\b", FileSpec("a/b", "pod", "ns")),
        ("pod:", FileSpec("", "pod")),
        ("pod:a:b", FileSpec("a:b", "pod")),
    ],
)
def test_file_specifications(text: str, spec: FileSpec) -> None:
    assert parse_spec(text) == spec


def test_paths_are_gos(tmp_path: Path) -> None:
    assert [clean(path) for path in ("", "//a", "a/../..", "/..", "./a//b/")] == [".", "/a", "..", "/", "a/b"]
    assert [without_shortcuts(path) for path in ("../../a", "..", ".", "a/..", "../")] == ["a", "", "", "a/..", ""]
    assert stays_within("/a", "/a/b") and stays_within(".", "b") and stays_within("/a", "/a")
    assert not stays_within("/a", "/ab") and not stays_within("a", "b") and not stays_within("/a", "a")
    for name in ("file1", "file[1]", ".hidden"):
        (tmp_path / name).write_text("")
    assert glob(f"{tmp_path}/file[1]") == [f"{tmp_path}/file1"]
    assert [Path(path).name for path in glob(f"{tmp_path}/*")] == [".hidden", "file1", "file[1]"]

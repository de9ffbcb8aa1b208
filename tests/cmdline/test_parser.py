"""pflag's grammar: every spelling of a flag means the same, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.cmdline.flags import bind, flag, format_duration
from kubetrace.cmdline.parser import FlagSet, build
from kubetrace.value import Value
from kubetrace.wire.go_strconv import BadValue, parse_duration, parse_int


class Options(Value):
    all_namespaces: bool = flag(False, "A")
    watch: bool = flag(False, "w")
    output: str = flag("", "o")
    label_columns: tuple[str, ...] = flag((), "L")
    group: tuple[str, ...] = flag((), kind="array")
    v: int = flag(0, "v", kind="level")
    chunk_size: int = flag(
        500,
    )
    dry_run: str = flag("none", bare="unchanged")
    timeout: float = flag(
        0.0,
    )


FLAGS = bind(Options)


def parse(*argv: str) -> tuple[Options, list[str]]:
    parsed = FlagSet(FLAGS).parse(argv)
    return build(Options, FLAGS, parsed.values), parsed.words


@pytest.mark.parametrize("spelling", [["-v=8"], ["-v", "8"], ["-v8"], ["--v=8"], ["--v", "8"]], ids=" ".join)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_levels(spelling: list[str], place: int) -> None:
    words = ["get", "pods"]
    assert parse(*words[:place], *spelling, *words[place:]) == (Options(v=8), words)


@pytest.mark.parametrize("spelling", [["-oyaml"], ["-o", "yaml"], ["-o=yaml"], ["--output=yaml"], ["--output", "yaml"]])
def test_outputs(spelling: list[str]) -> None:
    assert parse("get", *spelling)[0].output == "yaml"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["-A"], Options(all_namespaces=True)),
        (["-A=false"], Options()),
        (["--all-namespaces=0"], Options()),
        (["--all_namespaces"], Options(all_namespaces=True)),
        (["-Aw"], Options(all_namespaces=True, watch=True)),
        (["-Awojson"], Options(all_namespaces=True, watch=True, output="json")),
        (["-ojson", "-oyaml"], Options(output="yaml")),
        (["-La,b", "-L", "c"], Options(label_columns=("a", "b", "c"))),
        (['-L"a,b",c'], Options(label_columns=("a,b", "c"))),
        (["--group=a,b", "--group", "c"], Options(group=("a,b", "c"))),
        (["--dry-run"], Options(dry_run="unchanged")),
        (["--dry-run=server"], Options(dry_run="server")),
        (["-o="], Options(output="=")),
        (["--output="], Options()),
        (["--output", "--watch"], Options(output="--watch")),
        (["--chunk-size=0x10"], Options(chunk_size=16)),
        (["--chunk-size=010"], Options(chunk_size=8)),
        (["--chunk-size=1_000"], Options(chunk_size=1000)),
        (["--timeout=1m30s"], Options(timeout=90.0)),
    ],
    ids=str,
)
def test_values(argv: list[str], expected: Options) -> None:
    assert parse(*argv) == (expected, [])


def test_two_dashes_end_the_flags() -> None:
    parsed = FlagSet(FLAGS).parse(["a", "-w", "--", "-A", "--", "b"])
    assert (parsed.words, parsed.dash, parsed.values) == (["a", "-A", "--", "b"], 1, {"watch": True})


def test_a_single_dash_is_a_word() -> None:
    assert parse("-", "-w")[1] == ["-"]


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers(number: int) -> None:
    assert parse_int(str(number)) == number
    assert parse_int(hex(number)) == number


@given(st.text(max_size=8))
def test_anything_else_is_refused_in_gos_words(text: str) -> None:
    try:
        parse_int(text)
    except BadValue as error:
        assert str(error).startswith("strconv.ParseInt: parsing ")
    try:
        parse_duration(text)
    except BadValue as error:
        assert str(error).startswith("time: ")


@given(st.integers(0, 10**6))
def test_durations_come_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.lists(st.text(min_size=1, max_size=5), max_size=6))
def test_parsing_never_fails_otherwise(argv: list[str]) -> None:
    from kubetrace.cmdline.parser import FlagError

    try:
        FlagSet(FLAGS).parse(argv)
    except FlagError as error:
        assert str(error)

"""Colour adds escape sequences and nothing else."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.printing.colors import PaintedLines, StatusPaint, YAMLPaint
from kubetrace.streams import Streams
from kubetrace.wire.go_yaml import Writer

ESCAPES = re.compile(r"\x1b\[\d*m")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=200)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _painted(text: str, paint: Any) -> str:
    out = io.StringIO()
    PaintedLines(out, paint).write(text)
    return out.getvalue()


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_yaml_is_the_same_without_its_colours(value: dict[str, Any]) -> None:
    text = Writer().dumps(value)
    assert ESCAPES.sub("", _painted(text, YAMLPaint())) == text


@given(st.lists(TEXTS))
def test_a_table_is_the_same_without_its_colours(lines: list[str]) -> None:
    text = "NAME   STATUS    AGE\n" + "\n".join(lines) + "\n"
    assert ESCAPES.sub("", _painted(text, StatusPaint())) == text


def test_keys_and_values_of_yaml() -> None:
    text = 'a: 1\nb:\n- c: "x: \\"y"\n  d: |\n    e: f\n  g: true\n'
    assert _painted(text, YAMLPaint()) == (
        "\x1b[36ma\x1b[0m: \x1b[33m1\x1b[0m\n"
        "\x1b[36mb\x1b[0m:\n"
        '- \x1b[36mc\x1b[0m: \x1b[32m"x: \\"y"\x1b[0m\n'
        "  \x1b[36md\x1b[0m: \x1b[32m|\x1b[0m\n"
        "\x1b[32m    e: f\x1b[0m\n"
        "  \x1b[36mg\x1b[0m: \x1b[35mtrue\x1b[0m\n"
    )


def test_statuses_by_where_the_header_has_them() -> None:
    text = (
        "NAME   READY   STATUS             AGE\n"
        "a      1/1     Running            1d\n"
        "b      0/1     CrashLoopBackOff   1d\n"
    )
    assert _painted(text, StatusPaint()).splitlines()[1:] == [
        "a      1/1     \x1b[32mRunning\x1b[0m            1d",
        "b      0/1     \x1b[31mCrashLoopBackOff\x1b[0m   1d",
    ]


def test_each_table_has_its_own_columns() -> None:
    text = "NAME    STATUS   AGE\npod/a   Failed   1d\n\nNAME        TYPE        AGE\nservice/a   ClusterIP   1d\n"
    assert _painted(text, StatusPaint()).splitlines()[1] == "pod/a   \x1b[31mFailed\x1b[0m   1d"
    assert "\x1b" not in _painted(text, StatusPaint()).splitlines()[4]


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "words", "environ", "colored"),
    [
        (True, [], {}, True),
        (True, ["--color=never"], {}, False),
        (True, [], {"NO_COLOR": "1"}, False),
        (False, [], {}, False),
        (False, ["--color=always"], {}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    terminal: bool, words: list[str], environ: dict[str, str], colored: bool, tmp_path: Path
) -> None:
    out = (Terminal if terminal else io.TextIOWrapper)(io.BytesIO(), "utf-8")
    streams = Streams(io.BytesIO(), out, io.StringIO())
    environ = {"HOME": str(tmp_path), "TERM": "xterm", **environ}
    assert (
        main(["create", "namespace", "x", "--dry-run=client", "-o", "yaml", *words], Environment(streams, environ)) == 0
    )
    out.flush()
    text = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert ("\x1b" in text) is colored
    assert ESCAPES.sub("", text).startswith("apiVersion: v1\nkind: Namespace\n")

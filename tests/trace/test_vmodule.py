"""klog's --vmodule, its glob patterns and its error texts."""

from __future__ import annotations

import pytest

from kubetrace.trace.vmodule import NEGATIVE_ERROR, SYNTAX_ERROR, Verbosity, VModuleError


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("foo", SYNTAX_ERROR),
        ("foo=", SYNTAX_ERROR),
        ("=3", SYNTAX_ERROR),
        ("a=b=3", SYNTAX_ERROR),
        ("foo=x", SYNTAX_ERROR),
        ("foo=4294967296", SYNTAX_ERROR),
        ("foo=-1", NEGATIVE_ERROR),
    ],
)
def test_bad_values_are_refused_in_klogs_words(value: str, message: str) -> None:
    with pytest.raises(VModuleError) as caught:
        Verbosity(0, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("round_trippers=8", 8),
        ("*=9", 9),
        ("round*=7,", 7),
        ("request=8,round_trippers=6", 6),
        ("round*=7,round_trippers=9", 7),
        ("round?trippers=5", 5),
        ("[a-r]ound_trippers=4", 4),
        ("[^a-q]ound_trippers=4", 4),
        ("\\round_trippers=3", 3),
        ("round_trippers.go=9", 0),
        ("transport/round_trippers=9", 0),
        ("round_trippers=0", 0),
        ("[=9", 0),
        ("[]a]*=9", 0),
        ("round*\\=9", 0),
        ("", 0),
    ],
)
def test_patterns_match_base_names(value: str, level: int) -> None:
    verbosity = Verbosity(0, value)
    assert verbosity.enabled(level, "round_trippers.go:463")
    assert not verbosity.enabled(level + 1, "round_trippers.go:463")


def test_v_counts_in_every_file() -> None:
    verbosity = Verbosity(4, "request=2")
    assert verbosity.enabled(4, "request.go:1")
    assert not verbosity.enabled(5, "request.go:1")
    assert not Verbosity(-1).enabled(0, "loader.go:1")

"""RFC 3339 as Go reads it. The messages are kubectl 1.36's (`logs --since-time`)."""

from __future__ import annotations

import pytest

from kubetrace.wire.go_time import rfc3339_in_utc


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-08-30T06:00:00Z", "2024-08-30T06:00:00Z"),
        ("2024-08-30T06:00:00.123+02:00", "2024-08-30T04:00:00Z"),
        ("2024-01-01T00:30:00,9+01:00", "2023-12-31T23:30:00Z"),
        ("2024-02-29T6:00:00-00:30", "2024-02-29T06:30:00Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
    ],
)
def test_times(text: str, found: str) -> None:
    assert rfc3339_in_utc(text) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("abc", 'as "2006-01-02T15:04:05Z07:00": cannot parse "abc" as "2006"'),
        ("2024-08-30", 'as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'),
        ("2024-8-30T06:00:00Z", 'as "2006-01-02T15:04:05Z07:00": cannot parse "8-30T06:00:00Z" as "01"'),
        ("2024-13-30T06:00:00Z", ": month out of range"),
        ("2024-02-30T06:00:00Z", ": day out of range"),
        ("2024-02-20T24:00:00Z", ": hour out of range"),
        ("2024-02-20T00:00:00Zx", ': extra text: "x"'),
        ("2024-02-20T00:00:00+25:00", ": time zone offset hour out of range"),
    ],
)
def test_what_is_none(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as caught:
        rfc3339_in_utc(text)
    assert str(caught.value) == f'parsing time "{text}"{"" if problem[0] == ":" else " "}{problem}'

"""Values behave as frozen dataclasses with slots do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetrace.cmdline.flags import bind, flag
from kubetrace.value import Mutable, Ordered, Value, fresh, replace


class Endpoint(Value):
    host: str
    port: int = 443
    path: str = "/"


class SecureEndpoint(Endpoint):
    port: int = 6443
    ca: str | None = None


class Version(Ordered):
    major: int
    minor: int = 0


class Page(Mutable):
    number: int
    rows: list[str] = fresh(list)


class Options(Value):
    quiet: bool = flag(False, "q", help="Say less.")
    field_selector: str = flag("", help="Which.")
    internal: int = 7


@dataclass(frozen=True, slots=True)
class Same:
    host: str
    port: int = 443
    path: str = "/"


names = st.sampled_from(["host", "port", "path", "other"])
arguments = st.tuples(st.lists(st.integers(0, 2), max_size=4), st.dictionaries(names, st.integers(0, 2)))


def made(kind: Any, args: list[int], kwargs: dict[str, int]) -> tuple[Any, ...] | None:
    try:
        value = kind(*args, **kwargs)
    except TypeError:
        return None
    return value.host, value.port, value.path


@given(arguments)
def test_arguments_are_taken_as_a_dataclass_takes_them(given: tuple[list[int], dict[str, int]]) -> None:
    assert made(Endpoint, *given) == made(Same, *given)


@given(arguments, arguments)
def test_values_compare_and_hash_by_their_fields(one: Any, other: Any) -> None:
    left, right = made(Same, *one), made(Same, *other)
    if left is None or right is None:
        return
    assert (Endpoint(*left) == Endpoint(*right)) == (left == right)
    if left == right:
        assert hash(Endpoint(*left)) == hash(Endpoint(*right))


def test_a_value_equals_only_its_own_kind() -> None:
    assert Endpoint("a") != Same("a")
    assert Endpoint("a") != SecureEndpoint("a", 443)


def test_repr_is_a_dataclass_s() -> None:
    assert repr(Endpoint("a", 1)) == repr(Same("a", 1)).replace("Same", "Endpoint")


def test_a_value_cannot_change() -> None:
    endpoint = Endpoint("a")
    with pytest.raises(AttributeError, match="port"):
        endpoint.port = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        endpoint.unknown = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="port"):
        del endpoint.port
    assert endpoint == Endpoint("a")


def test_fields_and_defaults_are_inherited() -> None:
    assert SecureEndpoint.field_names == ("host", "port", "path", "ca")
    secure = SecureEndpoint("a", ca="c")
    assert (secure.host, secure.port, secure.path, secure.ca) == ("a", 6443, "/", "c")


def test_values_are_matched_copied_and_pickled() -> None:
    endpoint = Endpoint("a", 1)
    match endpoint:
        case Endpoint(host, port, path="/"):
            assert (host, port) == ("a", 1)
        case _:
            pytest.fail("no match")
    assert copy.deepcopy(endpoint) == pickle.loads(pickle.dumps(endpoint)) == endpoint


def test_replace_makes_a_copy() -> None:
    assert replace(Endpoint("a"), port=1) == Endpoint("a", 1)
    with pytest.raises(TypeError, match="other"):
        replace(Endpoint("a"), other=1)


def test_ordered_values_compare_as_tuples() -> None:
    assert sorted([Version(1, 2), Version(1), Version(0, 9)]) == [Version(0, 9), Version(1), Version(1, 2)]
    assert Version(1) <= Version(1) < Version(1, 1) >= Version(1) and Version(2) > Version(1, 9)


def test_a_mutable_value_changes_and_has_its_own_lists() -> None:
    page, other = Page(1), Page(1)
    page.rows.append("a")
    page.number = 2
    assert (page.number, page.rows, other) == (2, ["a"], Page(1, []))
    with pytest.raises(TypeError):
        hash(page)


def test_flags_are_fields_with_their_defaults() -> None:
    assert (Options().quiet, Options().field_selector, Options().internal) == (False, "", 7)
    assert [(one.name, one.field, one.kind, one.label()) for one in bind(Options)] == [
        ("quiet", "quiet", "bool", "-q, --quiet"),
        ("field-selector", "field_selector", "string", "--field-selector"),
    ]

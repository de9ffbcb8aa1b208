"""Pieces of `set`, `auth reconcile` and `autoscale` that many inputs meet. What is expected is what kubectl 1.36's own
functions answer (selectString, ParseEnv, Covers, parseResourceInput)."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.commands.auth.coverage import uncovered
from kubetrace.commands.generators.autoscalers import target
from kubetrace.commands.set.pod_changes import matches
from kubetrace.commands.set.variables import Wanted, parse, split_words
from kubetrace.errors import KubetraceError
from tests.conftest import Kubetrace


@pytest.mark.parametrize(
    ("name", "pattern", "wanted"),
    [
        ("web", "*", True),
        ("web", "web", True),
        ("web", "we", False),
        ("web", "w*", True),
        ("web", "*b", True),
        ("web", "w*b", True),
        ("web", "x*", False),
        ("my-web", "web*", True),  # kubectl does not hold a pattern to the name's beginning
        ("web-my", "*web", False),
        ("", "*", True),
    ],
)
def test_a_container_is_chosen_by_kubectls_pattern(name: str, pattern: str, wanted: bool) -> None:
    assert matches(name, pattern) is wanted


def test_variables_are_told_from_objects() -> None:
    assert split_words(["deployment", "web", "A=b", "C-", "-"]) == (["deployment", "web"], ["A=b", "C-", "-"])
    with pytest.raises(KubetraceError, match="all resources must be specified before environment changes: A=b web"):
        split_words(["A=b", "web"])


def test_variables_are_read_from_lines() -> None:
    wanted = parse(["A=1=2", "-", "GONE-"], lambda: b"B=2 # no\r\nnothing\n=x\n")
    assert [(one["name"], one["value"]) for one in wanted.new] == [("A", "1=2"), ("B", "2 "), ("", "x")]
    assert wanted.removed == ("GONE",)


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        (["1A=x"], '"1A" is not a valid key name: a valid environment variable name must '),
        (["word"], "unknown environment variable: word"),
        (["A=1", "A-"], "can not both modify and remove the same environment variable in the same command"),
    ],
)
def test_what_is_no_variable_is_refused(specs: list[str], words: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        parse(specs, lambda: b"")
    assert str(raised.value).startswith(words)


def test_new_values_stand_where_the_old_ones_stood() -> None:
    old = [{"name": name, "value": "old"} for name in ("A", "B", "A", "C")]
    wanted = Wanted(({"name": "N", "value": "1"}, {"name": "A", "value": "new"}), ("C",))
    assert [(one["name"], one["value"]) for one in wanted.update(old)] == [("A", "new"), ("B", "old"), ("N", "1")]


def rule(verbs: str, resources: str = "", names: str = "", urls: str = "", group: str = "") -> dict[str, Any]:
    found = {"verbs": verbs.split(), "resourceNames": names.split(), "nonResourceURLs": urls.split()}
    return {**found, "apiGroups": [group], "resources": resources.split()}


@pytest.mark.parametrize(
    ("owner", "servant", "missing"),
    [
        (rule("get list", "pods"), rule("get", "pods"), 0),
        (rule("get", "pods"), rule("get list", "pods services"), 3),
        (rule("*", "*"), rule("get", "pods/log"), 0),
        (rule("*", "*"), rule("get", "pods", group="apps"), 1),
        (rule("get", "*/scale"), rule("get", "deployments/scale deployments"), 1),
        (rule("get", "pods", "a"), rule("get", "pods"), 1),
        (rule("get", "pods"), rule("get", "pods", "a b"), 0),
        (rule("get", "pods", "a"), rule("get", "pods", "a b"), 1),
        (rule("get", urls="/x/*"), rule("get post", urls="/x/y"), 1),
        (rule("get", urls="/x"), rule("get", urls="/x/y"), 1),
    ],
)
def test_permissions_are_compared_one_by_one(owner: dict[str, Any], servant: dict[str, Any], missing: int) -> None:
    assert len(uncovered([owner], [servant])) == missing


@pytest.mark.parametrize(
    ("text", "resource", "wanted"),
    [
        ("70%", "cpu", {"type": "Utilization", "averageUtilization": 70}),
        (" 500 ", "cpu", {"type": "AverageValue", "averageValue": "500m"}),
        ("0.5", "cpu", {"type": "AverageValue", "averageValue": "500u"}),
        ("2", "memory", {"type": "AverageValue", "averageValue": "2Mi"}),
        ("1Gi", "memory", {"type": "AverageValue", "averageValue": "1Gi"}),
        ("1_000", "cpu", {"type": "AverageValue", "averageValue": "1"}),
        ("0x10p0", "cpu", {"type": "AverageValue", "averageValue": "16m"}),
    ],
)
def test_a_target_is_a_share_or_an_amount(text: str, resource: str, wanted: dict[str, Any]) -> None:
    assert target(text, resource) == wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty input"),
        ("x%", "invalid percentage value: x"),
        ("-1%", "invalid percentage value: -1"),
        ("99999999999%", "invalid percentage value: 99999999999"),
        ("lots", "invalid resource cpu value: lots"),
        ("1000000", "quantities must match the regular expression "),
    ],
)
def test_what_is_no_target_is_refused(text: str, words: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        target(text, "cpu")
    assert str(raised.value).startswith(words)


def test_set_serviceaccount_takes_no_selector(kubetrace: Kubetrace) -> None:
    assert kubetrace("set", "sa", "deployments", "-l", "a=b", "x").err.startswith(
        "error: unknown shorthand flag: 'l' in -l\n"
    )

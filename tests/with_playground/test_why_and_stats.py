"""--why and --stats on commands that make calls, and on those that make none."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.conftest import Outcome

POD = b"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i"}]}}"""


def test_why_of_a_pod_that_is_applied_and_applied_again(run: Callable[..., Outcome], namespace: str) -> None:
    apply = ("apply", "-f", "-", "-n", namespace, "--why")
    first = run(*apply, stdin=POD)
    assert (first.code, first.out) == (0, "pod/p created\n")
    steps = [int(step) for step in re.findall(r"(?m)^Step (\d) of 5", first.err)]
    assert steps[:2] == [1, 2] and steps[-2:] == [4, 5] and set(steps[2:-2]) == {3}
    assert f"apply -f - -n {namespace} --why\n" in first.err
    assert "Does the object exist already?" in first.err and "does not exist yet, so it will be created" in first.err
    assert re.search(r"Step 5 .*: 201 Created in \S+ ms: the server keeps Pod p now", first.err)
    again = run(*apply, stdin=POD.replace(b'"i"', b'"j"'))
    assert again.out == "pod/p configured\n"
    assert "No calls: what" in again.err and "servergroups.json" in again.err
    assert "Send only what differs" in again.err and "the object exists; now the manifest" in again.err


@pytest.mark.parametrize("argv", [("--lang", "ko"), ("--lang=ko",)])
def test_in_korean(run: Callable[..., Outcome], namespace: str, argv: tuple[str, ...]) -> None:
    done = run("get", "pods", "-n", namespace, "--why", *argv)
    assert f"네임스페이스 {namespace}의 pods 목록을 읽습니다." in done.err and "Step" not in done.err
    by_locale = run("get", "pods", "-n", namespace, "--why", environ={"LC_ALL": "ko_KR.UTF-8"})
    assert "찾은 것이 없습니다." in by_locale.err


def test_an_error_is_explained_and_still_an_error(run: Callable[..., Outcome], namespace: str) -> None:
    done = run("get", "pods", "nope", "-n", namespace, "--why")
    assert done.code == 1
    assert "404 Not Found" in done.err and 'there is no such thing: pods "nope" not found\n' in done.err
    assert done.err.endswith('Error from server (NotFound): pods "nope" not found\n')
    nowhere = run("get", "pods", "--why", "--server=https://127.0.0.1:1")
    assert "there was no answer: dial tcp 127.0.0.1:1: connect: connection refused" in nowhere.err


def test_an_unknown_language(run: Callable[..., Outcome]) -> None:
    done = run("get", "pods", "--why", "--lang", "fr", environ={"LANG": "ko_KR.UTF-8"})
    assert done.code == 0
    assert done.err.startswith('warning: --lang "fr" is not known (en and ko are): English\nStep 1 of 5')


def test_stats_end_the_run(run: Callable[..., Outcome], namespace: str) -> None:
    done = run("get", "pods", "-n", namespace, "--stats")
    last = done.err.splitlines()[-1]
    assert re.fullmatch(
        r"stats: 3 calls, 1 new connection, 0 B sent, [\d.]+ KiB received, \S+ m?s in the network, "
        r"\S+ m?s in kubetrace, \d+ answers from the discovery cache", last
    )  # fmt: skip
    again = run("get", "pods", "nope", "-n", namespace, "--stats").err.splitlines()
    assert again[0].startswith("Error from server") and again[1].startswith("stats: 2 calls, ")
    assert "answers from the discovery cache" in again[1]
    without = run("version", "--client", "--stats")
    assert re.fullmatch(
        r"stats: 0 calls, 0 new connections, 0 B sent, 0 B received, 0.0 ms in the network, \S+ m?s in kubetrace\n",
        without.err,
    )

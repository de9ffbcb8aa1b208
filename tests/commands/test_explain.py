"""`explain` over a played server: data/explain.json holds a real server's OpenAPI documents, cut down, and what kubectl
1.36 made of them (tests/tools/record_explain.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kubetrace.printing.explain.wrapping import wrap
from tests.commands.played import PlayedServer, Ran

RECORDED = json.loads((Path(__file__).parent / "data" / "explain.json").read_text())


DISCOVERY = {path: RECORDED["documents"][path] for path in ("/api", "/apis")}
MISSING = {"status": 404, "type": "text/plain", "body": "404 page not found\n"}


def explained(words: list[str], folder: Path, *without: str) -> Ran:
    """A command against the recorded server, or one that lacks the paths of `without`."""
    answers = {**RECORDED["documents"], **dict.fromkeys(without, MISSING)}
    return Ran(words, folder, PlayedServer(DISCOVERY, answers, key=lambda call: call.path))


@pytest.mark.parametrize("recorded", RECORDED["commands"], ids=lambda recorded: " ".join(recorded["words"]))
def test_pages_are_those_of_kubectl(recorded: dict[str, Any], tmp_path: Path) -> None:
    ran = explained(recorded["words"], tmp_path)
    assert (ran.stdout, ran.stderr, ran.code) == (recorded["stdout"], recorded["stderr"], recorded["code"])


def test_only_the_document_that_is_needed_is_fetched(tmp_path: Path) -> None:
    of_gears = ["/openapi/v3", "/openapi/v3/apis/explain.example.com/v1"]
    assert explained(["explain", "gears"], tmp_path).calls == of_gears
    assert explained(["explain", "gears", "-o", "plaintext-openapiv2"], tmp_path).calls == ["/openapi/v2"]


def test_a_server_without_openapi_v3_is_asked_for_v2(tmp_path: Path) -> None:
    old = explained(["explain", "gears.spec", "-o", "plaintext-openapiv2"], tmp_path)
    ran = explained(["explain", "gears.spec"], tmp_path, "/openapi/v3")
    assert (ran.stdout, ran.code) == (old.stdout, 0)
    assert ran.calls == ["/openapi/v3", "/openapi/v2"]


@pytest.mark.parametrize(
    ("text", "limit", "wrapped"),
    [
        ("a b c", 3, "a b\nc"),
        ("aaaa bb", 3, "aaaa\nbb"),
        ("a  b", 2, "a\nb"),
        ("a \n b", 9, "a \n b"),
        ("a   ", 2, "a"),
        ("a\u00a0b c", 3, "a\u00a0b\nc"),
    ],
)
def test_lines_break_before_the_limit(text: str, limit: int, wrapped: str) -> None:
    assert wrap(text, limit) == wrapped


@pytest.mark.parametrize("words", [["explain", "ge"], ["explain", "gears", ""]])
def test_completion_offers_nothing_as_in_kubectl(words: list[str], tmp_path: Path) -> None:
    assert explained(["__complete", *words], tmp_path).stdout == ":0\n"

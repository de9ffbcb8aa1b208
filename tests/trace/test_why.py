"""--why: a sentence before and after each call, in two languages, for every purpose that the code has."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kubetrace
from kubetrace.trace import meaning
from kubetrace.trace.exchange import (
    ENDLESS,
    Exchange,
    ExchangeEnded,
    Operation,
    Purpose,
    Request,
    RequestSent,
    Response,
    Timings,
)
from kubetrace.trace.masking import Masker
from kubetrace.trace.sentences import LANGUAGES, Catalogue, en, ko, language
from kubetrace.trace.why import WhyObserver
from tests.trace_views.conversation import PASSWORD, TOKEN, conversation

CODE = Path(kubetrace.__file__).parent


def stated_purposes() -> Iterator[tuple[str, str, str]]:
    """Every Purpose("tag", "sentence") of the code: tag, sentence (empty where it is put together), and where."""
    for path in sorted(CODE.rglob("*.py")):
        if path.is_relative_to(CODE / "trace"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not (
                isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Purpose"
            ):
                continue
            texts = [one.value if isinstance(one, ast.Constant) else "" for one in node.args]
            yield texts[0], texts[1] if len(texts) > 1 else "", f"{path.name}:{node.lineno}"


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_purpose_of_the_code_has_its_sentence() -> None:
    found = list(stated_purposes())
    assert len(found) > 15
    for tag, _, where in found:
        for table in (en, ko):
            assert not tag or tag in table.TAGS, f"{where}: the tag {tag!r} is not in {table.__name__}"


def test_languages_say_the_same_things() -> None:
    assert set(ko.SENTENCES) <= set(en.SENTENCES)
    assert set(en.PURPOSES) <= set(ko.PURPOSES) and set(ko.TAGS) == set(en.TAGS)
    for key, text in ko.SENTENCES.items():
        assert fields(text) == fields(en.SENTENCES[key]), key
    for text in (*ko.SENTENCES.values(), *ko.PURPOSES.values(), *ko.TAGS.values()):
        assert (
            any("가" <= one <= "힣" for one in text.replace("{", ""))
            or fields(text) == {"status", "meaning"}
            or (fields(text) == {"status", "time", "meaning"})
        ), text


def test_what_a_language_lacks_is_said_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ko.SENTENCES, "answer.404")
    assert Catalogue("ko").say("answer.404", message="m") == "there is no such thing: m"
    assert Catalogue("ko").purpose(Purpose("new", "new: is this new?")) == "Is this new?"
    assert Catalogue("ko").purpose(Purpose("create", "create: some new sentence")) == ko.TAGS["create"]


@pytest.mark.parametrize(("wanted", "environ", "expected"), [
    ("", {}, "en"), ("", {"LANG": "ko_KR.UTF-8"}, "ko"), ("", {"LANG": "ko"}, "ko"), ("", {"LANG": "kok_IN"}, "en"),
    ("", {"LC_ALL": "C", "LANG": "ko_KR"}, "en"), ("", {"LC_ALL": "ko_KR.eucKR", "LANG": "C"}, "ko"),
    ("", {"LC_MESSAGES": "ko-KR", "LANG": "de_DE"}, "ko"), ("en", {"LANG": "ko_KR"}, "en"), ("ko", {}, "ko"),
    ("ko-KR", {}, "ko"), ("KO_kr.UTF-8", {"LANG": "C"}, "ko"), ("fr", {"LANG": "ko_KR"}, "en"), ("kr", {}, "en"),
    ("", {"LANG": "ko@latin"}, "ko"), ("", {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "ko"}, "ko"),
])  # fmt: skip
def test_the_language(wanted: str, environ: dict[str, str], expected: str) -> None:
    assert language(wanted, environ) == expected


def told(speaks: str, *command: str) -> str:
    lines: list[str] = []
    masker = Masker()
    masker.register(TOKEN)
    masker.register(PASSWORD)
    observer = WhyObserver(
        lines.append, language=speaks, masker=masker, command=command, argv=("kubetrace", *command, "--token", TOKEN)
    )
    for event, _ in conversation():
        observer(event)
    observer.close()
    return "".join(lines)


@pytest.mark.parametrize("speaks", LANGUAGES)
def test_a_whole_conversation(speaks: str) -> None:
    text = told(speaks, "get")
    assert TOKEN not in text and PASSWORD not in text
    assert text.count("\n") == len(text.splitlines())
    for path in ("/pods?limit=500", "/secrets/s", "/healthz"):
        assert text.count(path) == 1
    say = Catalogue(speaks).say
    assert say("answer.list.1") in text
    assert say("warned", text="old thing") in text
    assert say("attempt", attempt=2) in text
    assert "connect: connection refused" in text
    assert "servergroups.json" not in text and say("cached.url", path="/api") in text


def test_steps() -> None:
    look = Request("GET", "https://h/api/v1/namespaces/a/pods/p", purpose=Purpose("apply", ""))
    ask = Request("GET", "https://h/api", purpose=Purpose("discovery", ""))
    wait = Request("GET", "https://h/api/v1/namespaces/a/pods/p", purpose=Purpose("delete-wait", ""))
    write = Request("PATCH", "https://h/api/v1/namespaces/a/pods/p")
    for command, steps in (("apply", "3354"), ("get", "4354")):
        lines: list[str] = []
        observer = WhyObserver(lines.append, language="en", masker=Masker(), command=[command], argv=["kubetrace"])
        for number, request in enumerate((look, ask, wait, write)):
            observer(RequestSent(number, number, 1, request))
        assert "".join(line[5] for line in lines if line.startswith("Step") and line[5] != "1") == steps


def test_only_our_own_discovery_is_kept_in_the_cache() -> None:
    body = b'{"kind":"APIResourceList","resources":[{"name":"pods"}]}'
    now = "answer.discovery.now"
    for tag, key in (("discovery", "answer.discovery"), ("discovery-now", now), ("other", now)):
        request = Request("GET", "https://h/api/v1", purpose=Purpose(tag, ""))
        said = meaning.outcomes(Exchange(1, 1, 1, request, Response(200, "OK"), body))
        assert next(one.key for one in said if Catalogue().knows(one.key)) == key


def test_a_conflict_of_managers_is_no_change_that_came_first() -> None:
    body = {"kind": "Status", "message": "m", "reason": "Conflict", "details": {"causes": [7, {"reason": "x"}]}}
    request, response = Request("PATCH", "https://h/api/v1/namespaces/a/pods/p"), Response(409, "Conflict")

    def first() -> str:
        said = meaning.outcomes(Exchange(1, 1, 1, request, response, json.dumps(body).encode()))
        return next(one.key for one in said if Catalogue().knows(one.key))

    assert first() == "answer.409"
    body["details"] = {"causes": [{"reason": "FieldManagerConflict"}]}
    assert first() == "answer.409.FieldManagerConflict"


METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "QUERY"])
PATHS = st.sampled_from([
    "/api", "/apis", "/api/v1", "/version", "/openapi/v3", "/healthz", "/", "", "//", "/api/v1/pods", "/api/v1/nodes/n",
    "/api/v1/namespaces/a/pods/p/exec?command=sh", "/api/v1/namespaces/a/pods?labelSelector=a%3Db&continue=x",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/api/v1/namespaces/a/pods/p/log", "/api/v1/watch/pods",
    "/apis/apps/v1/namespaces/a/deployments/d/scale?dryRun=All", "/api/v1/namespaces/{x}/pods/{y}",
])  # fmt: skip
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=20),
    st.sampled_from([b"k8s\0", b"k8s\0\x0a\x02\x12\x00", b"[]", b"1", b'"{x}"', b'{"kind":1,"items":[1]}',
                     b'{"kind":"Status","message":"{m}","reason":"R"}', b'{"kind":"Table","rows":[{}]}',
                     b'{"kind":"APIGroupDiscoveryList","items":[{"versions":[{"resources":[1]}]}]}',
                     b'{"kind":"Pod","metadata":{"name":"p","resourceVersion":"7"}}', b'{"kind":"Pod","metadata":7}',
                     b'{"kind":"X","status":{"allowed":true}}', b'{"kind":"PodList","items":{}}', b"[" * 5000]),
)  # fmt: skip


@given(
    METHODS, PATHS, st.integers(100, 599), BODIES, st.sampled_from([None, "{e}"]), st.sampled_from(["", "apply", "x"])
)
def test_no_answer_is_without_a_meaning(
    method: str, path: str, status: int, body: bytes | None, error: str | None, tag: str
) -> None:
    request = Request(method, "https://h" + path, purpose=Purpose(tag, ""))
    response = Response(status, None, (("Location", "{l}"),))
    for answer in (response, None):
        exchange = Exchange(1, 1, 1, request, answer, body, 3, Timings(total=0.5), error=error)
        for speaks in LANGUAGES:
            catalogue = Catalogue(speaks)
            assert catalogue.knows(meaning.outcomes(exchange)[-1].key)
            assert catalogue.say(*_unpacked(meaning.reason(request))[:1], **_unpacked(meaning.reason(request))[1])
            lines: list[str] = []
            observer = WhyObserver(lines.append, language=speaks, masker=Masker(), command=[], argv=[])
            observer(RequestSent(1, 1, 1, request))
            observer(ExchangeEnded(exchange))
            assert len(lines) == 4 and all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


def _unpacked(said: meaning.Said) -> tuple[str, dict[str, object]]:
    return said.key, said.values


def test_a_connection_that_was_upgraded_was_not_refused() -> None:
    request = Request("GET", "https://h/api/v1/namespaces/a/pods/p/exec?command=sh")
    exchange = Exchange(1, 1, 1, request, Response(101, "Switching Protocols"), None, 50, Timings(total=0.5))
    assert meaning.outcomes(exchange) == (meaning.Said("answer.upgraded"),)


@pytest.mark.parametrize("operation", sorted(ENDLESS))
def test_an_open_stream_is_told_when_it_begins(operation: Operation) -> None:
    said = meaning.begun(Request("GET", "https://server/x", operation=operation), Response(200, "OK"))
    assert said == meaning.Said("answer.stream")

"""What kubectl says about answers that are no success (each line compared with kubectl 1.36's)."""

from __future__ import annotations

from typing import Any

import pytest

from kubetrace.api import status
from kubetrace.api.aggregates import AggregateError, aggregate, debug_notes
from kubetrace.api.resources import GroupResource
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Note
from kubetrace.transport.errors import TransportError
from tests.api.fake import FakeAnswer, failure, json_answer

PODS = GroupResource("", "pods")
DEPLOYMENTS = GroupResource("apps", "deployments")


def said(answer: FakeAnswer, resource: GroupResource | None = PODS, name: str = "x") -> list[str]:
    with pytest.raises(KubetraceError) as raised:
        status.check(answer, resource, name)
    return raised.value.lines()


def test_a_status_is_told_with_its_reason() -> None:
    assert said(failure(404, "NotFound", 'pods "x" not found')) == ['Error from server (NotFound): pods "x" not found']
    assert said(failure(403, "Forbidden", 'pods "x" is forbidden: no')) == [
        'Error from server (Forbidden): pods "x" is forbidden: no'
    ]
    assert said(failure(401, "Unauthorized", "Unauthorized")) == [
        "error: You must be logged in to the server (Unauthorized)"
    ]
    assert said(failure(418, "", "short and stout")) == ["Error from server: short and stout"]


def test_a_status_of_failure_in_a_good_answer_is_a_failure() -> None:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Gone", "message": "late"}
    assert said(json_answer(body)) == ["Error from server (Gone): late"]
    done = {"kind": "Status", "apiVersion": "v1", "status": "Success"}
    assert status.check(json_answer(done)) == done


@pytest.mark.parametrize(
    ("code", "method", "line"),
    [
        (400, "GET", "(BadRequest): the server rejected our request for an unknown reason (get pods x)"),
        (404, "GET", "(NotFound): the server could not find the requested resource (get pods x)"),
        (
            405,
            "PUT",
            "(MethodNotAllowed): the server does not allow this method on the requested resource (put pods x)",
        ),
        (409, "POST", "(AlreadyExists): the server reported a conflict (post pods x)"),
        (409, "PUT", "(Conflict): the server reported a conflict (put pods x)"),
        (
            429,
            "GET",
            "(TooManyRequests): the server has received too many requests and has asked us to try again later "
            "(get pods x)",
        ),
        (503, "GET", "(ServiceUnavailable): the server is currently unable to handle the request (get pods x)"),
        (
            500,
            "GET",
            '(InternalError): an error on the server ("<b>\\"boom\\"</b>") has prevented the request from succeeding '
            "(get pods x)",
        ),
        (403, "GET", '(Forbidden): <b>"boom"</b> (get pods x)'),
        (415, "PATCH", '(UnsupportedMediaType): <b>"boom"</b> (patch pods x)'),
        (406, "GET", '(NotAcceptable): <b>"boom"</b> (get pods x)'),
    ],
)
def test_bodies_that_are_no_status_get_client_gos_words(code: int, method: str, line: str) -> None:
    answer = FakeAnswer(code, b'  <b>"boom"</b>\n', "text/html; charset=utf-8", method)
    assert said(answer) == ["Error from server " + line]


def test_codes_without_words_of_their_own() -> None:
    words = "the server responded with the status code 302 but did not return more information (get pods x)"
    assert said(FakeAnswer(302, b"", "text/plain")) == [f"Error from server: {words}"]
    assert said(FakeAnswer(401, b"", "text/plain"), None) == [
        "error: You must be logged in to the server (the server has asked for the client to provide credentials)"
    ]
    assert said(FakeAnswer(502, b"{}", "application/json"), DEPLOYMENTS, "") == [
        'Error from server (InternalError): an error on the server ("unknown") has prevented the request from '
        "succeeding (get deployments.apps)"
    ]


def test_a_long_text_is_cut() -> None:
    [line] = said(FakeAnswer(500, b"x" * 9000, "text/plain"))
    assert line.count("x") == 2048 + 1  # the last is the name's


def test_invalid_lists_its_causes_once_each() -> None:
    causes = [{"field": "spec", "message": "Required value"}, {"field": "metadata.name", "message": "Invalid value"}]
    one = failure(422, "Invalid", "m", kind="Pod", name="x", causes=causes[:1])
    assert said(one) == ['The Pod "x" is invalid: spec: Required value', ""]
    many = failure(422, "Invalid", "m", kind="Pod", name="x", causes=[*causes, causes[0]])
    assert said(many) == ['The Pod "x" is invalid: ', "* spec: Required value", "* metadata.name: Invalid value", ""]
    with_end = failure(422, "Invalid", "m", kind="Pod", name="x", causes=[{"field": "spec", "message": "Forbidden\n"}])
    assert said(with_end) == ['The Pod "x" is invalid: spec: Forbidden', "", ""]  # MultilineError's own newline
    bare = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Invalid",
        "message": "no",
        "code": 422,
    }
    assert said(json_answer(bare, 422)) == ["The request is invalid: no"]
    assert said(failure(422, "Invalid", "no", kind="", name="")) == ["The request is invalid: no"]
    assert said(failure(422, "Invalid", "no", kind="Pod", name="x")) == ['The Pod "x" is invalid']


def test_good_answers_that_are_no_objects() -> None:
    assert said(FakeAnswer(200, b"<html>", "text/html")) == ["error: serializer for text/html doesn't exist"]
    assert said(FakeAnswer(200, b"")) == ["error: unexpected end of JSON input"]
    assert said(FakeAnswer(200, b'{"kind":')) == ["error: unexpected end of JSON input"]
    assert said(FakeAnswer(200, b'{"a":1}\n')) == ["error: Object 'Kind' is missing in '{\"a\":1}\n'"]


def test_several_errors_are_told_in_order_without_the_word_error() -> None:
    refused = TransportError("GET", "https://h:1/api", "dial tcp 127.0.0.1:1: connect: connection refused", "refused")
    found = aggregate(
        [
            status.failure(failure(404, "NotFound", 'pods "x" not found')),
            KubetraceError("something else"),
            refused,
        ]
    )
    assert isinstance(found, AggregateError)
    assert found.lines() == [
        'Error from server (NotFound): pods "x" not found',
        "something else",
        "The connection to the server h:1 was refused - did you specify the right host or port?",
        "",
    ]
    assert str(found).startswith('[pods "x" not found, something else, Get "https://h:1/api"')
    assert aggregate([]) is None
    assert str(aggregate([KubetraceError("a")])) == "a"
    assert str(AggregateError([KubetraceError("a"), KubetraceError("a")])) == "a"


def test_predicates_look_at_the_code_where_the_reason_is_unknown() -> None:
    def error(reason: str, code: int) -> Any:
        return status.failure(failure(code, reason, "m"))

    assert status.is_not_found(error("NotFound", 404))
    assert status.is_not_found(error("SomethingNew", 404))
    assert not status.is_not_found(error("Gone", 404))
    assert status.is_gone(error("", 410))
    assert not status.is_expired(error("Gone", 410))
    assert not status.is_conflict(KubetraceError("409"))


def test_what_is_logged_before_the_words() -> None:
    error = status.failure(failure(404, "NotFound", "a < b", name="x", kind="pods"))
    [note] = debug_notes(error)
    assert note == Note(
        "server-response-object",
        {
            "json": '{\n  "kind": "Status",\n  "apiVersion": "v1",\n  "metadata": {},\n  "status": "Failure",\n'
            '  "message": "a \\u003c b",\n  "reason": "NotFound",\n  "details": {\n    "name": "x",\n'
            '    "kind": "pods"\n  },\n  "code": 404\n}'
        },
    )
    refused = TransportError("GET", "https://h:1/api", "refused", "refused")
    assert [note.name for note in debug_notes(refused)] == ["connection-error"]
    assert debug_notes(status.failure(failure(422, "Invalid", "m"))) == []
    assert debug_notes(KubetraceError("x")) == []

"""Manifests: what is read, in which order, and kubectl's words (1.36) for what can't be."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from kubetrace.api.manifest_objects import decode_object, kind_problems
from kubetrace.api.manifest_sources import FilenameOptions, find_sources
from kubetrace.api.manifest_stream import Parsed, documents
from kubetrace.api.manifest_urls import read_url
from kubetrace.api.manifests import ManifestDocument, read_documents
from kubetrace.errors import KubetraceError
from kubetrace.wire.json_stream import JSONSyntaxError, value_end

CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def read(text: str | bytes) -> list[Any]:
    return [parsed.value for parsed in documents(text.encode() if isinstance(text, str) else text, "x")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("# only\n---\n# comments\n", []),
        ("null\n", []),
        ("a: 1\n---\n\n---\nb: 2\n...\n", [{"a": 1}, {"b": 2}]),
        ("--- # first\na: 1\n---   \n---\n\n...\n", [{"a": 1}]),
        ("a: on\nb: 0644\nc: 1_000\nd: 2001-01-01\n", [{"a": True, "b": 420, "c": 1000, "d": "2001-01-01"}]),
        ("a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ('{"a":1}\n{"b":2}{"c":3}', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a":1}\n---\nb: 2\n', [{"a": 1}, {"b": 2}]),
        ('{"a":1,}', [{"a": 1}]),
        ('{"a":1,"a":2}', [{"a": 2}]),
        ("hello\n", ["hello"]),
        (b"\xef\xbb\xbfa: 1\n", [{"a": 1}]),
        ("a: 1\n".encode("utf-16"), [{"a": 1}]),
    ],
)
def test_documents(text: str | bytes, values: list[Any]) -> None:
    assert read(text) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a: b\nc:\n  d: e\n\n\n\n  c: d: e\n",
            "error converting YAML to JSON: yaml: line 7: mapping values are not allowed in this context",
        ),
        (
            "a:\n\tb: c\n",
            "error converting YAML to JSON: yaml: line 2: found character that cannot start any token",
        ),
        ("a: b\n--- foo\n", "invalid Yaml document separator: foo"),
        ('{"a":1\n', "unexpected EOF"),
        ('{"a":1} xx', "json: offset 9: invalid character 'x' looking for beginning of value"),
        ('{"a":1}{"b":2} xxxx', "invalid character 'x' looking for beginning of value"),
    ],
)
def test_unreadable_documents(text: str, words: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        read(text)
    assert str(raised.value) == f"error parsing x: {words}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 2}', "invalid character '2' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        ("[nul]", "invalid character ']' in literal null (expecting 'l')"),
        ("[-x]", "invalid character 'x' in numeric literal"),
        ("[1.x]", "invalid character 'x' after decimal point in numeric literal"),
        ("[1ex]", "invalid character 'x' in exponent of numeric literal"),
        (r'["\x"]', "invalid character 'x' in string escape code"),
        (r'["\u12g4"]', r"invalid character 'g' in \u hexadecimal character escape"),
        ('["a\nb"]', r"invalid character '\n' in string literal"),
        ("[NaN]", "invalid character 'N' looking for beginning of value"),
        ('{"a":[' * 6_000, "exceeded max depth"),
    ],
)
def test_json_errors_in_gos_words(text: str, words: str) -> None:
    with pytest.raises(JSONSyntaxError) as raised:
        value_end(text, 0)
    assert str(raised.value) == words


def cm(**metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a", "json: cannot unmarshal string into Go value of type unstructured.detector"),
        ({"a": "b"}, """Object 'Kind' is missing in '{"a":"b"}'"""),
        ({"kind": 1}, """Object 'Kind' is missing in '{"kind":1}'"""),
        (
            {"kind": "L", "items": "foo"},
            "json: cannot unmarshal string into Go struct field decodeList.items of type []jsontext.Value",
        ),
        ({"kind": "L", "items": [[1]]}, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (
            {"kind": "C", "metadata": "foo"},
            "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
        ),
        (
            {"kind": "C", "apiVersion": 1},
            "json: cannot unmarshal number into Go struct field metadataOnlyObject.TypeMeta.apiVersion of type string",
        ),
        (
            cm(labels={"a": True}),
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            cm(annotations=["a"]),
            "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.annotations "
            "of type map[string]string",
        ),
        (
            cm(finalizers="a"),
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.finalizers of type []string",
        ),
        (
            cm(ownerReferences={}),
            "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.ownerReferences "
            "of type []v1.OwnerReference",
        ),
        (
            cm(generation="x"),
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.generation of type int64",
        ),
        (
            cm(creationTimestamp="foo"),
            'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"',
        ),
    ],
)
def test_undecodable_objects(value: Any, words: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        decode_object(Parsed(value), "x.yaml")
    assert str(raised.value) == f'unable to decode "x.yaml": {words}'


def test_nulls_in_metadata_are_no_error() -> None:
    value = cm(name=None, labels={"a": None}, finalizers=None, creationTimestamp=None)
    assert decode_object(Parsed(value), "x") is value


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (cm(), []),
        ([], ["invalid object to validate"]),
        ({}, ["apiVersion not set", "kind not set"]),
        ({"apiVersion": 1, "kind": True}, ["apiVersion isn't string type", "kind isn't string type"]),
        ({"apiVersion": "a/b/c", "kind": "X"}, ["unexpected GroupVersion string: a/b/c"]),
        ({"apiVersion": "v1", "kind": "List"}, []),
    ],
)
def test_kind_problems(value: Any, problems: list[str]) -> None:
    assert kind_problems(value) == problems


# --- sources ---------------------------------------------------------------------------------------------------------


def names(*filenames: str, recursive: bool = False) -> list[str]:
    return [one.name for one in find_sources(FilenameOptions(filenames, "", recursive), bytes).sources]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.yaml", "a.json", "c.txt", "a/z.yml", "empty/x.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(CM)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_in_lexical_order(folder: Path) -> None:
    assert names(".") == ["a.json", "b.yaml"]
    assert names(".", recursive=True) == ["a/z.yml", "a.json", "b.yaml"]
    assert names("a", "c.txt") == ["a/z.yml", "c.txt"]
    assert names("*.yaml") == ["b.yaml"]


@pytest.mark.parametrize(
    ("filenames", "words"),
    [
        (("nope",), 'the path "nope" does not exist'),
        (("nope*",), 'the path "nope*" does not exist'),
        (("[x",), 'pattern "[x" is not valid: syntax error in pattern'),
        (("empty",), "error reading [empty]: recognized file extensions are [.json .yaml .yml]"),
        (("-", "-"), "standard input cannot be used for multiple arguments"),
        (("nope", "no"), '[the path "nope" does not exist, the path "no" does not exist]'),
    ],
)
def test_missing_sources(folder: Path, filenames: tuple[str, ...], words: str) -> None:
    with pytest.raises(KubetraceError) as raised:
        names(*filenames)
    assert str(raised.value) == words


def test_a_broken_file_does_not_stop_the_next(folder: Path) -> None:
    (folder / "bad.yaml").write_text(CM + "---\nfoo: bar\n---\na: [\n---\n" + CM)
    sources = find_sources(FilenameOptions(("bad.yaml", "b.yaml")), bytes).sources
    found = list(read_documents(sources))
    assert [_is_object(one) for one in found] == [True, False, False, True]


def _is_object(document: ManifestDocument) -> bool:
    try:
        return bool(document.object)
    except KubetraceError:
        return False


class Flaky(BaseHTTPRequestHandler):
    answers: list[int] = []

    def log_message(self, *arguments: object) -> None: ...

    def do_GET(self) -> None:
        self.send_response(self.answers.pop(0))
        self.send_header("Content-Length", str(len(CM)))
        self.end_headers()
        self.wfile.write(CM.encode())


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([200], None),
        ([503, 500, 200], None),
        ([404], "server reported 404 Not Found, status code=404"),
        ([500, 500, 500], "server reported 500 Internal Server Error, status code=500"),
    ],
)
def test_urls_are_tried_again(answers: list[int], words: str | None) -> None:
    Flaky.answers = list(answers)
    with HTTPServer(("127.0.0.1", 0), Flaky) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/x.yaml"
        try:
            if words is None:
                assert read_url(url, pause=0) == CM.encode()
            else:
                with pytest.raises(KubetraceError) as raised:
                    read_url(url, pause=0)
                assert str(raised.value) == f'unable to read URL "{url}", {words}'
        finally:
            server.shutdown()
            thread.join()
    assert Flaky.answers == []

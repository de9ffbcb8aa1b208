"""Discovery against a real server's recorded documents and the real kubectl's cache files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kubetrace.api.discovery import Discovery, PartialDiscoveryError
from kubetrace.api.discovery_cache import LIFETIME, DiscoveryFiles, discovery_folder
from kubetrace.api.resources import GroupVersion
from kubetrace.api.status import StatusError
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import CacheHit, Event, Note
from kubetrace.transport.errors import TransportError
from tests.api.fake import RECORDED, FakeAnswer, FakeServer, json_answer, recorded_routes

AGGREGATED_CALLS = ["GET /api?timeout=32s", "GET /apis?timeout=32s"]


def discover(server: FakeServer, folder: Path, events: Events | None = None) -> Discovery:
    return Discovery(server, DiscoveryFiles(folder), events=events)


def test_aggregated_discovery_is_two_calls_and_kubectls_cache_files_byte_for_byte(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("aggregated"))
    found = discover(server, tmp_path).everything()
    assert server.targets == AGGREGATED_CALLS
    assert found.error is None
    written = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*.json")}
    assert written == RECORDED["cacheFiles"]


def test_a_warm_cache_made_by_kubectl_answers_without_a_call(tmp_path: Path) -> None:
    for name, text in RECORDED["cacheFiles"].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    server = FakeServer()
    seen: list[Event] = []
    discovery = discover(server, tmp_path, Events([seen.append]))
    found = discovery.everything()
    assert server.calls == []
    assert not discovery.fresh
    assert len(found.lists) == len(RECORDED["cacheFiles"]) - 1
    hits = [event.path for event in seen if isinstance(event, CacheHit)]
    assert hits[0] == str(tmp_path / "servergroups.json")
    assert len(hits) == len(RECORDED["cacheFiles"])
    live = discover(FakeServer(recorded_routes("aggregated")), tmp_path / "other").everything()
    assert found == live


def test_old_discovery_asks_every_version_and_finds_the_same(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("old"))
    found = discover(server, tmp_path).everything()
    assert server.targets[:2] == AGGREGATED_CALLS
    assert sorted(server.targets[2:]) == sorted(
        f"GET {path}?timeout=32s" for path in RECORDED["old"] if path not in ("/api", "/apis")
    )
    new = discover(FakeServer(recorded_routes("aggregated")), tmp_path / "new").everything()
    assert [one.group_version for one in found.lists] == [one.group_version for one in new.lists]
    names = [{resource.name for resource in one.resources} for one in found.lists]
    assert names == [{resource.name for resource in one.resources} for one in new.lists]
    assert b"storageVersionHash" in (tmp_path / "v1" / "serverresources.json").read_bytes()


def test_one_missing_group_of_an_old_server_is_told_and_the_rest_kept(tmp_path: Path) -> None:
    routes = recorded_routes("old")
    routes["/apis/batch/v1"] = FakeAnswer(503, b"service unavailable\n", "text/plain")
    seen: list[Event] = []
    found = discover(FakeServer(routes), tmp_path, Events([seen.append])).everything()
    assert isinstance(found.error, PartialDiscoveryError)
    assert str(found.error) == (
        "unable to retrieve the complete list of server APIs: "
        "batch/v1: the server is currently unable to handle the request"
    )
    assert GroupVersion("apps", "v1") in {one.group_version for one in found.lists}
    assert GroupVersion("batch", "v1") not in {one.group_version for one in found.lists}
    assert not (tmp_path / "batch" / "v1" / "serverresources.json").exists()
    names = [event.name for event in seen if isinstance(event, Note)]
    assert names == ["resource-list-failed", "resource-list-failed-again", "cache-skipped-resources"]


def test_stale_versions_are_left_out_silently(tmp_path: Path) -> None:
    routes = recorded_routes("aggregated")
    kind = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    group = {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]}
    routes["/apis"] = json_answer({"items": [group]}, content_type=kind)
    found = discover(FakeServer(routes), tmp_path).everything()
    assert found.error is None
    assert [str(one.group_version) for one in found.lists] == ["v1"]
    assert (
        '"name":"metrics.k8s.io","versions":null,"preferredVersion":{"groupVersion":"","version":""}'
        in (tmp_path / "servergroups.json").read_text()
    )


def test_an_aggregated_server_without_core_is_no_failure(tmp_path: Path) -> None:
    routes = recorded_routes("aggregated")
    del routes["/api"]
    found = discover(FakeServer(routes), tmp_path).everything()
    assert found.groups[0].name == "apiregistration.k8s.io"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "the server has asked for the client to provide credentials"),
        (403, "unknown"),
        (406, "the server was unable to respond with a content type that the client supports"),
        (500, 'an error on the server ("unknown") has prevented the request from succeeding'),
    ],
)
def test_a_refusal_is_told_in_generic_words_even_where_the_body_is_a_status(
    tmp_path: Path, code: int, words: str
) -> None:
    status = {"kind": "Status", "status": "Failure", "message": "forbidden: nobody may", "reason": "X", "code": code}
    server = FakeServer({"/api": json_answer(status, code)})
    with pytest.raises(StatusError) as raised:
        discover(server, tmp_path).groups()
    assert str(raised.value) == words


def test_files_expire_by_their_modification_time(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("aggregated"))
    discover(server, tmp_path).everything()
    for path in tmp_path.rglob("*.json"):
        made = path.stat().st_mtime - LIFETIME - 1
        os.utime(path, (made, made))
    discover(server, tmp_path).everything()
    assert len(server.calls) == 4


def test_invalidation_ignores_files_of_others(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("aggregated"))
    discover(server, tmp_path).everything()
    discovery = discover(server, tmp_path)
    discovery.invalidate()
    discovery.everything()
    assert len(server.calls) == 4
    assert discovery.fresh
    discovery.everything()
    assert len(server.calls) == 4


def test_broken_and_unwritable_caches_are_no_failure(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("aggregated"))
    (tmp_path / "servergroups.json").write_text('{"groups": [tor')
    assert discover(server, tmp_path).groups()
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    seen: list[Event] = []
    assert discover(server, blocked / "cache", Events([seen.append])).everything().error is None
    notes = {event.name for event in seen if isinstance(event, Note)}
    assert notes == {"cache-write-failed", "cache-write-failed-resources"}


def test_files_and_folders_have_kubectls_modes(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        discover(FakeServer(recorded_routes("aggregated")), tmp_path / "a" / "b").groups()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a" / "b" / "servergroups.json").stat().st_mode) == 0o660
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o750
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["servergroups.json"]


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("https://127.0.0.1:6443", "127.0.0.1_6443"),
        ("http://localhost:8080", "localhost_8080"),
        ("https://host/a/b-c", "host/a/b_c"),
        ("https://[::1]:6443", "___1__6443"),
    ],
)
def test_the_folders_name_is_the_servers(server: str, name: str) -> None:
    assert discovery_folder(Path("/c"), server) == Path("/c/discovery") / name


def test_every_failed_question_asks_again_and_is_noted(tmp_path: Path) -> None:
    refused = TransportError("GET", "https://server:6443/api?timeout=32s", "connection refused", "refused")
    seen: list[Event] = []
    discovery = discover(FakeServer({"/api": refused}), tmp_path, Events([seen.append]))
    for _ in range(2):
        with pytest.raises(TransportError):
            discovery.groups()
    assert [event.name for event in seen if isinstance(event, Note)] == ["group-list-failed", "cache-skipped"] * 2


def test_the_timeout_of_the_command_is_discoverys_too(tmp_path: Path) -> None:
    server = FakeServer(recorded_routes("aggregated"))
    Discovery(server, timeout=90.5).groups()
    assert server.targets[0] == "GET /api?timeout=1m30.5s"
    assert server.calls[0].timeout == 90.5


def test_an_answer_that_is_no_json_is_told_in_gos_words(tmp_path: Path) -> None:
    with pytest.raises(KubetraceError, match="invalid character '<' looking for beginning of value"):
        discover(FakeServer({"/api": FakeAnswer(200, b"<html>", "text/html")}), tmp_path).groups()


@pytest.mark.parametrize("document", [{"groups": [1]}, {"groups": {"a": 1}}, {"groups": [{"versions": 5}]}, [], 7])
def test_json_that_is_no_discovery_is_one_line(tmp_path: Path, document: object) -> None:
    server = FakeServer({"/api": json_answer({"versions": ["v1"]}), "/apis": json_answer(document)})
    with pytest.raises(KubetraceError, match="json: cannot unmarshal"):
        discover(server, tmp_path).groups()

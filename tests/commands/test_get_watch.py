"""`get --watch`, against a played server whose watch ends by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubetrace.api.verbs import JSON, TABLE
from tests.commands.played import PlayedServer, Ran
from tests.commands.test_get import RECORDED

COLUMNS = [{"name": "Name", "type": "string", "format": "name"}, {"name": "Data", "type": "integer"}]
LIST = "/api/v1/namespaces/default/configmaps?limit=500"
SINGLE = "/api/v1/namespaces/default/configmaps/a"
WATCH_LIST = "/api/v1/namespaces/default/configmaps?resourceVersion=7&watch=true"
WATCH_SINGLE = "/api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Da&resourceVersion=0&watch=true"


def watch(words: list[str], tmp_path: Path, answers: dict[str, Any]) -> Ran:
    return Ran(words, tmp_path, PlayedServer(RECORDED["discovery"], answers))


def table(name: str, data: int, columns: list[Any] | None = None) -> dict[str, Any]:
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "columnDefinitions": columns,
        "rows": [{"cells": [name, data]}],
    }


def config_map(name: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "managedFields": []}}


def answers(accept: str, **bodies: Any) -> dict[str, Any]:
    """Answers by target; a list is a stream of watch events."""

    def text(body: Any) -> str:
        return "".join(json.dumps(line) + "\n" for line in body) if isinstance(body, list) else json.dumps(body)

    targets = {"list": LIST, "single": SINGLE, "watch_list": WATCH_LIST, "watch_single": WATCH_SINGLE}
    return {
        f"{accept} {targets[name]}": {"status": 200, "type": "application/json", "body": text(body)}
        for name, body in bodies.items()
    }


TABLES = answers(
    TABLE,
    list=table("a", 1, COLUMNS),
    watch_list=[{"type": "MODIFIED", "object": table("a", 2)}, {"type": "ADDED", "object": table("longer-name", 3)}],
)
OBJECTS = answers(
    JSON,
    list={
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": "7"},
        "items": [{"metadata": {"name": "a"}}],
    },
    watch_list=[{"type": "DELETED", "object": config_map("a")}],
)


def test_a_watched_list_is_printed_then_its_changes_under_one_header(tmp_path: Path) -> None:
    ran = watch(["get", "cm", "-w"], tmp_path, TABLES)
    assert ran.stdout == "NAME   DATA\na      1\na      2\nlonger-name   3\n"
    assert ran.code == 0


def test_watch_only_leaves_out_what_is_there(tmp_path: Path) -> None:
    assert watch(["get", "cm", "--watch-only"], tmp_path, TABLES).stdout == "NAME   DATA\na      2\nlonger-name   3\n"


def test_whole_events_have_their_type(tmp_path: Path) -> None:
    ran = watch(["get", "cm", "-w", "--output-watch-events"], tmp_path, TABLES)
    assert ran.stdout == (
        "EVENT      NAME   DATA\nADDED      a      1\nMODIFIED   a      2\nADDED      longer-name   3\n"
    )


def test_items_of_a_list_get_their_kind(tmp_path: Path) -> None:
    assert watch(["get", "cm", "-w", "-o", "name"], tmp_path, OBJECTS).stdout == "configmap/a\nconfigmap/a\n"


def test_an_event_as_json_keeps_managed_fields(tmp_path: Path) -> None:
    ran = watch(["get", "cm", "--watch-only", "--output-watch-events", "-o", "json"], tmp_path, OBJECTS)
    assert ran.stdout == (
        '{"type":"DELETED","object":{"apiVersion":"v1","kind":"ConfigMap",'
        '"metadata":{"managedFields":[],"name":"a"}}}\n'
    )


def test_the_first_event_of_a_single_object_is_not_shown_again(tmp_path: Path) -> None:
    events = [{"type": "ADDED", "object": config_map("a")}, {"type": "DELETED", "object": config_map("a")}]
    played = answers(JSON, single=config_map("a"), watch_single=events)
    assert watch(["get", "cm", "a", "-w", "-o", "name"], tmp_path, played).stdout == "configmap/a\n" * 2


def test_what_is_no_event_is_shown_as_an_error_and_ends_the_watch(tmp_path: Path) -> None:
    """As kubectl 1.36 does against such a server."""
    events = [{"type": "ODD", "object": {}}, {"type": "ADDED", "object": table("a", 1)}]
    ran = watch(["get", "cm", "-w"], tmp_path, answers(TABLE, list={**table("a", 1), "rows": []}, watch_list=events))
    assert ran.stdout.startswith("STATUS    REASON          MESSAGE\nFailure   InternalError   an error on the server")
    assert ran.stdout.count("\n") == 2


def test_a_printer_that_fails_ends_the_watch(tmp_path: Path) -> None:
    """As kubectl 1.36 does: an error at what is there, silence at what comes."""
    strict = ["get", "cm", "-w", "-o", "jsonpath={.data}", "--allow-missing-template-keys=false"]
    ran = watch(strict, tmp_path, OBJECTS)
    assert (ran.code, ran.stderr.split(":")[:2]) == (1, ["error", " unable to output the provided object"])
    ran = watch([*strict, "--watch-only"], tmp_path, OBJECTS)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")

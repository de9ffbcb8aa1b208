"""Objects in an editor: `edit`, `apply edit-last-applied`, `create --edit`, and what was applied last."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kubetrace.playground import manager
from tests.conftest import Outcome
from tests.playground.conftest import Client

Edit = Callable[..., Outcome]
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}}
BAD_LABEL = 'sed -i \'s/^  name: settings/  name: settings\\n  labels: {"a b": c}/\' "$1"'


@pytest.fixture
def edit(run: Callable[..., Outcome], server: Client, namespace: str, tmp_path: Path) -> Edit:
    """Runs a command whose editor is a shell script; the first argument of the script is the file."""
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", SETTINGS)
    (tmp_path / "texts").mkdir()

    def call(script: str, *argv: str, **environ: str) -> Outcome:
        editor = tmp_path / "editor"
        editor.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/seen\n{script}\n')
        editor.chmod(0o755)
        settings = {"EDITOR": str(editor), "TMPDIR": str(tmp_path / "texts"), "PATH": os.environ["PATH"], **environ}
        return run(*argv, "-n", namespace, environ=settings)

    return call


@pytest.fixture
def seen(tmp_path: Path) -> Callable[[], str]:
    """What the editor was shown last."""
    return lambda: (tmp_path / "seen").read_text()


@pytest.fixture
def left(tmp_path: Path) -> Callable[[], list[str]]:
    """The files that edits have left behind."""
    return lambda: sorted(str(path) for path in (tmp_path / "texts").iterdir())


def colour(server: Client, namespace: str) -> str:
    found: str = server.get(f"/api/v1/namespaces/{namespace}/configmaps/settings")["data"]["colour"]
    return found


def test_a_change_is_sent_and_nothing_stays_behind(
    edit: Edit, server: Client, namespace: str, seen: Callable[[], str], left: Callable[[], list[str]]
) -> None:
    done = edit('sed -i s/blue/green/ "$1"', "edit", "configmap", "settings", "--output-patch")
    assert (done.code, done.out, done.err) == (
        0,
        'Patch: {"data":{"colour":"green"}}\nconfigmap/settings edited\n',
        "",
    )
    assert colour(server, namespace) == "green"
    assert seen().startswith("# Please edit the object below. Lines beginning with a '#' will be ignored,\n")
    assert "managedFields" not in seen()
    assert left() == []


def test_several_objects_are_one_list(edit: Edit, server: Client, namespace: str, seen: Callable[[], str]) -> None:
    server.post(
        f"/api/v1/namespaces/{namespace}/configmaps", {**SETTINGS, "metadata": {"name": "more"}, "data": {"a": "b"}}
    )
    done = edit('sed -i s/blue/green/ "$1"', "edit", "configmap", "settings", "more", "-o", "json", "--record")
    assert done.err == "Flag --record has been deprecated, --record will be removed in the future\n"
    assert [json.loads(text)["metadata"]["name"] for text in re.split(r"(?<=^}\n)", done.out, flags=re.M) if text] == [
        "settings",
        "more",
    ]
    shown = json.loads(seen())
    assert (shown["kind"], [item["metadata"]["name"] for item in shown["items"]]) == ("List", ["settings", "more"])


@pytest.mark.parametrize(
    ("script", "more", "words"),
    [
        ("true", (), "Edit cancelled, no changes made.\n"),
        ("sed -i '1i# more' \"$1\"", (), "Edit cancelled, no changes made.\n"),
        (': > "$1"', ("--validate=false",), "Edit cancelled, saved file was empty.\n"),
    ],
)
def test_nothing_to_do(
    edit: Edit, left: Callable[[], list[str]], script: str, more: tuple[str, ...], words: str
) -> None:
    done = edit(script, "edit", "configmap", "settings", *more)
    assert (done.code, done.out, done.err) == (0, "", words)
    assert left() == []


def test_what_is_invalid_is_opened_again(
    edit: Edit, server: Client, namespace: str, seen: Callable[[], str], left: Callable[[], list[str]]
) -> None:
    again = f'if grep -q "was not valid" "$1"; then sed -i "s/a b/ab/;s/blue/green/" "$1"; else {BAD_LABEL}; fi'
    done = edit(again, "edit", "configmap", "settings")
    assert (done.code, done.out) == (0, "configmap/settings edited\n")
    assert done.err == 'error: configmaps "settings" is invalid\n'
    assert '#\n# configmaps "settings" was not valid:\n# * metadata.labels: Invalid value: "a b": ' in seen()
    assert colour(server, namespace) == "green"
    assert left() == []


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (BAD_LABEL, "error: Edit cancelled, no valid changes were saved.\n"),
        ("sed -i 's/kind: .*/kind: [/' \"$1\"", "error: Edit cancelled, no valid changes were saved.\n"),
        (
            "sed -i 's/name: settings/name: other/' \"$1\"",
            "error: At least one of apiVersion, kind and name was changed\n",
        ),
        ("sed -i '/uid:/d' \"$1\"", "error: no original object found for &unstructured.Unstructured{Object:"),
        ("sed -i 's/namespace: .*/namespace: other/' \"$1\"", "error: the namespace from the provided object"),
    ],
)
def test_a_text_that_leads_nowhere_is_kept(edit: Edit, left: Callable[[], list[str]], script: str, words: str) -> None:
    once = f'grep -q -e "was not valid" -e "syntax error" "$1" || {script}'
    done = edit(once, "edit", "configmap", "settings")
    assert (done.code, done.out) == (1, "")
    kept = re.search(
        r'A copy of your changes has been stored to "(.*/kubetrace-edit-\d+\.yaml)"\n(.*)', done.err, re.DOTALL
    )
    assert kept is not None and kept[1] in left()
    assert kept[2].startswith(words)


def test_a_conflict_says_how_to_go_on(edit: Edit, left: Callable[[], list[str]]) -> None:
    script = 'sed -i \'s/blue/green/;s/resourceVersion: .*/resourceVersion: "1"/\' "$1"'
    done = edit(script, "edit", "configmap", "settings")
    [file] = left()
    assert done.code == 1
    assert done.err.startswith('error: configmaps "settings" could not be patched: Operation cannot be fulfilled')
    assert done.err.endswith(f"You can run `kubetrace replace -f {file}` to try this update again.\n")


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        ("false", 'error: there was a problem with the editor "false"\n'),
        ("no-such-editor -x", 'error: unable to launch the editor "no-such-editor -x"\n'),
        (" sed", 'error: there was a problem with the editor " sed"\n'),
        ("/no/such/editor", 'error: there was a problem with the editor "/no/such/editor"\n'),
    ],
)
def test_an_editor_that_fails(edit: Edit, left: Callable[[], list[str]], editor: str, words: str) -> None:
    done = edit("", "edit", "configmap", "settings", KUBE_EDITOR=editor)
    assert (done.code, done.out, done.err) == (1, "", words)
    assert len(left()) == 1


def test_an_editor_with_quotes_goes_through_the_shell(edit: Edit, server: Client, namespace: str) -> None:
    done = edit("", "edit", "configmap", "settings", KUBE_EDITOR="sed -i 's/blue/light green/'", SHELL="/bin/sh")
    assert (done.code, done.err, colour(server, namespace)) == (0, "", "light green")


def test_ctrl_c_on_a_terminal_ends_edit_and_editor(
    playground: manager.Playground, server: Client, namespace: str, tmp_path: Path
) -> None:
    server.post(f"/api/v1/namespaces/{namespace}/configmaps", SETTINGS)
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\ntouch {tmp_path}/opened\nexec sleep 60\n")
    editor.chmod(0o755)
    environ = {**os.environ, "KUBECONFIG": str(playground.kubeconfig), "HOME": str(tmp_path), "EDITOR": str(editor)}
    argv = [sys.executable, "-m", "kubetrace", "edit", "configmap", "settings", "-n", namespace]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, {**environ, "TMPDIR": str(tmp_path)})
    while not (tmp_path / "opened").exists():
        time.sleep(0.05)
    os.write(terminal, b"\x03")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    shown = os.read(terminal, 1024)
    os.close(terminal)
    assert (code, shown) == (1, b"^C")
    assert list(tmp_path.glob("kubetrace-edit-*.yaml")) != []


def test_values_of_secrets_stay_out_of_the_log(edit: Edit, server: Client, namespace: str) -> None:
    secret = {"kind": "Secret", "apiVersion": "v1", "data": {"password": "aHVudGVyMi1zZWNyZXQ="}}
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret) + "\n"}
    metadata = {"name": "secret", "annotations": annotation}
    server.post(f"/api/v1/namespaces/{namespace}/secrets", {**secret, "metadata": metadata})
    for script in ("sed -i s/password:/word:/", "sed -i /uid:/d", "sed -i s/name:.secret/name:\\ s/"):
        done = edit(f'{script} "$1"', "edit", "secret", "secret", "-v=8")
        assert "User edited:" in done.err and "<masked:1>" in done.err
        assert "aHVudGVyMi1zZWNyZXQ" not in done.out + done.err


def test_what_was_applied_last(edit: Edit, tmp_path: Path, seen: Callable[[], str]) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(SETTINGS))
    file = str(tmp_path / "settings.json")
    refused = edit("", "apply", "set-last-applied", "-f", file)
    assert (refused.code, refused.err) == (
        1,
        "error: no last-applied-configuration annotation found on resource: settings, to create the annotation, run "
        "the command with --create-annotation\n",
    )
    made = edit("", "apply", "set-last-applied", "-f", file, "--create-annotation")
    assert made.out == "configmap/settings configured\n"
    assert edit("", "apply", "set-last-applied", "-f", file).out == "set-last-applied settings: no changes required.\n"
    done = edit('sed -i s/blue/green/ "$1"', "apply", "edit-last-applied", "configmap/settings")
    assert (done.code, done.out) == (0, "configmap/settings edited\n")
    assert seen().startswith("# Please edit the 'last-applied-configuration' annotations below.\n")
    shown = edit("", "apply", "view-last-applied", "-f", file, "-o", "json")
    assert json.loads(shown.out)["data"] == {"colour": "green"}
    assert edit("", "apply", "view-last-applied", "configmap/settings").out.startswith(
        "apiVersion: v1\ndata:\n  colour: green\n"
    )


def test_a_manifest_is_edited_before_it_is_created(edit: Edit, server: Client, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text(json.dumps({**SETTINGS, "metadata": {"name": "new"}}))
    done = edit('sed -i s/blue/green/ "$1"', "create", "--edit", "-f", str(tmp_path / "new.json"), "--save-config")
    assert (done.code, done.out) == (0, "configmap/new created\n")
    made = server.get(f"/api/v1/namespaces/{namespace}/configmaps/new")
    assert made["data"] == {"colour": "green"}
    assert "kubectl.kubernetes.io/last-applied-configuration" in made["metadata"]["annotations"]

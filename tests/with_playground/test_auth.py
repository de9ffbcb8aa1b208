"""`auth can-i` and `auth whoami` ask the server, and believe it."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Outcome

Run = Callable[..., Outcome]


def test_yes_and_no_are_exit_codes_too(run: Run) -> None:
    assert run("auth", "can-i", "delete", "pods") == Outcome(0, "yes\n", "")
    assert run("auth", "can-i", "delete", "pods", "--context=viewer") == Outcome(1, "no\n", "")
    assert run("auth", "can-i", "delete", "pods", "-q", "--context=viewer") == Outcome(1, "", "")
    assert run("auth", "can-i", "get", "/healthz", "--context=nobody").code == 0


def test_what_no_namespace_holds_is_said(run: Run) -> None:
    told = run("auth", "can-i", "list", "nodes")
    assert told == Outcome(0, "yes\n", "Warning: resource 'nodes' is not namespace scoped\n\n")
    told = run("auth", "can-i", "frob", "gizmos")
    assert told.err.startswith("Warning: the server doesn't have a resource type 'gizmos'\n\n")


def test_the_list_is_put_together_by_resource(run: Run) -> None:
    rows = run("auth", "can-i", "--list", "--context=viewer").out.splitlines()
    assert rows[0].split() == ["Resources", "Non-Resource", "URLs", "Resource", "Names", "Verbs"]
    assert any(row.split() == ["pods", "[]", "[]", "[get", "list", "watch]"] for row in rows)


def test_whoami(run: Run) -> None:
    rows = run("auth", "whoami", "--as=jane", "--as-group=ops", "--as-user-extra=why=test").out.splitlines()
    assert [row.split(None, 1) for row in rows[:2]] == [["ATTRIBUTE", "VALUE"], ["Username", "jane"]]
    assert rows[-1].split(None, 2) == ["Extra:", "why", "[test]"]
    assert run("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", "--as=jane").out == "jane"

"""`diff`: exit codes, what is compared, and that nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Outcome

Run = Callable[..., Outcome]


def settings(color: str) -> bytes:
    return b"{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {color: %s}}" % color.encode()


def test_exit_codes_and_what_is_shown(run: Run, namespace: str) -> None:
    here = ("-n", namespace)
    assert run("diff", "-f", "-", *here, stdin=settings("red")).code == 1
    run("apply", "-f", "-", *here, stdin=settings("red"))
    assert run("diff", "-f", "-", *here, stdin=settings("red")) == Outcome(0, "", "")
    told = run("diff", "-f", "-", *here, stdin=settings("blue"))
    assert told.code == 1
    lines = told.out.splitlines()
    assert "-  color: red" in lines and "+  color: blue" in lines
    assert run("get", "cm", "settings", *here, "-o", "jsonpath={.data.color}").out == "red"
    assert run(
        "diff", "-f", "-", *here, stdin=settings("red"), environ={"KUBECTL_EXTERNAL_DIFF": "no-such"}
    ) == Outcome(2, "", 'error: failed to run "no-such": executable file not found in $PATH\n')


def test_errors_leave_exit_code_one_to_differences(run: Run) -> None:
    assert run("diff").code == 2
    assert run("diff", "--nope") == Outcome(
        2, "", "error: unknown flag: --nope\nSee 'kubetrace diff -h' for help and examples\n"
    )
    assert run("diff", "-f", "nowhere.yaml").code == 2


def test_values_of_secrets_are_asterisks(run: Run, namespace: str, tmp_path: Path) -> None:
    manifest = tmp_path / "secret.yaml"
    manifest.write_text("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: first, b: second}}")
    run("apply", "-f", str(manifest), "-n", namespace)
    manifest.write_text("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: first, b: other}}")
    told = run("diff", "-f", str(manifest), "-n", namespace)
    assert "-  b: '*** (before)'" in told.out and "+  b: '*** (after)'" in told.out
    assert "b3RoZXI=" not in told.out
    assert "b3RoZXI=" in run("diff", "-f", str(manifest), "-n", namespace, "--show-secrets").out

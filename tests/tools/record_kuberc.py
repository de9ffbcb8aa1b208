"""Records what kubectl's `kuberc view` and `kuberc set` do: tests/commands/golden/kuberc.json.

    KUBECTL=path/to/kubectl python -m tests.tools.record_kuberc

The commands run one after the other in one home folder (HOME below), each with what is typed, if anything.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent.parent / "commands" / "golden" / "kuberc.json"
GIVEN = """\
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
defaults:
- command: get
  options:
  - {name: output, default: wide}
aliases:
- name: getn
  command: get
  prependArgs: [nodes]
"""

# command line | what is typed
COMMANDS = r"""
kuberc view|
kuberc view|y
kuberc view -o json|
kuberc view --kuberc GIVEN|
kuberc view --kuberc GIVEN -o json|
kuberc view --kuberc GIVEN -o kyaml|
kuberc view --kuberc GIVEN -o name|
kuberc view --kuberc GIVEN -o jsonpath={.kind}|
kuberc view --kuberc GIVEN --template={{.kind}}|
kuberc view --kuberc GIVEN -o foo|
kuberc set|
kuberc set --section x|
kuberc set --section defaults|
kuberc set --section aliases --command get|
kuberc set --section defaults --name x --command get|
kuberc set --section defaults --command get --prependarg x|
kuberc set --section defaults --command get --option output|
kuberc set --section defaults --command get --option output=wide|
kuberc set --section defaults --command get --option --output=json|
kuberc set --section defaults --command get --option output=json --overwrite|
kuberc set --section defaults --command get --overwrite|
kuberc set --section defaults --command "set env"|
kuberc view|
kuberc set --section aliases --name getn --command get --prependarg nodes --option output=wide|
kuberc set --section aliases --name getn --command get|
kuberc set --section aliases --name getn --command get --appendarg x --overwrite|
kuberc set --section credentialplugin|
kuberc set --section credentialplugin --policy x|
kuberc set --section credentialplugin --policy DenyAll --allowlist-entry command=x|
kuberc set --section credentialplugin --policy Allowlist|
kuberc set --section credentialplugin --policy Allowlist --allowlist-entry name=x --allowlist-entry foo --allowlist-entry command=|
kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command=x,command=y|
kuberc view -o json|
kuberc view --kuberc BAD|
kuberc set --section defaults --command get --kuberc NEW --option a=b|
"""  # noqa: E501


def prepared(home: Path) -> None:
    (home / "GIVEN").write_text(GIVEN)
    (home / "BAD").write_text("a: [")


def files(home: Path) -> dict[str, str]:
    """The kuberc files there are now."""
    found = {name: home / name for name in (".kube/kuberc", "NEW")}
    return {name: path.read_text() for name, path in found.items() if path.exists()}


def main() -> None:
    kubectl = os.environ["KUBECTL"]
    program = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepared(home)
        cases = [_recorded(kubectl, line, home) for line in COMMANDS.strip().splitlines()]
    GOLDEN.write_text(json.dumps({"program": program.splitlines(), "cases": cases}, indent=1) + "\n")


def _recorded(kubectl: str, line: str, home: Path) -> dict[str, Any]:
    command, _, typed = line.partition("|")
    done = subprocess.run(
        [kubectl, *shlex.split(command)],
        input=f"{typed}\n" if typed else "",
        capture_output=True,
        text=True,
        env={"HOME": str(home)},
        cwd=home,
        check=False,
    )
    out, err = (stream.replace(str(home), "HOME") for stream in (done.stdout, done.stderr))
    return {
        "words": shlex.split(command), "typed": typed, "stdout": out, "stderr": err, "code": done.returncode,
        "files": files(home),
    }  # fmt: skip


if __name__ == "__main__":
    main()

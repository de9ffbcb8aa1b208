"""Records a trace and the audit events of its requests from a real kube-apiserver, for tests/trace_views/data/audit.

    python -m tests.tools.record_audit KUBECONFIG AUDIT_LOG

The kubeconfig is an admin's; the commands are kubetrace's own (what is recorded is the server's log).
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from kubetrace.trace.audit_log import ENDS, events
from kubetrace.trace.exchanges import numbered
from kubetrace.trace.record_file import Reader

DATA = Path(__file__).parents[1] / "trace_views" / "data" / "audit"
NAMESPACE = "recorded-audit"
ALICE = "--as=alice"
RBAC = "rbac.authorization.k8s.io"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
       "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": True}}]}}  # fmt: skip
ROLE = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]}  # fmt: skip
BINDING = {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": {"name": "alice-reads"},
           "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "reader"},
           "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "alice"}]}  # fmt: skip
LABELLED = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {
    "pod-security.kubernetes.io/audit": "restricted", "pod-security.kubernetes.io/warn": "restricted"}}}  # fmt: skip


def record(kubeconfig: str, log: Path) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    trace = DATA / "trace.jsonl"
    trace.unlink(missing_ok=True)

    def run(*argv: str, stdin: Any = None) -> None:
        data = json.dumps(stdin).encode() if stdin else b""
        streams = Streams(io.BytesIO(data), io.StringIO(), io.StringIO())
        environment = Environment(streams, {"HOME": str(DATA)})
        with contextlib.chdir(DATA):
            main([*argv, "--kubeconfig", kubeconfig, "-n", NAMESPACE, "--cache-dir", "/tmp/record-audit"], environment)

    traced = ("--trace", trace.name)  # the trace keeps the command's words: none of them names a place of this machine
    run("apply", "-f", "-", stdin=LABELLED)
    run("get", "pods", ALICE, *traced)
    run("create", "-f", "-", stdin=ROLE)
    run("create", "-f", "-", stdin=BINDING)
    time.sleep(1)
    run("get", "pods", ALICE, *traced)
    run("create", "-f", "-", "--validate=false", *traced, stdin=POD)
    run("get", "pod", "nowhere", *traced)
    time.sleep(2)
    with trace.open("rb") as lines:
        found = [one.exchange.response for one in numbered(Reader("t").events(lines))]
    wanted = {one.header("Audit-Id") for one in found if one is not None}
    with log.open("rb") as lines:
        kept = [line for line in lines if any(event.id in wanted for event in events([line]))]
        lines.seek(0)
        other = next(line for line in lines if any(e.id not in wanted and e.stage in ENDS for e in events([line])))
    (DATA / "audit.log").write_bytes(other + b"".join(kept))
    trace.write_text("".join(_without_places(trace.read_text().splitlines())))
    run("delete", "namespace", NAMESPACE, "--wait=false")


def _without_places(lines: list[str]) -> Iterator[str]:
    """The trace without what names files of this machine."""
    for line in lines:
        value = json.loads(line)
        if "command" in value:
            value["command"] = value["command"][: value["command"].index("--kubeconfig")]
        if value.get("event") not in ("cache-hit", "note"):
            yield json.dumps(value, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    record(str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]))

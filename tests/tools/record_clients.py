"""Records of which clients kubectl makes inside a pod, and when: tests/with_playground/clients.json.

    KUBECTL=path/to/kubectl KUBECONFIG=path/to/kubeconfig python -m tests.tools.record_clients

Run as root on Linux: kubectl looks for a service account below /var/run/secrets, which it finds here in a mount
namespace of its own. The kubeconfig's context has a token and a CA file. kubectl says so for each client that it makes
without a kubeconfig (-v=4), of its feature gates when it makes the first transport, and between these lines stand its
requests.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from kubetrace.environment import Environment
from kubetrace.streams import Streams

GOLDEN = Path(__file__).parent.parent / "with_playground" / "clients.json"
NAMESPACE = "clients"
FIRST = "the first transport"
MANIFESTS = {
    "one.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: one, labels: {a: b}}, data: {k: v}}\n",
    "two.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: two}}\n---\n"
    "{apiVersion: v1, kind: Secret, metadata: {name: two}}\n",
    "list.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}}\n",
}
SETUP = ("create -f one.yaml", "create deployment web --image=nginx --replicas=0")
COMMANDS = """\
api-resources
get configmaps,secrets
get cm/one deploy/web
get -f one.yaml
get --raw /version
get all
describe cm one
apply -f one.yaml
apply -f two.yaml
apply -f two.yaml --server-side
apply view-last-applied -f two.yaml
apply set-last-applied -f one.yaml --create-annotation
diff -f two.yaml
create -f list.yaml
create -f list.yaml --dry-run=client --validate=false
create configmap made --from-literal=a=b
create role reader --verb=get --resource=pods
create token default
create priorityclass none --value=1 --dry-run=server
replace -f two.yaml
label cm one c=d
label cm one two c=e --dry-run=client
annotate -f two.yaml e=f
patch cm one -p {"data":{"z":"1"}}
scale deploy web --replicas=0
autoscale deploy web --max=3
expose deploy web --port=80
set image deploy/web nginx=nginx:1
set env deploy/web --list
rollout history deploy/web
rollout pause deploy/web
wait cm/one --for=create
auth can-i get pods
auth can-i --list
auth can-i get /version
auth whoami
events
events --for=deploy/web
explain configmaps.data
version
cluster-info
logs gone
exec gone -- ls
attach gone
cp gone:/x y
port-forward gone 80
debug gone --image=x
cordon gone
certificate approve gone
top pod
delete cm made
delete -f list.yaml
delete -f two.yaml --dry-run=client
"""


def told(log: str, namespace: str) -> list[str]:
    """The lines of a log in kubectl 1.36's dialect that count: who is made, and what is asked."""
    found = []
    for line in log.splitlines():
        asked = re.search(r'"Response" verb="(\w+)" url="([^"]*)"', line)
        if asked:
            path = urlsplit(asked[2]).path.replace(namespace, NAMESPACE)
            found.append(f"{asked[1]} {path}")
        elif "Using in-cluster" in line:
            found.append(line.rpartition("] ")[2])
        elif "Feature gate default state" in line and FIRST not in found:
            found.append(FIRST)
    return found


class Pod:
    """What a pod would have, for one kubectl."""

    def __init__(self, home: Path) -> None:
        connection = Environment(Streams.standard(), {**os.environ, "HOME": str(home)}).connection
        authority = Path(connection.certificate_authority).read_text()
        (home / "account").mkdir()
        for name, text in (("token", connection.token), ("ca.crt", authority), ("namespace", NAMESPACE)):
            (home / "account" / name).write_text(text)
        for name, text in MANIFESTS.items():
            (home / name).write_text(text)
        where = urlsplit(connection.server)
        self._home = home
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBERNETES_SERVICE_HOST": where.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(where.port),
        }

    def kubectl(self, *argv: str) -> str:
        """Standard error of one command."""
        place = "/var/run/secrets/kubernetes.io/serviceaccount"
        script = f'mount -t tmpfs none /var/run/secrets && mkdir -p {place} && cp account/* {place} && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", os.environ["KUBECTL"], *argv]
        done = subprocess.run(command, cwd=self._home, env=self._environ, capture_output=True, text=True, check=False)
        return done.stderr


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pod = Pod(Path(folder))
        version = subprocess.run(
            [os.environ["KUBECTL"], "version", "--client"], capture_output=True, text=True, check=True
        )
        pod.kubectl("create", "namespace", NAMESPACE)
        time.sleep(2)  # until the service account is there
        for line in SETUP:
            pod.kubectl(*shlex.split(line))
        commands = [
            {"argv": line, "told": told(pod.kubectl(*words(line)), NAMESPACE)} for line in COMMANDS.splitlines()
        ]
        pod.kubectl("delete", "namespace", NAMESPACE, "--wait=false")
    GOLDEN.write_text(json.dumps({"program": version.stdout.splitlines(), "commands": commands}, indent=1) + "\n")


def words(line: str) -> list[str]:
    """A command's words, its log's level before what is another program's."""
    argv = line.split(" ")
    at = argv.index("--") if "--" in argv else len(argv)
    return [*argv[:at], "-v=6", *argv[at:]]


if __name__ == "__main__":
    main()

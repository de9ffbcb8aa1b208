"""apply's three-way patches held to the real kubectl's: random objects, the same patches and outcomes.

Needs KUBEBUILDER_ASSETS (kubectl, etcd and kube-apiserver); what differed once is among the recorded cases of
tests/api/test_strategic_merge.py, which need nothing.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubetrace.cli import main
from kubetrace.environment import Environment
from kubetrace.streams import Streams
from tests.conformance.merging import Answer, PatchServer
from tests.conformance.plane import TOKENS, Plane, assets_from, kubectl_in
from tests.conformance.random_objects import Triple, triple

ASSETS = assets_from(os.environ)
AT_ONCE = 20
"""Objects a run of apply."""
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"

pytestmark = pytest.mark.skipif(ASSETS is None, reason="no kube-apiserver: KUBEBUILDER_ASSETS names none")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PatchServer]:
    assert ASSETS is not None
    plane = Plane(ASSETS, tmp_path_factory.mktemp("plane"), controllers=False).start()
    context = plane.tls()

    def ask(path: str, accept: str) -> Answer:
        headers = {"Authorization": f"Bearer {TOKENS['admin'][0]}", "Accept": accept}
        request = urllib.request.Request(plane.server + path, headers=headers)
        try:
            with urllib.request.urlopen(request, context=context) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read()

    found = PatchServer(ask)
    yield found
    found.close()
    plane.stop()


def live(one: Triple) -> dict[str, object]:
    """The live object, with what was applied last in its annotation."""
    value = json.loads(json.dumps(one.live))
    value["metadata"] |= {"uid": "u", "resourceVersion": "1"}
    if one.original is not None:
        annotations = value["metadata"].get("annotations") or {}
        text = json.dumps(one.original, sort_keys=True, ensure_ascii=False) + "\n"
        value["metadata"]["annotations"] = {**annotations, ANNOTATION: text}
    return dict(value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merges")


@pytest.mark.timeout(900)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 1 << 32),
    directives=st.booleans(),
    flags=st.sampled_from(([], ["--openapi-patch=false"], ["--overwrite=false"])),
)
def test_the_same_patches(server: PatchServer, folder: Path, seed: int, directives: bool, flags: list[str]) -> None:
    dice = random.Random(seed)
    triples = {f"o{number}": triple(dice, f"o{number}", directives=directives) for number in range(AT_ONCE)}
    server.objects = {name: live(one) for name, one in triples.items()}
    manifest = folder / "manifest.json"
    items = [one.modified for one in triples.values()]
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    kubeconfig = server.write_kubeconfig(folder / "kubeconfig")
    argv = ["apply", "-f", str(manifest), "--dry-run=server", "--validate=ignore", *flags]
    assert ASSETS is not None

    environ = {"HOME": str(folder), "KUBECONFIG": str(kubeconfig), "PATH": "/usr/bin:/bin"}
    server.patches = {}
    kubectl = folder / "kubectl"  # its name is in its words
    if not kubectl.exists():
        kubectl.symlink_to(kubectl_in(ASSETS))
    done = subprocess.run([str(kubectl), *argv], env=environ, capture_output=True, text=True, check=False)
    wanted = server.patches

    server.patches = {}
    written, told = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "\n") for _ in range(2))
    code = main(argv, Environment(Streams(io.BytesIO(), written, told), environ))
    written.flush()
    out = written.buffer.getvalue().decode()

    crashed = "goroutine " in done.stderr  # kubectl panics at directives of a wrong type; what it sent before counts
    for path in wanted if crashed else {**wanted, **server.patches}:
        name = path.rpartition("/")[2]
        found, expected = server.patches.get(path), wanted.get(path)
        if found is not None and expected is not None and expected[0] == "application/merge-patch+json":
            # kubectl writes their keys in the order of a Go map.
            found, expected = ((kind, json.loads(body)) for kind, body in (found, expected))
        assert found == expected, json.dumps(
            {"original": triples[name].original, "modified": triples[name].modified, "live": triples[name].live}
        )
    if not crashed:
        # Which of several errors stderr tells is the order of a Go map, too.
        assert (code, out) == (done.returncode, done.stdout)

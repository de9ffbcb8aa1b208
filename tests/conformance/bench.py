"""Two equal planes with the same world in them, and both clients ready to run cases."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import trustme

from tests.conformance.case import FOLDER, Case
from tests.conformance.kept import Lock, kept_planes
from tests.conformance.plane import OLD_DISCOVERY, Plane, PlaneError, kubectl_in
from tests.conformance.run import Bench, Side, client_command, own_command

WORLD_SECONDS = 60
WORLD = {"shop": "world.yaml", "logs": "world-logs.yaml", "streams": "world-streams.yaml"}
"""What both planes hold before the first case, by the namespace that it is in."""
PODS_THAT_RUN = 3 + 8 + 6


@contextlib.contextmanager
def two_planes(
    assets: Path, folder: Path, cases: Sequence[Case], old_discovery: bool = False, itself: bool = False
) -> Iterator[Bench]:
    """Starts both, fills them, warms both clients' caches; ends both at the end. `itself`: kubectl on both sides."""
    arguments = OLD_DISCOVERY if old_discovery else ()
    authority = trustme.CA()  # one for both: it is in every namespace's kube-root-ca.crt
    planes = [Plane(assets, folder / name, arguments, authority=authority) for name in ("plane-a", "plane-b")]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        for plane in planes:
            stack.callback(plane.stop)
        list(pool.map(Plane.start, planes))
        yield _filled(assets, folder, planes, cases, old_discovery, itself)


def on_kept_planes(
    assets: Path, folder: Path, kept: Path, cases: Sequence[Case], old_discovery: bool = False, itself: bool = False
) -> tuple[Bench, list[Case]]:
    """The same on planes that stay up in the folder `kept`, and the cases in namespaces of this run's own."""
    planes, run = kept_planes(assets, kept, old_discovery)
    cases = [replace(case, run=run) for case in cases]
    with Lock(kept / "lock"):
        bench = _filled(assets, folder, planes, cases, old_discovery, itself)
    bench.lock = Lock(kept / "lock")
    return bench, cases


def _filled(
    assets: Path, folder: Path, planes: Sequence[Plane], cases: Sequence[Case], old_discovery: bool, itself: bool
) -> Bench:
    kubectl = kubectl_in(assets)
    reference = Side("kubectl", client_command(kubectl, folder / "bin"), planes[0], folder / "side-a")
    program, command = ("kubectl", reference.command) if itself else ("kubetrace", own_command())
    ours = Side(program, command, planes[1], folder / "side-b")
    bench = Bench(kubectl, reference, ours, old_discovery)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda side: _fill(bench, side, cases), (reference, ours)))
    return bench


def _fill(bench: Bench, side: Side, cases: Sequence[Case]) -> None:
    namespaces = sorted({case.own_namespace for case in cases} - {"default", *WORLD})
    objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in namespaces]
    manifest = side.folder / "namespaces.json"
    manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    kubeconfig = side.plane.write_kubeconfig(side.folder / "setup-kubeconfig")
    there = _namespaces(side.plane)  # a plane that was kept has its world
    files = [str(FOLDER / file) for namespace, file in WORLD.items() if namespace not in there]
    for file in (*files, str(manifest)) if objects else files:
        bench.kubectl_on(side, ["create", "-f", file], side.folder, kubeconfig)
    wait = ["wait", "--for=condition=Established", "--timeout=30s", "crd", "widgets.demo.example.com"]
    bench.kubectl_on(side, [*wait, "gadgets.demo.example.com"], side.folder, kubeconfig)
    if "shop" not in there:
        bench.kubectl_on(side, ["create", "-f", str(FOLDER / "world-custom.yaml")], side.folder, kubeconfig)
    _wait_for_controllers(side.plane, [*namespaces, *WORLD, "default"])
    side.warm()


def _namespaces(plane: Plane) -> set[str]:
    return {item["metadata"]["name"] for item in json.loads(plane.request("/api/v1/namespaces"))["items"]}


def _wait_for_controllers(plane: Plane, namespaces: Sequence[str]) -> None:
    """Until every namespace has what the controller manager puts there, and the pods run."""
    deadline = time.monotonic() + WORLD_SECONDS
    while time.monotonic() < deadline:
        maps = json.loads(plane.request("/api/v1/configmaps?fieldSelector=metadata.name%3Dkube-root-ca.crt"))["items"]
        accounts = json.loads(plane.request("/api/v1/serviceaccounts?fieldSelector=metadata.name%3Ddefault"))["items"]
        pods = json.loads(plane.request("/api/v1/pods?fieldSelector=status.phase%3DRunning"))["items"]
        running = sum(pod["metadata"]["namespace"] in WORLD for pod in pods)
        found = {item["metadata"]["namespace"] for item in maps} & {item["metadata"]["namespace"] for item in accounts}
        if found >= set(namespaces) and running >= PODS_THAT_RUN:
            return
        time.sleep(0.5)
    raise PlaneError("the controllers did not settle")

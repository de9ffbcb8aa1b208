"""`wait`: conditions, paths, creation, deletion, and time that is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tests.conftest import Outcome

Run = Callable[..., Outcome]


def test_a_pod_that_becomes_ready(run: Run, namespace: str) -> None:
    here = ("-n", namespace)
    pod = b"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: nginx}]}}"
    run("create", "-f", "-", *here, stdin=pod)
    assert run("wait", "--for=condition=ready", "pod/p", *here) == Outcome(0, "pod/p condition met\n", "")
    assert run("wait", "--for=jsonpath={.status.phase}=Running", "pods", "--all", *here, "-oname").out == "pod/p\n"
    told = run("wait", "--for=condition=Ready=false", "pod/p", *here, "--timeout=1s")
    assert told == Outcome(1, "", "error: timed out waiting for the condition on pods/p\n")
    assert (
        run("wait", "--for=condition=Odd", "pod/p", *here, "--timeout=0").err == "error: condition not met for pods/p\n"
    )


def test_what_comes_and_goes(run: Run, namespace: str) -> None:
    here = ("-n", namespace)

    def later() -> None:
        time.sleep(0.7)
        run("create", "configmap", "c", *here)

    other = threading.Thread(target=later)
    other.start()
    assert run("wait", "--for=create", "cm/c", *here) == Outcome(0, "configmap/c condition met\n", "")
    other.join()
    told = run("wait", "--for=delete", "cm/c", *here, "--timeout=0.2s")
    assert told.err == "error: timed out waiting for the condition on configmaps/c\n"
    run("delete", "cm", "c", *here)
    assert run("wait", "--for=delete", "cm/c", *here) == Outcome(0, "", "")


def test_wrong_words(run: Run) -> None:
    assert run("wait", "pod/x").err == "error: unrecognized condition: []\n"
    assert run("wait", "pod/x", "--for=odd").err == 'error: unrecognized condition: "odd"\n'
    assert run("wait", "pod/x", "--for=jsonpath={.a}=").code == 1
    assert run("wait", "--for=condition=Ready", "pod", "-l", "app=none").err == "error: no matching resources found\n"

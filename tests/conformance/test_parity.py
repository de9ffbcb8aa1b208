"""Every case on two real planes; a difference that has no reason in reasons.toml fails. Needs KUBEBUILDER_ASSETS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.bench import two_planes
from tests.conformance.case import Case, load_cases
from tests.conformance.plane import assets_from
from tests.conformance.report import load_reasons, reason_for
from tests.conformance.run import Bench

ASSETS = assets_from(os.environ)
if ASSETS is None:
    pytest.skip("needs real binaries: set KUBEBUILDER_ASSETS to a folder with kube-apiserver", allow_module_level=True)

CASES = load_cases()
REASONS = load_reasons()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    assert ASSETS is not None
    folder: Path = tmp_path_factory.mktemp("planes")
    with two_planes(ASSETS, folder, CASES) as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_does_what_kubectl_does(bench: Bench, case: Case) -> None:
    result = bench.run(case)
    server = bench.reference.plane.version()
    unexplained = {
        verdict: "\n".join(lines)
        for verdict, lines in result.differences.items()
        if lines and not reason_for(REASONS, case.name, verdict, server)
    }
    assert not unexplained, "\n\n".join(f"{verdict}:\n{text}" for verdict, text in unexplained.items())

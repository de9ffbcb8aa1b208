"""What a kubeconfig and flags come to, against what the real kubectl said when it tried them on closed ports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kubetrace.cmdline.global_options import KUBECTL_FLAGS, GlobalOptions
from kubetrace.cmdline.parser import FlagSet, build
from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.config import Overrides, load
from tests.conftest import Kubetrace
from tests.tools.connect_cases import CASES, URLS, Case
from tests.tools.record_connect import GOLDEN, prepare

RECORDED: dict[str, str] = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
REFUSED = re.compile(r"(?:The connection to the server|dial tcp: lookup) (\S+?)(?::? was refused|: no such)")


def outcome(case: Case, environ: dict[str, str]) -> Any:
    values = FlagSet(KUBECTL_FLAGS).parse(list(case.flags)).values
    overrides = Overrides.from_options(build(GlobalOptions, KUBECTL_FLAGS, values))
    try:
        return load(environ).connect(overrides)
    except KubetraceError as error:
        return "".join(f"{line}\n" for line in error.lines())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_kubectl(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = prepare(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    found = outcome(case, environ)
    recorded = RECORDED[case.name]
    refused = REFUSED.search(recorded)
    if refused is not None:
        assert not isinstance(found, str), found
        assert found.server.partition("://")[2].startswith(refused[1])
    else:
        assert isinstance(found, str), found
        assert found.replace(str(tmp_path), "$DIR") == recorded


@pytest.mark.parametrize("case", URLS, ids=lambda case: case.name)
def test_urls_as_kubectl(case: Case, kubetrace: Kubetrace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = prepare(case, tmp_path)
    monkeypatch.chdir(tmp_path)
    said = kubetrace("get", "--raw", "/", *case.flags, environ=environ).err
    assert said.replace("kubetrace", "kubectl") == RECORDED[case.name]

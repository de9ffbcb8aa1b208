"""Runs one case: the real kubectl on plane A, kubetrace on plane B, at the same time; then compares."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.conformance import audit, normalise
from tests.conformance.case import MANIFESTS, Case
from tests.conformance.plane import Plane

DIALECT = "1.36"
TIMEOUT_SECONDS = 60
AGAIN = "-2"
VERDICTS = ("calls", "bodies", "stdout", "exit", "log")
SETUP = "set-up"
"""Differs, besides all verdicts, where a case could not be set up; no reason explains it."""


class SetupError(Exception):
    """A command of the real kubectl that prepares a plane failed; the message says which, and why."""


@dataclass
class Side:
    """One client with its plane and its folder: cache, kubeconfig, working directories."""

    program: str
    command: list[str]
    plane: Plane
    folder: Path
    reader: audit.AuditReader = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.reader = audit.AuditReader(self.plane)

    @property
    def warm_home(self) -> Path:
        return self.folder / "warm-home"

    def environ(self, home: Path, kubeconfig: Path) -> dict[str, str]:
        own = {"HOME": str(home), "KUBECONFIG": str(kubeconfig), "KUBETRACE_LIKE": DIALECT, "LC_ALL": "C.UTF-8"}
        return {"PATH": os.environ.get("PATH", ""), **own}

    def warm(self) -> None:
        """Fills the discovery cache that warm cases start with."""
        self.warm_home.mkdir(parents=True, exist_ok=True)
        kubeconfig = self.plane.write_kubeconfig(self.folder / "warm-kubeconfig")
        environ = self.environ(self.warm_home, kubeconfig)
        subprocess.run([*self.command, "api-resources"], env=environ, capture_output=True, timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run came to, already comparable."""

    calls: list[str]
    bodies: list[str]
    stdout: list[str]
    exit: list[str]
    log: list[str]
    parallel: bool = False
    unordered: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A case's verdicts: for each, the difference as a unified diff; empty where there is none."""

    case: Case
    differences: dict[str, list[str]]

    def same(self, verdict: str) -> bool:
        return not self.differences[verdict]

    @property
    def equal(self) -> bool:
        return not any(self.differences.values())


@dataclass
class Bench:
    """Two equal planes, ready for cases."""

    kubectl: Path
    reference: Side
    ours: Side
    old_discovery: bool = False
    lock: contextlib.AbstractContextManager[object] = field(default_factory=contextlib.nullcontext)

    def run(self, case: Case) -> Result:
        """The case's verdicts. A difference must show twice: servers race (a pod is gone before it is asked for). Where
        its set-up fails, nothing is equal."""
        with self.lock:
            try:
                return self._run_twice(case)
            except SetupError as error:
                return Result(case, {name: str(error).splitlines() for name in (*VERDICTS, SETUP)})

    def _run_twice(self, case: Case) -> Result:
        result = self._run_once(case)
        if result.equal:
            return result
        again = self._run_once(self._elsewhere(case))
        return Result(case, {name: lines and again.differences[name] for name, lines in result.differences.items()})

    def _elsewhere(self, case: Case) -> Case:
        """The same case where its first run left nothing behind: in a second namespace."""
        if case.namespace:
            return case
        again = replace(case, run=case.run + AGAIN)
        for side in (self.reference, self.ours):
            side.plane.create_namespace(again.own_namespace)
        return again

    def _run_once(self, case: Case) -> Result:
        with ThreadPoolExecutor(2) as pool:
            left, right = pool.map(lambda side: self._run_side(case, side), (self.reference, self.ours))
        left, right = _comparable_logs(left, right)
        differences = {name: _difference(getattr(left, name), getattr(right, name)) for name in VERDICTS}
        return Result(case, differences)

    def kubectl_on(
        self, side: Side, words: list[str], folder: Path, kubeconfig: Path, given: Mapping[str, str] | None = None
    ) -> None:
        """The real kubectl, to prepare either plane. Raises SetupError."""
        home = folder / "setup-home"
        home.mkdir(exist_ok=True)
        environ = side.environ(home, kubeconfig) | dict(given or {})
        told = f"set-up failed: {' '.join(words)}"
        try:
            done = subprocess.run(
                [str(self.kubectl), *words],
                env=environ,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise SetupError(f"{told}: hangs") from None
        if done.returncode:
            raise SetupError(f"{told}: {done.stderr.strip()}")

    def _run_side(self, case: Case, side: Side) -> Ran:
        import shlex

        # The same depth and length for both sides: help and messages may be wrapped or cut by length.
        root = side.folder / (case.name + case.run)
        shutil.rmtree(root, ignore_errors=True)
        work, home = root / "work", root / "home"
        shutil.copytree(MANIFESTS, work)
        for name, content in case.files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(case.filled(content))
        kubeconfig = side.plane.write_kubeconfig(root / "kubeconfig", case.own_namespace)
        given = {name: case.filled(value) for name, value in case.environ.items()}
        for line in case.setup:
            self.kubectl_on(side, shlex.split(case.filled(line)), work, kubeconfig, given)
        shutil.rmtree(work / "setup-home", ignore_errors=True)
        if case.cache == "warm" and side.warm_home.exists():
            shutil.copytree(side.warm_home, home)
        else:
            home.mkdir()
        side.reader.mark()
        code, stdout, stderr = self._call(side, case, work, side.environ(home, kubeconfig) | given)
        calls = side.reader.calls(side.program + "/")
        for line in case.after:
            with contextlib.suppress(SetupError):
                self.kubectl_on(side, shlex.split(case.filled(line)), work, kubeconfig)
        return self._comparable(case, side, str(root), code, stdout, stderr, calls)

    def _call(self, side: Side, case: Case, work: Path, environ: dict[str, str]) -> tuple[str, str, str]:
        argv = [*side.command, "-v=8", *case.words]
        try:
            done = subprocess.run(
                argv,
                env=environ,
                cwd=work,
                input=case.filled(case.stdin).encode(),
                capture_output=True,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            return "hangs", (error.stdout or b"").decode(), (error.stderr or b"").decode(errors="replace")
        return str(done.returncode), done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def _comparable(
        self, case: Case, side: Side, root: str, code: str, stdout: str, stderr: str, calls: list[audit.Received]
    ) -> Ran:
        parallel = self.old_discovery and sum(call.is_discovery for call in calls) > 2
        program = side.program if side is self.ours else ""
        out = normalise.table(normalise.text(stdout, root, program)).splitlines()
        log = normalise.log(normalise.text(stderr, root, program))
        lines, bodies = audit.lines(calls, root, parallel), audit.bodies(calls, root, program)
        if case.unordered:
            lines, bodies, out = sorted(lines), sorted(bodies), sorted(out)
        return Ran(lines, bodies, stdout=out, exit=[code], log=log, parallel=parallel, unordered=case.unordered)


def _comparable_logs(left: Ran, right: Ran) -> tuple[Ran, Ran]:
    logs = normalise.without_protobuf(left.log, right.log, unordered=left.unordered)
    if left.parallel or right.parallel or left.unordered:
        logs = (normalise.unordered(logs[0]), normalise.unordered(logs[1]))
    return replace(left, log=logs[0]), replace(right, log=logs[1])


def _difference(left: list[str], right: list[str]) -> list[str]:
    if left == right:
        return []
    return list(difflib.unified_diff(left, right, "kubectl", "kubetrace", lineterm="", n=1))


def client_command(kubectl: Path, folder: Path) -> list[str]:
    """kubectl under its own name, because its name is in its user agent and its messages."""
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "kubectl"
    if not link.exists():
        link.symlink_to(kubectl)
    return [str(link)]


def own_command() -> list[str]:
    return [sys.executable, "-m", "kubetrace"]

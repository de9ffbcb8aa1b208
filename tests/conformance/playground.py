"""Holds the playground's embedded engine against its envtest engine (a real kube-apiserver), by the real kubectl.

    KUBEBUILDER_ASSETS=DIR python -m tests.conformance --playground [--only GLOB] [--diff] [--report FILE]
                                                                   [--kubectl FILE]

Both engines start anew, each lesson of lessons/ runs on both at the same time, and every command's stdout, stderr, exit
code and the calls with their status codes are compared.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kubetrace.errors import KubetraceError
from kubetrace.playground import manager
from tests.conformance import normalise
from tests.conformance.lessons import Lesson, Step, load_lessons
from tests.conformance.plane import PlaneError, kubectl_in
from tests.conformance.playground_report import markdown

TIMEOUT_SECONDS = 90
_ENGINES = {"real": manager.ENVTEST, "ours": manager.EMBEDDED}
_RESPONSE = re.compile(
    r"""I\d{4}[ ].*(?:
        "Response"[ ]verb="(?P<verb>\w+)"[ ]url="https://[^/]+(?P<path>[^"]*)"[ ]status="(?P<code>\d*)
      | \][ ](?P<old_verb>[A-Z]+)[ ]https://[^/]+(?P<old_path>\S*)[ ](?P<old_code>\d+)[ ]  # kubectl before 1.33
    )""",
    re.VERBOSE,
)
_FATAL = re.compile(r"F\d{4} [^\]]*\] ")
_STACK = re.compile(r"goroutine \d+ \[")
_KLOG = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:")
_SELECTOR = re.compile(r"fieldSelector=([^&]*)")
_DISCOVERY = re.compile(r"/(api|apis|openapi)?(/v[23]\S*)?(\?.*)?|/apis/[^/]+(/[^/?]+)?(\?.*)?|/api/v1(\?.*)?")
_TIMES = r"Start Time|CreationTimestamp|\s*(?:Started|Acquire Time|Renew Time|Started At|Completed At)"
_RULES = (
    (re.compile(r"kubectl-edit-\d+\.yaml"), "<edited>"),
    (re.compile(r"/tmp/(LIVE|MERGED)-\d+"), r"/tmp/\1"),
    (re.compile(r"(?<=%3D)[0-9a-f-]{36}"), "<uid>"),
    (re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\b"), "-<hash>"),
    (re.compile(r"(?<=[-=])[bcdfghjklmnpqrstvwxz2456789]{8,10}\b"), "<hash>"),
    (re.compile(r"(?<=pod-template-hash%3D)[bcdfghjklmnpqrstvwxz2456789]{8,10}\b"), "<hash>"),
    (re.compile(r"(Resource Version:\s+)\d+"), r"\1<rv>"),
    (re.compile(r"(?m)^Waiting for .*\n"), ""),  # as many as the client saw in between
    (re.compile(r"-\d{8,10}\b"), "-<moment>"),
    (re.compile(r"\b127\.0\.0\.1\b"), "<ip>"),
    (re.compile(r"(?<=X509SHA256=)[0-9a-f]{64}"), "<hash>"),
    (re.compile(r"(Too large resource version: \d+, current: )\d+"), r"\1<rv>"),
    (re.compile(rf"(?m)^({_TIMES}):.*$"), r"\1: <time>"),
    (re.compile(r"(?m)^(Duration):.*$"), r"\1: <duration>"),
    (re.compile(r"eyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}"), "<jwt>"),
    (re.compile(r"(?<=[^\s\"]) {2,}"), "  "),
    (re.compile(r"(?m)^((?:---|\+\+\+) /tmp/\S+)\t.*$"), r"\1"),  # diff's times of files
    (re.compile(r"/tmp/(LIVE|MERGED)-\d+"), r"/tmp/\1"),
    (re.compile(r"\b(?:\d+[smhd]){1,2}(?= ago)"), "<age>"),
    (re.compile(r"^-{3,}|(?<= )-{3,}"), "---"),
    (re.compile(r"(?<=[ \t:])\d{5}/(TCP|UDP|SCTP)"), r"<port>/\1"),
    (re.compile(r"(?i)(nodePort\"?: )\d{5}"), r"\1<port>"),
)  # fmt: skip


@dataclass
class Side:
    """One engine with its kubeconfig and folders."""

    kubectl: str
    playground: manager.Playground
    folder: Path

    def open(self, lesson: Lesson) -> Classroom:
        work = self.folder / lesson.name
        work.mkdir(parents=True)
        for name, text in lesson.files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        config = self.folder / f"{lesson.name}.kubeconfig"
        own = f"namespace: {lesson.namespace}"
        config.write_text(self.playground.kubeconfig.read_text().replace("namespace: default", own))
        room = Classroom(self.kubectl, work, config, self.folder / "home")
        room.run(Step(f"create namespace {lesson.namespace}"))
        room.run(Step("wait --for=create sa/default cm/kube-root-ca.crt --timeout=20s"))
        return room


@dataclass(frozen=True)
class Said:
    """What one command came to, comparable."""

    stdout: list[str]
    stderr: list[str]
    exit: str
    calls: list[str]


@dataclass(frozen=True)
class Classroom:
    kubectl: str
    work: Path
    kubeconfig: Path
    home: Path

    def run(self, step: Step) -> Said:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.kubeconfig)}
        command = [self.kubectl, "-v=6", *step.words]
        try:
            done = subprocess.run(
                command,
                env=environ | step.variables,
                cwd=self.work,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                stdin=subprocess.DEVNULL,
            )
            code, out, err = str(done.returncode), done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            code, out, err = "hangs", "", ""
        return Said(self._plain(out), self._plain(_messages(err)), code, [self._one(call) for call in _calls(err)])

    def _plain(self, text: str) -> list[str]:
        text = normalise.table(normalise.text(text, str(self.work)))
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        return _sorted_causes([line.rstrip() for line in text.splitlines()])

    def _one(self, call: str) -> str:
        return " ".join(self._plain(call))


def _sorted_causes(lines: list[str]) -> list[str]:
    """A custom resource's violations come in the order of a Go map."""
    return sorted(lines) if any(" in body " in line and line.startswith("* ") for line in lines) else lines


def _sorted(match: re.Match[str]) -> str:
    """A field selector that Go made from a map, in an order of its own."""
    return "fieldSelector=" + "%2C".join(sorted(match[1].split("%2C")))


def _messages(stderr: str) -> str:
    """What is no log line; a fatal one is kubectl 1.20's last word, before Go's stack."""
    told = []
    for line in stderr.splitlines(keepends=True):
        if _STACK.match(line):
            break
        if _FATAL.match(line):
            told.append(_FATAL.sub("", line))
        elif not _KLOG.match(line):
            told.append(line)
    return "".join(told)


def _calls(stderr: str) -> list[str]:
    """Calls with their status codes; discovery is left out, what is asked again and again counts once, and so do the
    calls of a wait for a deletion, which end as the server's timing has it."""
    calls: list[str] = []
    for match in map(_RESPONSE.match, stderr.splitlines()):
        if match is None:
            continue
        verb, path, code = (match[name] or match[f"old_{name}"] for name in ("verb", "path", "code"))
        if _DISCOVERY.fullmatch(path) or (verb == "GET" and any(call.startswith("DELETE ") for call in calls)):
            continue
        call = f"{verb} {_SELECTOR.sub(_sorted, path)} {code}"
        if not calls or calls[-1] != call:
            calls.append(call)
    return calls


@dataclass(frozen=True)
class Verdict:
    """One command on both engines: for stdout, stderr, exit and calls the difference; empty where there is none."""

    lesson: str
    line: str
    differences: dict[str, list[str]]

    @property
    def equal(self) -> bool:
        return not any(self.differences.values())


def _compare(lesson: str, step: Step, real: Said, ours: Said) -> Verdict:
    pairs = {
        "stdout": (real.stdout, ours.stdout),
        "stderr": (real.stderr, ours.stderr),
        "exit": ([real.exit], [ours.exit]),
        "calls": (real.calls, ours.calls),
    }
    differences = {
        name: list(difflib.unified_diff(left, right, "real", "playground", lineterm="", n=1)) if left != right else []
        for name, (left, right) in pairs.items()
    }
    return Verdict(lesson, step.line, differences)


def teach(sides: dict[str, Side], lesson: Lesson, show: Callable[[Verdict], None]) -> list[Verdict]:
    """A lesson on both engines, step by step."""
    verdicts = []
    with ThreadPoolExecutor(2) as pool:
        rooms = list(pool.map(lambda side: side.open(lesson), (sides["real"], sides["ours"])))
        for step in lesson.steps:
            real, ours = pool.map(lambda room, step=step: room.run(step), rooms)
            if step.compared:
                verdicts.append(_compare(lesson.name, step, real, ours))
                show(verdicts[-1])
            elif real.exit != "0" or ours.exit != "0":
                raise PlaneError(f"set-up failed: {step.line}: {real.stderr} {ours.stderr}")
        for room in rooms:
            room.run(Step(f"delete namespace {lesson.namespace} --wait=false"))
    return verdicts


def _print(verdict: Verdict, details: bool) -> None:
    marks = " ".join(name for name, lines in verdict.differences.items() if lines)
    print(f"{'ok  ' if verdict.equal else 'DIFF'} {verdict.lesson:20} {verdict.line[:90]}  {marks}", flush=True)
    if details:
        for name, lines in verdict.differences.items():
            for line in lines[2:]:
                print(f"     {name}| {line[:600]}")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m tests.conformance --playground", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--only", nargs="+", default=["*"], metavar="GLOB", help="lessons by name")
    parser.add_argument("--diff", action="store_true", help="print each difference")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the table of differences")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="run and keep both playgrounds there, for a next run")
    parser.add_argument("--kubectl", type=Path, metavar="FILE", help="another kubectl, 1.20 or later")
    options = parser.parse_args(argv)
    lessons = [each for each in load_lessons() if any(fnmatch.fnmatchcase(each.name, glob) for glob in options.only)]
    with tempfile.TemporaryDirectory(prefix="lessons-") as temporary:
        state = options.keep or Path(temporary)
        environ = dict(os.environ) | {"XDG_STATE_HOME": str(state.absolute())}
        try:
            kubectl = _kubectl(Path(temporary), options.kubectl)
            sides = {
                name: Side(kubectl, manager.up(environ, name, manager.Start(engine=engine)), Path(temporary) / name)
                for name, engine in _ENGINES.items()
            }
            verdicts = [each for lesson in lessons for each in teach(sides, lesson, lambda v: _print(v, options.diff))]
        except (KubetraceError, PlaneError) as error:
            print(error, file=sys.stderr)
            return 2
        finally:
            if not options.keep:
                for name in _ENGINES:
                    manager.down(environ, name)
    equal = sum(verdict.equal for verdict in verdicts)
    print(f"{len(verdicts)} commands, {equal} equal ({100 * equal / max(1, len(verdicts)):.1f} %)")
    if options.report:
        options.report.write_text(markdown(verdicts))
    return 0


def _kubectl(folder: Path, asked: Path | None) -> str:
    """kubectl under its own name: the name is in its user agent, and so in managedFields."""
    link = folder / "kubectl"
    assets = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent")).expanduser()
    link.symlink_to(asked.absolute() if asked else kubectl_in(assets))
    return str(link)

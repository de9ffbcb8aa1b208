"""Failures on demand: what people debug, made to happen.

A fault reads "VERB RESOURCE: ACTION [once|twice|always|N times]":
- VERB: an HTTP method (GET also meets lists and watches), WATCH, or *
- RESOURCE: pods, pods/log, deployments (any group), a path that begins with /, or *
- ACTION: a status code from 400 to 599, with "retry-after SECONDS" if wanted; reset (the connection breaks before
  an answer); slow SECONDS (half of the body, then the rest). 410 on a watch is an ERROR event in its stream.
Without a count the fault happens each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kubetrace.errors import KubetraceError

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WATCH", "*")
_SHAPE = re.compile(r"(?P<verb>\S+)\s+(?P<resource>[^\s:]+)\s*:\s*(?P<action>.+)")
_COUNT = re.compile(r"(.*?)\s+(?:(once|twice|always)|([0-9]{1,6})\s+times?)(\s+retry-after\s.*)?")
_TIMES = {"once": 1, "twice": 2, "always": -1}
_SECONDS = r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s)?"


@dataclass(slots=True)
class Fault:
    """One fault; `left` is how often it still happens, -1 for ever. `retry_after` and `slow` are seconds."""

    verb: str
    resource: str
    code: int = 0
    retry_after: int = 0
    reset: bool = False
    slow: float = 0.0
    left: int = -1

    def meets(self, method: str, path: str, resource: str, watch: bool) -> bool:
        """`resource` is "pods" or "pods/log", empty for paths that are of none."""
        verb = self.verb in ("*", method) or (self.verb == "WATCH" and watch)
        return self.left != 0 and verb and self.resource in ("*", resource or path, path)


def parse(text: str) -> Fault:
    """Reads a fault as written after --fault. Raises KubetraceError in one line."""
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        raise _bad(text, 'want "VERB RESOURCE: ACTION [once|N times]", such as "POST pods: 500 once"')
    verb, action, left = shape["verb"].upper(), shape["action"].strip(), -1
    if verb not in _METHODS:
        raise _bad(text, f"unknown verb {shape['verb']!r}; want one of {', '.join(_METHODS)}")
    if count := _COUNT.fullmatch(action):
        action, left = count[1] + (count[4] or ""), _TIMES[count[2]] if count[2] else int(count[3])
        if left == 0:
            raise _bad(text, "want at least 1 time")
    fault = Fault(verb, shape["resource"], left=left)
    if action == "reset":
        fault.reset = True
    elif slow := re.fullmatch(rf"slow\s+{_SECONDS}", action):
        fault.slow = float(slow[1]) / (1000 if slow[2] == "ms" else 1)
    elif code := re.fullmatch(r"([45][0-9][0-9])(?:\s+retry-after\s+([0-9]{1,4})s?)?", action):
        fault.code, fault.retry_after = int(code[1]), int(code[2] or 0)
    else:
        raise _bad(text, f"unknown action {action!r}; want 400 to 599 [retry-after SECONDS], reset, or slow SECONDS")
    return fault


def _bad(text: str, why: str) -> KubetraceError:
    return KubetraceError(f"invalid fault {text!r}: {why}")


def take(faults: list[Fault], method: str, path: str, resource: str, watch: bool) -> Fault | None:
    """The first fault that this request meets, counted down."""
    fault = next((each for each in faults if each.meets(method, path, resource, watch)), None)
    if fault is not None and fault.left > 0:
        fault.left -= 1
    return fault

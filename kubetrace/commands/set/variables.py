"""Environment variables as argv and standard input give them, and how they come into containers (kubectl
pkg/cmd/set/env/env_parse.go, pkg/cmd/set/helper.go)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kubetrace.api.go_words import quoted
from kubetrace.api.names import environment_name
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, replace

Variable = dict[str, Any]
"""An EnvVar: name, and value or valueFrom."""

_ASSIGNMENT = re.compile("^(.+)=(.*)$", re.DOTALL | re.MULTILINE)
_LONGEST_LINE = 65536
"""Bytes; what Go's scanner takes at most."""


class Wanted(Value):
    """Variables to set, in their order, and names to remove."""

    new: tuple[Variable, ...] = ()
    removed: tuple[str, ...] = ()

    def update(self, variables: Sequence[Variable]) -> list[Variable]:
        """A container's variables after the change: new values in the old places, new ones at the end (updateEnv)."""
        covered = set(self.removed)
        result: list[Variable] = []
        for variable in variables:
            name = _name(variable)
            if name in covered:
                continue
            newer = next((one for one in self.new if _name(one) == name), None)
            if newer is not None:
                covered.add(name)
            result.append(variable if newer is None else newer)
        for variable in self.new:
            if _name(variable) not in covered:
                covered.add(_name(variable))
                result.append(variable)
        return result

    def prefixed(self, prefix: str) -> Wanted:
        """The same, with something before the names that are to be set."""
        return replace(self, new=tuple([{**one, "name": f"{prefix}{_name(one)}"} for one in self.new]))

    def check_overwriting(self, variables: Sequence[Variable]) -> None:
        """Raises KubetraceError for a variable that has another value."""
        for variable in self.new:
            name = _name(variable)
            known = next((one for one in variables if _name(one) == name), None)
            if known is None or (old := known.get("value") or "") == (variable.get("value") or ""):
                continue
            raise KubetraceError(f"'{name}' already has a value ({old}), and --overwrite is false")


def _name(variable: Variable) -> str:
    return str(variable.get("name") or "")


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that name objects, and those after them that are variables. Raises KubetraceError."""
    objects: list[str] = []
    specs: list[str] = []
    for word in words:
        if _ASSIGNMENT.search(word) or word.endswith("-"):
            specs.append(word)
        elif specs:
            raise KubetraceError(f"all resources must be specified before environment changes: {' '.join(words)}")
        else:
            objects.append(word)
    return objects, specs


def parse(specs: Iterable[str], read: Callable[[], bytes]) -> Wanted:
    """KEY=VALUE sets a variable, KEY- removes one, and "-" sets what `read` returns. Raises KubetraceError."""
    new: list[Variable] = []
    removed: list[str] = []
    given = set()
    for spec in specs:
        if spec == "-":
            new += _of_lines(read())
        elif "=" in spec:
            name, _, value = spec.partition("=")
            if problems := environment_name(name):
                raise KubetraceError(f"{quoted(name)} is not a valid key name: {';'.join(problems)}")
            given.add(name)
            new.append({"name": name, "value": value})
        elif spec.endswith("-"):
            removed.append(spec[:-1])
        else:
            raise KubetraceError(f"unknown environment variable: {spec}")
    if given & set(removed):
        raise KubetraceError("can not both modify and remove the same environment variable in the same command")
    return Wanted(tuple(new), tuple(removed))


def _of_lines(data: bytes) -> Iterable[Variable]:
    """KEY=VALUE a line; "#" begins a comment, other lines do not count."""
    for line in data.split(b"\n"):
        if len(line) >= _LONGEST_LINE:
            raise KubetraceError("bufio.Scanner: token too long")
        name, equals, value = line.removesuffix(b"\r").partition(b"#")[0].decode("utf-8", "replace").partition("=")
        if equals:
            yield {"name": name, "value": value}


def of_source(source: dict[str, Any], keys: Sequence[str], warn: Callable[[str], None]) -> list[Variable]:
    """A variable for each key of a Secret or ConfigMap, or for those of `keys`; `warn` is told of keys that can't be
    names as they are. Raises KubetraceError."""
    from kubetrace.wire.go_struct import struct_of

    reference = {("v1", "Secret"): "secretKeyRef", ("v1", "ConfigMap"): "configMapKeyRef"}.get(struct_of(source))
    if reference is None:
        raise KubetraceError("unsupported resource specified in --from")
    variables = []
    for key in sorted(source.get("data") or {}):
        if keys and key not in keys:
            continue
        name = re.sub("[^a-zA-Z0-9_]", "_", key).upper()
        if name != key:
            warn(f"key {key} transferred to {name}")
        selected = {"name": (source.get("metadata") or {}).get("name"), "key": key}
        variables.append({"name": name, "valueFrom": {reference: selected}})
    return variables

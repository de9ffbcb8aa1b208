"""`wait`: until objects are as they should be (kubectl pkg/cmd/wait)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions, all_namespaces, recursive, selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.environment import Environment
    from kubetrace.printing.jsonpath import JSONPath

Object = dict[str, Any]
Check = Callable[[Object], bool]

_FOREVER = 168 * 3600.0
_POLL = 0.5
"""Seconds between two looks for objects that are to be created."""


class WaitOptions(PrintOptions):
    all: bool = flag(False, help="Wait for every object of the types given, in the namespace.")
    all_namespaces: bool = all_namespaces()
    field_selector: str = flag("", help="Only objects whose fields meet this selector ('=', '==', '!=').")
    filename: tuple[str, ...] = flag(
        (), "f", help="Files, folders or URLs whose manifests name the objects.", completion="ext:json,yaml,yml"
    )
    conditions: tuple[str, ...] = flag(
        (),
        name="for",
        kind="array",
        help="What to wait for: create, delete, condition=NAME[=VALUE] (true without a value; upper and lower case are "
        "the same) or jsonpath='{EXPRESSION}'[=VALUE]. Given several times, one after the other; create comes first.",
    )
    local: bool = flag(False, help="Make no call to the server.")
    recursive: bool = recursive(True)
    selector: str = selector()
    timeout: float = flag(30.0, help="How long to wait; 0 looks once, a negative time is a week.")

    @property
    def kustomize(self) -> str:
        """There is no -k."""
        return ""


def run(environment: Environment, options: WaitOptions, arguments: Arguments) -> None:
    from kubetrace.commands.writing import object_printer

    printer = object_printer(environment, options, "condition met")
    _ = environment.namespace
    environment.make_client()
    targets = _targets(options.conditions)
    timeout = _FOREVER if options.timeout < 0 else options.timeout
    _Wait(environment, options, arguments, timeout).run(targets, lambda value: printer.print(value, environment.stdout))


# --- what is waited for ----------------------------------------------------------------------------------------------


class _Condition(Value):
    """A status condition of this name with this value."""

    name: str
    status: str

    def holds(self, value: Object) -> bool:
        """A condition that was observed for an older generation does not count."""
        status = value.get("status") or {}
        conditions = status.get("conditions") or ()
        for condition in conditions if isinstance(conditions, list) else ():
            if str(condition.get("type") or "").casefold() != self.name.casefold() or "status" not in condition:
                continue
            generation = (value.get("metadata") or {}).get("generation")
            observed = condition.get("observedGeneration", status.get("observedGeneration"))
            if generation is not None and observed is not None and observed < generation:
                return False
            return str(condition["status"]).casefold() == self.status.casefold()
        return False


class _Path(Value):
    """A JSONPath that finds this value; any value where `wanted` is empty."""

    path: JSONPath
    wanted: str

    def holds(self, value: Object) -> bool:
        from kubetrace.printing.go_values import sprint
        from kubetrace.printing.jsonpath_parser import JSONPathError

        try:
            found = self.path.find(value)
        except JSONPathError as error:
            raise KubetraceError(str(error)) from None
        if not found or not found[0]:
            return False
        if len(found) > 1:
            raise KubetraceError("given jsonpath expression matches more than one list")
        if len(found[0]) > 1:
            raise KubetraceError("given jsonpath expression matches more than one value")
        if not self.wanted:
            return True
        if isinstance(found[0][0], (dict, list)):
            raise KubetraceError("jsonpath leads to a nested object or list which is not supported")
        return sprint(found[0][0]).strip() == self.wanted.strip()


Target = str | _Condition | _Path
"""One --for: "create", "delete", or what must hold."""


def _targets(texts: Sequence[str]) -> list[Target]:
    """The values of --for. Raises KubetraceError."""
    from kubetrace.wire.go_quote import quote

    if not texts:
        raise KubetraceError("unrecognized condition: []")
    targets: list[Target] = []
    for text in texts:
        if text.lower() in ("create", "delete"):
            targets.append(text.lower())
        elif text.startswith("condition="):
            name, _, status = text.removeprefix("condition=").partition("=")
            targets.append(_Condition(name, status if _ else "true"))
        elif text.startswith("jsonpath="):
            targets.append(_path(text.removeprefix("jsonpath=")))
        else:
            raise KubetraceError(f"unrecognized condition: {quote(text)}")
    return targets


def _path(text: str) -> _Path:
    from kubetrace.printing.jsonpath import JSONPath
    from kubetrace.printing.jsonpath_parser import JSONPathError, relaxed

    parts = [part.replace("\0", "==") for part in text.replace("==", "\0").split("=")]
    if len(parts) > 2:
        raise KubetraceError(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
            "--for=jsonpath='{.status.readyReplicas}'"
        )
    try:
        expression = relaxed(parts[0])
        wanted = parts[1].strip("'\"") if len(parts) == 2 else ""
        if len(parts) == 2 and not wanted:
            raise KubetraceError(
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
            )
        if not expression:
            raise KubetraceError("jsonpath expression cannot be empty")
        return _Path(JSONPath(expression, allow_missing_keys=True), wanted)
    except JSONPathError as error:
        raise KubetraceError(str(error)) from None


# --- waiting ---------------------------------------------------------------------------------------------------------


class _Wait:
    def __init__(self, environment: Environment, options: WaitOptions, arguments: Arguments, timeout: float) -> None:
        self._environment = environment
        self._options = options
        self._arguments = arguments
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def run(self, targets: Sequence[Target], show: Callable[[Object], None]) -> None:
        from kubetrace.api.aggregates import without
        from kubetrace.api.status import is_not_found

        if "create" in targets:
            self._until_created()
        seen = 0

        def each(info: Info) -> None:
            nonlocal seen
            seen += 1
            for target in targets:
                show(self._met(info, target))

        try:
            self._found().visit(each)
        except KubetraceError as error:
            failure = without(error, is_not_found) if "delete" in targets else error
            if failure is not None:
                raise failure from None
        if not seen and "delete" not in targets:
            raise KubetraceError("no matching resources found")

    def _found(self) -> Result:
        from kubetrace.api.selection import ONLY_LOCAL_FILES
        from kubetrace.commands.selecting import Selecting, select

        options = self._options
        if options.local and self._arguments.words:
            raise KubetraceError(ONLY_LOCAL_FILES)
        how = Selecting(
            labels=options.selector,
            fields=options.field_selector,
            everything=options.all,
            all_namespaces=options.all_namespaces,
            latest=True,
            local=options.local,
        )
        return select(self._environment, options, self._arguments.words, how)

    def _until_created(self) -> None:
        from kubetrace.api.status import is_not_found
        from kubetrace.commands.reflector import TimedOut

        tick = time.monotonic()
        while True:
            found: list[Info] = []
            try:
                self._found().visit(found.append)
            except KubetraceError as error:
                if not is_not_found(error):
                    raise
            if found:
                return
            tick += _POLL  # however long the look took
            if tick >= self._deadline:
                raise TimedOut
            time.sleep(max(tick - time.monotonic(), 0))

    def _met(self, info: Info, target: Target) -> Object:
        """The object once the target is met. Raises KubetraceError where it is not, in time."""
        if not info.name or (target == "create" and info.object is None):
            raise KubetraceError("resource name must be provided")
        if target == "create":
            assert info.object is not None
            return info.object
        if self._options.local:
            return self._held(info, target)
        if target == "delete":
            return self._gone(info)
        assert not isinstance(target, str)
        return self._holding(info, target.holds)

    def _held(self, info: Info, target: Target) -> Object:
        """Nobody is asked, and a file does not change: it holds at once, or it does not (kubectl panics here)."""
        assert info.object is not None
        if isinstance(target, str) or not target.holds(info.object):
            raise KubetraceError(f"condition not met for {info.object_name}")
        return info.object

    def _gone(self, info: Info) -> Object:
        from kubetrace.commands.deletion import wait_until_gone

        assert info.mapping is not None and info.object is not None
        if self._timeout == 0:
            if self._now(info, missing_ok=True) is not None:
                raise KubetraceError(f"condition not met for {info.object_name}")
        else:
            wait_until_gone(self._environment, info, None, self._deadline)
        return info.object

    def _now(self, info: Info, *, missing_ok: bool = False) -> Object | None:
        from kubetrace.api import verbs
        from kubetrace.api.status import is_not_found
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        assert info.mapping is not None
        call = verbs.get(
            info.mapping, info.namespace, info.name, purpose=Purpose("wait", "wait: how is the object now?")
        )
        try:
            value: Object = self._environment.cluster.objects.send(
                replace(call, operation="dynamic-get"), info.mapping, info.name
            )
        except KubetraceError as error:
            if missing_ok and is_not_found(error):
                return None
            raise
        return value

    def _holding(self, info: Info, holds: Check) -> Object:
        from kubetrace.api.status import not_found
        from kubetrace.commands.reflector import Reflector, TimedOut
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None
        if self._timeout == 0:
            value = self._now(info)
            assert value is not None
            if not holds(value):
                raise KubetraceError(f"condition not met for {info.object_name}")
            return value
        last: Object = {}

        def exists(value: Object | None) -> bool:
            assert info.mapping is not None
            if value is None:
                raise not_found(info.mapping.resource.group_resource, info.name)
            return False

        def met(event: str, value: Object) -> bool:
            nonlocal last
            last = value
            return event != "DELETED" and holds(value)

        purpose = Purpose("wait", "wait: watch the object until the condition holds")
        reflector = Reflector(self._environment, info.mapping, info.namespace, info.name, purpose)
        try:
            reflector.until(exists, met, self._deadline)
        except TimedOut as error:
            raise KubetraceError(f"{error} on {info.mapping.resource.resource}/{info.name}") from None
        return last


COMMAND = Command(
    run=run,
    options=WaitOptions,
    usage=(
        "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) "
        "[--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] [options]"
    ),
    description="""
    Wait until objects are as they should be: created, deleted, or with a condition or a field of a certain value.

    The objects are read once, then watched. What is met is printed; what is not met in time is an error.
    """,
    examples="""
    # Until the pod is ready, or is not ready any more
    kubetrace wait --for=condition=Ready pod/web-0
    kubetrace wait --for=condition=Ready=false pod/web-0

    # Until it runs; until the service has an address
    kubetrace wait --for=jsonpath='{.status.phase}'=Running pod/web-0
    kubetrace wait --for=jsonpath='{.status.loadBalancer.ingress}' service/front

    # Until the secret is there, at most 30 seconds
    kubetrace wait --for=create secret/key --timeout=30s

    # Until the pod is gone
    kubetrace wait --for=delete pod/web-0 --timeout=60s

    # Until it has been created and is ready
    kubetrace wait --for=create --for=condition=Ready pod/web-0
    """,
)

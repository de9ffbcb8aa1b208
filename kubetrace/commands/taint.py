"""`taint`: what keeps pods off a node (kubectl pkg/cmd/taint)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions, dry_run, field_manager, selector, validate
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubetrace.api.builder import Info, Result
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_MODIFIED, _TAINTED, _UNTAINTED = "modified", "tainted", "untainted"

Taint = dict[str, Any]


class TaintOptions(PrintOptions):
    all: bool = flag(False, help="Take every node of the cluster.")
    dry_run: str = dry_run()
    field_manager: str = field_manager("kubectl-taint")
    overwrite: bool = flag(False, help="Change taints that are set already; if false, that is an error.")
    selector: str = selector()
    validate: str = validate()


class TaintChange(Value):
    """The taints that argv wants, and those it wants gone; one of these without an effect stands for every effect."""

    new: tuple[Taint, ...]
    removed: tuple[Taint, ...]
    overwrite: bool

    def check(self) -> None:
        """Raises KubetraceError for a taint that is to come and to go."""
        both = [
            f"{gone['key']}={gone['effect']}"
            for taint in self.new
            for gone in self.removed
            if taint["key"] == gone["key"] and gone["effect"] in ("", taint["effect"])
        ]
        if both:
            raise KubetraceError(
                f"can not both modify and remove the following taint(s) in the same command: {', '.join(both)}"
            )

    def apply(self, node: dict[str, Any]) -> str:
        """Changes a node; what was done to it. Raises KubetraceError."""
        from kubetrace.api.metadata import text

        spec = node.setdefault("spec", {})
        old = spec.get("taints") or []
        if not self.overwrite:
            known = [taint["key"] for taint in self.new for one in old if _is_same(one, taint)]
            if known:
                raise KubetraceError(
                    f"node {text(node, 'name')} already has {','.join(known)} taint(s) with same effect(s) and "
                    "--overwrite is false"
                )
        taints = [*self.new, *(one for one in old if not any(_is_same(one, taint) for taint in self.new))]
        added = len(taints) != len(old)
        spec["taints"], gone = self._without_removed(taints)
        if (added and gone) or self.overwrite:
            return _MODIFIED
        return _TAINTED if added else _UNTAINTED

    def _without_removed(self, taints: list[Taint]) -> tuple[list[Taint], bool]:
        """What is left, and whether the last of those to go was there, as in kubectl. Raises AggregateError."""
        from kubetrace.api.aggregates import AggregateError
        from kubetrace.api.go_words import quoted

        gone, missing = False, []
        for taint in self.removed:
            left = [one for one in taints if not _is_meant(one, taint)]
            gone, taints = len(left) != len(taints), left
            if not gone:
                name = ":".join(part for part in (taint["key"], taint["effect"]) if part)
                missing.append(KubetraceError(f"taint {quoted(name)} not found"))
        if missing:
            raise AggregateError(missing)
        return taints, gone


def _is_same(one: Taint, other: Taint) -> bool:
    return (one.get("key"), one.get("effect")) == (other["key"], other["effect"])


def _is_meant(one: Taint, removed: Taint) -> bool:
    return _is_same(one, removed) if removed["effect"] else one.get("key") == removed["key"]


# --- what argv says --------------------------------------------------------------------------------------------------


def run(environment: Environment, options: TaintOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.selecting import load_namespace

    load_namespace(environment)
    _ = environment.cluster.mapper
    strategy = writing.dry_run(environment, options.dry_run)
    directive = writing.validation_directive(options.validate)
    objects, specs = _split(arguments.words)
    if not objects:
        raise KubetraceError("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise KubetraceError("at least one taint update is required")
    try:
        change = TaintChange(*parse_taints(specs), options.overwrite)
    except KubetraceError as error:
        raise arguments.usage_error(str(error)) from None
    _check(environment, options, objects, change)
    run_ = Run(environment, options, strategy, directive, change)
    _nodes(environment, options, objects).visit(run_.one)


def _split(words: Iterable[str]) -> tuple[list[str], list[str]]:
    """The words that name nodes, and those after them that are taints. Raises KubetraceError."""
    objects: list[str] = []
    specs: list[str] = []
    for word in words:
        if "=" in word or ":" in word or word.endswith("-"):
            specs.append(word)
        elif specs:
            raise KubetraceError(f"all resources must be specified before taint changes: {word}")
        else:
            objects.append(word)
    return objects, specs


def parse_taints(specs: Iterable[str]) -> tuple[tuple[Taint, ...], tuple[Taint, ...]]:
    """Taints to set, and taints to remove (those that end in "-"). Raises KubetraceError."""
    new: list[Taint] = []
    removed: list[Taint] = []
    for spec in specs:
        if spec.endswith("-"):
            gone = _parse_taint(spec[:-1])
            removed.append({"key": gone["key"], "effect": gone["effect"]})
            continue
        taint = _parse_taint(spec)
        if not taint["effect"]:
            raise KubetraceError(f"invalid taint spec: {spec}")
        if any(_is_same(taint, other) for other in new):
            words = f"{{{taint['key']} {taint['value']} {taint['effect']} <nil>}}"
            raise KubetraceError(f"duplicated taints with the same key and effect: {words}")
        new.append(taint)
    return tuple(new), tuple(removed)


def _parse_taint(spec: str) -> Taint:
    """KEY[=VALUE]:EFFECT, or only a key."""
    from kubetrace.api.names import label_key, label_value

    pair, colon, effect = spec.partition(":")
    if ":" in effect:
        raise KubetraceError(f"invalid taint spec: {spec}")
    key, value = pair, ""
    if colon:
        if effect not in _EFFECTS:
            raise KubetraceError(f"invalid taint effect: {effect}, unsupported taint effect")
        if pair.count("=") > 1:
            raise KubetraceError(f"invalid taint spec: {spec}")
        key, _, value = pair.partition("=")
    if problems := label_value(value) or label_key(key):
        raise KubetraceError(f"invalid taint spec: {spec}, {'; '.join(problems)}")
    return {"key": key, "value": value, "effect": effect}


def _check(environment: Environment, options: TaintOptions, objects: Sequence[str], change: TaintChange) -> None:
    """Raises KubetraceError for what is no node, and for combinations that kubectl refuses (TaintOptions.Validate)."""
    from kubetrace.commands.explain import split_request

    kind = objects[0].lower()
    if environment.cluster.mapper.kind_for(split_request(environment, kind)[0]).kind != "Node":
        raise KubetraceError(f"invalid resource type {kind}, only node types are supported")
    change.check()
    if options.all and options.selector:
        raise KubetraceError("setting 'all' parameter with a non empty selector is prohibited")
    if not options.all and not options.selector and len(objects) < 2:
        raise KubetraceError("at least one resource name must be specified since 'all' parameter is not set")


def _nodes(environment: Environment, options: TaintOptions, objects: Sequence[str]) -> Result:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.trace.exchange import Purpose

    selection = Selection()
    if options.all or options.selector:
        selection.types = ["node"]
        selection.add_selectors(options.selector, "", options.all)
    else:
        selection.add_names("node", objects[1:])
    request = Request(
        selection=selection,
        namespace=environment.namespace,
        default_namespace=True,
        flatten=True,
        continue_on_error=True,
        purpose=Purpose("taint", "change: what does the object look like now?"),
    )
    return build(environment.cluster.typed, request)


# --- what happens to each node ---------------------------------------------------------------------------------------


class Run(Value):
    """One run of taint over all its nodes."""

    environment: Environment
    options: TaintOptions
    strategy: DryRun
    directive: str
    change: TaintChange

    def one(self, info: Info) -> None:
        from copy import deepcopy

        from kubetrace.api.strategic_merge import apply_built_in_patch, built_in_patch
        from kubetrace.commands.writing import DryRun, as_typed, object_printer
        from kubetrace.wire.go_struct import go_type_of, struct_of

        assert info.object is not None
        before = as_typed(info.object)
        if go_type_of(before) != "*v1.Node":
            raise KubetraceError(f"unexpected type {go_type_of(before)}, expected Node")
        after = deepcopy(before)
        done = self.change.apply(after)
        info.object = as_typed(after)
        patch = built_in_patch(before, info.object)
        printer = object_printer(self.environment, self.options, done)  # a dry run is not marked, as in kubectl
        if self.strategy is DryRun.CLIENT:
            version, kind = struct_of(before)
            printed = {"apiVersion": version, "kind": kind, **apply_built_in_patch(info.object, patch)}
        else:
            printed = as_typed(self._send(info, patch))
        printer.print(printed, self.environment.stdout)

    def _send(self, info: Info, patch: bytes) -> dict[str, Any]:
        from kubetrace.api import verbs
        from kubetrace.commands.writing import DryRun
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None
        write = verbs.WriteOptions(self.options.field_manager, self.directive, self.strategy is DryRun.SERVER)
        purpose = Purpose("taint", "change: only what differs")
        where = (info.mapping, info.namespace, info.name)
        call = verbs.patch(*where, verbs.STRATEGIC_PATCH, patch, write, purpose=purpose)
        self.environment.make_client()
        changed: dict[str, Any] = self.environment.cluster.typed.objects.send(call, info.mapping, info.name)
        return changed


COMMAND = Command(
    run=run,
    options=TaintOptions,
    words="resources:node",
    usage="taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N [options]",
    description="""
    Set and remove taints of nodes: a pod comes to a tainted node, or stays there, only if it tolerates the taint.

    KEY=VALUE:EFFECT or KEY:EFFECT sets a taint, KEY:EFFECT- removes one, KEY- removes those of every effect. The effect
    is NoSchedule, PreferNoSchedule or NoExecute. A key may have a prefix ("example.com/app"); names and values are
    letters, digits, "-", "_" and ".", at most 63 of them.
    """,
    examples="""
    # Only pods that tolerate the taint "dedicated" come to a node from now on
    kubetrace taint nodes one dedicated=database:NoSchedule

    # Another value for it
    kubetrace taint nodes one dedicated=cache:NoSchedule --overwrite

    # Without that taint
    kubetrace taint nodes one dedicated:NoSchedule-

    # Without any taint of that key
    kubetrace taint nodes one dedicated-

    # On the nodes with a label
    kubetrace taint node -l zone=a dedicated=database:PreferNoSchedule
    """,
)

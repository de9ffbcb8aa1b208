"""`label`: set and remove labels of objects (kubectl pkg/cmd/label)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.metadata_maps import MapChange, MapOptions
from kubetrace.commands.shared_options import field_manager
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


class LabelOptions(MapOptions):
    field_manager: str = field_manager("kubectl-label")
    list: bool = flag(False, help="Print the objects' labels.")
    overwrite: bool = flag(False, help="Change labels that are set already; if false, that is an error.")


def run(environment: Environment, options: LabelOptions, arguments: Arguments) -> None:
    from kubetrace.commands import metadata_maps, writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.pairs import split_pairs
    from kubetrace.commands.selecting import check_all, load_namespace

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    objects, pairs = split_pairs(arguments.words, "label")
    new, removed = parse_labels(pairs)
    if options.list and options.output:
        raise KubetraceError("--list and --output may not be specified together")
    load_namespace(environment, options.local)
    check_all(options.all, options.selector, options.field_selector)
    metadata_maps.check_objects(options, strategy, objects, ("pod.yaml", "pod.json"))
    if not new and not removed and not options.list:
        raise KubetraceError("at least one label update is required")
    selected = metadata_maps.select_objects(environment, options, objects, "label")
    change = MapChange("labels", new, removed, options.resource_version)
    run_ = Run(environment, options, strategy, recorder, change, selected.single_item)
    selected.visit(run_.one)


def parse_labels(pairs: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Labels to set, and keys to remove. Raises KubetraceError."""
    from kubetrace.api.go_words import quoted
    from kubetrace.api.names import label_value

    labels: dict[str, str] = {}
    removed = []
    for pair in pairs:
        parts = pair.split("=")
        if len(parts) > 2:
            raise KubetraceError(f"invalid label spec: {pair}")
        if len(parts) == 2:
            if problems := label_value(parts[1]):
                raise KubetraceError(f"invalid label value: {quoted(pair)}: {';'.join(problems)}")
            labels[parts[0]] = parts[1]
        else:
            removed.append(pair[:-1])
    if labels.keys() & set(removed):
        raise KubetraceError("can not both modify and remove a label in the same command")
    return labels, removed


class Run(Value):
    """One run of label over all its objects."""

    environment: Environment
    options: LabelOptions
    strategy: DryRun
    recorder: Recorder
    change: MapChange
    single: bool

    def one(self, info: Info) -> None:
        from kubetrace.commands.metadata_maps import print_map
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        if self.options.resource_version:
            info.object.get("metadata", {}).pop("resourceVersion", None)  # so that the patch surely has it
        if self.strategy is DryRun.CLIENT or self.options.local or self.options.list:
            done = self._change(info)
        else:
            done = self._change_on_server(info)
        if self.options.list:
            print_map(self.environment, info, info.object, "labels", self.single)
            return
        from kubetrace.commands.writing import object_printer

        printer = object_printer(self.environment, self.options, self.strategy.mark(done))
        printer.print(info.object, self.environment.stdout)

    def _change(self, info: Info) -> str:
        """Changes the object at hand; what was done to it."""
        from kubetrace.api.metadata import string_map

        assert info.object is not None
        if not self.options.overwrite:
            check_overwriting(string_map(info.object, "labels"), self.change.new)
        changed, gone = self.change.apply(info.object)
        if changed and gone:
            return "modified"
        if changed:
            return "labeled"
        return "unlabeled" if gone else "not labeled"

    def _change_on_server(self, info: Info) -> str:
        from kubetrace.api.go_words import quoted
        from kubetrace.api.metadata import string_map
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.metadata_maps import send_patch
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        old = deepcopy(info.object)
        for key in self.change.removed:
            if key not in string_map(old, "labels"):
                self.environment.stdout.write(f"label {quoted(key)} not found.\n")
        done = self._change(info)
        self.recorder.record(info.object)
        if done != "not labeled":
            write = WriteOptions(self.options.field_manager, dry_run=self.strategy is DryRun.SERVER)
            send_patch(self.environment, info, old, write, "label")
        return done


def check_overwriting(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Raises KubetraceError (all of them) for labels that have another value."""
    from kubetrace.api.aggregates import raise_all

    words = "'{}' already has a value ({}), and --overwrite is false"
    errors = [KubetraceError(words.format(key, old[key])) for key, text in new.items() if old.get(key, text) != text]
    raise_all(errors)


COMMAND = Command(
    run=run,
    options=LabelOptions,
    words="resources",
    usage=(
        "label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] "
        "[options]"
    ),
    description="""
    Set, change and remove labels of objects.

    KEY=VALUE sets a label, KEY- removes one. A key may have a prefix ("example.com/app"); names and values are letters,
    digits, "-", "_" and ".", at most 63 of them. A label that is set already is changed with --overwrite only.
    """,
    examples="""
    # A label on a pod
    kubetrace label pods web unhealthy=true

    # Another value for one that is set
    kubetrace label --overwrite pods web status=unhealthy

    # On all pods of the namespace
    kubetrace label pods --all status=unhealthy

    # On what pod.json describes
    kubetrace label -f pod.json status=unhealthy

    # Only if nobody changed the pod since version 1
    kubetrace label pods web status=unhealthy --resource-version=1

    # Without the label "status"
    kubetrace label pods web status-
    """,
)

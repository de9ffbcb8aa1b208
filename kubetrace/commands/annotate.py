"""`annotate`: set and remove annotations of objects (kubectl pkg/cmd/annotate)."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

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
    from kubetrace.printing.printers import Printer


class AnnotateOptions(MapOptions):
    field_manager: str = field_manager("kubectl-annotate")
    list: bool = flag(False, help="Print the objects' annotations.")
    overwrite: bool = flag(False, help="Change annotations that are set already; if false, that is an error.")


def run(environment: Environment, options: AnnotateOptions, arguments: Arguments) -> None:
    from kubetrace.commands import metadata_maps, writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.pairs import parse_pairs, split_pairs
    from kubetrace.commands.selecting import check_all, load_namespace

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("annotated"))
    load_namespace(environment, options.local)
    objects, pairs = split_pairs(arguments.words, "annotation")
    new, removed = parse_pairs(pairs, "annotation", removing=True)
    if options.list and options.output:
        raise KubetraceError("--list and --output may not be specified together")
    check_all(options.all, options.selector, options.field_selector)
    metadata_maps.check_objects(options, strategy, objects, ("rsrc.yaml", "rsrc.json"))
    if not new and not removed and not options.list:
        raise KubetraceError("at least one annotation update is required")
    if both := [key for key in removed if key in new]:
        raise KubetraceError(
            f"can not both modify and remove the following annotation(s) in the same command: {', '.join(both)}"
        )
    selected = metadata_maps.select_objects(environment, options, objects, "annotate")
    change = MapChange("annotations", new, removed, options.resource_version)
    run_ = Run(environment, options, strategy, recorder, change, printer, selected.single_item)
    selected.visit(run_.one)


class Run(Value):
    """One run of annotate over all its objects."""

    environment: Environment
    options: AnnotateOptions
    strategy: DryRun
    recorder: Recorder
    change: MapChange
    printer: Printer
    single: bool

    def one(self, info: Info) -> None:
        from kubetrace.commands.metadata_maps import print_map
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        if self.strategy is DryRun.CLIENT or self.options.local or self.options.list:
            self._change(info.object)
            shown = info.object
        else:
            shown = self._change_on_server(info)
        if self.options.list:
            print_map(self.environment, info, shown, "annotations", self.single)
        else:
            self.printer.print(shown, self.environment.stdout)

    def _change(self, value: dict[str, Any]) -> None:
        from kubetrace.api.metadata import string_map

        if not self.options.overwrite:
            check_overwriting(string_map(value, "annotations"), self.change.new)
        self.change.apply(value)

    def _change_on_server(self, info: Info) -> dict[str, Any]:
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.metadata_maps import send_patch
        from kubetrace.commands.writing import DryRun

        assert info.object is not None
        if self.options.resource_version:
            info.object.get("metadata", {}).pop("resourceVersion", None)  # so that the patch surely has it
        old = deepcopy(info.object)
        self.recorder.record(info.object)
        self._change(info.object)
        write = WriteOptions(self.options.field_manager, dry_run=self.strategy is DryRun.SERVER)
        return send_patch(self.environment, info, old, write, "annotate")


def check_overwriting(old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Raises KubetraceError for annotations that have another value; the change cause may always change."""
    from kubetrace.commands.change_cause import ANNOTATION

    found = [
        f"'{key}' already has a value ({old[key]})"
        for key, text in new.items()
        if key != ANNOTATION and old.get(key, text) != text
    ]
    if found:
        raise KubetraceError(f"--overwrite is false but found the following declared annotation(s): {'; '.join(found)}")


COMMAND = Command(
    run=run,
    options=AnnotateOptions,
    words="resources",
    usage=(
        "annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version] "
        "[options]"
    ),
    description="""
    Set, change and remove annotations of objects.

    Annotations are texts that tools and people leave on an object, of any length. KEY=VALUE sets one, KEY- removes one;
    one that is set already is changed with --overwrite only.

    Use "kubetrace api-resources" for the types that the server knows.
    """,
    examples="""
    # An annotation on a pod
    kubetrace annotate pods web description='my frontend'

    # On what pod.json describes
    kubetrace annotate -f pod.json description='my frontend'

    # Another value for one that is set
    kubetrace annotate --overwrite pods web description='my frontend running nginx'

    # On all pods of the namespace
    kubetrace annotate pods --all description='my frontend running nginx'

    # Only if nobody changed the pod since version 1
    kubetrace annotate pods web description='my frontend' --resource-version=1

    # Without the annotation "description"
    kubetrace annotate pods web description-
    """,
)

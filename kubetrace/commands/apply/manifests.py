"""`apply`: objects brought to the state that manifests describe (kubectl pkg/cmd/apply)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import PROGRAM, Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import RecordedOptions, field_manager, filename, selector, validate
from kubetrace.commands.writing import DryRun
from kubetrace.errors import KubetraceError, UsageError

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.apply.pruning import Pruning
    from kubetrace.environment import Environment

CLIENT_SIDE_MANAGER = "kubectl-client-side-apply"
SERVER_SIDE_MANAGER = "kubectl"


class ApplyOptions(RecordedOptions):
    all: bool = flag(False, help="With --prune, take in every object of the kinds concerned.")
    applyset: str = flag(
        "",
        help="The parent object of a set, as [RESOURCE][.GROUP]/NAME: --prune deletes members of the set that the "
        "manifests no longer have. Only with KUBECTL_APPLYSET=true.",
    )
    cascade: str = flag(
        "background",
        help='Must be "background", "orphan" or "foreground": what becomes of dependents when --force deletes.',
        bare="background",
    )
    field_manager: str = field_manager(CLIENT_SIDE_MANAGER)
    filename: tuple[str, ...] = filename("the objects to apply")
    force: bool = flag(False, help="Delete and create anew what can't be patched.")
    force_conflicts: bool = flag(False, help="With --server-side, take over fields that others manage.")
    grace_period: int = flag(
        -1, help="Seconds an object that --force deletes has to end; negative: its own. 0 only with --force."
    )
    openapi_patch: bool = flag(True, help="Ask the server's OpenAPI how fields merge; if false, use what is built in.")
    overwrite: bool = flag(
        True, help="Where the live object was changed, too, the manifest wins; if false, that is an error."
    )
    prune: bool = flag(False, help="Delete applied objects that the manifests no longer have.")
    prune_allowlist: tuple[str, ...] = flag(
        (), kind="array", help="Kinds that --prune may delete, as group/version/kind."
    )
    selector: str = selector()
    server_side: bool = flag(False, help="Have the server merge instead of doing it here.")
    subresource: str = flag(
        "", help="With --server-side, apply to this subresource of the object.", completion="any:status,scale,resize"
    )
    timeout: float = flag(0.0, help="How long --force waits for a deletion; 0 lets the object decide.")
    validate: str = validate()
    wait: bool = flag(False, help="Wait until deleted objects are gone.")


def run(environment: Environment, options: ApplyOptions, arguments: Arguments) -> None:
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.commands import writing
    from kubetrace.commands.deletion import propagation_policy

    if arguments.words:
        raise arguments.usage_error(f"Unexpected args: [{' '.join(arguments.words)}]")
    strategy = writing.dry_run(environment, options.dry_run)
    _require_feature(environment, options, arguments)
    environment.make_client()  # before the flags are looked at
    propagation = propagation_policy(environment, options.cascade)
    filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
    filenames.require_any()
    directive = writing.validation_directive(options.validate)
    manager = options.field_manager
    if options.server_side and not arguments.changed("field_manager"):
        manager = SERVER_SIDE_MANAGER
    run_ = Run(environment, options, strategy, directive, manager, propagation)
    pruning = run_.pruning()
    _check(options, strategy)
    if pruning is not None:
        pruning.check()
    _check_subresource(options)
    run_.all(filenames, pruning)


def _require_feature(environment: Environment, options: ApplyOptions, arguments: Arguments) -> None:
    """kubectl does not know --applyset where its feature is off."""
    if arguments.changed("applyset"):
        from kubetrace.commands.apply.applyset import enabled

        if not enabled(environment.environ):
            raise UsageError("unknown flag: --applyset", arguments.command_path)


def _check(options: ApplyOptions, strategy: DryRun) -> None:
    """The combinations that kubectl refuses first (ApplyOptions.Validate)."""
    refuse(
        (options.force_conflicts and not options.server_side, "--force-conflicts only works with --server-side"),
        (
            strategy is DryRun.CLIENT and options.server_side,
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ),
        (options.server_side and options.force, "--force cannot be used with --server-side"),
        (strategy is DryRun.SERVER and options.force, "--dry-run=server cannot be used with --force"),
        (options.all and bool(options.selector), "cannot set --all and --selector at the same time"),
        (bool(options.applyset) and not options.prune, "--applyset requires --prune"),
    )


def _check_subresource(options: ApplyOptions) -> None:
    refuse(
        (
            bool(options.subresource) and not options.server_side,
            "--subresource can only be specified for --server-side",
        )
    )


def refuse(*refusals: tuple[bool, str]) -> None:
    """Raises KubetraceError for the first of them that holds."""
    for refused, words in refusals:
        if refused:
            raise KubetraceError(words)


class Run:
    """One run of apply over all its objects."""

    def __init__(
        self,
        environment: Environment,
        options: ApplyOptions,
        strategy: DryRun,
        directive: str,
        manager: str,
        propagation: str,
    ) -> None:
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands import writing
        from kubetrace.commands.apply.visited import Visited
        from kubetrace.commands.change_cause import Recorder

        self.environment = environment
        self.options = options
        self.strategy = strategy
        self.directive = directive
        self.propagation = propagation
        self.visited = Visited.nothing()
        self._recorder = Recorder.of(environment, options, options.record)
        self._openapi = writing.make_openapi(environment)
        self._validation = writing.field_validation(environment, directive, self._openapi)
        if environment.namespace_given:
            self.visited.namespaces[environment.namespace] = None
        self._write = WriteOptions(manager, directive, strategy is DryRun.SERVER)

    def pruning(self) -> Pruning | None:
        """--prune, or a mere --applyset; None without either. Raises KubetraceError."""
        if not self.options.prune and not self.options.applyset:
            return None
        from kubetrace.commands.apply.pruning import Pruning

        return Pruning.of(self.environment, self.options, self.strategy, self._write, self.propagation)

    def all(self, filenames: Any, pruning: Pruning | None) -> None:
        from kubetrace.api.aggregates import raise_all
        from kubetrace.api.builder import build
        from kubetrace.commands import writing

        request = writing.manifest_request(self.environment, filenames, self._validation, self.options.selector)
        infos: list[Info] = []
        errors: list[KubetraceError] = []
        try:
            build(self.environment.cluster, request).visit(infos.append)
        except KubetraceError as error:
            errors.append(error)
        if pruning is not None and pruning.applyset is not None:
            try:
                pruning.applyset.label(infos)
            except KubetraceError as error:
                infos, errors = [], [error]
        if not infos and not errors:
            raise KubetraceError("no objects passed to apply")
        if pruning is not None and pruning.applyset is not None:
            pruning.applyset.before_apply(infos)
        for info in infos:
            try:
                self._one(info)
            except KubetraceError as error:
                errors.append(error)
        raise_all(errors)
        self.environment.note("apply-post-processor")
        self._print_objects(infos)
        if pruning is not None:
            pruning.prune(self.visited, self.printer)

    def _one(self, info: Info) -> None:
        from kubetrace.api.metadata import text

        assert info.object is not None
        if info.namespaced:
            self.visited.namespaces[info.namespace] = None
        self._recorder.record(info.object)
        generated = text(info.object, "generateName")
        if not info.name and generated:
            raise KubetraceError(f"from {generated}: cannot use generate name with apply")
        if self.options.server_side:
            from kubetrace.commands.apply.server_side import apply_server_side

            apply_server_side(self.environment, info, self._write, self.options.force_conflicts,
                              self.options.subresource)  # fmt: skip
            warn_if_deleting(self.environment, info.object)
            self._visit(info)
            self._say("serverside-applied", info)
        else:
            self._client_side(info)

    def _client_side(self, info: Info) -> None:
        from kubetrace.api import last_applied
        from kubetrace.api.status import is_not_found
        from kubetrace.commands.apply.live import fetch_live
        from kubetrace.trace.exchange import Purpose

        assert info.object is not None
        modified = last_applied.modified_configuration(info.object)
        purpose = Purpose("apply", "apply: does the object exist already?")
        try:
            info.object = fetch_live(self.environment, info, purpose)
        except KubetraceError as error:
            if not is_not_found(error):
                raise
            self._create(info)
            return
        self._visit(info)
        self._patch(info, modified)

    def _create(self, info: Info) -> None:
        from kubetrace.api import last_applied
        from kubetrace.commands.writing import create_object, with_source

        assert info.object is not None
        last_applied.annotate(info.object)
        info.object = last_applied.without_nulls(info.object)
        if self.strategy is not DryRun.CLIENT:
            try:
                info.refresh(create_object(self.environment, info, self._write))
            except KubetraceError as error:
                raise with_source("creating", info.source, error) from None
        self._visit(info)
        self._say("created", info)

    def _patch(self, info: Info, modified: bytes) -> None:
        from kubetrace.api import last_applied
        from kubetrace.api.patcher import Patcher
        from kubetrace.commands.apply.live import shown
        from kubetrace.commands.writing import with_source

        assert info.object is not None
        write = self.environment.stderr.write
        if last_applied.ANNOTATION not in last_applied.annotations_of(info.object):
            write(_missing_annotation(info.object_name))
        patcher = Patcher(
            self.environment.cluster.objects,
            self._openapi if self.options.openapi_patch else None,
            self._write,
            self.options.overwrite,
            write,
            self.environment.note,
        )
        text = b""
        try:
            if self.strategy is DryRun.CLIENT:
                text, patched = patcher.patch_locally(info, modified)
            else:
                text, patched = self._patched(patcher, info, modified)
        except KubetraceError as error:
            words = f"applying patch:\n{patcher.last_text.decode()}\nto:\n{shown(info)}\nfor:"
            raise with_source(words, info.source, error) from None
        info.refresh(patched)
        warn_if_deleting(self.environment, info.object)
        self._say("unchanged" if text == b"{}" else "configured", info)

    def _patched(self, patcher: Any, info: Info, modified: bytes) -> tuple[bytes, dict[str, Any]]:
        from kubetrace.api.status import is_conflict, is_invalid
        from kubetrace.commands.writing import with_source

        try:
            patched: tuple[bytes, dict[str, Any]] = patcher.patch(info, modified)
            return patched
        except KubetraceError as error:
            if self.options.force and (is_conflict(error) or is_invalid(error)):
                from kubetrace.commands.deletion import replace_by_force

                patcher.last_text = modified
                created = replace_by_force(
                    self.environment, info, modified, self._write, self.propagation, self.options.grace_period,
                    self.options.timeout,
                )  # fmt: skip
                return modified, created
            raise with_source("patching", info.source, error) from None

    def _visit(self, info: Info) -> None:
        """Remembers the object, for --prune. Raises KubetraceError where the server answered with a list or a Status
        (MarkObjectVisited)."""
        from kubetrace.api.metadata import is_object, text

        if info.object is not None and not is_object(info.object):
            raise KubetraceError("object does not implement the Object interfaces")
        self.visited.uids[text(info.object, "uid")] = None

    # --- telling -------------------------------------------------------------------------------------------------

    @property
    def _prints_objects(self) -> bool:
        return self.options.output not in ("", "name")

    def _say(self, operation: str, info: Info) -> None:
        if not self._prints_objects:
            assert info.object is not None
            self.printer(operation).print(info.object, self.environment.stdout)

    def printer(self, operation: str) -> Any:
        from kubetrace.commands.writing import object_printer

        return object_printer(self.environment, self.options, self.strategy.mark(operation))

    def _print_objects(self, infos: list[Info]) -> None:
        """With -o: the object, or a List of them, at the end."""
        if not self._prints_objects or not infos:
            return
        value: Any = infos[0].object
        if len(infos) > 1:
            items = [info.object for info in infos]
            value = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items}
            if self.options.output.lower() == "json":
                self.environment.stdout.write(_list_json(value, self.options.show_managed_fields))
                return
            value = _as_struct(value)
        self.printer("").print(value, self.environment.stdout)


def warn_if_deleting(environment: Environment, live: dict[str, Any] | None) -> None:
    """A change of what has been told to go is lost with it."""
    from kubetrace.api.metadata import text

    if text(live, "deletionTimestamp"):
        name = text(live, "name")
        environment.stderr.write(f"Warning: Detected changes to resource {name} which is currently being deleted.\n")


def _as_struct(value: dict[str, Any]) -> dict[str, Any]:
    """The same for kyaml, which writes a struct in its own order, too."""
    from kubetrace.wire.go_json import dumps, loads
    from kubetrace.wire.go_struct import TypedObject

    return TypedObject({**value, "items": [loads(dumps(item)) for item in value["items"]]})


def _list_json(value: dict[str, Any], managed_fields: bool) -> str:
    """kubectl's List is a Go struct: its own keys keep their order, only those of its items are sorted."""
    import msgspec

    from kubetrace.api.go_words import struct_json
    from kubetrace.api.metadata import metadata
    from kubetrace.wire.go_json import dumps

    items = []
    for item in value["items"]:
        if not managed_fields and "managedFields" in metadata(item):
            kept = {key: value for key, value in metadata(item).items() if key != "managedFields"}
            item = {**item, "metadata": kept}
        items.append(msgspec.Raw(dumps(item)))
    return struct_json({**value, "items": items}, indent=4).decode() + "\n"


def _missing_annotation(object_name: str) -> str:
    from kubetrace.api.last_applied import ANNOTATION

    return (
        f"Warning: resource {object_name} is missing the {ANNOTATION} annotation which is required by {PROGRAM} apply. "
        f"{PROGRAM} apply should only be used on resources created declaratively by either {PROGRAM} create "
        f"--save-config or {PROGRAM} apply. The missing annotation will be patched automatically.\n"
    )


COMMAND = Command(
    run=run,
    options=ApplyOptions,
    usage="apply (-f FILENAME | -k DIRECTORY) [options]",
    description="""
    Bring objects to the state that a file, a folder, a URL or standard input describes, as JSON or YAML. What does not
    exist is created. What exists is patched: fields that the manifest sets are set, fields that the last applied
    manifest had and this one has not are removed, all others stay.
    """,
    examples="""
    # What pod.yaml describes
    kubetrace apply -f ./pod.yaml

    # The same from standard input
    cat pod.yaml | kubetrace apply -f -

    # Every .json file of this folder
    kubetrace apply -f '*.json'

    # Delete what was applied with this label and is not in the folder any more
    kubetrace apply -f folder/ --prune -l app=web

    # Have the server merge
    kubetrace apply --server-side -f pod.yaml
    """,
)

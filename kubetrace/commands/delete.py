"""`delete`: by manifest, by name, by selector (kubectl pkg/cmd/delete)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import (
    all_namespaces,
    cascade,
    dry_run,
    field_selector,
    filename,
    kustomize,
    recursive,
    selector,
)
from kubetrace.commands.writing import DryRun
from kubetrace.errors import KubetraceError
from kubetrace.value import Mutable, Value, fresh, replace

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.environment import Environment

_FOREVER = 168 * 3600.0
"""Seconds; how long kubectl waits where --timeout says nothing."""

Location = tuple[str, str, str, str]


class DeleteOptions(Value):
    all: bool = flag(False, help="Delete every object of the types given, in the namespace.")
    all_namespaces: bool = all_namespaces()
    cascade: str = cascade()
    dry_run: str = dry_run()
    field_selector: str = field_selector()
    filename: tuple[str, ...] = filename("the objects to delete")
    force: bool = flag(False, help="Remove the object from the API at once, without letting it end. May lose data.")
    grace_period: int = flag(
        -1, help="Seconds the object has to end; negative: its own, 1: at once. 0 only with --force."
    )
    ignore_not_found: bool = flag(False, help="Take what is not there for deleted. Implied by --all.")
    interactive: bool = flag(False, "i", help="Ask before anything is deleted.")
    kustomize: str = kustomize()
    now: bool = flag(False, help="Let the object end at once (like --grace-period=1).")
    output: str = flag("", "o", help='Output mode: "name" prints resource/name only.')
    raw: str = flag("", help="Path on the server to DELETE.")
    recursive: bool = recursive()
    selector: str = selector()
    timeout: float = flag(0.0, help="How long to wait for the objects to go; 0 lets them decide.")
    wait: bool = flag(True, help="Wait until the objects are gone, their finalizers included.")


def run(environment: Environment, options: DeleteOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.deletion import propagation_policy

    propagation = propagation_policy(environment, options.cascade)
    _ = environment.namespace  # a bad kubeconfig is told before bad flags
    options = _completed(options, arguments)
    strategy = writing.dry_run(environment, options.dry_run)
    if options.raw:
        from kubetrace.commands.raw import print_raw

        _check(environment, options)
        print_raw(environment, "DELETE", options.raw, options.filename[0] if options.filename else "")
        return
    selection = select(environment, options, arguments.words)
    again = select(environment, options, arguments.words) if options.interactive else None
    _ = environment.cluster.mapper
    environment.make_client()
    _check(environment, options)
    run_ = Run(environment, options, strategy, propagation)
    if again is not None and not run_.confirmed(again):
        return
    run_.delete(selection)


def _completed(options: DeleteOptions, arguments: Arguments) -> DeleteOptions:
    """What flags imply for others (DeleteOptions.Complete)."""
    by_selector = options.all or options.selector or options.field_selector
    if by_selector and not arguments.changed("ignore_not_found"):
        options = replace(options, ignore_not_found=True)
    if options.now:
        if options.grace_period != -1:
            raise KubetraceError("--now and --grace-period cannot be specified together")
        options = replace(options, grace_period=1)
    if options.grace_period == 0 and not options.force:
        options = replace(options, grace_period=1)
    if options.force and options.grace_period < 0:
        options = replace(options, grace_period=0)
    return options


def _check(environment: Environment, options: DeleteOptions) -> None:
    """The combinations that kubectl refuses (DeleteOptions.Validate)."""
    from kubetrace.commands.selecting import check_all

    if options.output not in ("", "name"):
        raise KubetraceError(f"unexpected -o output mode: {options.output}. We only support '-o name'")
    check_all(options.all, options.selector, options.field_selector)
    if options.force and options.grace_period == 0:
        environment.warn(
            "Immediate deletion does not wait for confirmation that the running resource has been terminated. "
            "The resource may continue to run on the cluster indefinitely."
        )
    elif options.force and options.grace_period > 0:
        raise KubetraceError("--force and --grace-period greater than 0 cannot be specified together")
    if not options.raw:
        return
    from kubetrace.commands.raw import check_raw

    if options.interactive:
        raise KubetraceError("--interactive can not be used with --raw")
    beside = ((options.recursive, "--recursive"), (options.output, "--output"))
    check_raw(options.raw, options.filename, beside, bare=True)


def select(environment: Environment, options: DeleteOptions, words: tuple[str, ...]) -> Result:
    """What is to be deleted. Raises KubetraceError."""
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.trace.exchange import Purpose

    documents = None
    if options.filename or options.kustomize:
        from kubetrace.api.manifests import FilenameOptions, find_sources, read_documents

        filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
        sources = find_sources(filenames, environment.read_manifest, environment.write_error_bytes).sources
        documents = read_documents(sources)
    selection = Selection()
    selection.add_selectors(options.selector, options.field_selector, options.all)
    selection.add_arguments(words)
    request = Request(
        selection=selection,
        documents=documents,
        namespace="" if options.all_namespaces else environment.namespace,
        all_namespaces=options.all_namespaces,
        default_namespace=True,
        enforce_namespace=documents is not None and environment.namespace_given,
        flatten=True,
        continue_on_error=True,
        require_object=False,
        purpose=Purpose("delete", "delete: which objects does the selector mean?"),
    )
    return build(environment.cluster, request)


class Run(Mutable):
    """One run of delete over all its objects."""

    environment: Environment
    options: DeleteOptions
    strategy: DryRun
    propagation: str
    warned: bool = False
    """Has the warning of objects outside of namespaces been told (or is it not wanted)?"""
    _previewed: set[Location] | None = None
    _deleted: list[Info] = fresh(list)
    _uids: dict[Location, str] = fresh(dict)

    def confirmed(self, preview: Result) -> bool:
        """Shows what would go and asks (--interactive)."""
        infos: list[Info] = []
        self._visit(preview, infos.append)
        out = self.environment.stdout
        if not infos:
            out.write("No resources found\n")
            return False
        self._previewed = {_location(info) for info in infos}
        out.write(f"You are about to delete the following {len(infos)} resource(s):\n")
        for info in infos:
            out.write(f"{_kind(info)}/{info.name}\n")
        if self.environment.own.plan:
            return True  # a plan shows what a yes would do
        out.write("Do you want to continue? (y/N): ")
        out.flush()
        answer = self.environment.stdin.readline().decode("utf-8", "replace").split()
        if len(answer) == 1 and answer[0].lower() == "y":
            return True
        out.write("deletion is cancelled\n")
        return False

    def delete(self, selection: Result) -> None:
        self._visit(selection, self._delete_one)
        if not self._deleted:
            self.environment.stdout.write("No resources found\n")
            return
        if self.options.wait and self.strategy is DryRun.NONE:
            self._wait()

    def _visit(self, selection: Result, function: object) -> None:
        """Visits all; what is not found is no error with --ignore-not-found."""
        from kubetrace.api.aggregates import without
        from kubetrace.api.status import is_not_found

        try:
            selection.visit(function)  # type: ignore[arg-type]
        except KubetraceError as error:
            if not self.options.ignore_not_found:
                raise
            failure = without(error, is_not_found)
            if failure is not None:
                raise failure from None

    def _delete_one(self, info: Info) -> None:
        from kubetrace.commands import deletion
        from kubetrace.commands.writing import with_source

        assert info.mapping is not None
        if self._previewed is not None and _location(info) not in self._previewed:
            return
        self._deleted.append(info)
        if not info.mapping.namespaced and not self.warned and self._warns_of_cluster_scope:
            self.warned = True
            self.environment.warn("deleting cluster-scoped resources, not scoped to the provided namespace")
        if self.strategy is not DryRun.CLIENT:
            dry = self.strategy is DryRun.SERVER
            body = deletion.delete_options(self.options.grace_period, self.propagation, dry)
            try:
                answer = deletion.delete_object(self.environment, info, body)
            except KubetraceError as error:
                raise with_source("deleting", info.source, error) from None
            self._uids[_location(info)] = deletion.deleted_uid(answer)
        self._say(info)

    @property
    def _warns_of_cluster_scope(self) -> bool:
        return self.environment.namespace_given and not self.options.all_namespaces

    def _say(self, info: Info) -> None:
        out = self.environment.stdout
        if self.options.output == "name":
            out.write(f"{_kind(info)}/{info.name}\n")
            return
        operation = "force deleted" if self.options.grace_period == 0 else "deleted"
        if info.namespaced:
            operation += f" from {info.namespace} namespace"
        out.write(f'{_kind(info)} "{info.name}" {self.strategy.mark(operation)}\n')

    def _wait(self) -> None:
        import time

        from kubetrace.api.status import is_forbidden, is_method_not_allowed
        from kubetrace.commands.deletion import NO_PATIENCE, wait_until_gone

        self.environment.stdout.flush()
        deadline = time.monotonic() + (self.options.timeout or _FOREVER)
        if self.options.timeout < 0:
            self.environment.note("negative-timeout")
            deadline = NO_PATIENCE
        try:
            for info in self._deleted:
                uid = self._uids.get(_location(info))
                wait_until_gone(self.environment, info, uid, deadline)
        except KubetraceError as error:
            if not is_forbidden(error) and not is_method_not_allowed(error):
                raise


def _kind(info: Info) -> str:
    """ "pod", "deployment.apps"."""
    assert info.mapping is not None
    kind, group = info.mapping.kind.kind.lower(), info.mapping.kind.group
    return f"{kind}.{group}" if group else kind


def _location(info: Info) -> Location:
    assert info.mapping is not None
    resource = info.mapping.resource
    return resource.group, resource.resource, info.namespace, info.name


COMMAND = Command(
    run=run,
    options=DeleteOptions,
    words="resources",
    usage="delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) [options]",
    description="""
    Delete objects: those that a manifest describes, those of a type that are named, or those that a selector means.

    Objects end in their own time: a Pod gets a grace period. --grace-period changes it; --force removes the object from
    the API without waiting, and what ran for it may go on running. The command returns when the objects are gone.
    """,
    examples="""
    # What pod.json describes
    kubetrace delete -f ./pod.json

    # By name
    kubetrace delete pod,service web

    # By label
    kubetrace delete pods,services -l name=web

    # A Pod that has 1 second to end
    kubetrace delete pod web --now
    """,
)

"""`replace`: the whole objects that files describe, in place of those on the server (kubectl pkg/cmd/replace)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import (
    ChangeOptions,
    cascade,
    field_manager,
    save_config,
    subresource,
    validate,
)
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubetrace.api.builder import Info
    from kubetrace.api.field_validation import FieldValidation
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands.delete import DeleteOptions
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer

_GONE_WITHIN = 300.0
"""Seconds; how long --force waits where --timeout says nothing."""


class ReplaceOptions(ChangeOptions):
    cascade: str = cascade()
    field_manager: str = field_manager("kubectl-replace")
    force: bool = flag(False, help="Delete the object and create it anew. May lose data.")
    grace_period: int = flag(-1, help="With --force, seconds the object has to end; negative: its own.")
    raw: str = flag("", help="Path on the server to PUT the file to, as it is.")
    save_config: bool = save_config()
    subresource: str = subresource("Replace")
    timeout: float = flag(0.0, help="With --force, how long to wait for the object to go; 0 is five minutes.")
    validate: str = validate()
    wait: bool = flag(False, help="With --force, wait until the object is gone, its finalizers included.")


def run(environment: Environment, options: ReplaceOptions, arguments: Arguments) -> None:
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands import writing
    from kubetrace.commands.deletion import propagation_policy

    directive = writing.validation_directive(options.validate)
    strategy = writing.dry_run(environment, options.dry_run)
    environment.make_client()
    printer = writing.object_printer(environment, options, strategy.mark("replaced"))
    propagation = propagation_policy(environment, options.cascade)
    if options.grace_period == 0:
        options = replace(options, grace_period=1, wait=True)  # so that the object has surely gone
    FilenameOptions(options.filename, options.kustomize, options.recursive).require_any()
    validation = writing.field_validation(environment, directive)
    _ = environment.namespace
    _check(options, strategy)
    if options.raw:
        from kubetrace.commands.raw import print_raw

        print_raw(environment, "PUT", options.raw, options.filename[0])
        return
    write = WriteOptions(options.field_manager, directive, strategy is writing.DryRun.SERVER)
    run_ = Run(environment, options, strategy, write, printer, validation)
    if options.force:
        run_.by_force(arguments.words, propagation)
    else:
        run_.in_place()


def _check(options: ReplaceOptions, strategy: DryRun) -> None:
    """The combinations that kubectl refuses (ReplaceOptions.Validate)."""
    from kubetrace.commands.writing import DryRun

    if options.grace_period >= 0 and not options.force:
        raise KubetraceError("--grace-period must have --force specified")
    if options.timeout and not options.force:
        raise KubetraceError("--timeout must have --force specified")
    if options.force and strategy is not DryRun.NONE:
        raise KubetraceError("--dry-run can not be used when --force is set")
    if options.raw:
        from kubetrace.commands.raw import check_raw

        check_raw(options.raw, options.filename, ((options.recursive, "--recursive"), (options.output, "--output")))


class Run(Value):
    """One run of replace over all its objects."""

    environment: Environment
    options: ReplaceOptions
    strategy: DryRun
    write: WriteOptions
    printer: Printer
    validation: FieldValidation | None

    def in_place(self) -> None:
        self._visit(self.options, self._replace)

    def _visit(self, options: ReplaceOptions, each: object) -> None:
        from kubetrace.api.builder import build
        from kubetrace.api.manifests import FilenameOptions
        from kubetrace.commands import writing

        filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
        request = writing.manifest_request(self.environment, filenames, self.validation, "")
        build(self.environment.cluster, request).visit(each)  # type: ignore[arg-type]

    def _replace(self, info: Info) -> None:
        from kubetrace.commands.writing import DryRun, replace_object, with_source

        assert info.object is not None
        self._annotate(info.object)
        if self.strategy is not DryRun.CLIENT:
            try:
                info.refresh(replace_object(self.environment, info, self.write, self.options.subresource))
            except KubetraceError as error:
                raise with_source("replacing", info.source, error) from None
        self.printer.print(info.object, self.environment.stdout)

    def _annotate(self, value: dict[str, object]) -> None:
        from kubetrace.api.last_applied import create_or_update

        create_or_update(value, self.options.save_config)

    # --- --force ---------------------------------------------------------------------------------------------------

    def by_force(self, words: tuple[str, ...], propagation: str) -> None:
        """Deletes the objects, waits until they are gone, and creates them."""
        from kubetrace.commands import delete

        with self._files() as options:
            deletion = _delete_options(options)
            going = delete.select(self.environment, deletion, words)
            delete.Run(self.environment, deletion, self.strategy, propagation, warned=True).delete(going)
            again = delete.select(self.environment, deletion, words)
            again.visit(lambda info: self._wait_for(again.fetch, info))
            count = 0

            def create(info: Info) -> None:
                nonlocal count
                self._create(info)
                count += 1

            self._visit(options, create)
        if not count:
            raise KubetraceError("no objects passed to replace")

    @contextlib.contextmanager
    def _files(self) -> Iterator[ReplaceOptions]:
        """The options with standard input, which is read several times, in a file."""
        import tempfile
        from pathlib import Path

        if "-" not in self.options.filename:
            yield self.options
            return
        with tempfile.TemporaryDirectory(prefix="kubetrace_replace_") as folder:
            file = Path(folder) / "resource.stdin"
            file.write_bytes(self.environment.read_manifest())
            names = (str(file) if name == "-" else name for name in self.options.filename)
            yield replace(self.options, filename=tuple(names))

    def _wait_for(self, fetch: object, info: Info) -> None:
        """Returns when the object is not there any more."""
        import time

        from kubetrace.api.status import is_not_found

        deadline = time.monotonic() + (self.options.timeout or _GONE_WITHIN)
        while True:
            try:
                fetch(info)  # type: ignore[operator]
            except KubetraceError as error:
                if is_not_found(error):
                    return
                raise
            pause = min(1.0, deadline - time.monotonic())
            if pause <= 0:
                raise KubetraceError("context deadline exceeded")
            time.sleep(pause)

    def _create(self, info: Info) -> None:
        from kubetrace.commands.writing import create_object

        assert info.object is not None
        self._annotate(info.object)
        info.refresh(create_object(self.environment, info, self.write))
        self.printer.print(info.object, self.environment.stdout)


def _delete_options(options: ReplaceOptions) -> DeleteOptions:
    from kubetrace.commands.delete import DeleteOptions

    return DeleteOptions(
        filename=options.filename,
        kustomize=options.kustomize,
        recursive=options.recursive,
        force=options.force,
        grace_period=options.grace_period,
        ignore_not_found=True,
        output=options.output,
        timeout=options.timeout,
        wait=options.wait,
    )


COMMAND = Command(
    run=run,
    options=ReplaceOptions,
    usage="replace -f FILENAME [options]",
    description="""
    Replace objects with what files or standard input say, as JSON or YAML.

    The file has the whole object; 'kubetrace get TYPE NAME -o yaml' prints one. A resourceVersion in it has to be that
    of the object on the server, otherwise somebody else has changed it meanwhile.
    """,
    examples="""
    # What pod.json describes
    kubetrace replace -f ./pod.json

    # The same from standard input
    cat pod.json | kubetrace replace -f -

    # Another image in an object as it is now
    kubetrace get pod web -o yaml | sed 's/\\(image: nginx\\):.*$/\\1:1.29/' | kubetrace replace -f -

    # Delete the object and create it anew
    kubetrace replace --force -f ./pod.json
    """,
)

"""`diff`: what apply would change (kubectl pkg/cmd/diff). Both versions go to files, and a program compares them.

Exit codes: 0 no difference, 1 differences, more than 1 an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.api.metadata import text
from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.apply.manifests import CLIENT_SIDE_MANAGER, SERVER_SIDE_MANAGER, warn_if_deleting
from kubetrace.commands.shared_options import filename, kustomize, recursive, selector
from kubetrace.errors import KubetraceError, SilentExit
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubetrace.api.builder import Info
    from kubetrace.api.openapi import OpenAPI
    from kubetrace.api.resources import GroupVersionKind
    from kubetrace.commands.apply.prune import Prunable
    from kubetrace.environment import Environment

Object = dict[str, Any]

_RETRIES = 4
"""How often an object is compared that keeps changing; the last time without a lock."""
_MASK, _BEFORE, _AFTER = "***", "*** (before)", "*** (after)"


class DiffOptions(Value):
    concurrency: int = flag(1, help="Has no effect: objects are compared one after the other.")
    field_manager: str = flag(CLIENT_SIDE_MANAGER, help="Name under which the server would record who set which field.")
    filename: tuple[str, ...] = filename("the objects to compare")
    force_conflicts: bool = flag(False, help="With --server-side, take over fields that others manage.")
    kustomize: str = kustomize()
    prune: bool = flag(False, help="Show objects that 'apply --prune' would delete.")
    prune_allowlist: tuple[str, ...] = flag((), kind="array", help="Kinds that 'apply --prune' may delete.")
    recursive: bool = recursive()
    selector: str = selector()
    server_side: bool = flag(False, help="Have the server merge instead of doing it here.")
    show_managed_fields: bool = flag(False, help="Compare metadata.managedFields, too.")
    show_secrets: bool = flag(False, help="Show the values of Secrets instead of asterisks.")


def run(environment: Environment, options: DiffOptions, arguments: Arguments) -> int:
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.commands import writing
    from kubetrace.commands.apply import prune

    if arguments.words:
        raise _failed(arguments.usage_error(f"Unexpected args: [{' '.join(arguments.words)}]"))
    try:
        filenames = FilenameOptions(options.filename, options.kustomize, options.recursive)
        filenames.require_any()
        if options.force_conflicts and not options.server_side:
            raise KubetraceError("--force-conflicts only works with --server-side")
        openapi = None if options.server_side else writing.make_openapi(environment)
        environment.make_client()
        _ = environment.namespace
        manager = options.field_manager
        if options.server_side and not arguments.changed("field_manager"):
            manager = SERVER_SIDE_MANAGER
        allowed = prune.allow_list(environment, options.prune_allowlist) if options.prune else ()
        comparison = _Comparison(environment, options, manager, openapi, allowed)
        return comparison.run(filenames)
    except SilentExit:
        raise
    except KubetraceError as error:
        raise _failed(error) from None


def _failed(error: KubetraceError) -> KubetraceError:
    """Exit code 1 is taken: it says that there are differences (cmdutil.CheckDiffErr)."""
    error.exit_code = error.exit_code + 1
    return error


class _Comparison:
    """One run: two folders, a file an object in each."""

    def __init__(
        self,
        environment: Environment,
        options: DiffOptions,
        manager: str,
        openapi: OpenAPI | None,
        allowed: Sequence[Prunable],
    ) -> None:
        from kubetrace.api.verbs import WriteOptions
        from kubetrace.commands.apply.visited import Visited

        self._allowed = allowed
        self._visited = Visited.nothing()
        self._environment = environment
        self._options = options
        self._openapi = openapi
        self._write = WriteOptions(manager, dry_run=True)

    def run(self, filenames: Any) -> int:
        from kubetrace.api.builder import build
        from kubetrace.commands import writing

        place = self._environment.environ.get("TMPDIR") or "/tmp"
        with (
            _folder(place, "LIVE-") as live,
            _folder(place, "MERGED-") as merged,
        ):
            request = writing.manifest_request(self._environment, filenames, None, self._options.selector)
            folders = (live, merged)
            problem = None
            try:
                build(self._environment.cluster, replace(request, continue_on_error=False)).visit(
                    lambda info: self._compare(info, folders)
                )
            except KubetraceError as error:
                problem = error
            if self._options.prune:
                self._show_pruned(folders[0])
            if problem is not None:
                raise problem
            return _run_program(self._environment, str(live), str(merged))

    def _compare(self, info: Info, folders: tuple[Path, Path]) -> None:
        from kubetrace.api.status import is_conflict

        local = info.object
        assert local is not None and info.mapping is not None
        for attempt in range(1, _RETRIES + 1):
            live = self._live(info)
            self._visit(info, live)
            locked = attempt < _RETRIES
            if not locked:
                self._environment.note("diff-without-lock", kind=_go_kind(live), object=info.name)
            try:
                versions = self._shown(live, self._merged(info, local, live, locked))
            except KubetraceError as error:
                if is_conflict(error) and locked:
                    continue
                raise
            for folder, version in zip(folders, versions, strict=True):
                assert info.mapping is not None
                _write(folder / _file_name(info.mapping.kind, info.namespace, info.name), version)
            break
        warn_if_deleting(self._environment, live)

    def _visit(self, info: Info, live: Object | None) -> None:
        if info.namespaced:
            self._visited.namespaces[info.namespace] = None
        if live is not None:
            self._visited.uids[text(live, "uid")] = None

    def _show_pruned(self, folder: Path) -> None:
        """Writes what --prune would delete to where the live objects are."""
        from kubetrace.api.resources import GroupVersionKind
        from kubetrace.commands.apply import prune

        def show(left: prune.Left) -> None:
            kind = GroupVersionKind.of(left.object)
            _write(folder / _file_name(kind, text(left.object, "namespace"), left.name), _text(left.object))

        try:
            prune.visit_left(self._environment, self._allowed, self._visited, self._options.selector, show)
        except KubetraceError as error:
            self._environment.note("diff-without-prune", error=str(error))

    def _live(self, info: Info) -> Object | None:
        from kubetrace.api.status import is_not_found
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None
        purpose = Purpose("diff", "diff: how is the object now?")
        try:
            return self._environment.cluster.objects.get_or_blame_namespace(
                info.mapping, info.namespace, info.name, purpose=purpose
            )
        except KubetraceError as error:
            if is_not_found(error):
                return None
            raise

    def _merged(self, info: Info, local: Object, live: Object | None, locked: bool) -> Object:
        """The object as it would be: the server tries it out."""
        from kubetrace.api import last_applied, verbs
        from kubetrace.api.patcher import Patcher
        from kubetrace.commands.writing import create_object
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None
        objects = self._environment.cluster.objects
        if self._options.server_side:
            call = verbs.patch(
                info.mapping,
                info.namespace,
                info.name,
                verbs.APPLY_PATCH,
                last_applied.encode(local),
                replace(self._write, force=self._options.force_conflicts),
                purpose=Purpose("diff", "diff: how would the object be? (dry run)"),
            )
            applied: Object = objects.send(call, info.mapping, info.name)
            return applied
        if live is None:
            created: Object = create_object(self._environment, _with_object(info, local), self._write)
            return created
        patcher = Patcher(
            objects,
            self._openapi,
            self._write,
            True,
            self._environment.stderr.write,
            self._environment.note,
            locked=locked,
        )
        modified = last_applied.modified_configuration(local, annotate=False)
        return patcher.patch(_with_object(info, live), modified)[1]

    def _shown(self, live: Object | None, merged: Object) -> tuple[str, str]:
        """Both versions as the texts that are compared."""
        if not self._options.show_managed_fields:
            live, merged = _unmanaged(live), _unmanaged(merged) or {}
        if merged.get("kind") == "Secret" and merged.get("apiVersion") == "v1" and not self._options.show_secrets:
            return _masked(live, merged)
        return "" if live is None else _text(live), _text(merged)


def _with_object(info: Info, value: Object) -> Info:
    """The same thing with another object."""
    from kubetrace.api.builder import Info as NewInfo

    return NewInfo(info.mapping, info.namespace, info.name, value, info.source)


def _unmanaged(value: Object | None) -> Object | None:
    if value is None or not isinstance(value.get("metadata"), dict):
        return value
    kept = {key: item for key, item in value["metadata"].items() if key != "managedFields"}
    return {**value, "metadata": kept}


def _masked(live: Object | None, merged: Object) -> tuple[str, str]:
    """Values of Secrets as asterisks that still tell what changed (diff.Masker). A Secret that does not exist yet is
    "null" then, as a nil pointer is in Go's YAML."""
    old, new = (live or {}).get("data") or {}, merged.get("data") or {}
    changed = {key for key in old if key in new and old[key] != new[key]}

    def data(found: Object, word: str) -> Object:
        return {key: word if key in changed else _MASK for key in found}

    if live is not None and live.get("data") is not None:
        live = {**live, "data": data(old, _BEFORE)}
    if merged.get("data") is not None:
        merged = {**merged, "data": data(new, _AFTER)}
    return _text(live), _text(merged)


def _go_kind(value: Object | None) -> str:
    """ "/v1, Kind=ConfigMap", as Go prints a GroupVersionKind."""
    from kubetrace.api.resources import GroupVersionKind

    kind = GroupVersionKind.of(value or {})
    return f"{kind.group}/{kind.version}, Kind={kind.kind}"


def _file_name(kind: GroupVersionKind, namespace: str, name: str) -> str:
    parts = [kind.group] if kind.group else []
    return ".".join([*parts, kind.version, kind.kind, namespace, name])


def _text(value: Object | None) -> str:
    from kubetrace.wire import go_yaml

    return go_yaml.dumps(value)


def _write(path: Path, text: str) -> None:
    path.touch(0o700)
    path.write_text(text, "utf-8", "surrogateescape", "\n")


@contextmanager
def _folder(place: str, prefix: str) -> Iterator[Path]:
    """A folder while it is needed, named as os.MkdirTemp names it: by a number, which the diff shows."""
    import random
    import shutil

    while True:
        folder = Path(place, f"{prefix}{random.getrandbits(32)}")
        try:
            folder.mkdir(0o700)
        except FileExistsError:
            continue
        break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_program(environment: Environment, live: str, merged: str) -> int:
    """KUBECTL_EXTERNAL_DIFF, or `diff -u -N`; its output is ours. Raises KubetraceError where it fails."""
    import re
    import subprocess

    wanted = environment.environ.get("KUBECTL_EXTERNAL_DIFF")
    name, *words = wanted.split(" ") if wanted else ("diff",)
    options = [word for word in words if re.fullmatch("[a-zA-Z0-9-=]+", word)]
    program = [name, live, merged, *options] if wanted else [name, "-u", "-N", live, merged]
    if not name:
        raise KubetraceError('failed to run "": exec: no command')
    environment.stdout.flush()
    try:
        done = subprocess.run(
            program, stdin=subprocess.DEVNULL, capture_output=True, env=dict(environment.environ), check=False
        )
    except OSError:  # whatever the reason (k8s.io/utils/exec)
        raise KubetraceError(f'failed to run "{name}": executable file not found in $PATH') from None
    environment.stdout.write(done.stdout.decode("utf-8", "surrogateescape"))
    environment.stderr.write(done.stderr.decode("utf-8", "surrogateescape"))
    if done.returncode > 1:
        raise KubetraceError(f'failed to run "{name}": exit status {done.returncode}')
    if done.returncode:  # a signal's end counts as a difference
        raise SilentExit(1)
    return 0


COMMAND = Command(
    run=run,
    options=DiffOptions,
    error_exit=2,
    usage="diff -f FILENAME [options]",
    description="""
    Show what would change if the manifests were applied.

    The server is asked how each object would be (a dry run); both versions, as YAML, are compared by "diff -u -N", or
    by the program that the environment variable KUBECTL_EXTERNAL_DIFF names.

    Exit codes: 0 no difference, 1 there are differences, more than 1 an error.
    """,
    examples="""
    # What would pod.json change?
    kubetrace diff -f pod.json

    # The manifest comes from standard input
    cat service.yaml | kubetrace diff -f -

    # In colour
    KUBECTL_EXTERNAL_DIFF="colordiff -N -u" kubetrace diff -f pod.json
    """,
)

"""`patch`: change fields of objects with a strategic merge patch, a JSON merge patch or a JSON patch (kubectl
pkg/cmd/patch)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import RecordedOptions, field_manager, local, subresource
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


class PatchOptions(RecordedOptions):
    field_manager: str = field_manager("kubectl-patch")
    local: bool = local()
    patch: str = flag("", "p", help="The patch, as JSON or YAML.")
    patch_file: str = flag("", help="File with the patch.")
    subresource: str = subresource("Patch")
    type: str = flag("strategic", help="What kind of patch it is; one of [json merge strategic].")


def run(environment: Environment, options: PatchOptions, arguments: Arguments) -> None:
    from kubetrace.api.local_patch import PATCH_TYPES
    from kubetrace.commands import writing
    from kubetrace.commands.change_cause import Recorder
    from kubetrace.commands.selecting import Selecting, load_namespace, select
    from kubetrace.trace.exchange import Purpose

    recorder = Recorder.of(environment, options, options.record)
    strategy = writing.dry_run(environment, options.dry_run)
    load_namespace(environment, options.local)
    _check(options, strategy, arguments.words)
    media_type = PATCH_TYPES[options.type.lower() or "strategic"]
    text = _patch_text(options)
    how = Selecting(
        purpose=Purpose("patch", "change: what does the object look like now?"),
        local=options.local,
        subresource=options.subresource,
    )
    run_ = Run(environment, options, strategy, recorder, media_type, text)
    count = 0

    def one(info: Info) -> None:
        nonlocal count
        count += 1
        run_.one(info)

    select(environment, options, arguments.words, how).visit(one)
    if not count:
        raise KubetraceError("no objects passed to patch")


def _check(options: PatchOptions, strategy: DryRun, words: tuple[str, ...]) -> None:
    """The combinations that kubectl refuses (PatchOptions.Validate)."""
    from kubetrace.api.go_words import quoted
    from kubetrace.api.local_patch import PATCH_TYPES
    from kubetrace.commands.writing import check_local

    if options.patch and options.patch_file:
        raise KubetraceError("cannot specify --patch and --patch-file together")
    if not options.patch and not options.patch_file:
        raise KubetraceError("must specify --patch or --patch-file containing the contents of the patch")
    if options.local and words:
        raise KubetraceError("cannot specify --local and server resources")
    check_local(options.local, strategy)
    if options.type and options.type.lower() not in PATCH_TYPES:
        raise KubetraceError(f"--type must be one of [{' '.join(PATCH_TYPES)}], not {quoted(options.type)}")


def _patch_text(options: PatchOptions) -> bytes:
    """The patch as JSON. Raises KubetraceError."""
    from kubetrace.api.go_words import quoted
    from kubetrace.commands.generators.data_sources import read
    from kubetrace.wire import go_json
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    if options.patch_file:
        try:
            data = read(options.patch_file)
        except KubetraceError as error:
            raise KubetraceError(f"unable to read patch file: {error}") from None
    else:
        data = options.patch.encode("utf-8", "surrogateescape")
    if data.lstrip().startswith(b"{"):
        return data  # goes out as it is, whatever it is
    try:
        return go_json.dumps(loads(data))
    except InvalidYAML as error:
        raise KubetraceError(f"unable to parse {quoted(options.patch)}: {error}") from None


class Run(Value):
    """One run of patch over all its objects."""

    environment: Environment
    options: PatchOptions
    strategy: DryRun
    recorder: Recorder
    media_type: str
    text: bytes

    def one(self, info: Info) -> None:
        from kubetrace.api.local_patch import patched
        from kubetrace.api.merge_values import same
        from kubetrace.commands.writing import DryRun, object_printer

        assert info.object is not None
        if self.options.local or self.strategy is DryRun.CLIENT:
            result = patched(info.object, self.media_type, self.text)
            changed = not same(info.object, result)
        else:
            self.environment.make_client()
            result = self._send(info, self.media_type, self.text)
            changed = not same(info.object, result)
            result = self._record(info, result)
        printer = object_printer(self.environment, self.options, "patched" if changed else "patched (no change)")
        printer.print(result, self.environment.stdout)

    def _send(self, info: Info, media_type: str, text: bytes) -> dict[str, Any]:
        from kubetrace.api import status, verbs
        from kubetrace.commands.writing import DryRun
        from kubetrace.trace.exchange import Purpose

        assert info.mapping is not None
        call = verbs.patch(
            info.mapping,
            info.namespace,
            info.name,
            media_type,
            text,
            verbs.WriteOptions(self.options.field_manager, dry_run=self.strategy is DryRun.SERVER),
            self.options.subresource,
            purpose=Purpose("patch", "change: only what differs"),
        )
        try:
            result: dict[str, Any] = self.environment.cluster.objects.send(call, info.mapping, info.name)
        except status.StatusError as error:
            if status.is_unsupported_media_type(error):
                raise KubetraceError(f"{media_type} is not supported by {info.mapping.kind}: {error}") from None
            raise
        return result

    def _record(self, info: Info, result: dict[str, Any]) -> dict[str, Any]:
        """Keeps the command line in the object, too, if the server lets it."""
        from kubetrace.api import verbs

        text = self.recorder.merge_patch(result)
        if not text:
            return result
        try:
            return self._send(info, verbs.MERGE_PATCH, text)
        except KubetraceError:
            return result


COMMAND = Command(
    run=run,
    options=PatchOptions,
    words="resources",
    usage="patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
    description="""
    Change fields of objects with a patch, in JSON or YAML.

    A strategic merge patch names the fields to change; in lists it finds an item by its key (a container by its name).
    Custom resources know no such keys: for them, take --type=merge, where a list is replaced whole. --type=json is a
    list of single steps (add, remove, replace, move, copy, test), each at a path.
    """,
    examples="""
    # No new pods on a node, in JSON and in YAML
    kubetrace patch node k8s-node-1 -p '{"spec":{"unschedulable":true}}'
    kubetrace patch node k8s-node-1 -p $'spec:\\n unschedulable: true'

    # The node that node.json names
    kubetrace patch -f node.json -p '{"spec":{"unschedulable":true}}'

    # Another image; the container is found by its name
    kubetrace patch pod web -p '{"spec":{"containers":[{"name":"server","image":"nginx:1.29"}]}}'

    # The same with a JSON patch, where lists have positions
    kubetrace patch pod web --type=json -p='[{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx"}]'

    # Another number of replicas, through the subresource "scale"
    kubetrace patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'
    """,
)

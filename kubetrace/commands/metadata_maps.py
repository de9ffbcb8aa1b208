"""What `label` and `annotate` share: which objects, which keys, and the merge patch that changes them (kubectl
pkg/cmd/label, pkg/cmd/annotate)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import (
    RecordedOptions,
    all_namespaces,
    everything,
    field_selector,
    local,
    selector,
)
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Result
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


class MapOptions(RecordedOptions):
    all: bool = everything()
    all_namespaces: bool = all_namespaces()
    field_selector: str = field_selector()
    local: bool = local()
    resource_version: str = flag(
        "", help="Change the object only if this is its version on the server. For a single object."
    )
    selector: str = selector()


class MapChange(Value):
    """What happens to one map of the metadata, `field` ("labels" or "annotations")."""

    field: str
    new: Mapping[str, str]
    removed: Sequence[str]
    resource_version: str

    def apply(self, value: dict[str, Any]) -> tuple[set[str], set[str]]:
        """Changes the object; the keys whose value has become another, and those that have gone."""
        from kubetrace.api.metadata import set_field, string_map

        found = string_map(value, self.field)
        changed = {key for key, text in self.new.items() if found.get(key) != text}
        gone = {key for key in self.removed if key in {**found, **self.new}}
        kept = {key: text for key, text in {**found, **self.new}.items() if key not in gone}
        set_field(value, self.field, kept)
        if self.resource_version:
            set_field(value, "resourceVersion", self.resource_version)
        return changed, gone


def check_objects(options: MapOptions, strategy: DryRun, objects: Sequence[str], files: tuple[str, str]) -> None:
    """Raises KubetraceError where nothing, or the wrong things, are named; `files` are the messages' example files."""
    from kubetrace.commands.selecting import names_files
    from kubetrace.commands.writing import check_local

    yaml, json = files
    if not options.local:
        if not objects and not names_files(options):
            raise KubetraceError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
        return
    check_local(options.local, strategy)
    if objects:
        raise KubetraceError(f"can only use local files by -f {yaml} or --filename={json} when --local=true is set")
    if not names_files(options):
        raise KubetraceError(f"one or more files must be specified as -f {yaml} or --filename={json}")


def select_objects(environment: Environment, options: MapOptions, objects: Sequence[str], tag: str) -> Result:
    """The objects that argv or files name. Raises KubetraceError, also for a --resource-version that many would have to
    have."""
    from kubetrace.commands.selecting import Selecting, select
    from kubetrace.trace.exchange import Purpose

    how = Selecting(
        purpose=Purpose(tag, "change: what does the object look like now?"),
        labels=options.selector,
        fields=options.field_selector,
        everything=options.all,
        all_namespaces=options.all_namespaces,
        latest=True,
        local=options.local,
    )
    result = select(environment, options, objects, how)
    if options.resource_version and not result.single_item:
        raise KubetraceError("--resource-version may only be used with a single resource")
    return result


def send_patch(
    environment: Environment, info: Info, old: dict[str, Any], write: WriteOptions, tag: str
) -> dict[str, Any]:
    """Has the server change what differs between `old` and the Info's object."""
    from kubetrace.api import verbs
    from kubetrace.api.json_merge import merge_patch_text
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None and info.object is not None
    text = merge_patch_text(old, info.object)
    purpose = Purpose(tag, "change: only what differs")
    call = verbs.patch(info.mapping, info.namespace, info.name, verbs.MERGE_PATCH, text, write, purpose=purpose)
    environment.make_client()
    changed: dict[str, Any] = environment.cluster.objects.send(call, info.mapping, info.name)
    return changed


def print_map(environment: Environment, info: Info, value: dict[str, Any], field: str, single: bool) -> None:
    """--list: one object's pairs; with several objects, below a line that says whose they are."""
    from kubetrace.api.metadata import string_map
    from kubetrace.api.resources import GroupVersionKind

    indent = ""
    if not single:
        indent = " "
        kind = GroupVersionKind.of(info.object)
        environment.stdout.write(f"Listing {field} for {kind.kind}.{kind.group}/{info.name}:\n")
    for key, text in sorted(string_map(value, field).items()):
        environment.stdout.write(f"{indent}{key}={text}\n")

"""What becomes of an edited object: a patch, a patch of its last-applied annotation, or a new object
(editoptions.go: visitToPatch, visitToApplyEditPatch, visitToCreate)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.api import last_applied, verbs
from kubetrace.api.json_merge import create_merge_patch, merge_patch_text
from kubetrace.api.merge_meta import struct_meta
from kubetrace.api.merge_values import MergeError
from kubetrace.api.metadata import metadata, text
from kubetrace.api.strategic_merge import two_way_patch
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value
from kubetrace.wire import go_json

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.api.last_applied import Object
    from kubetrace.commands.editing.reasons import Results
    from kubetrace.commands.shared_options import PrintOptions
    from kubetrace.environment import Environment

READ = Purpose("edit", "edit: what does the object look like now?")
_SEND = Purpose("edit", "edit: only what was changed")
_REMEMBER = Purpose("apply", "apply: remember this manifest as the one applied last")


class Changes(Value):
    """Sends what was edited, and says so; each method is a `Change` of a session."""

    environment: Environment
    options: PrintOptions
    write: verbs.WriteOptions
    subresource: str = ""
    output_patch: bool = False

    def patch(self, info: Info, results: Results, originals: Sequence[Info]) -> None:
        """Sends what differs from the object as it was."""
        assert info.object is not None and info.mapping is not None
        original = self._original(info, originals)
        if last_applied.encode(original) == last_applied.encode(info.object):
            self._say("skipped", info)
            return
        media_type, patch = self._patch(info, original)
        if self.output_patch:
            self.environment.stdout.write(f"Patch: {patch.decode()}\n")
        call = verbs.patch(
            info.mapping, info.namespace, info.name, media_type, patch, self.write, self.subresource, purpose=_SEND
        )
        try:
            info.refresh(self.environment.cluster.objects.send(call, info.mapping, info.name))
        except KubetraceError as error:
            self.environment.stderr.write(results.add_error(error, info) + "\n")
            return
        self._say("edited", info)

    def _patch(self, info: Info, original: Object) -> tuple[str, bytes]:
        """Strategic where kubectl has a struct for the kind, otherwise a merge patch. Raises KubetraceError."""
        assert info.object is not None and info.mapping is not None
        kind = info.mapping.kind
        meta = struct_meta(kind.api_version, kind.kind)
        if meta is None:
            if _changes_identity(create_merge_patch(original, info.object)):
                self.environment.note("edit-changes-custom-identity")
                raise KubetraceError("At least one of apiVersion, kind and name was changed")
            return verbs.MERGE_PATCH, merge_patch_text(original, info.object)
        try:
            patch = two_way_patch(original, info.object, meta)
            if _changes_identity(patch):
                kinds = {"apiVersion": kind.api_version, "kind": kind.kind}
                raise _IdentityChangedError(_masked({**kinds, **patch}, self.environment, patch))
        except _IdentityChangedError as error:
            self.environment.note("edit-impossible-patch", error=str(error))
            raise KubetraceError("At least one of apiVersion, kind and name was changed") from None
        except MergeError as error:
            self.environment.note("edit-impossible-patch", error=str(error))
            raise KubetraceError(str(error)) from None
        return verbs.STRATEGIC_PATCH, go_json.dumps(patch)

    def annotate(self, info: Info, results: Results, originals: Sequence[Info]) -> None:
        """Writes the edited manifest into the annotation of what was applied last."""
        assert info.object is not None and info.mapping is not None
        original = self._original(info, originals)
        if last_applied.encode(original) == last_applied.encode(info.object):
            self._say("skipped", info)
            return
        patch = last_applied.annotation_patch(info.object)[1]
        namespace = self.environment.namespace
        call = verbs.patch(info.mapping, namespace, info.name, verbs.MERGE_PATCH, patch, self.write, purpose=_REMEMBER)
        self.environment.cluster.objects.send(call, info.mapping, info.name)
        self._say("edited", info)

    def create(self, info: Info, results: Results, originals: Sequence[Info]) -> None:
        """POSTs the edited manifest."""
        from kubetrace.commands.writing import create_object

        info.refresh(create_object(self.environment, info, self.write))
        self._say("created", info)

    def _original(self, info: Info, originals: Sequence[Info]) -> Object:
        """The object as it was before the edit: the first with the same uid. Raises KubetraceError."""
        assert info.object is not None
        uid = text(info.object, "uid")
        for original in originals:
            if text(original.object, "uid") == uid:
                return original.object or {}
        from kubetrace.printing.go_format import sprintf

        shown = sprintf("%#v", [_masked(info.object, self.environment, info.object)])
        raise KubetraceError(f"no original object found for &unstructured.Unstructured{{Object:{shown}}}")

    def _say(self, operation: str, info: Info) -> None:
        from kubetrace.commands.writing import object_printer

        assert info.object is not None
        object_printer(self.environment, self.options, operation).print(info.object, self.environment.stdout)


class _IdentityChangedError(MergeError):
    """The patch would change what the object is (mergepatch.ErrPreconditionFailed)."""

    def __init__(self, patch: Object) -> None:
        from kubetrace.api.merge_values import go_text

        super().__init__(f"precondition failed for: {go_text(patch)}")


def _changes_identity(patch: Object) -> bool:
    """May no edit have made this patch (the preconditions of visitToPatch)?"""
    return any(key in patch for key in ("apiVersion", "kind", "managedFields")) or "name" in metadata(patch)


def _masked(value: Object, environment: Environment, keys: Iterable[str]) -> Object:
    """These fields of an object for a message, without the values of Secrets."""
    shown = go_json.loads(environment.masker.body(go_json.dumps(value)))
    return {key: shown[key] for key in keys}

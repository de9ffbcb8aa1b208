"""`apply --server-side`: the manifest sent as it is, for the server to merge (apply.go, applyOneObject)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.api import last_applied, managed_fields, verbs
from kubetrace.api.status import StatusError, is_conflict, is_unsupported_media_type
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.api.builder import Info
    from kubetrace.environment import Environment

_ATTEMPTS = 5  # apply's maxPatchRetry
_ANNOTATION_MANAGER = "kubectl-last-applied"
_DEFAULT_MANAGER = "kubectl"  # only for it does the server keep the annotation up to date
_RETRIED = "This is non-fatal and will be retried next time you apply. Error:"

_KEEP = Purpose("apply", "apply: keep the last-applied annotation owned")
_MIGRATE = Purpose("apply", "apply: hand the fields of client-side apply to server-side apply")
_AGAIN = Purpose("apply", "apply: the object changed meanwhile, how is it now?")
_REAPPLY = Purpose("apply", "apply: once more, so that dropped fields go")
_MERGE = Purpose("apply", "apply: the server merges the manifest")

_CONFLICT_ADVICE = """
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""


def apply_server_side(
    environment: Environment, info: Info, write: verbs.WriteOptions, force: bool, subresource: str
) -> None:
    """Sends the object and takes over what the server made of it. Raises KubetraceError."""
    assert info.object is not None
    body = last_applied.encode(info.object)
    apply = _ServerSideApply(environment, info, write, subresource)
    forced = replace(write, force=force)
    try:
        apply.patch(verbs.APPLY_PATCH, body, forced, _MERGE)
    except StatusError as error:
        raise _explained(error) from None
    apply.leave_client_side(body, forced)


class _ServerSideApply(Value):
    """The calls for one object."""

    environment: Environment
    info: Info
    write: verbs.WriteOptions
    subresource: str

    def patch(self, patch_type: str, body: bytes, options: verbs.WriteOptions, purpose: Purpose) -> None:
        info, mapping = self.info, self.info.mapping
        assert mapping is not None
        call = verbs.patch(
            mapping, info.namespace, info.name, patch_type, body, options, self.subresource, purpose=purpose
        )
        info.refresh(self.environment.cluster.objects.send(call, mapping, info.name))

    def leave_client_side(self, body: bytes, forced: verbs.WriteOptions) -> None:
        """Where client-side apply managed the object: its fields become server-side apply's. Failures only warn."""
        failed = "failed to migrate kubectl.kubernetes.io/last-applied-configuration for Server-Side Apply."
        try:
            self._keep_annotation()
            failed = "server rejected managed fields migration to Server-Side Apply."
            if self._migrate():
                failed = "failed to re-apply configuration after performing Server-Side Apply migration."
                self.patch(verbs.APPLY_PATCH, body, forced, _REAPPLY)
        except KubetraceError as error:
            self.environment.stderr.write(f"Warning: {failed} {_RETRIED} {error}\n")

    def _keep_annotation(self) -> None:
        """Has a manager of its own apply the annotation, lest apply drop it (saveLastApplyAnnotationIfNecessary)."""
        if self.write.field_manager != _DEFAULT_MANAGER:
            return
        live = self.info.object or {}
        text = last_applied.annotations_of(live).get(last_applied.ANNOTATION)
        entries = managed_fields.entries_of(live)
        if text is None or managed_fields.annotation_owners(entries, managed_fields.APPLY):
            return
        metadata = {key: live["metadata"][key] for key in ("name", "namespace") if live["metadata"].get(key)}
        last_applied_only = {
            "apiVersion": live.get("apiVersion"),
            "kind": live.get("kind"),
            "metadata": {**metadata, "annotations": {last_applied.ANNOTATION: text}},
        }
        options = replace(self.write, field_manager=_ANNOTATION_MANAGER)
        self.patch(verbs.APPLY_PATCH, last_applied.encode(last_applied_only), options, _KEEP)

    def _migrate(self) -> bool:
        """Whether managed fields had to be changed (migrateToSSAIfNecessary). Raises KubetraceError."""
        info = self.info
        old = managed_fields.annotation_owners(managed_fields.entries_of(info.object or {}), managed_fields.UPDATE)
        for attempt in range(1, _ATTEMPTS + 1):
            body = managed_fields.migration_patch(info.object or {}, old, self.write.field_manager)
            if body is None:
                return False
            try:
                self.patch(verbs.JSON_PATCH, body, self.write, _MIGRATE)
                return True
            except StatusError as error:
                if not is_conflict(error):
                    raise
                conflict = error
            assert info.mapping is not None
            objects = self.environment.cluster.objects
            info.refresh(objects.get(info.mapping, info.namespace, info.name, purpose=_AGAIN))
            if attempt == _ATTEMPTS:
                raise conflict
        return False


def _explained(error: StatusError) -> KubetraceError:
    if is_unsupported_media_type(error):
        return KubetraceError(f"Server-side apply not available on the server: ({error})")
    if is_conflict(error):
        return KubetraceError(f"{error}{_CONFLICT_ADVICE}")
    return error

"""apply's patch of a live object: computed, sent, tried again after a conflict (kubectl pkg/cmd/apply/patcher.go)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kubetrace.api import last_applied, status, verbs
from kubetrace.api.builder import Info
from kubetrace.api.json_merge import apply_merge_patch, dumps_merge_patch, three_way_merge_patch
from kubetrace.api.merge_meta import PatchMeta, built_in_meta, openapi_meta, struct_meta, supports_strategic_merge
from kubetrace.api.merge_values import MergeError
from kubetrace.api.metadata import text as text_of
from kubetrace.api.objects import Objects
from kubetrace.api.openapi import OpenAPI
from kubetrace.api.resources import GroupVersionKind
from kubetrace.api.strategic_merge import apply_patch, three_way_patch
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Purpose
from kubetrace.value import Mutable, Value
from kubetrace.wire import go_json

RETRIES = 5
"""How often a patch is computed anew after a conflict."""
BACK_OFF = 1.0
"""Seconds before the second and each later retry."""

_CHANGE = Purpose("apply", "apply: change what differs from the manifest")
_LIVE_AGAIN = Purpose("apply", "apply: the object changed meanwhile, how is it now?")

Object = dict[str, Any]


class Patch(Value):
    """A patch and how it is sent; `text` is "{}" where nothing differs."""

    media_type: str
    value: Object
    meta: PatchMeta | None = None

    @property
    def text(self) -> bytes:
        if self.media_type == verbs.MERGE_PATCH:
            return dumps_merge_patch(self.value)
        return go_json.dumps(self.value)


class Patcher(Mutable):
    """Patches live objects. `openapi` None is --openapi-patch=false; `warn` gets whole lines for stderr, `note` what
    kubectl logs (name and values of a Note). A `locked` patch names the version of the object that it was computed
    for, so that the server refuses it for another."""

    objects: Objects
    openapi: OpenAPI | None
    options: verbs.WriteOptions
    overwrite: bool
    warn: Callable[[str], object]
    note: Callable[..., object]
    sleep: Callable[[float], None] = time.sleep
    locked: bool = False
    last_text: bytes = b""
    """The last patch that was computed."""

    def patch(self, info: Info, modified: bytes) -> tuple[bytes, Object]:
        """Brings the live object (`info.object`) to `modified`; the patch sent and the object then.

        Raises PatchError, StatusError, TransportError."""
        assert info.mapping is not None and info.object is not None
        live = info.object
        for attempt in range(RETRIES + 1):
            try:
                return self._patch_once(info, live, modified)
            except status.StatusError as error:
                if not status.is_conflict(error) or attempt == RETRIES:
                    raise
            if attempt:
                self.sleep(BACK_OFF)
            live = self.objects.get(info.mapping, info.namespace, info.name, purpose=_LIVE_AGAIN)
        raise AssertionError("unreachable")

    def _patch_once(self, info: Info, live: Object, modified: bytes) -> tuple[bytes, Object]:
        assert info.mapping is not None
        patch = self.compute(info, live, modified)
        text = self.last_text = patch.text
        if text == b"{}":
            return text, live
        if self.locked:
            text = go_json.dumps(_with_version(patch.value, info))
        call = verbs.patch(
            info.mapping, info.namespace, info.name, patch.media_type, text, self.options, purpose=_CHANGE
        )
        return text, self.objects.send(call, info.mapping, info.name)

    def patch_locally(self, info: Info, modified: bytes) -> tuple[bytes, Object]:
        """The same without sending anything (--dry-run=client)."""
        assert info.object is not None
        patch = self.compute(info, info.object, modified)
        if patch.text == b"{}":
            return b"{}", info.object
        if patch.media_type == verbs.MERGE_PATCH:
            return patch.text, apply_merge_patch(info.object, patch.value)
        assert patch.meta is not None
        return patch.text, apply_patch(info.object, patch.value, patch.meta)

    def compute(self, info: Info, live: Object, modified: bytes) -> Patch:
        """The three-way patch, strategic where the server or the built-in table know how. Raises PatchError."""
        assert info.mapping is not None
        original = last_applied.original_configuration(live)
        texts = (original or b"{}", modified)
        if self.openapi is not None:
            meta = self._server_meta(info)
            if meta is not None:
                try:
                    return self._strategic(texts, live, meta)
                except MergeError as error:
                    self.warn(f"warning: error calculating patch from openapi v3 spec: {error}\n")
            meta = self._older_meta(info)
            if meta is not None:
                try:
                    return self._strategic(texts, live, meta)
                except MergeError as error:
                    self.warn(f"warning: error calculating patch from openapi spec: {error}\n")
        try:
            table = struct_meta(info.mapping.kind.api_version, info.mapping.kind.kind)
            if table is not None:
                return self._strategic(texts, live, table)
            before, after = (_load(text, "Invalid JSON Document", "Mismatched JSON Documents") for text in texts)
            return Patch(verbs.MERGE_PATCH, three_way_merge_patch(before, after, live))
        except MergeError as error:
            shown = ((original or b"").decode(), modified.decode(), last_applied.encode(live).decode())
            raise PatchError(*shown, str(error)) from None

    def _older_meta(self, info: Info) -> PatchMeta | None:
        """How the server's OpenAPI v2, kubectl's second source, says that this kind merges: as the built-in table. None
        for other kinds, and where there is no such document."""
        assert self.openapi is not None and info.mapping is not None
        kind = info.mapping.kind
        try:
            self.openapi.fetch_v2()
        except KubetraceError:
            return None
        return built_in_meta(kind.api_version, kind.kind, "openapi-v2")

    def _strategic(self, texts: tuple[bytes, bytes], live: Object, meta: PatchMeta) -> Patch:
        original, modified = (_load(text, "invalid JSON document") for text in texts)
        return Patch(verbs.STRATEGIC_PATCH, three_way_patch(original, modified, live, meta, self.overwrite), meta)

    def _server_meta(self, info: Info) -> PatchMeta | None:
        """How the server's OpenAPI v3 says that this kind merges; None where it does not say."""
        assert info.mapping is not None and self.openapi is not None
        kind = info.mapping.kind
        try:
            document = self.openapi.group_version(kind.group_version)
            supported = supports_strategic_merge(document, kind.group, kind.version, kind.kind)
        except KubetraceError:
            self._note("openapi-v3-path-missing", kind)
            return None
        if not supported:
            self._note("openapi-v3-no-strategic-merge", kind)
            return None
        try:
            return openapi_meta(document, kind.group, kind.version, kind.kind)
        except MergeError as error:
            self.warn(f"warning: error calculating patch from openapi v3 spec: {error}\n")
            return None

    def _note(self, name: str, kind: GroupVersionKind) -> None:
        self.note(name, group=kind.group, version=kind.version, kind=kind.kind)


def _with_version(patch: Object, info: Info) -> Object:
    """The patch, for just this version of the object (addResourceVersion)."""
    version = text_of(info.object, "resourceVersion")
    return {**patch, "metadata": {**(patch.get("metadata") or {}), "resourceVersion": version}}


class PatchError(KubetraceError):
    """No patch could be computed; the message shows the three documents, as kubectl's does."""

    def __init__(self, original: str, modified: str, current: str, reason: str) -> None:
        super().__init__(
            f"creating patch with:\noriginal:\n{original}\nmodified:\n{modified}\ncurrent:\n{current}\nfor: {reason}"
        )


def _load(data: bytes, problem: str, list_problem: str = "") -> Object:
    """A configuration text as an object. Raises MergeError, which says the problem, for what is none."""
    try:
        value = go_json.loads(data)
    except go_json.InvalidJSON:
        raise MergeError(problem) from None
    if not isinstance(value, dict | None):
        raise MergeError((list_problem if isinstance(value, list) else "") or problem)
    return value or {}

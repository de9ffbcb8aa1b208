"""Which kinds the server serves: asked as kubectl asks, kept in memory and on disk as kubectl keeps it.

Three layers, as in client-go: the calls (`_Live`, discovery_client.go), what this run has learned
(discovery/cached/memory), and the files (`kubetrace.api.discovery_cache`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from kubetrace.api import status, verbs
from kubetrace.api.discovery_cache import DiscoveryFiles
from kubetrace.api.discovery_documents import (
    Group,
    Groups,
    is_aggregated,
    read_aggregated,
    read_api_versions,
    read_group_list,
    read_resource_list,
    write_group_list,
    write_resource_list,
)
from kubetrace.api.resources import GroupVersion, Resource
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import CacheHit, Note
from kubetrace.transport.call import Answer, Call, Sender
from kubetrace.transport.errors import TransportError
from kubetrace.value import Mutable, Value, replace

T = TypeVar("T")

PARALLEL = 16
"""How many groups of an old server are asked at a time."""


class PartialDiscoveryError(KubetraceError):
    """Some groups could not be discovered (discovery.ErrGroupDiscoveryFailed)."""

    def __init__(self, failed: Mapping[GroupVersion, KubetraceError]) -> None:
        self.failed = dict(failed)
        texts = sorted(f"{group_version}: {error}" for group_version, error in failed.items())
        super().__init__("unable to retrieve the complete list of server APIs: " + ", ".join(texts))


class ResourceList(Value):
    """One version's resources."""

    group_version: GroupVersion
    resources: tuple[Resource, ...]


class Discovered(Value):
    """All that is known: groups and resource lists in the server's order, and what could not be fetched."""

    groups: tuple[Group, ...]
    lists: tuple[ResourceList, ...]
    error: PartialDiscoveryError | None = None


class EmptyListError(KubetraceError):
    """A version without resources (metrics have none until they are served)."""


class _Entry(Mutable):
    resources: tuple[Resource, ...] | None
    error: KubetraceError | None = None


class Discovery:
    """The discovery client of one run. `files` None keeps nothing on disk; `timeout` is --request-timeout, seconds."""

    def __init__(
        self,
        sender: Sender,
        files: DiscoveryFiles | None = None,
        *,
        events: Events | None = None,
        timeout: float | None = None,
    ) -> None:
        self._live = _Live(sender, timeout)
        self._typed = _Live(sender, timeout, typed=True)
        self._memory = _Memory(self._live, events or Events())
        self._files = files or DiscoveryFiles(Path("/nonexistent"))
        self._keeps_files = files is not None
        self._parsed_files: dict[Path, tuple[bytes, Any]] = {}
        self._events = events or Events()

    @property
    def fresh(self) -> bool:
        """Whether asking again would be of no use: nothing came from somebody else's files."""
        return self._files.fresh

    def invalidate(self) -> None:
        """Forget what is known; the next question goes to the server."""
        self._files.invalidate()
        self._memory.invalidate()

    def groups(self) -> tuple[Group, ...]:
        """The groups. Raises what the calls raise."""
        path = self._files.groups_file
        cached: Groups | None = self._cached(path, "cache-hit-groups", read_group_list)
        if cached is not None:
            return cached.groups
        try:
            groups = self._memory.groups()
        except KubetraceError as error:
            self._note("cache-skipped", error=str(error))
            raise
        if not groups:
            self._note("cache-skipped-empty")
        else:
            self._write(path, write_group_list(groups), "cache-write-failed")
        return groups

    def resources(self, group_version: GroupVersion) -> tuple[Resource, ...]:
        """One version's resources. Raises what the calls raise, and EmptyListError."""
        path = self._files.resources_file(group_version)
        cached: tuple[Resource, ...] | None = self._cached(path, "cache-hit-resources", read_resource_list)
        if cached is not None:
            return cached
        try:
            resources = self._memory.resources(group_version)
        except KubetraceError as error:
            self._note("cache-skipped-resources", error=str(error))
            raise
        if not resources:
            self._note("cache-skipped-empty-resources")
        else:
            self._write(path, write_resource_list(group_version, resources), "cache-write-failed-resources")
        return resources

    def resources_now(self, group_version: GroupVersion) -> tuple[Resource, ...]:
        """One version's resources as the server has them now, kept nowhere: what typed clients ask, without discovery's
        own timeout. Raises what the call raises."""
        return self._typed.resources(group_version)

    def groups_now(self) -> tuple[Group, ...]:
        """The groups, in the same way."""
        return self._typed.groups().groups

    def everything(self) -> Discovered:
        """Groups and all their resources; failures of single groups are told in the result, not raised."""
        groups = self.groups()
        lists = []
        failed: dict[GroupVersion, KubetraceError] = {}
        for group in groups:
            for version in group.versions:
                try:
                    lists.append(ResourceList(version, self.resources(version)))
                except EmptyListError as error:
                    failed[version] = error
                    lists.append(ResourceList(version, ()))
                except KubetraceError as error:
                    failed[version] = error
        return Discovered(groups, tuple(lists), PartialDiscoveryError(failed) if failed else None)

    def preferred_resources(self) -> Discovered:
        """Every resource once, in the version its group prefers (discovery.ServerPreferredResources)."""
        found = self.everything()
        by_version = {one.group_version: one.resources for one in found.lists}
        chosen: dict[tuple[str, str], tuple[GroupVersion, Resource]] = {}
        order = []
        for group in found.groups:
            for version in group.versions:
                if version not in by_version:
                    continue
                order.append(version)
                for resource in by_version[version]:
                    key = (group.name, resource.name)
                    if resource.is_subresource or (key in chosen and version != group.preferred):
                        continue
                    chosen[key] = (version, resource)
        lists = [
            ResourceList(version, tuple(resource for where, resource in chosen.values() if where == version))
            for version in order
        ]
        return Discovered(found.groups, tuple(lists), found.error)

    def server_version(self) -> dict[str, Any]:
        """/version (version.Info)."""
        return self._live.server_version()

    # --- files ---------------------------------------------------------------------------------------------------

    def _cached(self, path: Path, note: str, read: Callable[[Mapping[str, Any]], Any]) -> Any:
        from kubetrace.wire.go_json import InvalidJSON, loads

        data = self._files.read(path) if self._keeps_files else None
        if data is None:
            return None
        known = self._parsed_files.get(path)
        if known is not None and known[0] == data:
            value = known[1]
        else:
            try:
                value = read(loads(data))
            except (InvalidJSON, AttributeError, TypeError, KubetraceError):
                return None
            self._parsed_files[path] = (data, value)
        if self._events.active:
            self._events.emit(CacheHit(str(path)))
            self._events.emit(Note(note, {"path": str(path)}))
        return value

    def _write(self, path: Path, data: bytes, note: str) -> None:
        if not self._keeps_files:
            return
        try:
            self._files.write(path, data)
        except KubetraceError as error:
            self._note(note, path=str(path), error=str(error))

    def _note(self, name: str, **values: object) -> None:
        if self._events.active:
            self._events.emit(Note(name, dict(values)))


class _Memory:
    """What this run has learned (memcache.go): one refresh, then answers from memory; groups that failed for a reason
    that may pass are asked again."""

    def __init__(self, live: _Live, events: Events) -> None:
        self._live = live
        self._events = events
        self._groups: tuple[Group, ...] | None = None
        self._entries: dict[GroupVersion, _Entry] = {}

    def invalidate(self) -> None:
        self._groups = None
        self._entries = {}

    def groups(self) -> tuple[Group, ...]:
        if self._groups is None:
            self._refresh()
        return self._groups or ()

    def resources(self, group_version: GroupVersion) -> tuple[Resource, ...]:
        if self._groups is None:
            self._refresh()
        entry = self._entries.get(group_version)
        if entry is None:
            raise KubetraceError("not found")
        if entry.error is not None and _may_pass(entry.error):
            entry = self._entries[group_version] = self._fetch(group_version, "resource-list-failed-again")
        if entry.error is not None:
            raise entry.error
        return entry.resources or ()

    def _refresh(self) -> None:
        try:
            found = self._live.groups()
        except KubetraceError as error:
            self._emit("group-list-failed", error=str(error))
            raise
        if found.resources is not None:
            self._entries = {version: _Entry(resources) for version, resources in found.resources.items()}
            self._entries |= {version: _Entry(None, error) for version, error in found.stale.items()}
        elif found.groups:
            self._entries = self._fetch_all([version for group in found.groups for version in group.versions])
        else:
            self._emit("group-list-failed", error="<nil>")
            return
        self._groups = found.groups

    def _fetch_all(self, versions: Sequence[GroupVersion]) -> dict[GroupVersion, _Entry]:
        """All versions of an old server, several at a time."""
        waiting = list(reversed(versions))
        entries: dict[GroupVersion, _Entry] = {}

        def work() -> None:
            while waiting:
                try:
                    version = waiting.pop()
                except IndexError:
                    return
                entries[version] = self._fetch(version, "resource-list-failed")

        threads = [threading.Thread(target=work, daemon=True) for _ in range(min(PARALLEL, len(waiting)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return entries

    def _fetch(self, version: GroupVersion, note: str) -> _Entry:
        try:
            resources = self._live.resources(version)
        except KubetraceError as error:
            self._emit(note, group_version=str(version), error=str(error))
            return _Entry(None, error)
        if not resources:
            empty = EmptyListError(f"received empty response for: {version}")
            self._emit("resource-list-empty", error=str(empty))
            return _Entry((), empty)
        return _Entry(resources)

    def _emit(self, name: str, **values: object) -> None:
        if self._events.active:
            self._events.emit(Note(name, dict(values)))


def _may_pass(error: KubetraceError) -> bool:
    if isinstance(error, TransportError):
        return error.kind in ("refused", "reset")
    return isinstance(error, status.StatusError) and (error.code >= 500 or error.means("TooManyRequests", 429))


class _Live:
    """The calls themselves (discovery_client.go)."""

    def __init__(self, sender: Sender, timeout: float | None, *, typed: bool = False) -> None:
        self._sender = sender
        self._typed = typed
        self._timeout = timeout

    def _send(self, call: Call) -> Answer:
        """Typed clients' calls go without discovery's own timeout and without the HTTP cache."""
        if not self._typed:
            return self._sender.send(call)
        bound = {} if self._timeout else {"query": (), "timeout": None}
        return self._sender.send(replace(call, cached=False, purpose=verbs.KINDS_NOW, **bound))

    def groups(self) -> Groups:
        """/api, then /apis; resources only where both were aggregated."""
        try:
            core = self._document("/api", read_api_versions)
        except status.StatusError as error:
            if not status.is_not_found(error):
                raise
            core = Groups((), {})  # an aggregated API server has no /api
        rest = self._document("/apis", read_group_list)
        resources = None
        if core.resources is not None and rest.resources is not None:
            resources = {**core.resources, **rest.resources}
        return Groups((*core.groups, *rest.groups), resources, {**core.stale, **rest.stale})

    def _document(self, path: str, read_old: Callable[[Mapping[str, Any]], Groups]) -> Groups:
        answer = self._send(verbs.discover(path, self._timeout))
        body = status.raw(answer)
        header = answer.header("Content-Type")
        parameters = status.media_parameters(header)
        if status.media_type(header) == "application/json" and is_aggregated(parameters):
            return _read(read_aggregated, status.decode_struct(body, f"{parameters['v']}.APIGroupDiscoveryList"))
        return _read(read_old, status.decode_struct(body, "v1.APIVersions" if path == "/api" else "v1.APIGroupList"))

    def resources(self, group_version: GroupVersion) -> tuple[Resource, ...]:
        answer = self._send(verbs.discover_group(group_version, self._timeout))
        try:
            return _read(read_resource_list, status.check(answer))
        except status.StatusError as error:
            if str(group_version) == "v1" and status.is_not_found(error):
                return ()
            raise

    def server_version(self) -> dict[str, Any]:
        body = status.raw(self._sender.send(verbs.server_version(self._timeout)))
        try:
            return status.decode_struct(body, "version.Info")
        except KubetraceError as error:
            raise KubetraceError(f"unable to parse the server version: {error}") from None


def _read(read: Callable[[Mapping[str, Any]], T], document: Mapping[str, Any]) -> T:
    """A document as values; one that is JSON and no discovery is an error, not a traceback."""
    try:
        return read(document)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise KubetraceError("json: cannot unmarshal the server's discovery document") from None

"""The client functions as values: each makes one `Call` with the method, query, headers and purpose that kubectl's
resource helper uses (cli-runtime pkg/resource/helper.go). JSON where kubectl's typed commands would send protobuf.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubetrace.api.resources import GroupVersion, Mapping, prefix, resource_path
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import UNSTATED, Headers, Purpose
from kubetrace.transport.call import Call
from kubetrace.value import Value, replace

JSON = "application/json"
TYPED = "application/json, */*"
"""What kubectl's typed commands accept where they speak JSON themselves. Where they speak protobuf, kubetrace asks for
plain JSON."""
TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

DISCOVERY_TIMEOUT = 32.0
"""Seconds; client-go's discovery default where --request-timeout sets none."""

_NO_NAMESPACE = "an empty namespace may not be set when a resource name is provided"

KINDS_NOW = Purpose("discovery-now", "discovery: which kinds does the server serve right now?")
"""Of calls whose answer no cache keeps."""
WHICH_KINDS = Purpose("discovery", "discovery: which kinds does the server serve?")
WHICH_VERSION = Purpose("version", "version: which release does the server run?")


class ListOptions(Value):
    """metav1.ListOptions as query parameters; empty and zero ones are left out."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    watch: bool = False
    allow_bookmarks: bool = False
    timeout_seconds: int | None = None
    send_initial_events: bool | None = None
    resource_version_match: str = ""

    def query(self) -> tuple[tuple[str, str], ...]:
        pairs = (
            ("labelSelector", self.label_selector),
            ("fieldSelector", self.field_selector),
            ("limit", str(self.limit) if self.limit else ""),
            ("continue", self.continue_token),
            ("resourceVersion", self.resource_version),
            ("resourceVersionMatch", self.resource_version_match),
            ("watch", "true" if self.watch else ""),
            ("allowWatchBookmarks", "true" if self.allow_bookmarks else ""),
            ("timeoutSeconds", "" if self.timeout_seconds is None else str(self.timeout_seconds)),
            ("sendInitialEvents", "" if self.send_initial_events is None else str(self.send_initial_events).lower()),
        )
        return tuple(pair for pair in pairs if pair[1])


def escaped_value(text: str) -> str:
    """A value in a field selector (fields.EscapeValue)."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


class WriteOptions(Value):
    """What create, update and patch have in common as query parameters."""

    field_manager: str = ""
    field_validation: str = ""
    dry_run: bool = False
    force: bool | None = None

    def query(self) -> tuple[tuple[str, str], ...]:
        pairs = (
            ("dryRun", "All" if self.dry_run else ""),
            ("fieldManager", self.field_manager),
            ("fieldValidation", self.field_validation),
            ("force", "" if self.force is None else str(self.force).lower()),
        )
        return tuple(pair for pair in pairs if pair[1])


def get(
    mapping: Mapping,
    namespace: str,
    name: str,
    subresource: str = "",
    *,
    purpose: Purpose = UNSTATED,
    accept: str = JSON,
) -> Call:
    """One object."""
    path, refusal = _object_path(mapping, namespace, name, subresource)
    return Call(
        "GET",
        path,
        headers=_accept(accept),
        operation="get",
        purpose=purpose,
        refusal=refusal,
    )


def list_(
    mapping: Mapping,
    namespace: str = "",
    options: ListOptions | None = None,
    *,
    purpose: Purpose = UNSTATED,
    accept: str = JSON,
) -> Call:
    """A page of a collection; all namespaces where `namespace` is empty."""
    path, refusal = _path(mapping, namespace)
    return Call(
        "GET",
        path,
        (options or ListOptions()).query(),
        _accept(accept),
        operation="list",
        purpose=purpose,
        refusal=refusal,
    )


def watch(
    mapping: Mapping,
    namespace: str = "",
    options: ListOptions | None = None,
    *,
    purpose: Purpose = UNSTATED,
    accept: str = JSON,
) -> Call:
    """A stream of changes to a collection."""
    options = replace(options or ListOptions(), watch=True)
    path, refusal = _path(mapping, namespace)
    return Call(
        "GET",
        path,
        options.query(),
        _accept(accept),
        operation="watch",
        purpose=purpose,
        stream=True,
        log_request_body=False,
        refusal=refusal,
    )


def create(
    mapping: Mapping,
    namespace: str,
    body: bytes,
    options: WriteOptions | None = None,
    name: str = "",
    subresource: str = "",
    *,
    purpose: Purpose = UNSTATED,
) -> Call:
    """A new object, posted to its collection, or what a subresource of the object `name` makes."""
    path, refusal = _path(mapping, namespace, name, subresource)
    return Call(
        "POST",
        path,
        (options or WriteOptions()).query(),
        _sends(JSON),
        body,
        operation="create",
        purpose=purpose,
        refusal=refusal,
    )


def replace_(
    mapping: Mapping,
    namespace: str,
    name: str,
    body: bytes,
    options: WriteOptions | None = None,
    subresource: str = "",
    *,
    purpose: Purpose = UNSTATED,
) -> Call:
    """The whole object anew (PUT)."""
    path, refusal = _object_path(mapping, namespace, name, subresource)
    return Call(
        "PUT",
        path,
        (options or WriteOptions()).query(),
        _sends(JSON),
        body,
        operation="replace",
        purpose=purpose,
        refusal=refusal,
    )


def patch(
    mapping: Mapping,
    namespace: str,
    name: str,
    patch_type: str,
    body: bytes,
    options: WriteOptions | None = None,
    subresource: str = "",
    *,
    purpose: Purpose = UNSTATED,
) -> Call:
    """A change to an object; `patch_type` is its media type (STRATEGIC_PATCH …)."""
    path, refusal = _object_path(mapping, namespace, name, subresource)
    return Call(
        "PATCH",
        path,
        (options or WriteOptions()).query(),
        _sends(patch_type),
        body,
        operation="patch",
        purpose=purpose,
        refusal=refusal,
    )


def delete(mapping: Mapping, namespace: str, name: str, body: bytes, *, purpose: Purpose = UNSTATED) -> Call:
    """One object's end; `body` is the DeleteOptions' JSON. Without a namespace where one is due it is not sent: the
    other verbs' callers look at that themselves (rest/request.go, requestPreflightCheck)."""
    path, refusal = _object_path(mapping, namespace, name)
    return Call(
        "DELETE",
        path,
        headers=_sends(JSON),
        body=body,
        operation="delete",
        purpose=purpose,
        refusal=refusal,
        preflight="" if namespace or not mapping.namespaced else _NO_NAMESPACE,
    )


def discover(path: str, timeout: float | None) -> Call:
    """/api or /apis, the aggregated form preferred."""
    operation = "discovery-api" if path == "/api" else "discovery-apis"
    seconds = timeout or DISCOVERY_TIMEOUT
    return Call(
        "GET",
        path,
        (("timeout", go_duration(seconds)),),
        _accept(DISCOVERY),
        operation=operation,  # type: ignore[arg-type]
        purpose=WHICH_KINDS,
        timeout=seconds,
    )


def discover_group(group_version: GroupVersion, timeout: float | None) -> Call:
    """One group's resources, the old way."""
    seconds = timeout or DISCOVERY_TIMEOUT
    return Call(
        "GET",
        prefix(group_version),
        (("timeout", go_duration(seconds)),),
        _accept("application/json, */*"),
        operation="discovery-group",
        purpose=WHICH_KINDS,
        timeout=seconds,
    )


def server_version(timeout: float | None) -> Call:
    """/version."""
    seconds = timeout or DISCOVERY_TIMEOUT
    return Call(
        "GET",
        "/version",
        (("timeout", go_duration(seconds)),),
        _accept("application/json, */*"),
        operation="version",
        purpose=WHICH_VERSION,
        timeout=seconds,
    )


def go_duration(seconds: float) -> str:
    """Seconds as Go's time.Duration writes them: "32s", "1m30s", "1.5s", "500ms"."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds < 0:
        return f"-{go_duration(-seconds)}"
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return _decimal(nanoseconds, size) + unit
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    hours, minutes_left = divmod(minutes, 60)
    text = _decimal(rest, 1_000_000_000) + "s"
    if hours:
        return f"{hours}h{minutes_left}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _decimal(value: int, unit: int) -> str:
    whole, fraction = divmod(value, unit)
    if not fraction:
        return str(whole)
    return f"{whole}.{str(fraction).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


def combined(headers: Iterable[tuple[str, str]], name: str, value: str) -> Headers:
    """Headers with one of them set anew."""
    return (*((key, old) for key, old in headers if key.lower() != name.lower()), (name, value))


def accepting(headers: Headers, accept: str) -> Headers:
    """Headers that accept other media types."""
    return tuple((name, accept if name == "Accept" else value) for name, value in headers)


def _accept(accept: str) -> Headers:
    return (("Accept", accept),)


def _sends(content_type: str) -> Headers:
    return (("Accept", JSON), ("Content-Type", content_type))


def _path(mapping: Mapping, namespace: str = "", name: str = "", subresource: str = "") -> tuple[str, str]:
    """The path of a collection or of one object, or why it has none."""
    try:
        return resource_path(mapping.resource, namespace if mapping.namespaced else "", name, subresource), ""
    except KubetraceError as error:
        return "", str(error)


def _object_path(mapping: Mapping, namespace: str, name: str, subresource: str = "") -> tuple[str, str]:
    """One object's path. An empty name would mean the whole collection: never (rest/request.go, Request.Name)."""
    path, refusal = _path(mapping, namespace, name, subresource)
    return (path, refusal) if name or refusal else ("", "resource name may not be empty")

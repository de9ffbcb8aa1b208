"""The registry of notes: what kubectl logs besides HTTP, by name, with level, words and source per release.

A room that knows such a fact emits `Note(name, values)`; whether and how it is written is decided here. The values of
each note are named in `NOTES`. `error` and `text` are strings; `seconds` a number.

A printf-style line is a template (`{name}` stands for a value); a structured one has a message and pairs of log key and
value name. "Since" tables read as in `dialects.http`: an empty one, or a release before the first key, means that this
kubectl does not write the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One log line's form. `pairs` None: printf style. `constants` come first among the pairs (logger names)."""

    source: str
    text: str
    pairs: tuple[tuple[str, str], ...] | None = None
    constants: tuple[tuple[str, str], ...] = ()
    level: int | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class NoteSpec:
    """A note's level and severity (a line may have its own), the names of its values, its lines since each release."""

    level: int
    values: tuple[str, ...]
    lines: Mapping[str, Line] = field(default_factory=dict)
    severity: str = "I"


def _lines(file: str, text: str, numbers: Mapping[str, int]) -> dict[str, Line]:
    return {release: Line(f"{file}:{number}", text) for release, number in numbers.items()}


_REFLECTOR = (("reflector", "reflector"),)
_GROUP_LIST = "couldn't get current server API group list: {error}"

NOTES: Mapping[str, NoteSpec] = {
    # --- kubeconfig (client-go/tools/clientcmd) ---
    "config-loaded": NoteSpec(
        6,
        ("path",),
        _lines(
            "loader.go",
            "Config loaded from file:  {path}",
            {
                "1.19": 375, "1.20": 379, "1.21": 372, "1.23": 374, "1.26": 373, "1.28": 395, "1.32": 402, "1.35": 405,
                "1.36": 407, "1.37": 408,
            },
        ),
    ),
    "config-not-found": NoteSpec(
        1,
        ("paths",),  # the missing files, joined with ", "
        {
            "1.19": Line("loader.go:223", "Config not found: {paths}", level=0, severity="W"),
            "1.28": Line("loader.go:141", "Config not found: {paths}"),
            "1.32": Line("loader.go:140", "Config not found: {paths}"),
            "1.36": Line("loader.go:141", "Config not found: {paths}"),
        },
    ),
    "in-cluster-config": NoteSpec(
        4, (), _lines("merged_client_builder.go", "Using in-cluster configuration", {"1.19": 121, "1.36": 122})
    ),
    "in-cluster-namespace": NoteSpec(
        4, (), _lines("merged_client_builder.go", "Using in-cluster namespace", {"1.19": 163, "1.36": 165})
    ),
    # --- feature gates (client-go/features/envvar.go); emit "feature-gates" once and the dialect's list is written ---
    "feature-gates": NoteSpec(1, ("overrides",)),  # a dict of gate name → bool from KUBE_FEATURE_*
    "feature-gate": NoteSpec(
        1,
        ("feature", "enabled"),
        {
            release: Line(
                f"envvar.go:{number}",
                "Feature gate default state",
                (("feature", "feature"), ("enabled", "enabled")),
            )
            for release, number in {"1.32": 172, "1.36": 195}.items()
        },
    ),
    "feature-gate-updated": NoteSpec(
        1,
        ("feature", "enabled"),
        {
            release: Line(
                f"envvar.go:{number}",
                "Feature gate updated state",
                (("feature", "feature"), ("enabled", "enabled")),
            )
            for release, number in {"1.32": 169, "1.36": 192}.items()
        },
    ),
    # --- transport ---
    "cert-rotation": NoteSpec(
        3,
        (),
        {
            "1.19": Line("cert_rotation.go:137", "Starting client certificate rotation controller"),
            "1.31": Line("cert_rotation.go:140", "Starting client certificate rotation controller"),
            "1.33": Line(
                "cert_rotation.go:141",
                "Starting client certificate rotation controller",
                (),
                (("logger", "tls-transport-cache"),),
            ),
        },
    ),
    "request-error": NoteSpec(
        4,
        ("error",),
        {
            "1.19": Line("request.go:820", "Error in request: {error}"),
            "1.31": Line("request.go:1038", "Error in request: {error}"),
            "1.33": Line("request.go:1038", "Error in request", (("err", "error"),)),
        },
    ),
    "body-not-decodable": NoteSpec(
        5,
        ("error",),
        {
            "1.19": Line("request.go:1301", "body was not decodable (unable to check for Status): {error}"),
            "1.20": Line("request.go:1311", "body was not decodable (unable to check for Status): {error}"),
            "1.32": Line("request.go:1632", "body was not decodable (unable to check for Status): {error}"),
            "1.33": Line("request.go:1500", "Body was not decodable (unable to check for Status)", (("err", "error"),)),
        },
    ),
    "stream-error": NoteSpec(
        2,
        ("error",),
        {
            "1.19": Line(
                "request.go:1072",
                "Stream error {error} when reading response body, may be caused by closed connection.",
            ),
            "1.33": Line(
                "request.go:1189",
                "Stream error when reading response body, may be caused by closed connection",
                (("err", "error"),),
            ),
        },
    ),
    # --- discovery (client-go/discovery/cached, restmapper) ---
    "cache-skipped": NoteSpec(
        3,
        ("error",),
        {
            **_lines(
                "cached_discovery.go",
                "skipped caching discovery info due to {error}",
                {"1.19": 121, "1.24": 119, "1.26": 120},
            ),
            "1.37": Line(
                "cached_discovery.go:153", "Skipped caching discovery info due to error", (("err", "error"),)
            ),
        },
    ),
    "cache-hit-groups": NoteSpec(
        10,
        ("path",),
        {
            **_lines(
                "cached_discovery.go",
                "returning cached discovery info from {path}",
                {"1.19": 114, "1.24": 112, "1.26": 113},
            ),
            "1.37": Line("cached_discovery.go:146", "Returning cached discovery info", (("fileName", "path"),)),
        },
    ),
    "cache-hit-resources": NoteSpec(
        10,
        ("path",),
        {
            **_lines(
                "cached_discovery.go",
                "returning cached discovery info from {path}",
                {"1.19": 71, "1.24": 76, "1.26": 77},
            ),
            "1.37": Line("cached_discovery.go:91", "Returning cached discovery info", (("fileName", "path"),)),
        },
    ),
    "cache-invalidated": NoteSpec(
        5,
        (),
        {
            "1.19": Line("discovery.go:214", "Invalidating discovery information"),
            "1.37": Line("discovery.go:279", "Invalidating discovery information", ()),
        },
    ),
    "group-list-failed": NoteSpec(
        0,
        ("error",),  # 'Get "URL": ERR'
        {
            "1.26": Line("memcache.go:265", _GROUP_LIST),
            "1.31": Line("memcache.go:265", "Unhandled Error", (("err", "=" + _GROUP_LIST),)),
            "1.37": Line("memcache.go:381", "Couldn't get current server API group list", (("err", "error"),)),
        },
        "E",
    ),
    "shortcut-failed": NoteSpec(
        1,
        ("error",),
        {
            **_lines(
                "shortcut.go",
                "Error loading discovery information: {error}",
                {"1.19": 89, "1.25": 100, "1.29": 103},
            ),
            "1.37": Line("shortcut.go:177", "Error loading discovery information", (("err", "error"),)),
        },
    ),
    # --- what ends a command (kubectl/pkg/cmd/util/helpers.go) ---
    "server-response-object": NoteSpec(
        4,
        ("json",),  # the Status object as Go's json.MarshalIndent(…, "", "  ") writes it
        {
            **_lines("helpers.go", "server response object: [{json}]", {"1.19": 216, "1.22": 217, "1.23": 218,
                                                                        "1.24": 222, "1.26": 246}),
            "1.29": Line("helpers.go:246", "server response object: %s[{json}]"),
            "1.37": Line("helpers.go:247", "server response object: {json}"),
        },
    ),
    "connection-error": NoteSpec(
        4,
        ("op", "url", "error"),  # Go's url.Error: op "Get"
        _lines(
            "helpers.go",
            "Connection error: {op} {url}: {error}",
            {"1.19": 234, "1.22": 235, "1.23": 236, "1.24": 240, "1.26": 264, "1.37": 265},
        ),
    ),
    "fatal": NoteSpec(
        99,
        ("text",),  # kubectl writes it in place of the plain line and exits 255 (without a goroutine dump here)
        {
            "1.19": Line("helpers.go:115", "{text}", level=2),
            "1.20": Line("helpers.go:115", "{text}", level=6),
            "1.24": Line("helpers.go:121", "{text}"),
        },
        "F",
    ),
    # --- commands ---
    "table-fallback": NoteSpec(
        2,
        ("error",),
        _lines(
            "table_printer.go",
            "Unable to decode server response into a Table. Falling back to hardcoded types: {error}",
            {"1.19": 45},
        ),
    ),
    "default-container": NoteSpec(
        4,
        ("container",),
        {
            "1.19": Line("podcmd.go:88", "Defaulting container name to {container}"),
            "1.36": Line("podcmd.go:84", "Using the first container in a pod: {container}"),
        },
    ),
    "apply-post-processor": NoteSpec(
        4,
        (),
        _lines(
            "apply.go",
            "Running apply post-processor function",
            {"1.19": 396, "1.24": 534, "1.28": 541, "1.32": 548, "1.35": 546},
        ),
    ),
    "openapi-v3-path-missing": NoteSpec(
        5,
        ("group", "version", "kind"),
        _lines(
            "patcher.go",
            "warning: OpenAPI V3 path does not exist - group: {group}, version {version}, kind {kind}",
            {"1.29": 140, "1.32": 141, "1.33": 140},
        ),
    ),
    "openapi-v3-no-strategic-merge": NoteSpec(
        5,
        ("group", "version", "kind"),
        _lines(
            "patcher.go",
            "warning: OpenAPI V3 path does not support strategic merge patch - "
            "group: {group}, version {version}, kind {kind}",
            {"1.29": 155, "1.32": 156, "1.33": 155},
        ),
    ),
    "delete-wait-error": NoteSpec(1, ("error",), _lines("delete.go", "{error}", {"1.19": 427})),
    # --- exec, attach, port-forward (client-go/tools/remotecommand) ---
    "exec-fallback": NoteSpec(
        4,
        ("error",),
        {
            "1.31": Line("fallback.go:56", "RemoteCommand fallback: {error}"),
            "1.33": Line("fallback.go:56", "RemoteCommand fallback", (("err", "error"),)),
        },
    ),
    "subprotocol": NoteSpec(
        4,
        ("protocol",),
        {
            "1.30": Line("websocket.go:134", "The subprotocol is {protocol}"),
            "1.33": Line("websocket.go:134", "Subprotocol negotiated", (("protocol", "protocol"),)),
        },
    ),
    "websocket-reading": NoteSpec(
        5,
        ("deadline",),  # a Go duration: "1m1s"
        {"1.33": Line("websocket.go:269", "Websocket read starts", (("deadline", "deadline"),))},
    ),
    "websocket-closed": NoteSpec(5, (), {"1.33": Line("websocket.go:512", "Closed channel -- returning", ())}),
    # --- reflectors (wait, rollout status; client-go/tools/cache/reflector.go) ---
    "reflector-started": NoteSpec(
        3,
        ("type", "resync", "reflector"),  # "*unstructured.Unstructured", "0s", "k8s.io/…/informerwatcher.go:162"
        {
            "1.19": Line("reflector.go:313", "Starting reflector {type} ({resync}) from {reflector}"),
            "1.33": Line(
                "reflector.go:425",
                "Starting reflector",
                (("type", "type"), ("resyncPeriod", "resync"), *_REFLECTOR),
            ),
        },
    ),
    "reflector-stopped": NoteSpec(
        3,
        ("type", "resync", "reflector"),
        {
            "1.19": Line("reflector.go:319", "Stopping reflector {type} ({resync}) from {reflector}"),
            "1.33": Line(
                "reflector.go:434",
                "Stopping reflector",
                (("type", "type"), ("resyncPeriod", "resync"), *_REFLECTOR),
            ),
        },
    ),
    "reflector-listing": NoteSpec(
        3,
        ("type", "reflector"),
        {
            "1.19": Line("reflector.go:349", "Listing and watching {type} from {reflector}"),
            "1.33": Line("reflector.go:472", "Listing and watching", (("type", "type"), *_REFLECTOR)),
        },
    ),
    "reflector-populated": NoteSpec(
        2,
        ("type", "reflector"),
        {
            "1.19": Line("reflector.go:376", "Caches populated for {type} from {reflector}"),
            "1.33": Line("reflector.go:507", "Caches populated", (("type", "type"), *_REFLECTOR)),
        },
    ),
    "watch-closed": NoteSpec(
        4,
        ("type", "reflector", "items"),
        {
            "1.33": Line(
                "reflector.go:1093", "Watch close", (*_REFLECTOR, ("type", "type"), ("totalItems", "items"))
            ),
        },
    ),
    "watch-list-bookmark": NoteSpec(
        4,
        ("reflector", "items", "seconds"),
        {
            "1.36": Line(
                "reflector.go:1080",
                "Exiting watch because received the bookmark that marks the end of initial events stream",
                (*_REFLECTOR, ("totalItems", "items"), ("duration", "duration:seconds")),
            ),
        },
    ),
}  # fmt: skip

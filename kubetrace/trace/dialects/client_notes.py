"""Notes of the client below every command: kubeconfig, feature gates, transport, discovery (client-go)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, errors, lines

_SKIPPED = "skipped caching discovery info due to {error}"
_WRITE_FAILED = "failed to write cache to {path} due to {error}"
_RESOURCE_LIST = "couldn't get resource list for {group_version}: {error}"
_GROUP_LIST = "couldn't get current server API group list: {error}"

CLIENT_NOTES: Mapping[str, NoteSpec] = {
    # --- kubeconfig (client-go/tools/clientcmd) ---
    "config-loaded": NoteSpec(
        6,
        ("path",),
        lines(
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
            "1.21": Line("loader.go:221", "Config not found: {paths}", level=0, severity="W"),
            "1.23": Line("loader.go:223", "Config not found: {paths}", level=0, severity="W"),
            "1.28": Line("loader.go:141", "Config not found: {paths}"),
            "1.32": Line("loader.go:140", "Config not found: {paths}"),
            "1.36": Line("loader.go:141", "Config not found: {paths}"),
        },
    ),
    "in-cluster-config": NoteSpec(
        4, (), lines("merged_client_builder.go", "Using in-cluster configuration", {"1.19": 121, "1.36": 122})
    ),
    "in-cluster-namespace": NoteSpec(
        4, (), lines("merged_client_builder.go", "Using in-cluster namespace", {"1.19": 163, "1.36": 165})
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
    "oidc-extra-scopes": NoteSpec(
        2,
        (),
        {"1.19": Line("oidc.go:128", "extra-scopes auth provider field depricated, refresh request don't send scopes")},
    ),
    "cert-rotation": NoteSpec(
        3,
        (),
        {
            "1.19": Line("cert_rotation.go:137", "Starting client certificate rotation controller"),
            "1.31": Line("cert_rotation.go:140", "Starting client certificate rotation controller"),
            "1.33": Line(
                "cert_rotation.go:141",
                "Starting client certificate rotation controller",
                (("logger", "=tls-transport-cache"),),
            ),
        },
    ),
    "request-error": NoteSpec(
        4,
        ("error", "operation", "log_body"),  # which function made the call, and whether it logs bodies
        {
            **lines("request.go", "Error in request: {error}", {
                "1.19": 834, "1.20": 844, "1.21": 857, "1.22": 951, "1.23": 968, "1.24": 932, "1.26": 931,
                "1.27": 949, "1.28": 973, "1.31": 1112, "1.32": 1178,
            }),
            **errors("request.go", "Error in request", {"1.33": 1202, "1.34": 1038, "1.37": 1040}),
        },
    ),
    "body-not-decodable": NoteSpec(
        5,
        ("error",),
        {
            **lines("request.go", "body was not decodable (unable to check for Status): {error}", {
                "1.19": 1301, "1.20": 1311, "1.21": 1347, "1.22": 1388, "1.23": 1405, "1.24": 1363, "1.26": 1370,
                "1.27": 1387, "1.28": 1411, "1.31": 1550, "1.32": 1632,
            }),
            **errors("request.go", "Body was not decodable (unable to check for Status)",
                      {"1.33": 1664, "1.34": 1500, "1.37": 1502}),
        },
    ),
    "stream-error": NoteSpec(
        2,
        ("error",),
        {
            **lines("request.go",
                     "Stream error {error} when reading response body, may be caused by closed connection.", {
                "1.19": 995, "1.20": 1005, "1.21": 1021, "1.22": 1095, "1.23": 1112, "1.24": 1070, "1.26": 1069,
                "1.27": 1086, "1.28": 1110, "1.31": 1249, "1.32": 1326,
            }),
            **errors("request.go", "Stream error when reading response body, may be caused by closed connection",
                      {"1.33": 1353, "1.34": 1189, "1.37": 1191}),
        },
    ),
    "body-read-error": NoteSpec(
        0,
        ("error",),
        {
            **lines("request.go", "Unexpected error when reading response body: {error}", {
                "1.19": 1001, "1.20": 1011, "1.21": 1027, "1.22": 1101, "1.23": 1118, "1.24": 1076, "1.26": 1075,
                "1.27": 1092, "1.28": 1116, "1.31": 1255, "1.32": 1332,
            }),
            **errors("request.go", "Unexpected error when reading response body",
                      {"1.33": 1360, "1.34": 1196, "1.37": 1198}),
        },
        "E",
    ),
    "refreshing-credentials": NoteSpec(
        0,
        ("error",),  # an exec plugin failed after a 401
        lines("exec.go", "refreshing credentials: {error}", {
            "1.19": 309, "1.20": 320, "1.21": 323, "1.22": 366, "1.24": 360, "1.26": 361, "1.28": 359, "1.35": 380,
            "1.37": 381,
        }),
        "E",
    ),
    # --- discovery (client-go/discovery/cached, restmapper) ---
    # A note that concerns one group's resources (`what` is "resources", or `path` ends in serverresources.json) is
    # written as its "-resources" twin.
    "cache-skipped": NoteSpec(
        3,
        ("error",),
        {
            **lines("cached_discovery.go", _SKIPPED, {"1.19": 121, "1.24": 119, "1.26": 120}),
            **errors("cached_discovery.go", "Skipped caching discovery info due to error", {"1.37": 153}),
        },
    ),
    "cache-skipped-resources": NoteSpec(
        3,
        ("error",),
        {
            **lines("cached_discovery.go", _SKIPPED, {"1.19": 78, "1.24": 83, "1.26": 84}),
            **errors("cached_discovery.go", "Skipped caching discovery info due to error", {"1.37": 98}),
        },
    ),
    "cache-skipped-empty": NoteSpec(
        3,
        (),
        {
            **lines("cached_discovery.go", "skipped caching discovery info, no groups found",
                     {"1.19": 125, "1.24": 123, "1.26": 124}),
            "1.37": Line("cached_discovery.go:157", "Skipped caching discovery info, no groups found", ()),
        },
    ),
    "cache-skipped-empty-resources": NoteSpec(
        3,
        (),
        {
            **lines("cached_discovery.go", "skipped caching discovery info, no resources found",
                     {"1.19": 82, "1.24": 87, "1.26": 88}),
            "1.37": Line("cached_discovery.go:102", "skipped caching discovery info, no resources found", ()),
        },
    ),
    "cache-write-failed": NoteSpec(
        1,
        ("path", "error"),
        {
            **lines("cached_discovery.go", _WRITE_FAILED, {"1.19": 130, "1.24": 128, "1.26": 129}),
            "1.37": Line("cached_discovery.go:162", "Failed to write cache", (("fileName", "path"), ("err", "error"))),
        },
    ),
    "cache-write-failed-resources": NoteSpec(
        1,
        ("path", "error"),
        {
            **lines("cached_discovery.go", _WRITE_FAILED, {"1.19": 87, "1.24": 92, "1.26": 93}),
            "1.37": Line("cached_discovery.go:107", "Failed to write cache", (("fileName", "path"), ("err", "error"))),
        },
    ),
    "resource-list-failed": NoteSpec(
        0,
        ("group_version", "error"),  # while all versions are being read; kubectl keeps them in memory since 1.26
        {
            "1.26": Line("memcache.go:287", _RESOURCE_LIST),
            "1.31": Line("memcache.go:287", "Unhandled Error", (("err", "=" + _RESOURCE_LIST),)),
            "1.37": Line("memcache.go:403", "Couldn't get resource list",
                         (("err", "error"), ("groupVersion", "group_version"))),
        },
        "E",
    ),
    "resource-list-failed-again": NoteSpec(
        0,
        ("group_version", "error"),  # asked once more for one version
        {
            "1.26": Line("memcache.go:121", _RESOURCE_LIST),
            "1.31": Line("memcache.go:121", "Unhandled Error", (("err", "=" + _RESOURCE_LIST),)),
            "1.37": Line("memcache.go:133", "Couldn't get resource list",
                         (("err", "error"), ("gv", "group_version"))),
        },
        "E",
    ),
    "resource-list-empty": NoteSpec(
        3,
        ("error",),  # "received empty response for: GROUP/VERSION"
        {"1.26": Line("memcache.go:285", "{error}"), "1.37": Line("memcache.go:401", "{error}", ())},
    ),
    "cache-hit-groups": NoteSpec(
        10,
        ("path",),
        {
            **lines(
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
            **lines(
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
            **lines(
                "shortcut.go",
                "Error loading discovery information: {error}",
                {"1.19": 89, "1.25": 100, "1.29": 103},
            ),
            "1.37": Line("shortcut.go:177", "Error loading discovery information", (("err", "error"),)),
        },
    ),
}  # fmt: skip

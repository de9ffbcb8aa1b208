"""Where kubectl's HTTP and body lines come from and how they read, release by release.

Each table maps an entry to its values "since" a release: `{"1.19": A, "1.23": B}` means A in 1.19 to 1.22 and B from
1.23 on. References are those of the last patch release, except 1.19, which is 1.19.0 (the article's). The facts are
from client-go's transport/round_trippers.go, rest/request.go and the callers of rest.Request.Do.
"""

from __future__ import annotations

from collections.abc import Mapping

Since = Mapping[str, str]


def _file(name: str, lines: Mapping[str, int]) -> Since:
    return {release: f"{name}:{line}" for release, line in lines.items()}


def _round_trippers(*lines: int) -> Since:
    return _file("round_trippers.go", dict(zip(("1.19", "1.20", "1.21", "1.23", "1.32", "1.33"), lines, strict=True)))


def _traced(*lines: int) -> Since:
    return _file("round_trippers.go", dict(zip(("1.23", "1.32", "1.33"), lines, strict=True)))


def _discovery(*lines: int) -> Since:
    return _file("discovery_client.go", dict(zip(("1.32", "1.33", "1.35", "1.37"), lines, strict=True)))


SOURCES: Mapping[str, Since] = {
    "request": _round_trippers(420, 422, 432, 463, 470, 527),
    "curl": _round_trippers(423, 425, 435, 466, 473, 527),
    "request-headers": _round_trippers(427, 429, 438, 469, 476, 527),
    "request-header": _round_trippers(431, 433, 442, 473, 480, 527),
    "response": _round_trippers(443, 445, 454, 553, 560, 632),
    "response-status": _round_trippers(446, 448, 457, 574, 581, 632),
    "response-headers": _round_trippers(449, 451, 460, 577, 584, 632),
    "response-header": _round_trippers(452, 454, 463, 580, 587, 632),
    "trace-dns": _traced(495, 502, 547),
    "trace-dial-failed": _traced(508, 515, 560),
    "trace-dial": _traced(510, 517, 562),
    "statistics": _traced(570, 577, 632),
    "body-hex": _file(
        "request.go",
        {
            "1.19": 1095, "1.20": 1105, "1.21": 1121, "1.22": 1195, "1.23": 1212, "1.24": 1170, "1.26": 1169,
            "1.27": 1186, "1.28": 1210, "1.31": 1349,
        },
    ),
    "body-text": _file(
        "request.go",
        {
            "1.19": 1097, "1.20": 1107, "1.21": 1123, "1.22": 1197, "1.23": 1214, "1.24": 1172, "1.26": 1171,
            "1.27": 1188, "1.28": 1212, "1.31": 1351,
        },
    ),
    "throttled": _file(
        "request.go",
        {
            "1.19": 581, "1.20": 591, "1.21": 600, "1.22": 609, "1.23": 617, "1.24": 622, "1.27": 628, "1.28": 629,
            "1.31": 632, "1.32": 661, "1.33": 683,
        },
    ),
    "throttled-long": _file(
        "request.go",
        {
            "1.19": 645, "1.20": 655, "1.21": 668, "1.22": 677, "1.23": 685, "1.24": 690, "1.27": 696, "1.28": 697,
            "1.31": 700, "1.32": 729, "1.33": 752,
        },
    ),
    "retry": {
        "1.19": "request.go:933",
        "1.20": "request.go:943",
        "1.21": "request.go:959",
        "1.22": "with_retry.go:171",
        "1.23": "with_retry.go:168",
        "1.24": "with_retry.go:234",
        "1.25": "with_retry.go:235",
        "1.26": "with_retry.go:234",
    },
}  # fmt: skip

TEXTS: Mapping[str, Since] = {
    "curl": {"1.19": "curl -k -v -X", "1.22": "curl -v -X"},
    "throttled": {
        "1.19": "Throttling request took {delay}, request: {verb}:{url}",
        "1.21": "Waited for {delay} due to {reason}, request: {verb}:{url}",
    },
    "throttled-retry": {
        "1.19": "Throttling request took {delay}, request: {verb}:{url}",
        "1.21": "Waited for {delay}, {reason} - request: {verb}:{url}",
    },
}

_LOGS: Since = {"1.32": "logs.go:469", "1.35": "logs.go:476", "1.36": "logs.go:497"}
_TYPED_WATCH: Since = {"1.32": "request.go:736", "1.33": "type.go:240", "1.34": "type.go:201"}
_DYNAMIC_WATCH: Since = {"1.32": "simple.go:314", "1.34": "simple.go:270", "1.37": "simple.go:271"}
_LIST_BY_WATCH: Since = {"1.36": "reflector.go:863"}

OPERATIONS: Mapping[str, Since] = {
    # cli-runtime/pkg/resource/helper.go
    "get": {"1.32": "helper.go:105"},
    "list": {"1.32": "helper.go:113"},
    "watch": {"1.32": "request.go:736", "1.33": "request.go:759", "1.34": "helper.go:170"},
    "watch-one": {"1.32": "request.go:736", "1.33": "request.go:759", "1.34": "helper.go:182"},
    "delete": {"1.32": "helper.go:202"},
    "create": {"1.32": "helper.go:246"},
    "patch": {"1.32": "helper.go:269"},
    "replace": {"1.32": "helper.go:319"},
    "replace-get": {"1.32": "helper.go:294"},
    # client-go/discovery, client-go/openapi
    "discovery-api": _discovery(253, 252, 255, 665),
    "discovery-apis": _discovery(319, 318, 318, 721),
    "discovery-group": _discovery(404, 403, 413, 828),
    "version": _discovery(658, 657, 667, 1162),
    "openapi-v2": _discovery(672, 671, 681, 1181),
    "openapi-v3": {"1.32": "client.go:46", "1.37": "client.go:102"},
    "openapi-v3-group": {"1.32": "groupversion.go:75", "1.37": "groupversion.go:117"},
    # cli-runtime/pkg/resource/visitor.go: is the namespace of a missing object there?
    "namespace-get": {"1.32": "visitor.go:104"},
    # kubectl/pkg/rawhttp, kubectl/pkg/cmd/logs, typed and dynamic clients
    "raw": {"1.32": "raw.go:84"},
    "raw-create": {"1.32": "create.go:114", "1.37": "create.go:107"},
    "raw-delete": {"1.32": "delete.go:161"},
    "raw-replace": {"1.32": "replace.go:123"},
    "logs": _LOGS,
    "logs-followed": _LOGS,
    "logs-followed-again": _LOGS,
    "dump-logs": {"1.32": "clusterinfo_dump.go:281", "1.37": "clusterinfo_dump.go:284"},
    "typed-create": {"1.32": "type.go:252", "1.34": "type.go:213"},
    "typed-delete": {"1.32": "type.go:296", "1.34": "type.go:257"},
    "typed-get": {"1.32": "type.go:168", "1.34": "type.go:165"},
    "typed-list": {"1.32": "type.go:204", "1.34": "type.go:183"},
    "typed-patch": {"1.32": "type.go:328", "1.34": "type.go:289"},
    "typed-update": {"1.32": "type.go:267", "1.34": "type.go:228"},
    "typed-watch": _TYPED_WATCH,
    "typed-watch-list": _TYPED_WATCH,
    "typed-token": {"1.32": "serviceaccount.go:87"},
    "evict": {"1.32": "eviction_expansion.go:38"},
    "csr-approval": {"1.32": "certificatesigningrequest.go:91"},
    "scale-get": {"1.32": "client.go:168"},
    "scale-update": {"1.32": "client.go:211"},
    "scale-patch": {"1.32": "client.go:232"},
    "dynamic-delete": {"1.32": "simple.go:217", "1.34": "simple.go:212", "1.37": "simple.go:213"},
    "dynamic-get": {"1.32": "simple.go:247", "1.34": "simple.go:242", "1.37": "simple.go:243"},
    "dynamic-list": {"1.32": "simple.go:280", "1.34": "simple.go:257", "1.37": "simple.go:258"},
    "dynamic-watch": _DYNAMIC_WATCH,
    "dynamic-watch-list": _DYNAMIC_WATCH,
    "deletecollection": {"1.32": "simple.go:231", "1.34": "simple.go:226", "1.37": "simple.go:227"},
    "other": {"1.32": "helper.go:105"},
}

RESPONSES: Mapping[str, Since] = {
    "raw": {"1.32": "get.go:174"},
    "dynamic-watch": {
        "1.32": "listwatch.go:115",
        "1.33": "listwatch.go:277",
        "1.34": "listwatch.go:281",
        "1.35": "listwatch.go:311",
        "1.36": "reflector.go:605",
    },
    "dynamic-watch-list": _LIST_BY_WATCH,
    "typed-watch-list": _LIST_BY_WATCH,
    "logs": {"1.32": "interrupt.go:103", "1.36": "logs.go:396"},
    "logs-followed": {"1.32": "interrupt.go:103", "1.36": "loop.go:54"},
    "logs-followed-again": {"1.32": "interrupt.go:103", "1.36": "loop.go:88"},
    "dump-logs": {
        "1.32": "request.go:1247",
        "1.33": "request.go:1271",
        "1.34": "request.go:1107",
        "1.37": "request.go:1109",
    },
}
"""Where a response body's reference differs from its request's (a raw call's answer is logged only when it failed)."""

GATES: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "1.19": (),
    "1.32": (
        ("ClientsAllowCBOR", False),
        ("ClientsPreferCBOR", False),
        ("InformerResourceVersion", False),
        ("WatchListClient", False),
    ),
    "1.33": (
        ("ClientsAllowCBOR", False),
        ("ClientsPreferCBOR", False),
        ("InOrderInformers", True),
        ("InformerResourceVersion", False),
        ("WatchListClient", False),
    ),
    "1.36": (
        ("AtomicFIFO", True),
        ("ClientsAllowCARotation", True),
        ("ClientsAllowCBOR", False),
        ("ClientsAllowTLSCacheGC", True),
        ("ClientsPreferCBOR", False),
        ("InOrderInformers", True),
        ("InOrderInformersBatchProcess", True),
        ("InformerResourceVersion", True),
        ("UnlockWhileProcessingFIFO", True),
        ("WatchListClient", True),
    ),
}
"""client-go's feature gates and their defaults, which kubectl logs since 1.32 (in random order; here sorted)."""

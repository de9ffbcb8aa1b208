"""Notes of reflectors: wait, rollout status, delete (client-go tools/cache/reflector.go)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, lines, structured

_WATCHER = "k8s.io/client-go/tools/watch/informerwatcher.go"
REFLECTORS = {"1.19": f"{_WATCHER}:146", "1.33": f"{_WATCHER}:162"}
"""What each release calls the reflector of a wait: where it was started (tools/cache, NewReflector)."""

_REFLECTOR = ("reflector", "reflector")
_TYPE = ("type", "type")
_RESYNC = (_TYPE, ("resyncPeriod", "resync"), _REFLECTOR)
_CLOSED = "{reflector}: watch of {type} closed with: {error}"
_ENDED_WITH = "{reflector}: watch of {type} ended with: {error}"


def _reflector(what: str, oldest: int, older: Mapping[str, int], newer: Mapping[str, int]) -> NoteSpec:
    """That a reflector begins or ends."""
    text = f"{what} reflector {{type}} ({{resync}}) from {{reflector}}"
    found = {"1.19": Line(f"reflector.go:{oldest}", text, level=2), **lines("reflector.go", text, older)}
    found |= structured("reflector.go", f"{what} reflector", _RESYNC, newer)
    return NoteSpec(3, ("type", "resync", "reflector"), found)


def _cut(level: int, old: str, new: str, older: Mapping[str, int], newer: Mapping[str, int]) -> NoteSpec:
    """What ended a watch, or kept it from beginning."""
    found = lines("reflector.go", old, older)
    found |= structured("reflector.go", new, (_REFLECTOR, _TYPE, ("err", "error")), newer)
    return NoteSpec(level, ("type", "reflector", "error"), found)


REFLECTOR_NOTES: Mapping[str, NoteSpec] = {
    # The type is "*unstructured.Unstructured", resync "0s", the reflector "k8s.io/…/informerwatcher.go:162".
    "reflector-started": _reflector("Starting", 207, {
        "1.21": 219, "1.25": 221, "1.27": 287, "1.29": 289, "1.31": 305, "1.32": 313,
    }, {"1.33": 357, "1.34": 358, "1.35": 367, "1.36": 425}),
    "reflector-stopped": _reflector("Stopping", 213, {
        "1.21": 225, "1.25": 227, "1.27": 293, "1.29": 295, "1.31": 311, "1.32": 319,
    }, {"1.33": 363, "1.34": 364, "1.35": 373, "1.36": 434}),
    "reflector-listing": NoteSpec(
        3,
        ("type", "reflector"),
        {
            **lines("reflector.go", "Listing and watching {type} from {reflector}", {
                "1.19": 243, "1.21": 255, "1.25": 257, "1.27": 323, "1.29": 325, "1.31": 341, "1.32": 349,
            }),
            **structured("reflector.go", "Listing and watching", (_TYPE, _REFLECTOR), {
                "1.33": 403, "1.34": 404, "1.35": 411, "1.36": 472,
            }),
        },
    ),
    "reflector-populated": NoteSpec(
        2,
        ("type", "reflector"),
        {
            **lines("reflector.go", "Caches populated for {type} from {reflector}", {
                "1.29": 351, "1.31": 368, "1.32": 376,
            }),
            **structured("reflector.go", "Caches populated", (_TYPE, _REFLECTOR), {
                "1.33": 430, "1.34": 439, "1.35": 446, "1.36": 507,
            }),
        },
    ),
    "watch-backing-off": _cut(
        4, "{reflector}: watch of {type} returned {error} - backing off", "Watch failed - backing off", {
            "1.27": 419, "1.28": 421, "1.29": 425, "1.30": 433, "1.31": 446, "1.32": 454,
        }, {"1.33": 518, "1.34": 533, "1.35": 540, "1.36": 608},
    ),
    "reflector-failed": NoteSpec(
        0,
        ("type", "reflector", "error"),
        {
            **lines("reflector.go", "{reflector}: Failed to watch {type}: {error}", {
                "1.19": 127, "1.20": 138, "1.25": 140, "1.27": 148, "1.28": 147, "1.30": 150,
            }),
            **{release: Line(f"reflector.go:{number}", "Unhandled Error", (
                ("err", "={reflector}: Failed to watch {type}: {error}"),
            )) for release, number in {"1.31": 158, "1.32": 166}.items()},
            **structured("reflector.go", "Failed to watch", (
                ("err", "error"), _REFLECTOR, _TYPE,
            ), {"1.33": 200, "1.34": 205, "1.35": 204, "1.36": 227}),
        },
        "E",
    ),
    "reflector-expired": _cut(4, _CLOSED, "Watch closed", {
        "1.19": 121, "1.20": 132, "1.25": 134, "1.27": 142, "1.28": 141, "1.30": 144, "1.31": 152, "1.32": 160,
    }, {"1.33": 194, "1.34": 199, "1.35": 198, "1.36": 221}),
    "watch-expired": _cut(4, _CLOSED, "Watch closed", {
        "1.19": 422, "1.20": 434, "1.22": 435, "1.23": 436, "1.25": 338, "1.27": 443, "1.28": 445, "1.29": 449,
        "1.30": 457, "1.31": 471, "1.32": 479,
    }, {"1.33": 543, "1.34": 555, "1.35": 565, "1.36": 651}),
    "watch-throttled": NoteSpec(
        2,
        ("type", "reflector"),
        {
            **lines("reflector.go", "{reflector}: watch of {type} returned 429 - backing off", {
                "1.22": 437, "1.23": 438, "1.25": 340, "1.27": 445, "1.28": 447, "1.29": 451, "1.30": 459, "1.31": 473,
                "1.32": 481,
            }),
            **structured("reflector.go", "Watch returned 429 - backing off", (_REFLECTOR, _TYPE), {
                "1.33": 545, "1.34": 557, "1.35": 567, "1.36": 653,
            }),
        },
    ),
    "watch-ended-with-error": NoteSpec(
        0,
        ("type", "reflector", "error"),
        {
            **{
                release: Line(f"reflector.go:{number}", _ENDED_WITH, severity="W")
                for release, number in {
                    "1.19": 424, "1.20": 436, "1.22": 441, "1.23": 442, "1.25": 347, "1.27": 456, "1.28": 458,
                    "1.29": 462, "1.30": 470, "1.31": 484, "1.32": 492,
                }.items()
            },
            **structured("reflector.go", "Warning: watch ended with error", (_REFLECTOR, _TYPE, ("err", "error")), {
                "1.33": 556, "1.34": 568, "1.35": 578, "1.36": 664,
            }),
        },
    ),
    "watch-list-backing-off": _cut(
        2, "{reflector}: watch-list of {type} returned {error} - backing off", "watch-list failed - backing off", {
            "1.27": 601, "1.28": 603, "1.29": 607, "1.30": 615, "1.31": 629, "1.32": 637,
        }, {"1.33": 702, "1.34": 714, "1.35": 724, "1.36": 816},
    ),
    "watch-closed": NoteSpec(
        4,
        ("type", "reflector", "items"),
        {
            **lines("reflector.go", "{reflector}: Watch close - {type} total {items} items received", {
                "1.19": 515, "1.21": 530, "1.23": 536, "1.25": 559, "1.27": 788, "1.29": 800, "1.31": 871, "1.32": 879,
            }),
            **structured("reflector.go", "Watch close", (_REFLECTOR, _TYPE, ("totalItems", "items")), {
                "1.33": 946, "1.34": 984, "1.35": 991, "1.36": 1093,
            }),
        },
    ),
    "watch-list-refused": NoteSpec(
        4,
        ("error",),
        structured(
            "reflector.go",
            "Data couldn't be fetched in watchlist mode. Falling back to regular list. This is expected if watchlist "
            "is not supported or disabled in kube-apiserver.",
            (("err", "error"),),
            {"1.35": 429, "1.36": 490},
        ),
    ),
    "watch-list-bookmark": NoteSpec(
        4,
        ("reflector", "items", "seconds"),
        structured(
            "reflector.go",
            "Exiting watch because received the bookmark that marks the end of initial events stream",
            (_REFLECTOR, ("totalItems", "items"), ("duration", "duration:seconds")),
            {"1.33": 933, "1.34": 971, "1.35": 978, "1.36": 1080},
        ),
    ),
}  # fmt: skip

"""Notes of the commands (kubectl, cli-runtime)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, lines, structured

_DRY_RUN = {"1.19": 553, "1.21": 557, "1.22": 555, "1.23": 622, "1.24": 660, "1.25": 663, "1.27": 692, "1.29": 704,
            "1.30": 703, "1.32": 702, "1.33": 703, "1.34": 731, "1.35": 719}  # fmt: skip
"""Where --dry-run is found to be an old form (GetDryRunStrategy)."""
_UNDECODABLE = "Unable to decode an event from the watch stream"


def _dry_run(what: str, instead: str, offset: int) -> dict[str, Line]:
    numbers = {release: number + offset for release, number in _DRY_RUN.items()}
    return lines("helpers.go", f"{what} and can be replaced with --dry-run={instead}.", numbers)


COMMAND_NOTES: Mapping[str, NoteSpec] = {
    # --- what ends a command (kubectl/pkg/cmd/util/helpers.go) ---
    "server-response-object": NoteSpec(
        4,
        ("json",),  # the Status object as Go's json.MarshalIndent(…, "", "  ") writes it
        {
            **lines("helpers.go", "server response object: [{json}]", {"1.19": 216, "1.22": 217, "1.23": 243,
                                                                        "1.24": 246}),
            "1.29": Line("helpers.go:246", "server response object: %s[{json}]"),
            "1.37": Line("helpers.go:247", "server response object: {json}"),
        },
    ),
    "connection-error": NoteSpec(
        4,
        ("op", "url", "error"),  # Go's url.Error: op "Get"
        lines(
            "helpers.go",
            "Connection error: {op} {url}: {error}",
            {"1.19": 234, "1.22": 235, "1.23": 261, "1.24": 264, "1.37": 265},
        ),
    ),
    "fatal": NoteSpec(
        99,
        ("text",),  # kubectl writes it in place of the plain line and exits 255 (without a goroutine dump here)
        {
            "1.19": Line("helpers.go:115", "{text}", level=2),
            "1.20": Line("helpers.go:115", "{text}", level=6),
            "1.22": Line("helpers.go:116", "{text}", level=6),
            "1.23": Line("helpers.go:118", "{text}", level=6),
            "1.24": Line("helpers.go:121", "{text}"),
        },
        "F",
    ),
    # --- commands ---
    "diff-without-lock": NoteSpec(
        0,
        ("kind", "object"),
        lines("diff.go", "Object ({kind}: {object}) keeps changing, diffing without lock", {"1.29": 723}),
        "W",
    ),
    "diff-without-prune": NoteSpec(
        0,
        ("error",),
        lines("diff.go", "pruning failed and could not be evaluated err: {error}", {
            "1.24": 738, "1.25": 752, "1.27": 747, "1.28": 750, "1.29": 760, "1.35": 758, "1.36": 760,
        }),
        "W",
    ),
    "dry-run-bare": NoteSpec(
        0,
        (),
        _dry_run("--dry-run is deprecated", "client", 0),
        "W",
    ),
    "dry-run-true": NoteSpec(
        0,
        ("text",),
        _dry_run("--dry-run={text} is deprecated (boolean value)", "client", 14),
        "W",
    ),
    "dry-run-false": NoteSpec(
        0,
        ("text",),
        _dry_run("--dry-run={text} is deprecated (boolean value)", "none", 17),
        "W",
    ),
    "table-fallback": NoteSpec(
        2,
        ("error",),
        lines(
            "table_printer.go",
            "Unable to decode server response into a Table. Falling back to hardcoded types: {error}",
            {"1.19": 45},
        ),
    ),
    "watch-undecodable": NoteSpec(
        5,
        ("error",),
        {
            **lines("streamwatcher.go", f"{_UNDECODABLE}: {{error}}", {"1.19": 117, "1.21": 114}),
            "1.33": Line("streamwatcher.go:123", _UNDECODABLE, (("err", "error"),)),
        },
    ),
    # --sort-by: kubectl ends with these.
    "unsortable-objects": NoteSpec(
        0,
        ("text",),
        lines("sorter.go", "{text}", {"1.19": 314, "1.27": 332, "1.30": 331, "1.31": 329}),
        "F",
    ),
    "unsortable-rows": NoteSpec(
        0,
        ("text",),
        lines("sorter.go", "{text}", {"1.19": 360, "1.27": 378, "1.30": 377, "1.31": 375}),
        "F",
    ),
    "default-container": NoteSpec(
        4,
        ("container",),
        {
            "1.19": Line("podcmd.go:88", "Defaulting container name to {container}"),
            "1.36": Line("podcmd.go:84", "Using the first container in a pod: {container}"),
        },
    ),
    "container-of-annotation": NoteSpec(
        4,
        ("container",),
        {
            "1.29": Line("podcmd.go:76", "Defaulting container name from annotation {container}"),
            "1.36": Line("podcmd.go:67", "Attempting default container name from annotation {container}"),
        },
    ),
    "prune-beyond-namespace": NoteSpec(
        0,
        (),
        lines(
            "prune.go",
            "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the "
            "--namespace flag in a future release. To preserve the current behaviour, list the resources you want to "
            "target explicitly in the --prune-allowlist flag.",
            {"1.27": 71},
        ),
        "W",
    ),
    "applyset-listing": NoteSpec(
        2,
        ("namespace", "resource"),  # the namespace as %q writes it
        lines(
            "applyset_pruner.go",
            "listing objects for pruning; namespace={namespace}, resource={resource}",
            {"1.27": 149, "1.29": 151},
        ),
    ),
    "applyset-conflict": NoteSpec(
        0,
        ("error", "manager"),
        lines(
            "applyset.go",
            "WARNING: failed to update ApplySet: {error}\n"
            "ApplySet field manager {manager} should own these fields. Retrying with conflicts forced.",
            {"1.27": 400, "1.29": 447},
        ),
        "W",
    ),
    "validation-skipped": NoteSpec(
        0,
        (),
        lines(
            "schema.go",
            "cannot perform warn validation if server-side field validation is unsupported, skipping validation",
            {"1.27": 145},
        ),
        "W",
    ),
    "apply-post-processor": NoteSpec(
        4,
        (),
        lines("apply.go", "Running apply post-processor function", {
            "1.19": 390, "1.20": 396, "1.21": 392, "1.23": 447, "1.24": 460, "1.25": 466, "1.26": 476, "1.27": 534,
            "1.28": 535, "1.29": 546, "1.30": 541, "1.32": 548, "1.35": 546,
        }),
    ),
    "openapi-v3-path-missing": NoteSpec(
        5,
        ("group", "version", "kind"),
        lines(
            "patcher.go",
            "warning: OpenAPI V3 path does not exist - group: {group}, version {version}, kind {kind}",
            {"1.29": 139, "1.31": 140, "1.32": 141, "1.34": 139, "1.36": 140},
        ),
    ),
    "openapi-v3-fallback": NoteSpec(
        7,
        ("error",),
        lines("fallback_query_param_verifier.go", "openapi v3 error...falling back to legacy: {error}", {"1.27": 55}),
    ),
    "openapi-v3-no-strategic-merge": NoteSpec(
        5,
        ("group", "version", "kind"),
        lines(
            "patcher.go",
            "warning: OpenAPI V3 path does not support strategic merge patch - "
            "group: {group}, version {version}, kind {kind}",
            {"1.29": 154, "1.31": 155, "1.32": 156, "1.34": 154, "1.36": 155},
        ),
    ),
    "autoscale-fallback": NoteSpec(
        1,
        ("error",),
        lines(
            "autoscale.go",
            "Encountered an error with the autoscaling/v2 HorizontalPodAutoscaler: {error}. "
            "Falling back to try the autoscaling/v1 HorizontalPodAutoscaler",
            {"1.36": 259},
        ),
    ),
    "negative-timeout": NoteSpec(
        0,
        (),  # delete --timeout=-1s
        {
            **lines("until.go", "Timeout for context shall not be negative!", {"1.19": 158, "1.25": 160, "1.27": 159}),
            **structured("until.go", "Timeout for context shall not be negative", (), {"1.33": 159}),
        },
        "E",
    ),
    "reconcile-skipped": NoteSpec(
        1,
        ("kind",),  # the object's kind as Go's %#v writes it
        lines("reconcile.go", "skipping {kind}", {"1.36": 306}),
    ),
    "delete-wait-error": NoteSpec(
        1,
        ("error",),
        lines("delete.go", "{error}", {
            "1.19": 342, "1.20": 339, "1.21": 335, "1.22": 338, "1.24": 345, "1.25": 355, "1.27": 344, "1.28": 424,
            "1.32": 427,
        }),
    ),
    # --- edit (kubectl/pkg/cmd/util/editor) ---
    "editor-opened": NoteSpec(
        5,
        ("command",),  # as Go prints a slice: "[vi /tmp/…]"
        {
            **lines("editor.go", "Opening file with editor {command}", {"1.19": 128, "1.22": 127, "1.27": 126}),
            **lines("launcher_others.go", "Opening file with editor {command}", {"1.31": 62, "1.36": 61}),
        },
    ),
    "user-edited": NoteSpec(
        4,
        ("text",),
        lines("editoptions.go", "User edited:\n{text}", {
            "1.19": 298, "1.23": 299, "1.24": 322, "1.27": 315, "1.28": 316, "1.32": 310,
        }),
    ),
    "edit-impossible-patch": NoteSpec(
        4,
        ("error",),
        lines("editoptions.go", "Unable to calculate diff, no merge is possible: {error}", {
            "1.19": 682, "1.23": 689, "1.24": 715, "1.26": 712, "1.27": 705, "1.28": 706, "1.32": 700,
        }),
    ),
    "edit-changes-custom-identity": NoteSpec(
        4,
        (),
        lines("editoptions.go", "Unable to calculate diff, no merge is possible: <nil>", {
            "1.19": 672, "1.23": 679, "1.24": 705, "1.26": 702, "1.27": 695, "1.28": 696, "1.32": 690,
        }),
    ),
    # --- debug ---
    "debug-existing-containers": NoteSpec(
        2,
        ("text",),
        lines("debug.go", "existing ephemeral containers: {text}", {
            "1.22": 396, "1.25": 419, "1.27": 439, "1.28": 440, "1.29": 431, "1.30": 458,
            "1.31": 483, "1.32": 486, "1.33": 489, "1.36": 488,
        }),
    ),
    "debug-new-container": NoteSpec(
        2,
        ("text",),
        lines("debug.go", "new ephemeral container: {text}", {
            "1.19": 357, "1.20": 407, "1.21": 393, "1.22": 403, "1.25": 429, "1.27": 449,
            "1.28": 450, "1.29": 441, "1.30": 468, "1.31": 493, "1.32": 496, "1.33": 499,
            "1.36": 498,
        }),
    ),
    "debug-patch": NoteSpec(
        2,
        ("text",),
        lines("debug.go", "generated strategic merge patch for debug container: {text}", {
            "1.22": 415, "1.25": 440, "1.27": 460, "1.28": 461, "1.29": 452, "1.30": 479,
            "1.31": 504, "1.32": 507, "1.33": 512, "1.36": 511,
        }),
    ),
    "debug-watch-event": NoteSpec(
        2,
        ("type",),
        lines("debug.go", 'watch received event "{type}" with object *v1.Pod', {
            "1.19": 593, "1.20": 681, "1.21": 667, "1.22": 739, "1.24": 725, "1.25": 747, "1.27": 764,
            "1.28": 765, "1.29": 715, "1.30": 847, "1.31": 873, "1.32": 876, "1.33": 917, "1.34": 920,
            "1.36": 919,
        }),
    ),
    "debug-container-status": NoteSpec(
        2,
        ("text",),
        lines("debug.go", "debug container status is {text}", {
            "1.24": 740, "1.25": 762, "1.27": 779, "1.28": 780, "1.29": 730, "1.30": 862, "1.31": 888,
            "1.32": 891, "1.33": 932, "1.34": 935, "1.36": 934,
        }),
    ),
    "debug-container-ended": NoteSpec(
        1,
        (),
        lines("debug.go", "Ephemeral container terminated, falling back to logs", {
            "1.19": 628, "1.20": 716, "1.21": 702, "1.22": 774, "1.24": 778, "1.25": 800, "1.27": 817,
            "1.28": 818, "1.29": 786, "1.30": 918, "1.31": 944, "1.32": 947, "1.33": 988, "1.34": 991,
            "1.36": 990,
        }),
    ),
}  # fmt: skip

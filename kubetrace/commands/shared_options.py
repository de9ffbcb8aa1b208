"""Options that several writing commands declare, each flag's words once (kubectl's PrintFlags, RecordFlags,
FilenameOptions, AddDryRunFlag … in pkg/cmd/util/helpers.go and cli-runtime pkg/genericclioptions)."""

from __future__ import annotations

from kubetrace.cmdline.flags import flag
from kubetrace.value import Value


def dry_run() -> str:
    """--dry-run"""
    return flag(
        "none",
        help='Must be "none", "server" or "client": client shows what would be sent, server has it tried out.',
        bare="unchanged",
    )


def field_manager(default: str) -> str:
    """--field-manager"""
    return flag(default, help="Name under which the server records who set which field.")


def record() -> bool:
    """--record"""
    return flag(
        False,
        help="Keep this command line in the object's annotation.",
        deprecated="--record will be removed in the future",
    )


def save_config() -> bool:
    """--save-config"""
    return flag(False, help="Keep the object in its own annotation, so that 'apply' can be used on it later.")


def validate() -> str:
    """--validate"""
    return flag(
        "strict",
        help='Must be "strict" (or true), "warn" or "ignore" (or false): what to do about unknown and repeated fields, '
        "refuse the object, warn, or drop them silently. The server judges.",
        bare="strict",
    )


def cascade() -> str:
    """--cascade"""
    return flag(
        "background",
        help='Must be "background", "orphan" or "foreground": what becomes of the objects that depend on it.',
        bare="background",
    )


def filename(what: str = "the objects") -> tuple[str, ...]:
    """-f"""
    return flag((), "f", help=f"File, folder or URL with {what} ('-': standard input).", completion="ext:json,yaml,yml")


def kustomize() -> str:
    """-k"""
    return flag("", "k", help="Folder with a kustomization. Not together with -f or -R.")


def recursive(default: bool = False) -> bool:
    """-R"""
    return flag(default, "R", help="Read folders given with -f and all folders in them.")


def everything() -> bool:
    """--all"""
    return flag(False, help="Take every object of the types given, in the namespace.")


def all_namespaces() -> bool:
    """-A"""
    return flag(False, "A", help="In all namespaces, whatever --namespace says.")


def local() -> bool:
    """--local"""
    return flag(False, help="Change the objects of the files and print them; the server is not asked.")


def field_selector() -> str:
    """--field-selector"""
    return flag("", help="Only objects whose fields meet this selector ('=', '==', '!='), as far as the server knows.")


def selector() -> str:
    """-l"""
    return flag("", "l", help="Only objects whose labels meet this selector.")


def pod_running_timeout(seconds: float) -> float:
    """--pod-running-timeout"""
    return flag(seconds, help="How long to wait for a pod that runs, such as 5s, 2m or 3h; more than zero.")


def subresource(verb: str) -> str:
    """--subresource"""
    return flag(
        "",
        help=f"{verb} this subresource of the object (status, scale, resize, …).",
        completion="any:status,scale,resize",
    )


class PrintOptions(Value):
    """How a command prints the objects it has made or changed."""

    allow_missing_template_keys: bool = flag(
        True, help="In templates, take a missing field or key for nothing instead of for an error."
    )
    output: str = flag(
        "",
        "o",
        help="Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, "
        "jsonpath, jsonpath-as-json, jsonpath-file).",
    )
    show_managed_fields: bool = flag(False, help="Print metadata.managedFields, too (json and yaml).")
    template: str = flag("", help="Template, or file with it, for the template formats of -o.")


class GeneratedOptions(PrintOptions):
    """What every `create KIND NAME` takes."""

    dry_run: str = dry_run()
    field_manager: str = field_manager("kubectl-create")
    save_config: bool = save_config()
    validate: str = validate()


class ChangeOptions(PrintOptions):
    """What commands take that change objects which argv or files name."""

    dry_run: str = dry_run()
    filename: tuple[str, ...] = filename()
    kustomize: str = kustomize()
    recursive: bool = recursive()


class RecordedOptions(ChangeOptions):
    """The same, with --record."""

    record: bool = record()

"""`kustomize`: what a kustomization folder stands for, through the `kustomize` program (kubectl pkg/cmd/kustomize)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.environment import Environment


class KustomizeOptions(Value):
    as_current_user: bool = flag(False, help="Run functions in containers as the user who calls.")
    enable_alpha_plugins: bool = flag(False, help="Allow kustomize's plugins.")
    enable_helm: bool = flag(False, help="Allow the inflation of Helm charts.")
    env: tuple[str, ...] = flag((), "e", kind="array", help="Environment variables for functions.")
    helm_api_versions: tuple[str, ...] = flag(
        (), kind="array", help="API versions that Helm is told the cluster has (Capabilities.APIVersions)."
    )
    helm_command: str = flag("helm", help="The helm program.")
    helm_debug: bool = flag(False, help="Have Helm write what it does.")
    helm_kube_version: str = flag("", help="The version that Helm is told the cluster has (Capabilities.KubeVersion).")
    load_restrictor: str = flag(
        "LoadRestrictionsRootOnly",
        help="With LoadRestrictionsNone, kustomizations may read files outside of their folder.",
    )
    mount: tuple[str, ...] = flag((), kind="array", help="Storage for functions, read from the file system.")
    network: bool = flag(False, help="Let functions that ask for it use the network.")
    network_name: str = flag("bridge", help="The container network of functions.")
    output: str = flag("", "o", help="Write to this file or folder instead of standard output.")
    reorder: str = flag(
        "legacy",
        help="The order of the objects: legacy or none.",
        deprecated="use the new 'sortOptions' field in kustomization.yaml instead.",
    )


def run(environment: Environment, options: KustomizeOptions, arguments: Arguments) -> None:
    from kubetrace.api.kustomize import build

    if len(arguments.words) > 1:
        raise KubetraceError("specify one path to kustomization.yaml")
    folder = arguments.words[0] if arguments.words else ""
    built = build(folder, environment.write_error_bytes, _given(options, arguments), legacy_order=False)
    environment.stdout.write(built.decode("utf-8", "surrogateescape"))


def _given(options: KustomizeOptions, arguments: Arguments) -> list[str]:
    """The flags of the command line, as kustomize takes them."""
    flags = []
    for field in type(options).field_names:
        if not arguments.changed(field):
            continue
        value = getattr(options, field)
        name = field.replace("_", "-")
        values = value if isinstance(value, tuple) else (value,)
        flags += [f"--{name}={str(one).lower() if isinstance(one, bool) else one}" for one in values]
    return flags


COMMAND = Command(
    run=run,
    options=KustomizeOptions,
    usage="kustomize DIR [flags]",
    description="""
    Print the objects that a kustomization folder stands for. The folder may be a URL of a repository.

    kubectl has kustomize built in; kubetrace runs the program of that name, which must be in PATH.
    """,
    examples="""
    # The current folder
    kubetrace kustomize

    # Another one, and what it would change
    kubetrace kustomize overlays/test
    kubetrace kustomize overlays/test | kubetrace diff -f -
    """,
)

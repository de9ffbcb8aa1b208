"""`cluster-info dump`: what a cluster runs, and the logs of its containers (kubectl pkg/cmd/clusterinfo)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions
from kubetrace.errors import KubetraceError, os_words

if TYPE_CHECKING:
    from kubetrace.api.resources import Mapping
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.wire.go_struct import TypedObject

Object = dict[str, Any]

_LOGS_SECONDS = 300.0
_EXTENSIONS = {"json": ".json", "yaml": ".yaml"}


class ClusterInfoDumpOptions(PrintOptions):
    all_namespaces: bool = flag(False, "A", help="Every namespace; --namespaces counts for nothing then.")
    namespaces: tuple[str, ...] = flag((), help="Namespaces, separated by commas, in place of the usual two.")
    output: str = flag(
        "json",
        "o",
        help="Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, "
        "jsonpath, jsonpath-as-json, jsonpath-file).",
    )
    output_directory: str = flag("", help="Folder that a tree of files is written to; '-' or none: standard output.")
    pod_running_timeout: float = flag(20.0, help="Has no effect: logs are read of pods as they are.")


def run(environment: Environment, options: ClusterInfoDumpOptions, arguments: Arguments) -> None:
    from kubetrace.commands.writing import object_printer

    printer = object_printer(environment, options, "")
    environment.make_client()
    _ = environment.namespace
    dump = _Dump(environment, options, printer)
    dump.cluster()
    for namespace in dump.namespaces():
        dump.namespace(namespace)
    if dump.folder is not None:
        environment.stdout.write(f"Cluster info dumped to {options.output_directory}\n")


class _Dump:
    """Writes each list as it comes, to stdout or to a file of its own."""

    def __init__(self, environment: Environment, options: ClusterInfoDumpOptions, printer: Printer) -> None:
        self._environment = environment
        self._options = options
        self._printer = printer
        folder = options.output_directory
        self.folder = None if folder in ("", "-") else Path(folder)
        self._extension = _EXTENSIONS.get(options.output, ".txt")

    def cluster(self) -> None:
        from kubetrace.api.typed_kinds import NODES

        self._print(self._list(NODES, ""), "nodes")

    def namespaces(self) -> list[str]:
        from kubetrace.api.typed_kinds import NAMESPACES

        if self._options.all_namespaces:
            found = self._list(NAMESPACES, "")["items"] or ()
            return [str((item.get("metadata") or {}).get("name") or "") for item in found]
        return list(self._options.namespaces) or ["kube-system", self._environment.namespace]

    def namespace(self, namespace: str) -> None:
        from kubetrace.api.typed_kinds import DUMPED_KINDS, PODS

        for name, mapping in DUMPED_KINDS:
            found = self._list(mapping, namespace)
            self._print(found, f"{namespace}/{name}")
            if mapping is PODS:
                for pod in found["items"] or ():
                    self._logs(namespace, pod)

    def _list(self, mapping: Mapping, namespace: str) -> TypedObject:
        """All objects of a kind, as kubectl's typed clients have them: items do not say what they are."""
        from kubetrace.api import verbs
        from kubetrace.api.status import StatusError
        from kubetrace.commands.writing import as_typed
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace
        from kubetrace.wire.go_struct import TypedObject

        purpose = Purpose("dump", "dump: what is there?")
        call = replace(verbs.list_(mapping, namespace, purpose=purpose), operation="typed-list")
        try:
            found = self._environment.cluster.objects.send(call, mapping)
        except StatusError as error:
            raise error.without_type() from None
        kind = {"apiVersion": mapping.kind.api_version, "kind": mapping.kind.kind}
        items = []
        for item in found.get("items") or ():
            typed = as_typed({**item, **kind})
            items.append(TypedObject({key: typed[key] for key in typed if key not in kind}))
        head = {"kind": f"{mapping.kind.kind}List", "apiVersion": mapping.kind.api_version}
        return TypedObject({**head, "metadata": found.get("metadata") or {}, "items": items or None})

    def _logs(self, namespace: str, pod: Object) -> None:
        metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
        name = str(metadata.get("name") or "")
        parts = []
        for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
            what = f"logs for container {container.get('name', '')} of pod {metadata.get('namespace', '')}/{name}"
            log = self._log(namespace, name, str(container.get("name") or ""))
            parts.append(f"==== START {what} ====\n{log}==== END {what} ====\n")
        self._write("".join(parts), f"{namespace}/{name}/logs", ".txt")

    def _log(self, namespace: str, pod: str, container: str) -> str:
        from kubetrace.api import status, verbs
        from kubetrace.api.typed_kinds import PODS
        from kubetrace.trace.exchange import Purpose
        from kubetrace.value import replace

        purpose = Purpose("logs", "logs: what did the container write?")
        call = verbs.get(PODS, namespace, pod, "log", purpose=purpose, accept=verbs.TYPED)
        query = (("container", container),)
        call = replace(call, query=query, operation="dump-logs", timeout=_LOGS_SECONDS)
        self._environment.make_client()
        try:
            return status.raw(self._environment.client.send(call)).decode("utf-8", "surrogateescape")
        except KubetraceError as error:
            return f"Request log error: {error}\n"

    def _print(self, value: TypedObject, name: str) -> None:
        import io

        text = io.StringIO()
        self._printer.print(value, text)
        self._write(text.getvalue(), name, self._extension)

    def _write(self, text: str, name: str, extension: str) -> None:
        if self.folder is None:
            self._environment.stdout.write(text)
            return
        path = self.folder / f"{name}{extension}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", "surrogateescape", "\n")
        except OSError as error:
            raise KubetraceError(os_words("open", path, error)) from None


COMMAND = Command(
    run=run,
    options=ClusterInfoDumpOptions,
    may_take_long=True,
    usage="cluster-info dump [flags] [options]",
    description="""
    Print what helps to find out what is wrong with a cluster: nodes, events, services, workloads, pods, and the logs of
    every container.

    Without more flags the namespace kube-system and the current one are dumped, to standard output; --output-directory
    makes a tree of files instead, by namespace and pod.
    """,
    examples="""
    # The usual two namespaces, to the terminal, to files
    kubetrace cluster-info dump
    kubetrace cluster-info dump --output-directory=/tmp/state

    # All namespaces, or some
    kubetrace cluster-info dump --all-namespaces
    kubetrace cluster-info dump --namespaces default,ci --output-directory=/tmp/state
    """,
)

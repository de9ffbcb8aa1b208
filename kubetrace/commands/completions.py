"""What completion offers for words and for flags' values (kubectl pkg/util/completion)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.commands.complete import DEFAULT, EXTENSIONS, FOLDERS, NO_FILES, NO_SPACE, Answer
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.cmdline.flags import BoundFlag
    from kubetrace.environment import Environment

_HAVE_PODS = (
    *("daemonsets", "deployments", "pods", "jobs", "replicasets", "replicationcontrollers", "services"),
    "statefulsets",
)
_NAMES = "{{ range .items }}{{ .metadata.name }} {{ end }}"
_CONTAINERS = "{{ range .spec.initContainers }}{{ .name }} {{end}}{{ range .spec.containers }}{{ .name }} {{ end }}"
_POD_TIMEOUT = 0.1
"""Seconds that the pod behind a TYPE/NAME may take."""


def flag_values(environment: Environment, flag: BoundFlag, words: Sequence[str], typed: str) -> Answer:
    """For a flag's value, by what it is declared to complete."""
    kind = flag.flag.completion
    if kind.startswith("ext:"):
        return [(extension, "") for extension in kind[4:].split(",")], EXTENSIONS
    if kind == "dir":
        return [], FOLDERS
    if kind in ("", "file"):
        return [], DEFAULT
    if kind.startswith("any:"):
        return [(name, "") for name in kind[4:].split(",")], NO_FILES
    return _from(environment, kind, words, typed)


def words(environment: Environment, kind: str, given: Sequence[str], typed: str) -> Answer:
    """For the command's next word; `given` are those before it."""
    if kind in ("context", "cluster", "user") or kind.startswith(("=", "names:")):
        if not given:
            return _from(environment, kind, given, typed)
        return [], DEFAULT if kind.startswith("=") else NO_FILES
    return _from(environment, kind, given, typed)


def _from(environment: Environment, kind: str, given: Sequence[str], typed: str) -> Answer:
    name, _, rest = kind.partition(":")
    source = _Source(environment)
    if kind.startswith("="):
        return _matching(kind[1:].split(","), typed), NO_FILES
    if name == "namespace":
        return _matching(source.names("namespaces"), typed), NO_FILES
    if name in ("context", "cluster", "user"):
        sections = environment.kubeconfig.sections
        found = {"context": sections.contexts, "cluster": sections.clusters, "user": sections.users}[name]
        return _matching(found, typed), NO_FILES
    if name == "names":
        return _matching(source.names(rest), typed), NO_FILES
    if name == "containers":
        return _matching(source.containers(given[0]) if given else (), typed), NO_FILES
    if name == "files-in-pods":
        return (source.copied(typed) if not given else []), NO_SPACE
    if name in ("pods", "pods-containers", "pods-ports"):
        if not given:
            return source.pods(typed)
        if len(given) > 1 or name == "pods":
            return [], NO_FILES
        found_there = source.containers(given[0]) if name == "pods-containers" else source.ports(given[0], typed)
        return _matching(found_there, typed), NO_FILES
    types = tuple(rest.split(",")) if rest else ()
    return source.resources(types, given, typed, repeats=name == "resources")


def _matching(names: Iterable[str], typed: str) -> list[tuple[str, str]]:
    return [(name, "") for name in names if name.startswith(typed)]


class _Source(Value):
    """Asks the cluster, and never complains: where it does not answer nothing is offered."""

    environment: Environment

    def resources(self, types: Sequence[str], given: Sequence[str], typed: str, *, repeats: bool) -> Answer:
        """TYPE, TYPE,TYPE, TYPE NAME… or TYPE/NAME… (resourceTypeAndNameCompletionFunc). `types` are those on offer,
        all where there are none; `repeats` is whether more than one object may be named."""
        found: Iterable[str]
        if given and "/" not in given[0]:
            if not repeats and len(given) > 1:
                return [], NO_FILES
            return _matching((n for n in self.names(given[0]) if n not in given[1:]), typed), NO_FILES
        if given and not repeats:
            return [], NO_FILES
        kind, slash, name = typed.partition("/")
        if slash:
            found = (f"{kind}/{n}" for n in self.names(kind) if n.startswith(name))
            return [(n, "") for n in found if n not in given], NO_FILES
        found = [n for n in types if n.startswith(typed)] if types else self._types(typed)
        if not given:
            return [(n, "") for n in found], NO_FILES
        return [(f"{n}/", "") for n in found], NO_SPACE | NO_FILES

    def pods(self, typed: str) -> Answer:
        """Pods, and the types that have some (doPodResourceCompletion)."""
        kind, slash, name = typed.partition("/")
        if slash:
            return [(f"{kind}/{n}", "") for n in self.names(kind) if n.startswith(name)], NO_FILES
        found = _matching(self.names("pod"), typed)
        directive = NO_FILES if found else NO_FILES | NO_SPACE
        return [*found, *_matching((f"{kind}/" for kind in _HAVE_PODS if kind.startswith(typed)), "")], directive

    def containers(self, where: str) -> list[str]:
        return self._template(_CONTAINERS, "pod", self._pod(where))

    def ports(self, where: str, typed: str) -> list[str]:
        """LOCAL:REMOTE of a pod's containers or of a service."""
        kind, slash, name = where.partition("/")
        local = typed.split(":", 1)[0]
        if slash and kind in ("service", "services", "svc"):
            local = local if typed else "{{ .port }}"
            return self._template(f"{{{{ range .spec.ports }}}}{local}:{{{{ .port }}}} {{{{ end }}}}", "service", name)
        local = local if typed else "{{ .containerPort }}"
        each = f"{{{{ range .ports }}}}{local}:{{{{ .containerPort }}}} {{{{ end }}}}"
        return self._template(f"{{{{ range .spec.containers }}}}{each}{{{{ end }}}}", "pod", self._pod(where))

    def copied(self, typed: str) -> list[tuple[str, str]]:
        """`cp`'s first word: a path, NAMESPACE/, NAMESPACE/POD: or POD: (kubectl pkg/cmd/cp)."""
        if (typed[:1] in ("/", ".", "~") and typed) or ":" in typed:
            return []
        namespace, slash, _ = typed.partition("/")
        if slash:
            template = "{{ range .items }}{{ .metadata.namespace }}/{{ .metadata.name }}: {{ end }}"
            return _matching(self._template(template, "pod", namespace=namespace), typed)
        found = [f"{name}/" for name in self.names("namespace") if name.startswith(typed)]
        found += [f"{name}:" for name in self.names("pod") if name.startswith(typed)]
        if not typed:
            return [(one, "") for one in (*found, "./", "/")]
        if found:
            import os

            with os.scandir() as entries:
                here = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
            found += [name for name in here if name.startswith(typed)]
        return [(one, "") for one in found]

    def names(self, kind: str) -> list[str]:
        """The objects of a type, or of several with commas between."""
        return self._template(_NAMES, kind)

    def _types(self, typed: str) -> list[str]:
        """The types that can be read, from the discovery cache; the last of several is what is being typed."""
        from kubetrace.commands.api_resources import COMMAND

        before, comma, last = typed.rpartition(",")
        types = self._output(COMMAND, (), cached=True, verbs=("get",), output="name").split()
        return [f"{before}{comma}{name}" for name in types if name.startswith(last)]

    def _pod(self, where: str) -> str:
        """The pod that a command takes for what was named: itself, or the best behind TYPE/NAME."""
        if "/" not in where:
            return where
        from kubetrace.api.builder import Request, build
        from kubetrace.api.metadata import text
        from kubetrace.api.pods_behind import attachable_pod
        from kubetrace.api.selection import Selection

        try:
            environment = self.environment
            selection = Selection()
            selection.add_arguments((where,))
            request = Request(
                selection, namespace=environment.namespace, default_namespace=True, continue_on_error=True
            )
            (info,) = build(environment.cluster, request).infos()
            return text(attachable_pod(environment.cluster, info.object or {}, _POD_TIMEOUT), "name")
        except KubetraceError:
            return ""

    def _template(self, template: str, *words: str, namespace: str = "") -> list[str]:
        from kubetrace.commands.get import COMMAND

        found = self._output(COMMAND, words, namespace, template=template, output="go-template", server_print=False)
        return [name for name in found.split(" ") if name]

    def _output(self, command: Command, words: tuple[str, ...], namespace: str = "", **options: object) -> str:
        """What a command writes, as far as it gets."""
        from kubetrace.environment import Environment

        outer = self.environment
        out, err = io.StringIO(), io.StringIO()
        inner = Environment(
            replace(outer.streams, stdout=out, stderr=err),
            outer.environ,
            replace(outer.options, namespace=namespace or outer.options.namespace),
            outer.own,
            outer.preferences,
        )
        inner.command_path = ("__complete",)
        inner.__dict__["events"] = outer.events  # its calls are this run's
        try:
            command.run(inner, command.options(**options), Arguments(("__complete",), words))
        except KubetraceError:
            pass
        finally:
            inner.close()
        return out.getvalue()

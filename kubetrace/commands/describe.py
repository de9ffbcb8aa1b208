"""`describe`: objects in detail (kubectl pkg/cmd/describe; the descriptions are `kubetrace.printing.describe`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Request, Result
    from kubetrace.api.related import Related
    from kubetrace.environment import Environment


class DescribeOptions(Value):
    all_namespaces: bool = flag(
        False, "A", help="Describe objects of every namespace; the current one and --namespace count for nothing."
    )
    chunk_size: int = flag(500, help="Fetch long lists in pages of this many objects; 0 fetches all at once.")
    filename: tuple[str, ...] = flag(
        (), "f", help="Files, folders or URLs whose manifests name the objects.", completion="ext:json,yaml,yml"
    )
    kustomize: str = flag("", "k", help="A kustomization folder, in place of -f and -R.")
    recursive: bool = flag(False, "R", help="Look for manifests in the folders below those of -f, too.")
    selector: str = flag("", "l", help="Only objects whose labels match, with '=', '==', '!=', 'in' and 'notin'.")
    show_events: bool = flag(True, help="Show the events of each object (several objects: only if this is given).")


def run(environment: Environment, options: DescribeOptions, arguments: Arguments) -> None:
    _ = environment.namespace  # a bad kubeconfig is told first
    if not arguments.words and not options.filename and not options.kustomize:
        raise KubetraceError(
            "You must specify the type of resource to describe. "
            'Use "kubetrace api-resources" for a complete list of supported resources.'
        )
    _Run(environment, options, arguments).describe()


class _Run:
    def __init__(self, environment: Environment, options: DescribeOptions, arguments: Arguments) -> None:
        self._environment = environment
        self._options = options
        self._arguments = arguments

    def describe(self) -> None:
        """Each object once; errors that repeat are told once, at the end."""
        from kubetrace.api.aggregates import AggregateError
        from kubetrace.api.status import is_not_found

        words = self._arguments.words
        result = self._build(words, continues=True)
        infos: list[Info] = []
        failure: KubetraceError | None = None
        try:
            result.visit(infos.append)
        except KubetraceError as error:
            failure = error
        if failure is not None and is_not_found(failure) and len(words) == 2:
            self._describe_by_prefix(failure, words[0], words[1])
            return
        related = self._related(failure is None and len(infos) <= 1)
        errors = [failure] if failure is not None else []
        self._print(infos, related, errors)
        if not infos and not errors:
            where = "" if self._options.all_namespaces else f" in {self._environment.namespace} namespace."
            self._environment.stderr.write(f"No resources found{where}\n")
        if errors:
            raise AggregateError(errors)  # even of one: what is told of an aggregate in it has no "error: "

    def _print(self, infos: list[Info], related: Related, errors: list[KubetraceError]) -> None:
        known = set()
        first = True
        for info in infos:
            self._environment.make_client()
            try:
                text = self._text(info, related)
            except KubetraceError as error:
                if str(error) not in known:
                    errors.append(error)
                    known.add(str(error))
                continue
            self._environment.stdout.write(text if first else f"\n\n{text}")
            first = False

    def _describe_by_prefix(self, not_found: KubetraceError, kind: str, prefix: str) -> None:
        """Where no object has the name, those whose names begin with it (DescribeMatchingResources)."""
        result = self._build((kind,), continues=False)
        result.only_mapping()
        self._environment.make_client()
        related = self._related(False)
        matching = [info for info in result.infos() if info.name.startswith(prefix)]
        if not matching:
            raise not_found
        for info in matching:
            self._environment.stdout.write(self._text(info, related) + "\n")

    def _text(self, info: Info, related: Related) -> str:
        import time

        from kubetrace.printing.describe import describe

        assert info.mapping is not None
        return describe(related, info.mapping, info.namespace, info.name, time.time())

    def _related(self, single: bool) -> Related:
        """With events where they were asked for, or nothing was said and there is one object to describe."""
        from kubetrace.api.related import Related

        events = self._options.show_events and (single or self._arguments.changed("show_events"))
        return Related(self._environment.cluster.objects, events, self._options.chunk_size)

    def _build(self, words: tuple[str, ...], *, continues: bool) -> Result:
        from kubetrace.api.builder import Request, build
        from kubetrace.api.selection import Selection

        selection = Selection()
        request = Request(
            selection,
            namespace=self._environment.namespace,
            default_namespace=True,
            chunk_size=self._options.chunk_size,
            flatten=True,
            single_resource_type=not continues,
            continue_on_error=continues,
        )
        if continues:
            request = self._with_sources(request)
        selection.add_arguments(words, allow_empty_selector=True)
        return build(self._environment.cluster, request)

    def _with_sources(self, request: Request) -> Request:
        """What the flags select besides: manifests, labels, namespaces."""
        from kubetrace.value import replace

        options, environment = self._options, self._environment
        request.selection.add_selectors(options.selector, "")
        if options.all_namespaces:
            request = replace(request, namespace="", all_namespaces=True)
        if not options.filename and not options.kustomize:
            return request
        from kubetrace.commands.selecting import file_documents

        documents, _ = file_documents(environment, options, request.selection)
        enforced = environment.namespace_given and not options.all_namespaces
        return replace(request, documents=documents, enforce_namespace=enforced)


COMMAND = Command(
    run=run,
    options=DescribeOptions,
    may_take_long=True,
    words="resources",
    usage="describe (-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME) [options]",
    description="""
    Show what an object is, what belongs to it, and what happened to it.

    Several calls are made: for the object, for objects that belong to it, for its events. Where no object of the type
    has the name, every object whose name begins with it is described.

    Use "kubetrace api-resources" for the types that the server knows.
    """,
    examples="""
    # A node, a pod
    kubetrace describe nodes worker-1
    kubetrace describe pods/web

    # The object of a manifest
    kubetrace describe -f pod.json

    # Every pod, those with a label
    kubetrace describe pods
    kubetrace describe pods -l name=web

    # Every pod that a controller named "front" made
    kubetrace describe pods front
    """,
)

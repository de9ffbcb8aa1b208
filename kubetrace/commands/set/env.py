"""`set env`: environment variables of containers, set, listed and removed (kubectl pkg/cmd/set/set_env.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.set.changes import SetOptions
from kubetrace.commands.set.pod_changes import containers
from kubetrace.commands.shared_options import selector
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubetrace.commands.set.variables import Wanted
    from kubetrace.commands.writing import DryRun
    from kubetrace.environment import Environment


class EnvOptions(SetOptions):
    containers: str = containers()
    env: tuple[str, ...] = flag((), "e", kind="array", help="A variable to set (KEY=VALUE) or to remove (KEY-).")
    from_: str = flag("", name="from", help="Secret or config map whose keys become variables (secret/NAME).")
    keys: tuple[str, ...] = flag((), help="Only these of its keys.")
    list: bool = flag(False, help="Print the variables, changes included; nothing is sent.")
    overwrite: bool = flag(True, help="Change variables that are set already; if false, that is an error.")
    prefix: str = flag("", help="Put this before the variables' names.")
    resolve: bool = flag(False, help="With --list: print what is behind references, too.")
    selector: str = selector()


def run(environment: Environment, options: EnvOptions, arguments: Arguments) -> None:
    from kubetrace.commands import writing
    from kubetrace.commands.selecting import check_all, load_namespace, select
    from kubetrace.commands.set.changes import Changes, looked_up
    from kubetrace.commands.set.variables import parse, split_words

    check_all(options.all, options.selector)
    objects, specs = split_words(arguments.words)
    strategy = writing.dry_run(environment, options.dry_run)
    printer = writing.object_printer(environment, options, strategy.mark("env updated"))
    environment.make_client()
    load_namespace(environment)
    _check(options, strategy, objects)
    wanted = parse((*options.env, *specs), environment.stdin.read)
    if options.from_:
        wanted = _with_source(environment, options, wanted)
    if options.prefix:
        wanted = wanted.prefixed(options.prefix)
    how = looked_up(options.all, options.local, options.selector)
    found = select(environment, options, objects, how).infos()

    def check_sent() -> None:
        """kubectl, too, says so when it is done."""
        if not wanted.new and not specs:
            raise KubetraceError("at least one environment variable must be provided")

    failure = "failed to patch env update to pod template: "
    changes = Changes(environment, options, strategy, printer, failure, check_sent=check_sent)
    change = Change(environment, options, wanted)
    if options.list:
        changes.patches(found, change.apply)
    else:
        changes.make(found, change.apply, [])


def _check(options: EnvOptions, strategy: DryRun, objects: Sequence[str]) -> None:
    """Raises KubetraceError for what kubectl refuses (EnvOptions.Validate)."""
    from kubetrace.commands.writing import check_local

    check_local(options.local, strategy)
    if not options.filename and not objects:
        raise KubetraceError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if options.list and options.output:
        raise KubetraceError("--list and --output may not be specified together")
    if options.keys and not options.from_:
        raise KubetraceError("when specifying --keys, a configmap or secret must be provided with --from")


def _with_source(environment: Environment, options: EnvOptions, wanted: Wanted) -> Wanted:
    """With what --from names."""
    from kubetrace.commands.selecting import select
    from kubetrace.commands.set.changes import looked_up
    from kubetrace.commands.set.variables import of_source
    from kubetrace.value import replace

    how = looked_up(options.all, options.local, options.selector)
    new = list(wanted.new)
    for info in select(environment, options, (options.from_,), how).infos():
        assert info.object is not None
        new += of_source(info.object, options.keys, environment.warn)
    return replace(wanted, new=tuple(new))


class Change(Value):
    """What happens to each object."""

    environment: Environment
    options: EnvOptions
    wanted: Wanted

    def apply(self, value: dict[str, Any]) -> None:
        """Changes the object's containers, and lists their variables where that is asked for. Raises KubetraceError."""
        from kubetrace.api.go_words import quoted
        from kubetrace.api.metadata import text
        from kubetrace.commands.set.pod_changes import matching, pod_spec

        spec = pod_spec(value)
        pattern = self.options.containers
        chosen = matching(spec, pattern)
        if not chosen:
            name = f"{_kind(value)}/{text(value, 'name')}"
            self.environment.warn(f"{name} does not have any containers matching {quoted(pattern)}")
            return
        resolved = True
        for container in chosen:
            variables = container.get("env") or []
            if not self.options.overwrite:
                self.wanted.check_overwriting(variables)
            container["env"] = self.wanted.update(variables)
            if self.options.list:
                resolved = self._list(value, container) and resolved
        if not resolved:
            raise KubetraceError("failed to retrieve valueFrom references")

    def _list(self, value: dict[str, Any], container: dict[str, Any]) -> bool:
        """Prints a container's variables; False where a reference can't be resolved."""
        from kubetrace.api.metadata import text
        from kubetrace.commands.set.references import References, described

        out = self.environment.stdout
        references = References(self.environment, value, container)
        problems: dict[str, list[str]] = {}
        out.write(f"# {_kind(value)} {text(value, 'name')}, container {container.get('name') or ''}\n")
        for variable in container["env"]:
            name, source = variable.get("name") or "", variable.get("valueFrom")
            if source is None:
                out.write(f"{name}={variable.get('value') or ''}\n")
                continue
            if self.options.resolve:
                try:
                    out.write(f"{name}={references.resolve(source)}\n")
                    continue
                except KubetraceError as error:
                    problems.setdefault(str(error), []).append(name)
            out.write(f"# {name} from {described(source)}\n")
        self._tell(problems)
        return not problems

    def _tell(self, problems: dict[str, list[str]]) -> None:
        lines = (
            f"error retrieving reference for {', '.join(sorted(names))}: {problem}\n"
            for problem, names in problems.items()
        )
        self.environment.stdout.flush()
        for line in sorted(lines):
            self.environment.stderr.write(line)


def _kind(value: dict[str, Any]) -> str:
    """What an object calls itself; an item of a typed list need not say it."""
    from kubetrace.wire.go_struct import struct_of

    return str(value.get("kind") or struct_of(value)[1])


COMMAND = Command(
    run=run,
    options=EnvOptions,
    usage="set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
    description="""
    Set, list and remove environment variables of containers, in pods and in objects that have a pod template.

    KEY=VALUE sets a variable, KEY- removes one, and "-" reads lines of the form KEY=VALUE from standard input. --from
    makes variables of the keys of a secret or config map.
    """,
    examples="""
    # A variable of a deployment's pods
    kubetrace set env deployment/web STORAGE_DIR=/local

    # Which variables there are, with what references stand for
    kubetrace set env deployment/web --list --resolve

    # Those of a secret, each with a prefix
    kubetrace set env --from=secret/mysql --prefix=MYSQL_ deployment/web

    # One key of a config map
    kubetrace set env --keys=colour --from=configmap/settings deployment/web

    # Without the variable, in one container of all deployments
    kubetrace set env deployments --all --containers=server MODE-

    # Variables of this shell
    env | grep RAILS_ | kubetrace set env -e - deployment/web
    """,
)

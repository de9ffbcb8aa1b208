"""The Typer application: which command argv means, its options, one run, one exit code.

Typer carries the command tree and the context; the grammar of the flags is pflag's (`kubetrace.cmdline`), because
that is what kubectl's users type. Commands come from a lazy table (`kubetrace.commands.table`): a command's module is
imported when it runs.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import errno
import os
from collections.abc import Mapping, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from kubetrace.cmdline.command import PROGRAM, Arguments, Command, Entry, HelpHintError
from kubetrace.cmdline.find import UnknownCommandError, completion_request, find
from kubetrace.cmdline.flags import BoundFlag, bind
from kubetrace.cmdline.global_options import GLOBAL_FLAGS, KUBECTL_FLAGS, OWN_FLAGS, GlobalOptions, OwnOptions
from kubetrace.cmdline.help import command_help, root_help
from kubetrace.cmdline.parser import FlagError, FlagSet, Parsed, build
from kubetrace.commands.table import ROOT
from kubetrace.environment import Environment
from kubetrace.errors import KubetraceError, PlainError, PlanEnd, UsageError
from kubetrace.streams import silence
from kubetrace.value import replace


class LazyCommand(TyperCommand):
    """One row of the table as a Typer command: its module is imported when it is called."""

    def __init__(self, path: tuple[Entry, ...], called_as: str, presets: Mapping[str, str]) -> None:
        super().__init__(name=path[-1].name if path else PROGRAM, add_help_option=False, rich_markup_mode=None)
        self.path = path
        self.called_as = called_as
        self.presets = presets

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """pflag's grammar in place of Typer's; the context keeps what was parsed."""
        command = self.path[-1].load() if self.path else None
        names = tuple(entry.name for entry in self.path)
        flags = bind(command.options) if command else ()
        try:
            parsed = FlagSet((*GLOBAL_FLAGS, *flags)).parse(args, self.presets)
        except FlagError as error:
            raise _flag_error(str(error), names, command) from None
        ctx.params = {"command": command, "parsed": parsed, "flags": flags, "names": names}
        ctx.args = parsed.words
        return parsed.words

    def invoke(self, ctx: Any) -> int:
        environment: Environment = ctx.obj
        command: Command | None = ctx.params["command"]
        parsed: Parsed = ctx.params["parsed"]
        own = {flag.name for flag in ctx.params["flags"]}  # a command's own flag hides the global one
        environment.options = build(GlobalOptions, [f for f in KUBECTL_FLAGS if f.name not in own], parsed.values)
        environment.own = build(OwnOptions, OWN_FLAGS, parsed.values)
        environment.command_path = ctx.params["names"]
        for line in parsed.deprecations:
            environment.stderr.write(line + "\n")
        if parsed.help or command is None:
            environment.own = replace(environment.own, plan=False)
            return self._help(environment, command, parsed)
        _check_required(ctx.params["flags"], parsed)
        _check_own_options(environment)
        arguments = Arguments(
            ctx.params["names"], tuple(parsed.words), frozenset(parsed.values), parsed.dash, self.called_as
        )
        options = build(command.options, ctx.params["flags"], parsed.values)
        if _signal.getsignal(_signal.SIGINT) == _signal.SIG_DFL:  # as __main__ left it: now there is a command to tell
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        run = _planned if environment.own.plan else _run
        return run(environment, command, options, arguments)

    def _help(self, environment: Environment, command: Command | None, parsed: Parsed) -> int:
        """--help, or a mere group that was called: its help, or kubectl's word on an unknown subcommand."""
        bare = self.path[-1].bare if self.path else "help"
        if not parsed.help and parsed.words and bare != "help":
            names = " ".join((PROGRAM, *(entry.name for entry in self.path)))
            raise PlainError(
                f"error: unknown command \"{' '.join(parsed.words)}\"\nSee '{names} -h' for help and examples"
            )
        width = environment.help_width
        if not self.path:
            environment.stdout.write(root_help(ROOT, width))
            return 0
        text = command_help(self.path, command, width)
        if parsed.help or bare == "help":
            environment.stdout.write(text)
            return 0
        (environment.stderr if bare == "error" else environment.stdout).write(text)  # kubectl's DefaultSubCommandRun
        return 1


def _check_required(flags: Sequence[BoundFlag], parsed: Parsed) -> None:
    """cobra's ValidateRequiredFlags."""
    missing = sorted(flag.name for flag in flags if flag.flag.required and flag.field not in parsed.values)
    if missing:
        raise KubetraceError("required flag(s) {} not set".format(", ".join(f'"{name}"' for name in missing)))


def _flag_error(message: str, names: tuple[str, ...], command: Command | None) -> UsageError:
    """kubectl's templater.FlagErrorFunc; `options` and `diff` have words of their own."""
    if command is not None and command.error_exit != 1:
        hint: UsageError = HelpHintError(message, " ".join((PROGRAM, *names)))
        hint.exit_code = command.error_exit
        return hint
    if names == ("options",):
        return UsageError(f"{message}\nRun '{PROGRAM} options' without flags.")
    return UsageError(message, " ".join((PROGRAM, *names)))


_WITHOUT_PLAN = frozenset(
    {
        *("alpha", "completion", "config", "kuberc", "kustomize", "options", "plugin"),
        *("playground", "proxy", "token", "trace", "wrap"),
    }
)
"""Commands that send no requests of their own, or only others'."""


def _planned(environment: Environment, command: Command, options: object, arguments: Arguments) -> int:
    """--plan: the command's walk without its writes; its own output is none."""
    if arguments.path[0] in _WITHOUT_PLAN:
        raise KubetraceError(f"--plan shows a command's requests, and {arguments.command_path} has none of its own")
    try:
        return _run(environment, command, options, arguments)
    except PlanEnd:
        return 0
    except KubetraceError:
        if environment.plan.assumes:
            environment.stderr.write("With the answers that the plan assumes, the command would end so:\n")
        raise
    finally:
        environment.plan_observer.close()
        environment.streams.stdout.flush()


def _run(environment: Environment, command: Command, options: object, arguments: Arguments) -> int:
    if command.may_take_long:
        environment.show_progress()
    if environment.options.profile == "none":
        code = command.run(environment, options, arguments) or 0
    else:
        from kubetrace.cmdline.profiling import profiling

        with profiling(environment.options.profile, environment.options.profile_output):
            code = command.run(environment, options, arguments) or 0
    if environment.options.warnings_as_errors and environment.warnings and code == 0:
        plural = "" if environment.warnings == 1 else "s"
        raise KubetraceError(f"{environment.warnings} warning{plural} received")
    return code


def _check_own_options(environment: Environment) -> None:
    if environment.own.color not in ("auto", "always", "never"):
        raise KubetraceError(f'--color must be "auto", "always" or "never", not "{environment.own.color}"')
    if environment.own.lang:
        from kubetrace.trace.sentences import LANGUAGES, spoken

        if spoken(environment.own.lang) is None:
            known = " and ".join(LANGUAGES)
            environment.stderr.write(f'warning: --lang "{environment.own.lang}" is not known ({known} are): English\n')
    if environment.own.trace or environment.own.trace_bodies != "256KiB":
        from kubetrace.trace.record_file import parse_bodies

        parse_bodies(environment.own.trace_bodies)
        _ = environment.own.trace and environment.recorder  # a file that cannot be written ends the command here
    if environment.own.like or environment.environ.get("KUBETRACE_LIKE"):
        from kubetrace.trace.dialects import parse_like

        parse_like(environment.like)


def _apply_kuberc(environment: Environment, args: list[str]) -> tuple[list[str], Mapping[str, str]]:
    """The user's preferences, before anything is parsed: the command line they make of argv, and the texts of flags
    that it leaves out. Without a file (nearly always) this costs one look at the file system."""
    named = environment.environ.get("KUBERC") or any(argument.startswith("--kuberc") for argument in args)
    default = f"{environment.environ.get('HOME', '')}/.kube/kuberc"
    if not named and not os.path.exists(default):  # noqa: PTH110 (pathlib takes longer to load)
        return args, {}
    from kubetrace.cmdline import kuberc

    preferences = kuberc.load(args, environment.environ, environment.home, environment.stderr.write)
    if preferences is None:
        return args, {}
    environment.preferences = preferences
    applied = preferences.apply(
        args, lambda words: find(ROOT, words, GLOBAL_FLAGS), GLOBAL_FLAGS, environment.stderr.write
    )
    return applied.argv, applied.presets


def _try_plugin(environment: Environment, args: list[str], least_words: int) -> None:
    """Becomes the plugin that argv names; returns where there is none."""
    from kubetrace.cmdline.plugins import find_plugin, run_plugin

    found = find_plugin(args, environment.environ, least_words)
    if found is not None:
        environment.stdout.flush()
        try:
            run_plugin(*found, environment.environ)
        except OSError as error:
            raise PlainError(f"Error: {(error.strerror or str(error)).lower()}") from None


class LazyGroup(TyperGroup):
    """The root: finds the command as cobra does (flags may stand before it) and makes just that one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [child.name for child in ROOT.children]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] == ["help"]:
            args = self._help_arguments(args[1:])
        if (request := completion_request(args)) is not None:
            ctx.params = {"described": request[0] == "__complete"}
            ctx.args = request[1:]
            return request[1:]
        args, presets = _apply_kuberc(ctx.obj, args)
        try:
            path, rest, called_as = find(ROOT, args, GLOBAL_FLAGS)
        except UnknownCommandError:
            _try_plugin(ctx.obj, args, 1)
            raise
        if path and path[-1].name == "create" and rest and not rest[0].startswith("-"):
            _try_plugin(ctx.obj, args, len(args) - len(rest) + 1)
        ctx.params = {"command": LazyCommand(path, called_as, presets)}
        ctx.args = rest
        return rest

    def invoke(self, ctx: Any) -> Any:
        if "described" in ctx.params:
            from kubetrace.commands.complete import complete

            return complete(ctx.obj, ROOT, ctx.args, described=ctx.params["described"])
        command: LazyCommand = ctx.params["command"]
        with command.make_context(command.name, list(ctx.args), parent=ctx) as child:
            return command.invoke(child)

    @staticmethod
    def _help_arguments(words: list[str]) -> list[str]:
        """`help COMMAND` is `COMMAND --help`; an unknown topic is named, then the root's help follows."""
        if not words:
            return ["--help"]
        if ROOT.child(words[0]) is None:
            raise PlainError(f"Unknown help topic [{' '.join(f'`{word}`' for word in words)}]\n" + root_help(ROOT), 0)
        return [*words, "--help"]


app = LazyGroup(name=PROGRAM, help="kubectl's commands, and the HTTP calls they make.", rich_markup_mode=None)


def main(argv: Sequence[str], environment: Environment | None = None) -> int:
    """Runs one command line and returns its exit code, or the signal that ended it as a negative number; the only
    place that turns errors into text."""
    own_process = environment is None
    environment = environment or Environment.standard()
    environment.argv = tuple(argv)
    try:
        code = _invoke(list(argv), environment)
        environment.stdout.flush()
        return code
    except KubetraceError as error:
        return _report(environment, error)
    except KeyboardInterrupt:
        return -2  # SIGINT
    except BrokenPipeError:
        if own_process:
            silence(1)
        return -13  # SIGPIPE
    except OSError as error:
        return _report(environment, KubetraceError(_os_words(error)))
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        # An answer or a file of a shape that nobody thought of: one line, and nothing of the user's data in it.
        if environment.debug:
            raise
        return _report(environment, KubetraceError(f"unexpected input: {type(error).__name__}{_where(error)}"))
    finally:
        environment.close()


def _invoke(argv: list[str], environment: Environment) -> int:
    with app.make_context(PROGRAM, argv, obj=environment) as ctx:
        code: int = app.invoke(ctx) or 0
        return code


def _report(environment: Environment, error: KubetraceError) -> int:
    """stdout first, so that both streams keep their order in one terminal; then the error's lines."""
    try:
        environment.stdout.flush()
    except (BrokenPipeError, OSError):
        silence(1)
    if "events" in environment.__dict__ and environment.events.active:
        from kubetrace.api.aggregates import debug_notes

        for note in debug_notes(error):
            environment.events.emit(note)
    text = "\n".join(error.lines())
    if text and error.exit_code and environment.ends_log_with(text):
        return 255
    if text:
        if "masker" in environment.__dict__:
            text = environment.masker.text(text)
        if environment.stderr.isatty():
            from kubetrace.trace.terminal import visible

            text = visible(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
        _say(environment, text if text.endswith("\n") else text + "\n")
    return error.exit_code


def _say(environment: Environment, text: str) -> None:
    """The last words; on a full or closed stderr they are lost, the exit code is not."""
    try:
        environment.stderr.write(text)
        environment.stderr.flush()
    except OSError:
        silence(2)


def _where(error: Exception) -> str:
    """The place in the code that stumbled, for a bug report."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""  # noqa: PTH119


def _os_words(error: OSError) -> str:
    """Go's words for the one failure that names no file: stdout could not be written."""
    if error.filename:
        return f"{error.strerror or error}: {error.filename}"
    if error.errno == errno.ENOSPC:
        return "write /dev/stdout: no space left on device"
    return str(error.strerror or error)

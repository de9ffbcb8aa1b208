"""`__complete`: what the shell's completion scripts ask (cobra's protocol, kubectl pkg/util/completion).

Answers one candidate a line, as VALUE or VALUE<tab>DESCRIPTION, and last a colon and a sum of directives: 1 error,
2 no blank after the word, 4 no file names, 8 only files with the listed extensions, 16 only folders.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command, Entry
from kubetrace.cmdline.find import find
from kubetrace.cmdline.flags import BoundFlag, bind
from kubetrace.cmdline.global_options import KUBECTL_FLAGS, OWN_FLAGS, GlobalOptions, OwnOptions
from kubetrace.cmdline.parser import FlagSet, Parsed, build
from kubetrace.errors import KubetraceError
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_ERROR, _NO_SPACE, _NO_FILES, _EXTENSIONS, _FOLDERS, _DEFAULT = 1, 2, 4, 8, 16, 0
_NAMES = {
    _DEFAULT: "ShellCompDirectiveDefault",
    _ERROR: "ShellCompDirectiveError",
    _NO_SPACE: "ShellCompDirectiveNoSpace",
    _NO_FILES: "ShellCompDirectiveNoFileComp",
    _NO_SPACE | _NO_FILES: "ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp",
    _EXTENSIONS: "ShellCompDirectiveFilterFileExt",
    _FOLDERS: "ShellCompDirectiveFilterDirs",
}

Answer = tuple[Sequence[tuple[str, str]], int]
"""Candidates with their descriptions, and a directive."""


def complete(environment: Environment, root: Entry, argv: list[str], described: bool) -> int:
    """Answers for argv, whose last element is the word at the cursor."""
    try:
        candidates, directive = _candidates(environment, root, argv or [""])
    except KubetraceError:
        candidates, directive = (), _ERROR
    for value, description in candidates:
        environment.stdout.write(f"{value}\t{description}\n" if described and description else f"{value}\n")
    environment.stdout.write(f":{directive}\n")
    environment.stdout.flush()
    environment.stderr.write(f"Completion ended with directive: {_NAMES[directive]}\n")
    return 0


def _candidates(environment: Environment, root: Entry, argv: list[str]) -> Answer:
    *before, word = argv
    path, rest, _ = find(root, before, (*KUBECTL_FLAGS, *OWN_FLAGS))
    here = path[-1] if path else root
    command = here.load() if path else None
    own = bind(command.options) if command else ()
    flags = FlagSet((*KUBECTL_FLAGS, *OWN_FLAGS, *own))
    flag, prefix, value = _flag_in_question(flags, rest, word)
    if flag is not None and not prefix:
        rest = rest[:-1]
    parsed = _lenient(flags, rest)
    environment.options = build(GlobalOptions, KUBECTL_FLAGS, parsed.values)
    environment.own = build(OwnOptions, OWN_FLAGS, parsed.values)
    if flag is not None and flag.flag.completion == "container":
        return _containers(environment, parsed.words, value)
    if flag is not None:
        return _flag_value(environment, flag, value)
    if word.startswith("-") and parsed.dash is None:
        return _flag_names(flags, word)
    found = [] if parsed.words else [(c.name, c.summary) for c in _visible(here) if c.name.startswith(word)]
    if command is None:
        return found, _NO_FILES
    more, directive = _words(environment, command, parsed, word)
    return [*found, *more], directive


def _visible(entry: Entry) -> list[Entry]:
    return [c for c in sorted(entry.children, key=lambda c: c.name) if not (c.hidden or c.pending)]


def _flag_in_question(flags: FlagSet, rest: list[str], word: str) -> tuple[BoundFlag | None, bool, str]:
    """The flag whose value is being typed, whether it stands in the same word (--flag=value), and what is typed."""
    if word.startswith("-") and "=" in word:
        name, _, value = word.partition("=")
        flag = flags.named(name[2:]) if name.startswith("--") else flags.by_shorthand.get(name[-1:])
        return flag, True, value
    last = rest[-1] if rest else ""
    if "--" in rest or "=" in last or not last.startswith("-") or last == "-":
        return None, False, ""
    flag = flags.named(last[2:]) if last.startswith("--") else flags.by_shorthand.get(last[-1:])
    return (flag, False, word) if flag is not None and flag.bare is None else (None, False, "")


def _lenient(flags: FlagSet, argv: list[str]) -> Parsed:
    """What can be parsed of an unfinished command line."""
    while True:
        try:
            return flags.parse(argv)
        except KubetraceError:
            if not argv:
                return Parsed()
            argv = argv[:-1]


def _flag_names(flags: FlagSet, word: str) -> Answer:
    shown = sorted((f for f in flags.by_name.values() if not f.flag.deprecated), key=lambda f: f.name)
    found: list[tuple[str, str]] = []
    for flag in shown:
        for spelling in (f"--{flag.name}", f"-{flag.shorthand}" if flag.shorthand else ""):
            if spelling and spelling.startswith(word):
                found.append((spelling, flag.flag.help))
    return found, _NO_FILES


def _flag_value(environment: Environment, flag: BoundFlag, word: str) -> Answer:
    kind = flag.flag.completion
    if kind.startswith("ext:"):
        return [(extension, "") for extension in kind[4:].split(",")], _EXTENSIONS
    if kind == "dir":
        return [], _FOLDERS
    if kind in ("", "file"):
        return [], _DEFAULT
    if kind == "namespace":
        return _matching(_object_names(environment, "namespaces"), word), _NO_FILES
    return _matching(_named(environment, kind), word), _NO_FILES


def _words(environment: Environment, command: Command, parsed: Parsed, word: str) -> Answer:
    if command.words == "resources":
        return _resources(environment, parsed.words, word, lambda: _types(environment))
    if command.words.startswith("resources:"):
        return _resources(environment, parsed.words, word, command.words[10:].split(",").copy)
    if not command.words:
        return [], _DEFAULT
    if command.words in ("pods", "pods containers"):
        return _pods(environment, command, parsed.words, word)
    if command.words.startswith("names:"):
        names = [] if parsed.words else _object_names(environment, command.words[6:])
        return _matching(names, word), _NO_FILES
    return ([] if parsed.words else _matching(_named(environment, command.words), word)), _NO_FILES


def _pods(environment: Environment, command: Command, words: list[str], word: str) -> Answer:
    """POD or TYPE/NAME, then, where the command takes it as a word, its container."""
    from kubetrace.commands.complete_pods import pods_and_types

    if not words:
        found, alone = pods_and_types(lambda kind: _object_names(environment, kind), word)
        return _matching(found, ""), _NO_FILES | (_NO_SPACE if alone else 0)
    if len(words) == 1 and command.words == "pods containers":
        return _containers(environment, words, word)
    return [], _NO_FILES


def _containers(environment: Environment, words: list[str], word: str) -> Answer:
    from kubetrace.commands.complete_pods import containers

    return _matching(containers(environment, words, word), ""), _NO_FILES


def _named(environment: Environment, kind: str) -> Iterable[str]:
    """Names that need no server: listed ones, or those of the kubeconfig."""
    if kind.startswith("="):
        return kind[1:].split(",")
    sections = environment.kubeconfig.sections
    return {"context": sections.contexts, "cluster": sections.clusters, "user": sections.users}[kind]


def _matching(names: Iterable[str], word: str) -> list[tuple[str, str]]:
    return [(name, "") for name in names if name.startswith(word)]


def _resources(environment: Environment, words: list[str], word: str, types: Callable[[], list[str]]) -> Answer:
    """TYPE, TYPE,TYPE, TYPE NAME… or TYPE/NAME… (ResourceTypeAndNameCompletionFunc)."""
    if words and "/" not in words[0]:
        if "," in words[0]:
            return [], _NO_FILES
        names = (name for name in _object_names(environment, words[0]) if name not in words[1:])
        return _matching(names, word), _NO_FILES
    kind, slash, _ = word.partition("/")
    if slash:
        found = (f"{kind}/{n}" for n in _object_names(environment, kind))
        return _matching((n for n in found if n not in words), word), _NO_FILES
    if words:
        return [(f"{t}/", "") for t in types() if t.startswith(word)], _NO_SPACE | _NO_FILES
    done, comma, last = word.rpartition(",")
    return [(f"{done}{comma}{t}", "") for t in types() if t.startswith(last)], _NO_FILES


def _types(environment: Environment) -> list[str]:
    """The types that can be read, from the discovery cache (api-resources --cached --verbs=get -o name)."""
    from kubetrace.commands.api_resources import COMMAND

    return _output(environment, COMMAND, (), cached=True, verbs=("get",), output="name")


def _object_names(environment: Environment, kind: str) -> list[str]:
    from kubetrace.commands.get import COMMAND

    return [line.rpartition("/")[2] for line in _output(environment, COMMAND, (kind,), output="name")]


def _output(environment: Environment, command: Command, words: tuple[str, ...], **options: object) -> list[str]:
    """A command's output lines; nothing where it fails: completion never complains."""
    from kubetrace.environment import Environment

    out, err = io.StringIO(), io.StringIO()
    streams = replace(environment.streams, stdout=out, stderr=err)
    inner = Environment(streams, environment.environ, environment.options, environment.own, environment.preferences)
    inner.command_path = ("__complete",)
    try:
        command.run(inner, command.options(**options), Arguments(("__complete",), words))
    except KubetraceError:
        return []
    finally:
        inner.close()
    return out.getvalue().split()

"""kuberc: a user's preferences, which give commands aliases and flags other defaults (kubectl pkg/kuberc).

The file is $KUBERC, --kuberc, or ~/.kube/kuberc; KUBERC=off and KUBECTL_KUBERC=false turn it off. Without a
file, which is what nearly everybody has, a command pays one look at the file system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.find import UnknownCommandError
from kubetrace.cmdline.flags import BoundFlag, bind, parse_value
from kubetrace.errors import KubetraceError, PlainError, read_words
from kubetrace.value import Value, fresh
from kubetrace.wire.go_strconv import BadValue, go_quote, parse_bool

if TYPE_CHECKING:
    from kubetrace.cmdline.command import Entry

_GROUP, _VERSIONS, _KIND = "kubectl.config.k8s.io", ("v1alpha1", "v1beta1"), "Preference"
_FIELDS = {"apiVersion", "kind", "defaults", "aliases", "credentialPluginPolicy", "credentialPluginAllowlist"}
_POLICIES = ("", "AllowAll", "DenyAll", "Allowlist")


class KubercError(PlainError):
    """A preference cannot be applied; no command runs then."""

    def __init__(self, message: str) -> None:
        super().__init__(f"error occurred while applying preferences {message}")


Finder = Callable[[list[str]], "tuple[tuple[Entry, ...], list[str], str]"]
"""cobra's search over the command table."""


class Applied(Value):
    """What preferences made of a command line: the arguments, and flag texts for flags that they do not give."""

    argv: list[str]
    presets: Mapping[str, str] = fresh(dict)
    command: str = ""


class Preferences(Value):
    """One kuberc file's content, checked."""

    defaults: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[Mapping[str, Any], ...] = ()
    plugin_policy: str = ""
    plugin_allowlist: tuple[str, ...] = ()

    def apply(
        self, argv: list[str], find: Finder, global_flags: tuple[BoundFlag, ...], warn: Callable[[str], object]
    ) -> Applied:
        """argv with an alias replaced by its command, and the presets of the command that it names."""
        applied = self._alias(argv, find, global_flags, warn)
        return applied or self._with_defaults(argv, find, global_flags, warn)

    def _alias(
        self, argv: list[str], find: Finder, global_flags: tuple[BoundFlag, ...], warn: Callable[[str], object]
    ) -> Applied | None:
        try:
            find(argv)
            return None
        except KubetraceError:
            position = next((i for i, word in enumerate(argv) if not word.startswith("-")), len(argv))
        name = argv[position] if position < len(argv) else ""
        alias = next((a for a in self.aliases if a["name"] == name), None)
        if alias is None:
            return None
        words = str(alias.get("command", "")).split()
        try:
            path, _, _ = find(words)
        except KubetraceError:
            listed = " ".join(words)
            message = (
                f"command {go_quote(str(alias.get('command', '')))} not found to set alias {go_quote(name)}: [{listed}]"
            )
            raise KubercError(message) from None
        flags = {flag.name: flag for flag in (*global_flags, *_own_flags(path))}
        options = alias.get("options") or ()
        presets = _presets(options, flags, argv, "invalid alias flag %s in alias kubetrace", "alias")
        expanded = [
            *argv[:position],
            *words,
            *(alias.get("prependArgs") or ()),
            *argv[position + 1 :],
            *(alias.get("appendArgs") or ()),
        ]
        return Applied(expanded, presets, name)

    def _with_defaults(
        self, argv: list[str], find: Finder, global_flags: tuple[BoundFlag, ...], warn: Callable[[str], object]
    ) -> Applied:
        presets: dict[str, str] = {}
        try:
            path, _, _ = find(argv)
        except KubetraceError:
            return Applied(argv)
        for default in self.defaults:
            named = str(default.get("command", ""))
            try:
                target, _, _ = find(named.split())
            except UnknownCommandError:
                warn(f"Warning: command {go_quote(named)} not found to set kuberc override\n")
                continue
            if not path or not target or target[-1].name != path[-1].name:
                continue
            flags = {flag.name: flag for flag in (*global_flags, *_own_flags(path))}
            options = default.get("options") or ()
            presets |= _presets(options, flags, argv, f"invalid flag %s for command {named}", named)
        return Applied(argv, presets, path[-1].name if path else "")


def _own_flags(path: tuple[Entry, ...]) -> tuple[BoundFlag, ...]:
    command = path[-1].load() if path else None
    return bind(command.options) if command else ()


def _presets(
    options: Any, flags: Mapping[str, BoundFlag], argv: list[str], unknown: str, command: str
) -> dict[str, str]:
    presets: dict[str, str] = {}
    shorthands = {flag.shorthand for flag in flags.values() if flag.shorthand}
    for option in options:
        name, text = str(option.get("name", "")), str(option.get("default", ""))
        flag = flags.get(name)
        if flag is None:
            raise KubercError(unknown % name)
        if _is_given(flag, shorthands, argv):
            continue
        try:
            parse_value(flag, text)
        except BadValue as error:
            problem = f"invalid argument {go_quote(text)} for {go_quote(flag.label())} flag: {error}"
            raise KubercError(
                f"could not apply override value {text} to flag {name} in command {command} err: {problem}"
            ) from None
        presets[name] = text
    return presets


def _is_given(flag: BoundFlag, shorthands: set[str], argv: list[str]) -> bool:
    """Does argv give this flag, long, short or in a cluster of shorthands?"""
    for argument in argv:
        if argument == f"--{flag.name}" or argument.startswith(f"--{flag.name}="):
            return True
        if not flag.shorthand or not re.fullmatch(r"-[A-Za-z].*", argument):
            continue
        if argument[1] == flag.shorthand:
            return True
        if flag.shorthand in argument[1:] and all(letter in shorthands for letter in argument[1:]):
            return True
    return False


def load(argv: list[str], environ: Mapping[str, str], home: Path, warn: Callable[[str], object]) -> Preferences | None:
    """The preferences that count for this command line; None where there are none. Raises KubercError."""
    if not argv or _disabled(environ):
        return None
    flag, chosen = _explicit(argv), environ.get("KUBERC", "")
    if chosen == "off":
        if flag:
            raise KubercError(
                "kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are mutually exclusive"
            )
        return None
    explicit = flag or chosen
    path = explicit or str(home / ".kube" / "kuberc")
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as error:
        if explicit:
            raise KubercError(f"kuberc error kuberc: open {path}: no such file or directory") from error
        return None
    except OSError as error:
        _refuse(read_words(path, error), path, bool(explicit), warn)
        return None
    return _decode(data, path, bool(explicit), warn)


def _disabled(environ: Mapping[str, str]) -> bool:
    try:
        return not parse_bool(environ.get("KUBECTL_KUBERC", "true"))
    except BadValue:
        return False


def _explicit(argv: list[str]) -> str:
    for position, argument in enumerate(argv):
        if argument == "--":
            break
        if argument == "--kuberc" or argument.startswith("--kuberc="):
            _, equals, value = argument.partition("=")
            value = value if equals else (argv[position + 1] if position + 1 < len(argv) else "")
            if not value:
                raise KubercError("kuberc file is not found")
            return value
    return ""


def _refuse(message: str, path: str, explicit: bool, warn: Callable[[str], object]) -> None:
    """An explicit file must be good; a broken default one is only named."""
    if explicit:
        raise KubercError(f"kuberc error kuberc: {message}")
    warn(f"kuberc: no preferences loaded from {path}: {message}\n")


def _decode(data: bytes, path: str, explicit: bool, warn: Callable[[str], object]) -> Preferences | None:
    """The first document that is a Preference of a known version."""
    from kubetrace.wire.yaml_reader import InvalidYAML, loads

    attempted = False
    for document in re.split(rb"(?m)^---.*$", data):
        if not document.strip():
            continue
        attempted = True
        try:
            content = loads(document)
        except InvalidYAML:
            continue
        if not isinstance(content, dict) or not _is_preference(content):
            continue
        for unknown in sorted(set(content) - _FIELDS):
            problem = f"strict decoding error: unknown field {go_quote(unknown)}"
            warn(f"kuberc: ignoring strict decoding error in {path}: {problem}")
        return _checked(content)
    if attempted:
        _refuse(f"no valid preferences found in {path}, use --v=5 to see details", path, explicit, warn)
    return None


def _is_preference(content: Mapping[str, Any]) -> bool:
    group, _, version = str(content.get("apiVersion", "")).partition("/")
    lists = all(_is_object_list(content.get(key)) for key in ("defaults", "aliases", "credentialPluginAllowlist"))
    return group == _GROUP and version in _VERSIONS and content.get("kind") == _KIND and lists


def _is_object_list(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, list) and all(
        isinstance(item, dict) and _is_object_list(item.get("options")) for item in value
    )


def _checked(content: Mapping[str, Any]) -> Preferences:
    seen: set[str] = set()
    aliases, defaults = tuple(content.get("aliases") or ()), tuple(content.get("defaults") or ())
    for alias in aliases:
        name = str(alias.get("name", ""))
        if not re.fullmatch(r"[A-Za-z]+", name):
            raise KubercError("invalid alias name, can only include alphabetical characters")
        _long_names(alias)
        if name in seen:
            raise KubercError(f"duplicate alias name {name}")
        seen.add(name)
    for default in defaults:
        _long_names(default)
    policy, allowed = str(content.get("credentialPluginPolicy") or ""), content.get("credentialPluginAllowlist")
    _check_policy(policy, allowed)
    return Preferences(defaults, aliases, policy, tuple(str(entry.get("command", "")) for entry in allowed or ()))


def _long_names(item: Mapping[str, Any]) -> None:
    for option in item.get("options") or ():
        if str(option.get("name", "")).startswith("-"):
            raise KubercError(f"flag name {option['name']} should be in long form without dashes")


def _check_policy(policy: str, allowed: list[Mapping[str, Any]] | None) -> None:
    """client-go's exec.ValidatePluginPolicy."""
    if policy not in _POLICIES:
        raise KubercError(f"unknown plugin policy: {go_quote(policy)}")
    if policy != "Allowlist":
        if allowed is not None:
            misfit = f"plugin policy is {go_quote(policy)} but allowlist is non-nil"
            raise KubercError(f"misconfigured credential plugin allowlist: {misfit}")
        return
    if allowed is None:
        raise KubercError('credential plugin policy set to "Allowlist", but allowlist is unspecified')
    if not allowed:
        raise KubercError(
            'credential plugin policy set to "Allowlist", but allowlist is empty; use "DenyAll" policy instead'
        )
    for number, entry in enumerate(allowed, 1):
        if not entry.get("command"):
            raise KubercError(f"misconfigured credential plugin allowlist: empty allowlist entry #{number}")


def check_plugin(preferences: Preferences, command: str, environ: Mapping[str, str]) -> None:
    """May this exec credential plugin run? Raises KubetraceError where the policy says no (client-go exec.go)."""
    import shutil

    if preferences.plugin_policy in ("", "AllowAll"):
        return
    if preferences.plugin_policy == "DenyAll":
        raise KubetraceError(f'getting credentials: plugin {go_quote(command)} not allowed: policy set to "DenyAll"')
    path = shutil.which(command, path=environ.get("PATH", "")) or command
    allowed = {command, path} & set(preferences.plugin_allowlist)
    resolved = {shutil.which(entry, path=environ.get("PATH", "")) for entry in preferences.plugin_allowlist}
    if not allowed and path not in resolved:
        raise KubetraceError(
            f"getting credentials: plugin path {go_quote(path)} is not permitted by the credential plugin allowlist"
        )

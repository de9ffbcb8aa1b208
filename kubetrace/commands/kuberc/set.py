"""`kuberc set`: one default, one alias, or the policy for credential plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value
from kubetrace.wire.go_strconv import go_quote

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_DEFAULTS, _ALIASES, _PLUGINS = "defaults", "aliases", "credentialplugin"
_ALLOWLIST = "Allowlist"


class SetOptions(Value):
    allowlist_entry: tuple[str, ...] = flag(
        (), kind="array", help="A plugin that may run, as command=NAME (may be repeated)."
    )
    appendarg: tuple[str, ...] = flag((), kind="array", help="A word behind the alias's own (may be repeated).")
    command: str = flag("", help='The command that is configured ("get", "set env").')
    name: str = flag("", help="The alias's name.")
    option: tuple[str, ...] = flag((), kind="array", help="A flag's value, as flag=value (may be repeated).")
    overwrite: bool = flag(False, help="Replace what is there already.")
    policy: str = flag("", help="What credential plugins may run: AllowAll, DenyAll or Allowlist.")
    prependarg: tuple[str, ...] = flag((), kind="array", help="A word before the alias's own (may be repeated).")
    section: str = flag("", help="The section to change: defaults, aliases or credentialplugin.", required=True)


def run(environment: Environment, options: SetOptions, arguments: Arguments) -> None:
    from kubetrace.commands.kuberc import file

    path, _ = file.kuberc_path(environment)
    _check(options)
    data = file.read(path)
    content: dict[str, Any] = {"kind": file.KIND, "apiVersion": file.API_VERSION}
    if data:
        content = file.parsed(data)
    given = [_option(text) for text in options.option]
    if options.section == _DEFAULTS:
        _set_default(content, options, given)
    elif options.section == _ALIASES:
        _set_alias(content, options, given)
    else:
        if options.policy == _ALLOWLIST:
            content["credentialPluginAllowlist"] = _allowed(options)
        content["credentialPluginPolicy"] = options.policy
    file.save(environment, content, path)


def _check(options: SetOptions) -> None:
    """Raises KubetraceError, in kubectl's order (Validate)."""
    section = options.section
    if section not in (_DEFAULTS, _ALIASES, _PLUGINS):
        raise KubetraceError(f'--section must be "{_DEFAULTS}", "{_ALIASES}", or "{_PLUGINS}", got: {section}')
    if section == _ALIASES and not options.name:
        raise KubetraceError(f"--name is required when --section={_ALIASES}")
    if section == _DEFAULTS and options.name:
        raise KubetraceError(f"--name should not be specified when --section={_DEFAULTS}")
    if section == _DEFAULTS and (options.prependarg or options.appendarg):
        raise KubetraceError(f"--prependarg and --appendarg are only valid for --section={_ALIASES}")
    if section != _PLUGINS:
        if not options.command:
            raise KubetraceError(f"--command is required when --section={_ALIASES} or --section={_DEFAULTS}")
        return
    if not options.policy:
        raise KubetraceError(f"--policy is required when --section={_PLUGINS}")
    where = f"when --section={_PLUGINS} and --policy={_ALLOWLIST}"
    if options.policy in ("AllowAll", "DenyAll"):
        if options.allowlist_entry:
            raise KubetraceError(f"--allowlist-entry may only be used {where}")
    elif options.policy != _ALLOWLIST:
        raise KubetraceError(f' --policy must be  "AllowAll", "DenyAll", or "{_ALLOWLIST}", got: {options.policy}')
    elif not options.allowlist_entry:
        raise KubetraceError(f"--allowlist-entry is required {where}")


def _option(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise KubetraceError(f"invalid option format {go_quote(text)}, expected flag=value")
    return {"name": name.lstrip("-"), "default": value}


def _set_default(content: dict[str, Any], options: SetOptions, given: list[dict[str, str]]) -> None:
    defaults = content["defaults"] = list(content.get("defaults") or ())
    for default in defaults:
        if default.get("command") == options.command:
            if not options.overwrite:
                raise KubetraceError(
                    f"defaults for command {go_quote(options.command)} already exist, use --overwrite to replace"
                )
            default["options"] = given or default.get("options")
            return
    defaults.append({"command": options.command, "options": given or None})


def _set_alias(content: dict[str, Any], options: SetOptions, given: list[dict[str, str]]) -> None:
    """What is not given stays as it was."""
    aliases = content["aliases"] = list(content.get("aliases") or ())
    alias = {"name": options.name, "command": options.command}
    parts = {"prependArgs": list(options.prependarg), "appendArgs": list(options.appendarg), "options": given}
    for position, known in enumerate(aliases):
        if known.get("name") == options.name:
            if not options.overwrite:
                raise KubetraceError(f"alias {go_quote(options.name)} already exists, use --overwrite to replace")
            aliases[position] = {**alias, **{key: value or known.get(key) for key, value in parts.items()}}
            return
    aliases.append({**alias, **parts})


def _allowed(options: SetOptions) -> list[dict[str, str]]:
    from kubetrace.api.aggregates import raise_all

    entries, errors = [], []
    for pair in (pair for text in options.allowlist_entry for pair in text.split(",")):
        field, equals, value = pair.partition("=")
        if not equals:
            errors.append(KubetraceError(f"improperly formatted allowlist entry: {go_quote(pair)}"))
        elif field == "name":
            errors.append(KubetraceError('allowlist entry field "name" is deprecated, use "command" instead'))
        elif field != "command":
            errors.append(KubetraceError(f"unrecognized allowlist entry field: {go_quote(field)}"))
        elif not value.strip():
            errors.append(KubetraceError(f"empty value in allowlist entry for field {go_quote(field)}"))
        else:
            entries.append({"command": value})
    raise_all(errors)
    return entries


COMMAND = Command(
    run=run,
    options=SetOptions,
    usage="kuberc set --section (defaults|aliases|credentialplugin) --command COMMAND",
    description="""
    Change the kuberc file: give a flag another default, make an alias, or say which credential plugins may run.

    The command of a default is a command alone ("get", "set env"); an alias may add words, before and behind its own.
    """,
    examples="""
    # Wide tables
    kubetrace kuberc set --section defaults --command get --option output=wide

    # An alias for "get nodes -o wide"
    kubetrace kuberc set --section aliases --name getn --command get --prependarg nodes --option output=wide

    # One credential plugin and no other
    kubetrace kuberc set --section credentialplugin --policy Allowlist --allowlist-entry command=cloud-helper
    """,
)

"""A user entry with what `config set-credentials` says (modifyAuthInfo in kubectl's set_credentials.go)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kubetrace.commands.config.embedding import content
from kubetrace.kubeconfig.sections import AuthProvider, EnvVar, Exec, User
from kubetrace.value import replace

if TYPE_CHECKING:
    from kubetrace.cmdline.command import Arguments
    from kubetrace.commands.config.set_credentials import Pairs, SetCredentialsOptions


def changed_user(
    user: User,
    options: SetCredentialsOptions,
    arguments: Arguments,
    provider_pairs: Pairs | None,
    env_pairs: Pairs | None,
) -> User:
    """The user with the given fields changed; a token clears name and password, and the other way round."""
    changes: dict[str, Any] = {}
    for name in ("client_certificate", "client_key"):
        if arguments.changed(name):
            changes |= _file(name, getattr(options, name), options.embed_certs)
    changes |= {name: getattr(options, name) for name in ("token", "username", "password") if arguments.changed(name)}
    user = replace(user, **changes)
    user = replace(
        user,
        auth_provider=_provider(user.auth_provider, options, arguments, provider_pairs),
        exec=_plugin(user.exec, options, arguments, env_pairs),
    )
    if options.token:
        return replace(user, username="", password="")
    if options.username or options.password:
        return replace(user, token="")
    return user


def _file(name: str, path: str, embed: bool) -> dict[str, Any]:
    if embed:
        return {f"{name}_data": content(path), name: ""}
    return {name: os.path.abspath(path), f"{name}_data": None}  # noqa: PTH100


def _provider(
    provider: AuthProvider | None, options: SetCredentialsOptions, arguments: Arguments, pairs: Pairs | None
) -> AuthProvider | None:
    if arguments.changed("auth_provider") and (provider is None or provider.name != options.auth_provider):
        provider = AuthProvider(options.auth_provider)
    if provider is None:
        return None
    config = {**(provider.config or {}), **(pairs.new if pairs else {})}
    for key in pairs.removed if pairs else ():
        if pairs is None or key not in pairs.new:
            config.pop(key, None)
    return replace(provider, config=config)


def _plugin(
    plugin: Exec | None, options: SetCredentialsOptions, arguments: Arguments, pairs: Pairs | None
) -> Exec | None:
    if arguments.changed("exec_command"):
        plugin = replace(plugin or Exec(), command=options.exec_command, args=None)
    if plugin is None:
        return None
    changes: dict[str, Any] = {}
    if arguments.changed("exec_api_version"):
        changes["api_version"] = options.exec_api_version
    if options.exec_arg:
        changes["args"] = options.exec_arg
    if arguments.changed("exec_interactive_mode"):
        changes["interactive_mode"] = options.exec_interactive_mode
    if arguments.changed("exec_provide_cluster_info"):
        changes["provide_cluster_info"] = options.exec_provide_cluster_info
    if pairs is not None:
        changes["env"] = _env(plugin.env or (), pairs)
    return replace(plugin, **changes)


def _env(env: tuple[EnvVar, ...], pairs: Pairs) -> tuple[EnvVar, ...]:
    kept = [variable for variable in env if variable.name not in pairs.removed]
    known = {variable.name for variable in kept}
    seen: set[str] = set()
    result = []
    for variable in kept:
        if variable.name in pairs.new and variable.name not in seen:  # only the first of a name changes
            variable = EnvVar(variable.name, pairs.new[variable.name])
        seen.add(variable.name)
        result.append(variable)
    added = [EnvVar(name, value) for name, value in pairs.new.items() if name not in known]
    return (*result, *added)

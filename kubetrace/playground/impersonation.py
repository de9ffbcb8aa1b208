"""Acting as somebody else: the Impersonate-* headers (apiserver endpoints/filters/impersonation).

Since 1.36 there are two ways to be allowed: constrained impersonation, which asks for the verbs
impersonate-on:MODE:VERB on what is requested and impersonate:MODE on the user, and the older verb `impersonate`.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from kubetrace.playground.access import Attributes, Authorizer, User, refused
from kubetrace.playground.http import Request
from kubetrace.playground.status import ApiError
from kubetrace.playground.validation.causes import label_name, subdomain
from kubetrace.wire.go_quote import quote

_AUTHENTICATION = "authentication.k8s.io"
_EXTRA = "impersonate-extra-"
_LEGACY = ""


def impersonated(request: Request, user: User, authorizer: Authorizer, asked: Attributes) -> User:
    """The user that the headers name, where `user` may take their place for what is asked. Raises 400 and 403."""
    wanted = _wanted(request)
    if wanted is None:
        return user
    mode = _mode(wanted)
    first: ApiError | None = None
    attempts = [mode, _LEGACY] if mode else [_LEGACY]
    attempts.sort(key=lambda attempt: attempt != authorizer.last_modes.get(user.name))  # what held last is tried first
    for attempt in attempts:
        try:
            _check(authorizer, user, wanted, asked, attempt)
        except ApiError as error:
            first = first or error
        else:
            authorizer.last_modes[user.name] = attempt
            return _as(wanted)
    assert first is not None
    raise first


def _wanted(request: Request) -> User | None:
    headers = request.headers
    name, uid = headers.get("impersonate-user", ""), headers.get("impersonate-uid", "")
    groups = tuple(value for key, value in request.fields if key == "impersonate-group" and value)
    extra: dict[str, list[str]] = {}
    for key, value in request.fields:
        if key.startswith(_EXTRA):
            extra.setdefault(unquote(key[len(_EXTRA) :]).lower(), []).append(value)
    if name:
        return User(name, groups, uid, extra)
    if groups or uid or extra:
        shown = ", ".join(f'"{group}"' for group in groups)
        listed = f"[]string{{{shown}}}" if groups else "[]string(nil)"
        told = f'requested &user.DefaultInfo{{Name:"", UID:"{uid}", Groups:{listed}, '
        found = ", ".join(f"{quote(key)}:[]string{{{', '.join(map(quote, extra[key]))}}}" for key in sorted(extra))
        map_of = f"map[string][]string{{{found}}}" if extra else "map[string][]string(nil)"
        raise ApiError(400, f"{told}Extra:{map_of}}} without impersonating a user name")
    return None


def _account(name: str) -> tuple[str, str] | None:
    parts = name.split(":")
    if len(parts) != 4 or parts[:2] != ["system", "serviceaccount"]:
        return None
    right = not label_name("", parts[2]) and not subdomain("", parts[3])
    return (parts[2], parts[3]) if right else None


def _mode(wanted: User) -> str:
    """The mode of constrained impersonation that fits; empty where none does."""
    plain = not (wanted.groups or wanted.uid or wanted.extra)
    if wanted.name.startswith("system:node:"):
        return "arbitrary-node" if plain else ""
    if _account(wanted.name):
        return "serviceaccount" if plain else ""
    return "user-info"


def _check(authorizer: Authorizer, user: User, wanted: User, asked: Attributes, mode: str) -> None:
    """One way of being allowed. Raises 403 with the first thing that is not."""
    checks: list[Attributes] = []
    constrained = mode != _LEGACY
    verb, group = (f"impersonate:{mode}", _AUTHENTICATION) if constrained else ("impersonate", "")
    if constrained:
        checks.append(replace(asked, verb=f"impersonate-on:{mode}:{asked.verb}"))
    account = _account(wanted.name)
    if account:
        checks.append(Attributes(verb, group, "serviceaccounts", namespace=account[0], name=account[1]))
    elif constrained and mode == "arbitrary-node":
        checks.append(Attributes(verb, group, "nodes", name=wanted.name.removeprefix("system:node:")))
    else:
        checks.append(Attributes(verb, group, "users", name=wanted.name))
    if wanted.uid:
        checks.append(Attributes(verb, _AUTHENTICATION, "uids", name=wanted.uid))
    if constrained and "system:masters" in wanted.groups:
        _all(authorizer, user, checks)
        masters = Attributes(verb, group, "groups", name="system:masters")
        why = "impersonating the system:masters group is not allowed"
        raise refused(user, masters, why)
    checks += [Attributes(verb, group, "groups", name=name) for name in wanted.groups]
    for key, values in wanted.extra.items():
        checks += [Attributes(verb, _AUTHENTICATION, "userextras", key, name=value) for value in values]
    _all(authorizer, user, checks)


def _all(authorizer: Authorizer, user: User, checks: list[Attributes]) -> None:
    """Raises 403 for the first that is not allowed."""
    for attributes in checks:
        allowed, why = authorizer.decide(user, attributes)
        if not allowed:
            raise refused(user, attributes, why)


def _as(wanted: User) -> User:
    groups = list(wanted.groups)
    account = _account(wanted.name)
    if account and not groups:
        groups += ["system:serviceaccounts", f"system:serviceaccounts:{account[0]}"]
    if wanted.name == "system:anonymous":
        last = "system:unauthenticated"
    else:
        last = "" if "system:unauthenticated" in groups else "system:authenticated"
    groups += [last] if last and last not in groups else []
    return User(wanted.name, tuple(groups), wanted.uid, wanted.extra)

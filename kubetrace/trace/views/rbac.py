"""The smallest set of RBAC rules that allows a trace's requests, each with the requests that need it.

What every authenticated user may do by Kubernetes' own bindings (system:discovery, system:basic-user,
system:public-info-viewer) is left out and listed.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from kubetrace.errors import KubetraceError
from kubetrace.trace.body_text import one_line
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.meaning import parsed
from kubetrace.trace.permissions import RBAC, Permission, impersonating, needed
from kubetrace.value import Mutable, Value, fresh

_CITED = 5
_LISTED = 50
_OPEN_PATHS = re.compile(r"/(api|apis|openapi)(/.*)?|/version/?|/healthz|/livez|/readyz")
_BASIC_USER = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
}

Key = tuple[str, str]
"""API group and resource."""


class _Citations(Mutable):
    """The requests that need something: the first few, and how many."""

    first: list[str] = fresh(list)
    count: int = 0

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.first) < _CITED and text not in self.first:
            self.first.append(text)


class _Scope(Mutable):
    """One Role (or, with no namespace, the ClusterRole): (group, resource) → verb → names; None in names is any."""

    verbs: dict[Key, dict[str, set[str | None]]] = fresh(lambda: defaultdict(lambda: defaultdict(set)))
    paths: dict[str, set[str]] = fresh(lambda: defaultdict(set))
    citations: dict[tuple[Key, str], _Citations] = fresh(lambda: defaultdict(_Citations))

    def add(self, wanted: Permission, cited: str) -> None:
        if wanted.resource:
            key = wanted.group, wanted.resource
            self.verbs[key][wanted.verb].add(wanted.name or None)
        else:
            key = "", wanted.path
            self.paths[wanted.path].add(wanted.verb)
        self.citations[key, wanted.verb].add(cited)

    def allows(self, key: Key, verb: str, name: str | None) -> bool:
        names = self.verbs[key].get(verb, set()) if key in self.verbs else set()
        return None in names or (name is not None and name in names)

    def without(self, other: _Scope) -> None:
        """Takes away what another scope, which holds everywhere, allows already."""
        for key in list(self.verbs):
            for verb, names in list(self.verbs[key].items()):
                names -= {name for name in names if other.allows(key, verb, name)}
                if not names:
                    del self.verbs[key][verb]
            if not self.verbs[key]:
                del self.verbs[key]

    def __bool__(self) -> bool:
        return bool(self.verbs or self.paths)


class _Found(Mutable):
    """Everything that a trace's requests ask for. `made` are the namespaces that they made, by the request's number."""

    scopes: dict[str, _Scope] = fresh(lambda: defaultdict(_Scope))
    free: dict[str, int] = fresh(dict)
    impersonation: dict[str, _Scope] = fresh(lambda: defaultdict(_Scope))
    made: dict[str, int] = fresh(dict)

    def add(self, recorded: Recorded) -> None:
        request = recorded.exchange.request
        for wanted in needed(recorded):
            if _is_free(wanted):
                what = wanted.path or wanted.resource
                if len(self.free) < _LISTED:
                    self.free.setdefault(f"{wanted.verb} {one_line(what)}", recorded.number)
            else:
                self.scopes[wanted.namespace].add(wanted, _cited(recorded, wanted))
        if recorded.status != 401:
            for wanted in impersonating(request.headers):
                self.impersonation[wanted.namespace].add(wanted, _cited(recorded, wanted))
        where = recorded.endpoint
        if where.full_resource == "namespaces" and where.verb == "create" and recorded.status == 201:
            value = parsed(recorded.exchange.body)
            metadata = value.get("metadata") if isinstance(value, dict) else None
            if isinstance(metadata, dict):
                self.made.setdefault(str(metadata.get("name")), recorded.number)


def render(exchanges: Iterable[Recorded], name: str = "from-trace", bind_to: str = "") -> Iterator[str]:
    """The roles as YAML documents; `bind_to` ("user:NAME", "group:NAME", "serviceaccount:NAMESPACE:NAME") adds their
    bindings. Raises KubetraceError for another `bind_to`."""
    subject = _subject(bind_to) if bind_to else None
    found = _Found()
    for recorded in exchanges:
        found.add(recorded)
    if found.free:
        yield "# Every authenticated user may already:\n"
        yield from (f"#   {one} (#{number})\n" for one, number in found.free.items())
    scopes = _smallest(found.scopes)
    if not scopes and not found.impersonation:
        yield "# No further permission is needed.\n"
    for role in _roles(scopes, name):
        if role.namespace in found.made:
            number = found.made[role.namespace]
            yield f"# Request #{number} made the namespace of this Role: it has to be there first.\n"
        yield from role.lines()
        if subject is not None:
            yield from role.binding(subject)
    if found.impersonation:
        yield "# The requests impersonated somebody, who needs what stands above. Whoever impersonates needs this:\n"
        for role in _roles(_smallest(found.impersonation), f"{name}-impersonator"):
            yield from role.lines()


def _smallest(scopes: dict[str, _Scope]) -> dict[str, _Scope]:
    """The scopes without what the whole cluster's allows anyway."""
    for namespace, scope in scopes.items():
        if namespace and "" in scopes:
            scope.without(scopes[""])
    return {namespace: scopes[namespace] for namespace in sorted(scopes) if scopes[namespace]}


def _is_free(wanted: Permission) -> bool:
    if wanted.resource:
        return wanted.verb == "create" and (wanted.group, wanted.resource) in _BASIC_USER
    return wanted.verb == "get" and _OPEN_PATHS.fullmatch(wanted.path) is not None


def _cited(recorded: Recorded, wanted: Permission) -> str:
    request = recorded.exchange.request
    cited = f"#{recorded.number} {one_line(request.method)} {one_line(recorded.endpoint.path)}"
    notes = [wanted.why] if wanted.why else []
    if recorded.status in (403, 409, 422) or recorded.status >= 500 or not recorded.status:
        notes.append(str(recorded.status or "no answer"))
    return f"{cited} ({', '.join(notes)})" if notes else cited


class _Role(Value):
    namespace: str
    name: str
    scope: _Scope

    @property
    def kind(self) -> str:
        return "Role" if self.namespace else "ClusterRole"

    def lines(self) -> Iterator[str]:
        yield from self._head(self.kind)
        yield "rules:\n"
        for group, resources, verbs, names in _rules(self.scope):
            for resource in resources:
                for verb in verbs:
                    yield from _cites(self.scope.citations[(group, resource), verb])
            yield f"- apiGroups: {json.dumps([group])}\n  resources: {json.dumps(resources)}\n"
            if names:
                yield f"  resourceNames: {json.dumps(names)}\n"
            yield f"  verbs: {json.dumps(verbs)}\n"
        for path, verbs_ in sorted(self.scope.paths.items()):
            for verb in sorted(verbs_):
                yield from _cites(self.scope.citations[("", path), verb])
            yield f"- nonResourceURLs: {json.dumps([path])}\n  verbs: {json.dumps(sorted(verbs_))}\n"

    def binding(self, subject: dict[str, str]) -> Iterator[str]:
        yield from self._head(f"{self.kind}Binding")
        yield f"roleRef:\n  apiGroup: {RBAC}\n  kind: {self.kind}\n  name: {json.dumps(self.name)}\n"
        yield "subjects:\n- " + "\n  ".join(f"{key}: {json.dumps(value)}" for key, value in subject.items()) + "\n"

    def _head(self, kind: str) -> Iterator[str]:
        yield f"---\napiVersion: {RBAC}/v1\nkind: {kind}\nmetadata:\n  name: {json.dumps(self.name)}\n"
        if self.namespace:
            yield f"  namespace: {json.dumps(self.namespace)}\n"


def _roles(scopes: dict[str, _Scope], name: str) -> Iterator[_Role]:
    yield from (_Role(namespace, name, scope) for namespace, scope in scopes.items())


def _cites(found: _Citations) -> Iterator[str]:
    yield from (f"# {one}\n" for one in found.first)
    if found.count > len(found.first) == _CITED:
        yield f"# … {found.count} requests in all\n"


def _rules(scope: _Scope) -> Iterator[tuple[str, list[str], list[str], list[str]]]:
    """(group, resources, verbs, names): no rule allows more than the requests need; equal ones are joined."""
    joined: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource), verbs in sorted(scope.verbs.items()):
        by_names: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for verb, found in sorted(verbs.items()):
            names = () if None in found else tuple(sorted(one for one in found if one is not None))
            by_names[names].append(verb)
        for names, same in sorted(by_names.items()):
            joined[group, names, tuple(same)].append(resource)
    for (group, names, same_verbs), resources in joined.items():
        yield group, resources, list(same_verbs), list(names)


def _subject(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    namespace, _, name = rest.partition(":")
    if kind == "serviceaccount" and namespace and name:
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    if kind in ("user", "group") and rest:
        return {"kind": kind.capitalize(), "name": rest, "apiGroup": RBAC}
    raise KubetraceError(f'--bind-to takes user:NAME, group:NAME or serviceaccount:NAMESPACE:NAME, not "{text}"')

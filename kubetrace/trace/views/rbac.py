"""The smallest set of RBAC rules that allows a trace's requests, each with the requests that need it.

What every authenticated user may do by Kubernetes' own bindings (system:discovery, system:basic-user,
system:public-info-viewer) is left out and listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import itemgetter

from kubetrace.errors import KubetraceError
from kubetrace.trace.body_text import one_line
from kubetrace.trace.exchanges import Recorded
from kubetrace.trace.meaning import parsed
from kubetrace.trace.needs import CITED, Names, Needs
from kubetrace.trace.permissions import RBAC, Permission, impersonating, needed
from kubetrace.value import Value

_LISTED = 50
_MADE = 10_000
_OPEN_PATHS = re.compile(r"/(api|apis|openapi)(/.*)?|/version/?|/healthz|/livez|/readyz")
_BASIC_USER = {
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
}


class _Found:
    """Everything that a trace's requests ask for. `made` are the first namespaces that they made, by the request's
    number."""

    def __init__(self) -> None:
        self.needs, self.impersonation = Needs(), Needs()
        self.impersonates = False
        self.free: dict[str, int] = {}
        self.made: dict[str, int] = {}

    def add(self, recorded: Recorded) -> None:
        request = recorded.exchange.request
        for wanted in needed(recorded):
            if _is_free(wanted):
                what = wanted.path or wanted.resource
                if len(self.free) < _LISTED:
                    self.free.setdefault(f"{wanted.verb} {one_line(what)}", recorded.number)
            else:
                self.needs.add(wanted, _cited(recorded, wanted))
        if recorded.status != 401:
            for wanted in impersonating(request.headers):
                self.impersonates = True
                self.impersonation.add(wanted, _cited(recorded, wanted))
        where = recorded.endpoint
        if where.full_resource == "namespaces" and where.verb == "create" and recorded.status == 201:
            value = parsed(recorded.exchange.body)
            metadata = value.get("metadata") if isinstance(value, dict) else None
            if isinstance(metadata, dict) and len(self.made) < _MADE:
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
    found.needs.settle()
    roles = _roles(found.needs, name)
    first = next(roles, None)
    if first is None and not found.impersonates:
        yield "# No further permission is needed.\n"
    for role in chain(filter(None, (first,)), roles):
        if role.namespace in found.made:
            number = found.made[role.namespace]
            yield f"# Request #{number} made the namespace of this Role: it has to be there first.\n"
        yield from role.lines()
        if subject is not None:
            yield from role.binding(subject)
    if found.impersonates:
        yield "# The requests impersonated somebody, who needs what stands above. Whoever impersonates needs this:\n"
        found.impersonation.settle()
        for role in _roles(found.impersonation, f"{name}-impersonator"):
            yield from role.lines()


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
    needs: Needs

    @property
    def kind(self) -> str:
        return "Role" if self.namespace else "ClusterRole"

    def lines(self) -> Iterator[str]:
        yield from self._head(self.kind)
        yield "rules:\n"
        for group, resources, verbs, limited in _rules(self.needs.resources(self.namespace)):
            for resource in resources:
                for verb in verbs:
                    yield from self._cites(group, resource, verb)
            yield f"- apiGroups: {json.dumps([group])}\n  resources: {json.dumps(resources)}\n"
            if limited:
                yield from self._names(group, resources[0], verbs[0])
            yield f"  verbs: {json.dumps(verbs)}\n"
        for path, verbs in self.needs.paths(self.namespace):
            for verb in verbs:
                yield from self._cites("", path, verb)
            yield f"- nonResourceURLs: {json.dumps([path])}\n  verbs: {json.dumps(verbs)}\n"

    def _names(self, group: str, resource: str, verb: str) -> Iterator[str]:
        separator = "  resourceNames: ["
        for name in self.needs.names(self.namespace, group, resource, verb):
            yield separator + json.dumps(name)
            separator = ", "
        yield "]\n"

    def _cites(self, group: str, resource: str, verb: str) -> Iterator[str]:
        first, count = self.needs.cited(self.namespace, group, resource, verb)
        yield from (f"# {one}\n" for one in first)
        if count > len(first) == CITED:
            yield f"# … {count} requests in all\n"

    def binding(self, subject: dict[str, str]) -> Iterator[str]:
        yield from self._head(f"{self.kind}Binding")
        yield f"roleRef:\n  apiGroup: {RBAC}\n  kind: {self.kind}\n  name: {json.dumps(self.name)}\n"
        yield "subjects:\n- " + "\n  ".join(f"{key}: {json.dumps(value)}" for key, value in subject.items()) + "\n"

    def _head(self, kind: str) -> Iterator[str]:
        yield f"---\napiVersion: {RBAC}/v1\nkind: {kind}\nmetadata:\n  name: {json.dumps(self.name)}\n"
        if self.namespace:
            yield f"  namespace: {json.dumps(self.namespace)}\n"


def _roles(needs: Needs, name: str) -> Iterator[_Role]:
    return (_Role(namespace, name, needs) for namespace in needs.namespaces())


def _rules(needed: Iterable[tuple[str, str, str, Names]]) -> Iterator[tuple[str, list[str], list[str], bool]]:
    """(group, resources, verbs, whether they are limited to names): no rule allows more than the requests need; equal
    ones are joined."""
    joined: dict[tuple[str, bytes, tuple[str, ...]], tuple[Names, list[str]]] = {}
    for (group, resource), verbs in groupby(needed, key=itemgetter(0, 1)):
        by_names: dict[bytes, tuple[Names, list[str]]] = {}
        for _, _, verb, names in verbs:
            by_names.setdefault(names.digest, (names, []))[1].append(verb)
        for names, same in sorted(by_names.values(), key=lambda one: one[0].first):
            joined.setdefault((group, names.digest, tuple(same)), (names, []))[1].append(resource)
    for (group, _, same_verbs), (names, resources) in joined.items():
        yield group, resources, list(same_verbs), bool(names.first)


def _subject(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    namespace, _, name = rest.partition(":")
    if kind == "serviceaccount" and namespace and name:
        return {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    if kind in ("user", "group") and rest:
        return {"kind": kind.capitalize(), "name": rest, "apiGroup": RBAC}
    raise KubetraceError(f'--bind-to takes user:NAME, group:NAME or serviceaccount:NAMESPACE:NAME, not "{text}"')

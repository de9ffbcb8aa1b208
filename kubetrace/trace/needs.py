"""What a trace's requests need permission for, collected in a database: a trace may name any number of objects and
namespaces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from kubetrace.trace.permissions import Permission
from kubetrace.trace.scratch import database, packed, unpacked
from kubetrace.value import Value

CITED = 5
"""Requests that are named for each permission; more are counted."""
_COMPARED = 8
"""Names by which rules are ordered."""
_SCHEMA = """
CREATE TABLE needs (
  namespace BLOB, is_path INT, api_group BLOB, resource BLOB, verb BLOB, name BLOB,
  PRIMARY KEY (namespace, is_path, api_group, resource, verb, name)
) WITHOUT ROWID;
CREATE TABLE cited (
  namespace BLOB, api_group BLOB, resource BLOB, verb BLOB, count INT, requests TEXT,
  PRIMARY KEY (namespace, api_group, resource, verb)
) WITHOUT ROWID;
"""
"""No namespace is the whole cluster, no name any object; a path outside the resources stands where a resource would."""
_ANY_NAME = """
DELETE FROM needs AS one WHERE name != x'' AND EXISTS (SELECT 1 FROM needs WHERE namespace = one.namespace AND
  is_path = one.is_path AND api_group = one.api_group AND resource = one.resource AND verb = one.verb AND name = x'')
"""
_ANY_NAMESPACE = """
DELETE FROM needs AS one WHERE namespace != x'' AND EXISTS (SELECT 1 FROM needs WHERE namespace = x'' AND
  is_path = one.is_path AND api_group = one.api_group AND resource = one.resource AND verb = one.verb AND
  name IN (x'', one.name))
"""


class Names(Value):
    """The objects that a permission is limited to (none: any). Equal ones have the same digest; `first` are a few."""

    first: tuple[str, ...]
    digest: bytes


class Needs:
    """Permissions by namespace ("" is the whole cluster), each with the requests that need it."""

    def __init__(self) -> None:
        self._known = database(_SCHEMA)

    def add(self, wanted: Permission, request: str) -> None:
        """`request` is what to say of the request that needs it."""
        is_path = not wanted.resource
        resource = wanted.path if is_path else wanted.resource
        key = namespace, group, what, verb = [
            packed(one) for one in (wanted.namespace, wanted.group, resource, wanted.verb)
        ]
        self._known.execute(
            "INSERT OR IGNORE INTO needs VALUES (?, ?, ?, ?, ?, ?)",
            (namespace, is_path, group, what, verb, packed(wanted.name)),
        )
        first, count = self.cited(wanted.namespace, wanted.group, resource, wanted.verb)
        if len(first) < CITED and request not in first:
            first.append(request)
        self._known.execute(
            "INSERT OR REPLACE INTO cited VALUES (?, ?, ?, ?, ?, ?)", (*key, count + 1, json.dumps(first))
        )

    def settle(self) -> None:
        """Takes away what a wider permission allows already."""
        self._known.execute(_ANY_NAME)
        self._known.execute(_ANY_NAMESPACE)

    def namespaces(self) -> Iterator[str]:
        """Those in which something is needed, in their order."""
        for (namespace,) in self._known.execute("SELECT DISTINCT namespace FROM needs ORDER BY namespace"):
            yield unpacked(namespace)

    def cited(self, namespace: str, group: str, resource: str, verb: str) -> tuple[list[str], int]:
        """The first requests that need something, and how many there are."""
        found = self._known.execute(
            "SELECT requests, count FROM cited WHERE namespace = ? AND api_group = ? AND resource = ? AND verb = ?",
            tuple(map(packed, (namespace, group, resource, verb))),
        ).fetchone()
        return (json.loads(found[0]), found[1]) if found else ([], 0)

    def resources(self, namespace: str) -> Iterator[tuple[str, str, str, Names]]:
        """(group, resource, verb, names) of what is needed in a namespace."""
        rows = self._known.execute(
            "SELECT api_group, resource, verb, name FROM needs WHERE namespace = ? AND NOT is_path "
            "ORDER BY api_group, resource, verb, name",
            (packed(namespace),),
        )
        for (group, resource, verb), same in groupby(rows, key=itemgetter(0, 1, 2)):
            digest = hashlib.sha256()
            first: list[str] = []
            for *_, name in same:
                digest.update(name + b"\0")
                if name and len(first) < _COMPARED:
                    first.append(unpacked(name))
            yield unpacked(group), unpacked(resource), unpacked(verb), Names(tuple(first), digest.digest())

    def names(self, namespace: str, group: str, resource: str, verb: str) -> Iterator[str]:
        rows = self._known.execute(
            "SELECT name FROM needs WHERE namespace = ? AND NOT is_path AND api_group = ? AND resource = ? AND "
            "verb = ? ORDER BY name",
            tuple(map(packed, (namespace, group, resource, verb))),
        )
        return (unpacked(name) for (name,) in rows)

    def paths(self, namespace: str) -> Iterator[tuple[str, list[str]]]:
        """Paths outside the resources, and the verbs that are needed there."""
        rows = self._known.execute(
            "SELECT resource, verb FROM needs WHERE namespace = ? AND is_path ORDER BY resource, verb",
            (packed(namespace),),
        )
        for path, same in groupby(rows, key=itemgetter(0)):
            yield unpacked(path), [unpacked(verb) for _, verb in same]

"""`explain -o plaintext`: a page made from an OpenAPI v3 document (kubectl pkg/explain/v2, a template there)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from kubetrace.api.resources import GroupVersionResource
from kubetrace.errors import KubetraceError
from kubetrace.printing.explain.wrapping import indent, wrap
from kubetrace.printing.go_values import sprint
from kubetrace.printing.tabwriter import TextSink

Schema = dict[str, Any]

_KIND = "x-kubernetes-group-version-kind"
_METHODS = ("get", "post", "put", "patch", "delete")
_SHOWN_VALUES = 4
"""How many of a field's allowed values a list of fields shows."""


def render(
    document: Schema, resource: GroupVersionResource, path: Sequence[str], recursive: bool, out: TextSink
) -> None:
    """Writes the page of a resource, or of the field at `path`. Raises KubetraceError; what stands above is written."""
    kind = _kind_of(document, resource)
    if not kind:
        where = f"{resource.group}/{resource.version}, Resource={resource.resource}"
        raise KubetraceError(f"error: GVR ({where}) not found in OpenAPI schema")
    if kind.get("group"):
        out.write(f"GROUP:      {kind['group']}\n")
    out.write(f"KIND:       {sprint(kind.get('kind'))}\nVERSION:    {sprint(kind.get('version'))}\n\n")
    schemas = (document.get("components") or {}).get("schemas") or {}
    schema = next((schemas[name] for name in sorted(schemas) if kind in (schemas[name].get(_KIND) or ())), None)
    if schema is None:
        raise KubetraceError(f"error: GVK {sprint(kind)} not found in OpenAPI schema")
    page = _Page(document, recursive)
    text = page.at(schema, list(path), frozenset())
    if not text:
        raise KubetraceError(f'error: field "{path[-1]}" does not exist')
    out.write(text + "\n")


def _kind_of(document: Schema, resource: GroupVersionResource) -> Schema | None:
    """The kind that the paths of a resource name; the last path that names one counts."""
    prefix = f"/apis/{resource.group}" if resource.group else "/api"
    base = f"{prefix}/{resource.version}"
    found = None
    for scope in (base, f"{base}/namespaces/{{namespace}}"):
        for path in (f"{scope}/{resource.resource}", f"{scope}/{resource.resource}/{{name}}"):
            operations = (document.get("paths") or {}).get(path) or {}
            for method in _METHODS:
                if operations.get(method):
                    found = operations[method].get(_KIND)
                    if found:
                        break
    return found


class _Page:
    """What is asked of one document. `seen` are the references that led here, so that a cycle ends."""

    def __init__(self, document: Schema, recursive: bool) -> None:
        self._document = document
        self._recursive = recursive

    def _referred(self, reference: Any) -> Schema | None:
        """What "#/components/schemas/…" stands for; None for what is no reference into this document."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        here: Any = self._document
        for part in unquote(reference[1:]).split("/"):
            if part:
                here = here.get(part)
                if not isinstance(here, dict):
                    return None
        return here if isinstance(here, dict) else None

    def _resolved(self, schema: Schema) -> Schema:
        return self._referred(schema.get("$ref") or "") or schema

    def at(self, schema: Schema, path: list[str], seen: frozenset[str]) -> str:
        """The page of the field at `path` below a schema; empty where there is none."""
        reference = schema.get("$ref") or ""
        below = seen | {reference}
        resolved = self._resolved(schema)
        if not path:
            return self._overview(resolved)
        if reference and reference in seen:
            return ""
        properties = resolved.get("properties") or {}
        if properties.get(path[0]):
            field = properties[path[0]]
            head = self._field_head(path[0], field) if len(path) == 1 else ""
            return head + self.at(field, path[1:], frozenset())
        if resolved.get("items"):
            return self.at(resolved["items"], path, below)
        values = _values(resolved)
        if values:
            return self.at(values, path, below)
        alternatives = (self.at(one, path, below) for one in resolved.get("allOf") or ())
        return next((text for text in alternatives if text), "")

    def _field_head(self, name: str, field: Schema) -> str:
        allowed = field.get("enum") or ()
        listed = "ENUM:" + "".join(f"\n    {_value(value)}" for value in allowed) if allowed else ""
        return f"FIELD: {name} <{self._type(field)}>\n{listed}\n\n"

    def _overview(self, schema: Schema) -> str:
        parts = ["DESCRIPTION:\n", indent(wrap(self._description(schema) or "<empty>", 76), 4), "\n"]
        documentation = _documentation(schema, 0)
        if documentation:
            parts += ["\n", documentation]
        fields = self._fields(schema, 1, frozenset())
        if fields:
            parts += ["FIELDS:\n", fields]
        return "".join(parts)

    def _description(self, schema: Schema) -> str:
        resolved = self._resolved(schema)
        text = f"{resolved['description']}\n" if resolved.get("description") else ""
        parts = [*(resolved.get("allOf") or ()), resolved.get("items"), _values(resolved)]
        return text + "".join(self._description(part) for part in parts if part)

    def _fields(self, schema: Schema, level: int, seen: frozenset[str]) -> str:
        """The fields of a schema, and of what it is made of, a line or a paragraph each."""
        reference = schema.get("$ref") or ""
        if reference and reference in seen:
            return ""
        seen |= {reference}
        resolved = self._resolved(schema)
        parts = []
        properties = resolved.get("properties") or {}
        for name in sorted(properties):
            parts.append(self._field(name, resolved, level))
            if self._recursive:
                parts.append(self._fields(properties[name], level + 1, seen))
        inner = [*(resolved.get("allOf") or ()), resolved.get("items"), _values(resolved)]
        parts += [self._fields(one, level, seen) for one in inner if one]
        return "".join(parts)

    def _field(self, name: str, schema: Schema, level: int) -> str:
        field = schema["properties"][name]
        amount = level * 2
        required = " -required-" if name in (schema.get("required") or ()) else ""
        text = f"{indent(name, amount)}\t<{self._type(field)}>{required}{_allowed(field, amount)}\n"
        if self._recursive:
            return text
        description = wrap(field.get("description") or "<no description>", 78 - amount)
        documentation = _documentation(field, amount + 2)
        text += indent(description, amount + 2) + "\n"
        return text + (f"\n{documentation}\n" if documentation else "\n")

    def _type(self, schema: Schema) -> str:
        """A short word for what a field holds: "string", "[]Container", "map[string]string"."""
        if not schema:
            raise KubetraceError("expected schema argument to subtemplate 'typeguess'")
        if schema.get("items"):
            return f"[]{self._type(schema['items'])}"
        values = _values(schema)
        if values:
            return f"map[string]{self._type(values)}"
        alternatives = list(schema.get("allOf") or ())
        if len(alternatives) == 1 and not schema.get("properties"):
            return self._type(alternatives[0])
        reference = schema.get("$ref")
        if reference:
            kind = (self._referred(reference) or {}).get("type") or "object"
            return str(reference).split("/")[-1].split(".")[-1] or "Object" if kind == "object" else sprint(kind)
        kind = schema.get("type") or "object"
        return "Object" if kind == "object" else sprint(kind)


def _values(schema: Schema) -> Schema | None:
    """The schema of a map's values; None where anything goes, or nothing."""
    found = schema.get("additionalProperties")
    return found if isinstance(found, dict) and found else None


def _documentation(schema: Schema, amount: int) -> str:
    """Where a schema says that more can be read."""
    found = schema.get("externalDocs")
    if not found:
        return ""
    text = indent("EXTERNAL DOCS:", amount) + "\n"
    if found.get("description"):
        limit = 76 if amount == 0 else 78 - amount
        text += indent(wrap(found["description"], limit), amount + (4 if amount == 0 else 2)) + "\n"
    if found.get("url"):
        text += indent(f"URL: {found['url']}", amount + (4 if amount == 0 else 2)) + "\n"
    return text


def _allowed(field: Schema, amount: int) -> str:
    """The first of the values that a field may have, on a line of their own."""
    values = field.get("enum") or ()
    if not values:
        return ""
    shown = ", ".join(map(_value, values[:_SHOWN_VALUES]))
    return f"\n{' ' * amount}enum: {shown}{', ....' if len(values) > _SHOWN_VALUES else ''}"


def _value(value: Any) -> str:
    return '""' if value == "" else sprint(value)

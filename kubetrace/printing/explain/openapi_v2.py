"""`explain -o plaintext-openapiv2`: a page made from the old OpenAPI v2 document (kubectl pkg/explain)."""

from __future__ import annotations

from collections.abc import Sequence

from kubetrace.api.resources import GroupVersionKind
from kubetrace.errors import KubetraceError
from kubetrace.printing.explain.wrapping import paragraphs
from kubetrace.printing.tabwriter import TextSink
from kubetrace.wire.openapi_v2 import Definitions, Schema

_WIDTH = 80


def render(
    definitions: Definitions, kind: GroupVersionKind, path: Sequence[str], recursive: bool, out: TextSink
) -> None:
    """Writes the page of a kind, or of the field at `path`. Raises KubetraceError."""
    schema = definitions.of_kind(kind.group, kind.version, kind.kind)
    if schema is None:
        where = f"{kind.group}/{kind.version}, Kind={kind.kind}"
        raise KubetraceError(f'couldn\'t find resource for "{where}"')
    page = _Page(definitions, kind, recursive, out)
    page.write(page.field(schema, list(path)), path[-1] if path else "")


class _Page:
    def __init__(self, definitions: Definitions, kind: GroupVersionKind, recursive: bool, out: TextSink) -> None:
        self._definitions = definitions
        self._kind = kind
        self._recursive = recursive
        self._out = out

    # --- what a schema is (kube-openapi's proto.ParseSchema)

    def _sort(self, schema: Schema) -> str:
        """reference, kind (an object with fields), map, array, arbitrary, or primitive."""
        if schema.get("$ref"):
            return "reference"
        types = schema.get("type") or []
        if types in ([], ["object"]) and "properties" in schema:
            return "kind"
        if not types:
            return "arbitrary"
        return {"object": "map", "array": "array"}.get(types[0], "primitive")

    def _inner(self, schema: Schema) -> Schema:
        """What a reference refers to, or what a list or a map holds. A map of anything is described twice."""
        sort = self._sort(schema)
        if sort == "reference":
            return self._definitions.referred(schema["$ref"])
        if sort == "array":
            return next(iter(schema.get("items") or ()), {})
        values = schema.get("additionalProperties")
        return values if isinstance(values, dict) else {"description": schema.get("description")}

    def field(self, schema: Schema, path: list[str]) -> Schema:
        """The schema at the end of `path`. A field without fields ends it early."""
        while path:
            sort = self._sort(schema)
            if sort in ("primitive", "arbitrary"):
                break
            if sort != "kind":
                schema = self._inner(schema)
                continue
            if path[0] not in schema["properties"]:
                raise KubetraceError(f'field "{path[0]}" does not exist')
            schema, path = schema["properties"][path[0]], path[1:]
        return schema

    def _type(self, schema: Schema) -> str:
        sort = self._sort(schema)
        if sort == "array":
            return f"[]{self._type(self._inner(schema))}"
        if sort == "map":
            return f"map[string]{self._type(self._inner(schema))}"
        if sort == "reference":
            return self._type(self._inner(schema))
        if sort == "primitive":
            return str(schema["type"][0])
        return "Object" if sort == "kind" else ""

    # --- the page

    def write(self, schema: Schema, name: str) -> None:
        descriptions, type_name = [], ""
        while (sort := self._sort(schema)) in ("reference", "array", "map"):
            descriptions.append(schema.get("description") or "")
            if sort != "reference":
                type_name = type_name or self._type(schema)
            schema = self._inner(schema)
        type_name = type_name or self._type(schema)
        self._out.write(f"KIND:     {self._kind.kind}\nVERSION:  {self._kind.group_version}\n\n")
        if sort == "kind" and name:
            self._out.write(f"RESOURCE: {name} <{type_name}>\n\n")
        elif sort == "primitive":
            self._out.write(f"FIELD:    {name} <{type_name}>\n\n")
        self._describe([*descriptions, schema.get("description") or ""])
        if sort == "kind":
            self._out.write("\nFIELDS:\n")
            if self._recursive:
                self._names(schema, 3, frozenset())
            else:
                self._fields(schema, 3)

    def _describe(self, descriptions: list[str]) -> None:
        self._out.write("DESCRIPTION:\n")
        for number, text in enumerate(descriptions):
            if text:
                self._out.write("\n" if number else "")
                self._paragraphs(text, 5)
        if not any(descriptions):
            self._paragraphs("<empty>", 5)

    def _paragraphs(self, text: str, amount: int) -> None:
        for line in paragraphs(text, _WIDTH - amount):
            self._out.write(" " * amount + line + "\n" if line else "\n")

    def _fields(self, schema: Schema, amount: int) -> None:
        for name in sorted(schema["properties"]):
            field = schema["properties"][name]
            required = " -required-" if name in (schema.get("required") or ()) else ""
            self._out.write(f"{' ' * amount}{name}\t<{self._type(field)}>{required}\n")
            self._paragraphs(field.get("description") or "", amount + 2)
            self._out.write("\n")

    def _names(self, schema: Schema, amount: int, seen: frozenset[str]) -> None:
        """The fields and their fields, a line each; a reference within itself is not followed."""
        while (sort := self._sort(schema)) in ("reference", "array", "map"):
            if sort == "reference":
                if schema["$ref"] in seen:
                    return
                seen |= {schema["$ref"]}
            schema = self._inner(schema)
        if sort == "kind":
            for name in sorted(schema["properties"]):
                field = schema["properties"][name]
                self._out.write(f"{' ' * amount}{name}\t<{self._type(field)}>\n")
                self._names(field, amount + 3, seen)

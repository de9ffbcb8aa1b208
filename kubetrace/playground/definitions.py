"""CustomResourceDefinitions: defaults, structural schemas, conditions (apiextensions apis/apiextensions/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubetrace.playground import definition_schemas, formats
from kubetrace.playground.objects import now
from kubetrace.playground.schemas import Schema, at_path, schema_of
from kubetrace.playground.validation.causes import (
    LABEL_1035,
    LABEL_1035_WORDS,
    Cause,
    bad,
    duplicate,
    label_1035,
    one_of,
    required,
    same_text,
    subdomain,
)
from kubetrace.playground.validation.internal import internal

_COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"]
_COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"]
_APPROVAL = "api-approved.kubernetes.io"


def default(item: dict[str, Any]) -> None:
    """What the server fills in."""
    spec = item.setdefault("spec", {})
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names["singular"] = names.get("singular") or names["kind"].lower()
        names["listKind"] = names.get("listKind") or f"{names['kind']}List"
    spec.setdefault("conversion", {"strategy": "None"})
    for version in spec.get("versions") or ():
        for column in version.get("additionalPrinterColumns") or ():
            _without_empty(column, "priority", "description", "format")
    for schema in _schemas(spec):
        _without_empty(schema, *_EMPTY_UNSAID)


_EMPTY_UNSAID = (
    *("type", "description", "title", "format", "pattern", "nullable", "uniqueItems"),
    *("exclusiveMinimum", "exclusiveMaximum"),
    *("x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"),
)


def _without_empty(part: dict[str, Any], *names: str) -> None:
    """Drops what Go leaves out where it is "", 0 or false."""
    for name in names:
        if name in part and not part[name]:
            del part[name]


def rules(item: dict[str, Any]) -> list[str]:
    """Where it has CEL rules, which the playground does not run."""
    found = []
    for index, version in enumerate(item["spec"].get("versions") or ()):
        at = f"spec.versions[{index}].schema.openAPIV3Schema"
        for path, schema in definition_schemas.walk(schema_of(version), at):
            if schema.get("x-kubernetes-validations"):
                found.append(f"{path}.x-kubernetes-validations")
    return found


def unknown_formats(item: dict[str, Any]) -> list[str]:
    """Formats that nobody looks at."""
    found: dict[str, None] = {}
    for schema in _schemas(item["spec"]):
        name = schema.get("format")
        if name and not formats.is_known(name, schema.get("type") or ""):
            found[name] = None
    return list(found)


def causes_of(item: dict[str, Any], old: dict[str, Any] | None = None) -> list[Cause]:
    """Against a definition, but for its metadata; `old` is what an update replaces."""
    spec = item["spec"]
    names, versions = spec.get("names") or {}, spec.get("versions") or []
    causes: list[Cause] = []
    if not spec.get("group"):
        causes.append(required("spec.group"))
    elif wrong := subdomain("spec.group", spec["group"]):
        causes += wrong
    elif "." not in spec["group"]:
        causes.append(bad("spec.group", spec["group"], "should be a domain with at least one dot"))
    causes += one_of("spec.scope", spec.get("scope"), ["Cluster", "Namespaced"])
    if spec.get("preserveUnknownFields") and any("default" in part for part in _schemas(spec)):
        why = "must be false in order to use defaults in the schema"
        causes.append(bad("spec.preserveUnknownFields", True, why))
    stored = sum(bool(version.get("storage")) for version in versions)
    several = len(versions) > 1
    for index, version in enumerate(versions):
        at, title = f"spec.versions[{index}]", version.get("name", "")
        causes += label_1035(f"{at}.name", title)
        causes += [bad(f"{at}.deprecationWarning", version["deprecationWarning"], why) for why in _warning(version)]
        causes += _version(version, at, several, _has_status(version)) if several else []
    if len({version.get("name", "") for version in versions}) < len(versions):
        causes.append(bad("spec.versions", _go_versions(spec), "must contain unique version names"))
    if stored != 1:
        causes.append(
            bad("spec.versions", _go_versions(spec), "must have exactly one version marked as storage version")
        )
    if versions and versions[0].get("name"):
        causes += label_1035("spec.version", versions[0]["name"])
    causes += _names(names)
    for version in versions if not several else ():
        causes += _version(version, "spec", several, _has_status(version))
    causes += one_of("spec.conversion.strategy", spec["conversion"].get("strategy"), ["None", "Webhook"])
    if spec["conversion"].get("strategy") == "Webhook" and "webhook" not in spec["conversion"]:
        causes.append(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"))
        causes.append(required("spec.conversion.conversionReviewVersions"))
    causes += _fixed(spec, old) if old is not None else []
    causes += _stored_versions(spec, old)
    if f".{spec.get('group', '')}".endswith((".k8s.io", ".kubernetes.io")):
        causes += _approval(item["metadata"])
    if spec.get("preserveUnknownFields") and not (old or {"spec": {}})["spec"].get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        causes.append(bad("spec.preserveUnknownFields", True, why))
    return causes


_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")


def _go_versions(spec: dict[str, Any]) -> Any:
    """The versions as the internal type's JSON has them, the parts that all of them share being elsewhere."""
    versions = spec.get("versions")
    if not versions:
        return versions
    shared = [name for name in _SHARED if all(each.get(name) == versions[0].get(name) for each in versions)]
    shown = []
    for version in versions:
        own = {name: value for name, value in version.items() if name not in shared}
        if "schema" in own:
            own["schema"] = {"openAPIV3Schema": _opened(schema_of(version))}
        shown.append(internal("apiextensions.CustomResourceDefinitionVersion", own))
    return shown


def _opened(schema: Schema) -> Schema:
    """A schema with what stands for one of two things as the Go struct that holds both."""
    found = dict(schema)
    for name in ("properties", "patternProperties", "definitions"):
        if name in found:
            found[name] = {key: _opened(part) for key, part in found[name].items()}
    for name in ("allOf", "anyOf", "oneOf"):
        if name in found:
            found[name] = [_opened(part) for part in found[name]]
    if isinstance(found.get("not"), dict):
        found["not"] = _opened(found["not"])
    if isinstance(found.get("items"), dict):
        found["items"] = {"schema": _opened(found["items"])}
    for name in ("additionalProperties", "additionalItems"):
        extra = found.get(name)
        if extra is not None:
            part = _opened(extra) if isinstance(extra, dict) else None
            found[name] = {"allows": bool(extra) or isinstance(extra, dict), "schema": part}
    return found


def _schemas(spec: dict[str, Any]) -> Iterator[Schema]:
    """Every part of every version's schema."""
    for version in spec.get("versions") or ():
        yield from (part for _, part in definition_schemas.walk(schema_of(version), ""))


def stored_versions(spec: dict[str, Any], old: dict[str, Any] | None) -> list[str]:
    """The versions in which objects may have been stored (PrepareForCreate, PrepareForUpdate)."""
    known: list[str] = list(((old or {}).get("status") or {}).get("storedVersions") or ())
    storing = next((version.get("name", "") for version in spec.get("versions") or () if version.get("storage")), None)
    return [*known, storing] if storing is not None and storing not in known else known


def _stored_versions(spec: dict[str, Any], old: dict[str, Any] | None) -> list[Cause]:
    at, known = "status.storedVersions", stored_versions(spec, old)
    if not known:
        return [bad(at, None if old is None else [], "must have at least one stored version")]
    causes, left = [], list(known)
    for version in spec.get("versions") or ():
        name = version.get("name", "")
        if version.get("storage") and name not in left:
            causes.append(bad(at, known, f"must have the storage version {name}"))
        if name in left:
            left.remove(name)
    for name in left:
        why = f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions "
        why += f"until a storage migration ensures no data remains persisted in {name} and removes {name} from "
        causes.append(bad(f"{at}[{known.index(name)}]", name, f"{why}status.storedVersions"))
    return causes


def _approval(metadata: dict[str, Any]) -> list[Cause]:
    at, told = f"metadata.annotations[{_APPROVAL}]", "https://github.com/kubernetes/enhancements/pull/1111"
    value = (metadata.get("annotations") or {}).get(_APPROVAL, "")
    start = f'protected groups must have approval annotation "{_APPROVAL}"'
    if value.startswith(("unapproved", "https://", "http://")):
        return []
    if value:
        return [bad(at, value, f'{start} with either a URL or a reason starting with "unapproved", see {told}')]
    return [required(at, f"{start}, see {told}")]


def _names(names: dict[str, Any]) -> list[Cause]:
    causes: list[Cause] = []
    for part in ("plural", "singular", "kind", "listKind"):
        at, value = f"spec.names.{part}", names.get(part, "")
        if not value:
            causes.append(required(at))
        elif part in ("kind", "listKind") and not LABEL_1035.fullmatch(value.lower()):
            causes.append(bad(at, value, f"may have mixed case, but should otherwise match: {LABEL_1035_WORDS}"))
        elif part in ("plural", "singular"):
            causes += label_1035(at, value)
    for part in ("shortNames", "categories"):
        for index, value in enumerate(names.get(part) or ()):
            causes += label_1035(f"spec.names.{part}[{index}]", value or "")
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        why = "kind and listKind may not be the same"
        causes.append(bad("spec.names.listKind", names["listKind"], why))
    return causes


def _version(version: dict[str, Any], at: str, several: bool, with_status: bool) -> list[Cause]:
    """A single version's parts are told as those of the whole definition, as it was before there were several."""
    causes: list[Cause] = []
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = f"{at}.schema.openAPIV3Schema" if several else "spec.validation.openAPIV3Schema"
    if schema is None:
        causes.append(required(f"{at if several else 'spec.versions[0]'}.schema.openAPIV3Schema"))
    else:
        causes += definition_schemas.check(schema, where, with_status)
    scale = (version.get("subresources") or {}).get("scale")
    if scale is not None:
        for name in ("specReplicasPath", "statusReplicasPath"):
            path, told = scale.get(name, ""), f"{at}.subresources.scale.{name}"
            start = ".spec." if name.startswith("spec") else ".status."
            if not path:
                causes.append(required(told))
            elif not path.startswith("."):
                causes.append(bad(told, path, "must be a simple json path starting with ."))
            elif not path.startswith(start):
                causes.append(bad(told, path, f"should be a json path under {start[:-1]}"))
        chosen, told = scale.get("labelSelectorPath") or "", f"{at}.subresources.scale.labelSelectorPath"
        if chosen and not chosen.startswith("."):
            causes.append(bad(told, chosen, "must be a simple json path starting with ."))
        elif chosen and not chosen.startswith((".spec.", ".status.")):
            causes.append(bad(told, chosen, "should be a json path under either .spec or .status"))
    for index, column in enumerate(version.get("additionalPrinterColumns") or ()):
        causes += _column(column, f"{at}.additionalPrinterColumns[{index}]")
    if version.get("selectableFields") and schema is None:
        told = "`version.schema.openAPIV3Schema` is not included" if several else "validations.schema is included"
        causes.append(bad(f"{at}.selectableFields", "", f"may only be set when {told}"))
    seen: set[str] = set()
    for index, selected in enumerate(version.get("selectableFields") or () if schema is not None else ()):
        path, told = selected.get("jsonPath", ""), f"{at}.selectableFields[{index}].jsonPath"
        causes += _selectable(path, schema or {}, told) + ([duplicate(told, path)] if path in seen else [])
        seen.add(path)
    return causes


def _warning(version: dict[str, Any]) -> list[str]:
    """What is wrong with what users of an old version are told."""
    text = version.get("deprecationWarning")
    if text is None:
        return []
    if not version.get("deprecated"):
        return ["can only be set for deprecated versions"]
    found = ["must be <= 256 characters long"] if len(text.encode()) > 256 else []
    found += [] if text else ["must not be an empty string"]
    odd = next((index for index, char in enumerate(text) if not char.isprintable()), None)
    if odd is not None:
        place = len(text[:odd].encode())
        start = "must only contain printable UTF-8 characters; non-printable character found at index"
        found.append(f"{start} {place}")
    return found


def _has_status(version: dict[str, Any]) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def _selectable(path: str, schema: Schema, at: str) -> list[Cause]:
    if not path:
        return [required(at)]
    if path[0] not in "[.":
        return [bad(at, path, f"is an invalid path: expected [ or . but got: {path}")]
    part: Any = schema
    for name in path.lstrip(".").split("."):
        part = (part.get("properties") or {}).get(name) if isinstance(part, dict) else None
    if path.startswith(".metadata"):
        return [bad(at, path, "must not point to fields in metadata")]
    if part is None:
        return [bad(at, path, "is an invalid path: does not refer to a valid field")]
    if part.get("type") in ("string", "boolean", "integer"):
        return []
    why = "must point to a field of type string, boolean or integer."
    return [bad(at, path, f"{why} Enum string fields and strings with formats are allowed.")]


def _column(column: dict[str, Any], at: str) -> list[Cause]:
    causes = [] if column.get("name") else [required(f"{at}.name")]
    kind, path = column.get("type", ""), column.get("jsonPath", "")
    if kind not in _COLUMN_TYPES:
        why = f"must be one of {','.join(_COLUMN_TYPES)}"
        causes.append(bad(f"{at}.type", kind, why) if kind else required(f"{at}.type", why))
    form = column.get("format")
    if form and form not in _COLUMN_FORMATS:
        causes.append(bad(f"{at}.format", form, f"must be one of {','.join(_COLUMN_FORMATS)}"))
    if not path:
        causes.append(required(f"{at}.JSONPath"))
    elif not path.startswith("."):
        causes.append(bad(f"{at}.JSONPath", path, "must be a simple json path starting with ."))
    return causes


def _fixed(spec: dict[str, Any], old: dict[str, Any]) -> list[Cause]:
    """What an update must not change; once its names are accepted, neither scope nor kind."""
    conditions = (old.get("status") or {}).get("conditions") or ()
    established = any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
    before = old["spec"]
    fields = (*(("scope", "names.kind") if established else ()), "group", "names.plural")
    return [
        cause
        for field in fields
        for cause in same_text(f"spec.{field}", at_path(before, f".{field}"), at_path(spec, f".{field}"))
    ]


def complete(item: dict[str, Any], old: dict[str, Any] | None = None) -> None:
    """The status that a write leaves. `old` is what an update replaces: then a new storage version is noted."""
    found = item.get("status") or {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}}
    item["status"] = found | {"storedVersions": stored_versions(item["spec"], old)}


def established(item: dict[str, Any]) -> dict[str, Any]:
    """The status of a CustomResourceDefinition that is new: its names are accepted, it is established at once."""
    accepted = {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now(), "reason": "NoConflicts"}
    ready = {"type": "Established", "status": "True", "lastTransitionTime": now(), "reason": "InitialNamesAccepted"}
    conditions = [
        accepted | {"message": "no conflicts found"},
        ready | {"message": "the initial names have been accepted"},
    ]
    found: dict[str, Any] = item["status"]
    return found | {"conditions": conditions, "acceptedNames": dict(item["spec"]["names"])}

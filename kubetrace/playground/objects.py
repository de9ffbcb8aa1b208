"""Bodies into objects and back: decoding by content type, unknown and mistyped fields, the order of keys."""

from __future__ import annotations

import contextlib
import datetime
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from kubetrace.playground.catalog import Resource
from kubetrace.playground.status import ApiError
from kubetrace.wire import PROTOBUF, protobuf, quantity
from kubetrace.wire.go_base64 import base64_problem
from kubetrace.wire.go_json import json_type, no_object
from kubetrace.wire.go_numbers import general_float
from kubetrace.wire.go_time import RFC3339, RFC3339_MICRO, time_problem
from kubetrace.wire.json_stream import is_json, problem
from kubetrace.wire.schema import Field, Type, built_in

Object = dict[str, Any]

LONGEST_PREFIX = 58
"""Characters of generateName that a name takes (MaxGeneratedNameLength in apiserver pkg/storage/names)."""
NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_META_ORDER: tuple[str, ...] = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
)
_META_ORDER += (
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
)
_KEPT_EMPTY = frozenset(
    (
        *(("Role", "rules"), ("ClusterRole", "rules"), ("EndpointSlice", "endpoints"), ("EndpointSlice", "ports")),
        *(("CSINodeDriver", "topologyKeys"), ("ContainerImage", "names"), ("ProjectedVolumeSource", "sources")),
        *(("ResourcePolicyRule", "namespaces"), ("DeviceClaim", "requests"), ("AllocatedDeviceStatus", "conditions")),
    )
)
"""Lists that need not be there, but whose Go fields have no omitempty."""
_RAW = frozenset(("managedFields", "data", "parameters"))
"""Fields with a content that is kept as it was sent."""
_GO_SCALARS = {"string": "string", "boolean": "bool", "int32": "int32", "int64": "int64", "number": "float64"}


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_now() -> str:
    """A MicroTime."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def admitted_name(metadata: Object) -> str:
    """What mutating admission calls a new object, which has no name yet where it is generated (extractResourceName in
    apiserver pkg/admission/errors.go)."""
    return metadata.get("name") or metadata.get("generateName") or "Unknown"


def random_suffix(length: int = 5) -> str:
    """As generateName's: no vowels, so no words (apimachinery util/rand)."""
    return "".join(secrets.choice(NAME_LETTERS) for _ in range(length))


def forget_empty_lists(value: Object) -> None:
    """Changes an object in place to what the server reads back: protobuf, in which it keeps built-in kinds, tells no
    empty list from none, so that one which is always written is null."""
    for name, entry in value.items():
        if entry == [] and isinstance(entry, list):
            value[name] = None
        elif name not in _RAW:
            for each in entry if isinstance(entry, list) else (entry,):
                if isinstance(each, dict):
                    forget_empty_lists(each)


def generated_name(prefix: str) -> str:
    """A name that begins with generateName, 63 characters at most."""
    return f"{prefix[:LONGEST_PREFIX]}{random_suffix()}"


def new_uid() -> str:
    return str(uuid.uuid4())


def decode_body(body: bytes, content_type: str, kind: str = "") -> Any:
    """The body of a write of that kind. Raises 415 for encodings that are not served, 400 for what can't be read."""
    media = media_type(content_type)
    if media == "application/json" or not content_type:
        return _decode_json(body, kind)
    if media == "application/yaml":
        return _decode_yaml(body, kind)
    if media == "application/vnd.kubernetes.protobuf":
        return _decode_protobuf(body, kind)
    supported = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    raise ApiError(
        415,
        f"the body of the request was in an unknown format - accepted media types include: {supported}",
    )


_PARAMETER = r";\s*([\w!#$%&'*+.^`|~-]+)=(?:\"(?:[^\"\\]|\\.)*\"|[\w!#$%&'*+.^`|~-]+)\s*"


def media_type(content_type: str) -> str:
    """The media type in small letters; empty where mime.ParseMediaType refuses the header, as for a parameter that
    stands there twice."""
    import re

    media, semicolon, rest = content_type.partition(";")
    rest, names = semicolon + rest, set()
    while match := re.match(_PARAMETER, rest):
        if match[1].lower() in names:
            return ""
        names.add(match[1].lower())
        rest = rest[match.end() :]
    return media.strip().lower() if rest.strip() in ("", ";") else ""


def _decode_protobuf(body: bytes, kind: str) -> Any:
    """What is of no kind, or of an unknown one, is left to the check of kinds."""
    why = "" if body else "empty data"
    if body and not body.startswith(PROTOBUF):
        why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
    try:
        api_version, found, raw = protobuf.envelope(body or PROTOBUF)
    except protobuf.InvalidProtobuf as error:
        why = why or str(error)
    if body == PROTOBUF:
        why = "empty body"
    if why and kind == "DeleteOptions":  # which are decoded elsewhere
        raise ApiError(400, why)
    if why:
        raise ApiError(400, f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(body)})")
    if not raw:
        return {name: text for name, text in (("kind", found), ("apiVersion", api_version)) if text}
    try:
        return protobuf.decode(body)
    except protobuf.UnknownKind:
        return {"kind": found, "apiVersion": api_version}
    except protobuf.InvalidProtobuf as error:
        version = api_version.rpartition("/")[2]
        told = f'{found} in version "{version}" cannot be handled as a {kind}: {error}'
        raise ApiError(400, told) from error


_SHOWN_BYTES = 30
_META = "io.k8s.apimachinery.pkg.apis.meta.v1"
_TIMES = {f"{_META}.Time": RFC3339, f"{_META}.MicroTime": RFC3339_MICRO}
"""Types of moments with the layouts that they are read by."""


def _decode_json(body: bytes, kind: str) -> Any:
    value = decode_json(body, lambda problem: _unrecognized(body, kind, problem))
    return {} if value is None else _object(body, value, kind)


def _object(body: bytes, value: Any, kind: str) -> Any:
    """A decoded body, where it can be an object's."""
    if value is None:
        return value
    if not isinstance(value, dict):
        raise _unrecognized(body, kind, no_object(value))
    if why := unreadable_kind(value):
        raise ApiError(400, f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(body)})")
    return value


def unreadable_kind(value: Object) -> str:
    """Why an object's apiVersion and kind can't be read; "" where they can (json.SimpleMetaFactory)."""
    for name in ("kind", "apiVersion"):
        if not isinstance(value.get(name), str | None):
            why = f"json: cannot unmarshal {json_type(value[name])} into Go struct field .{name} of type string"
            return f"couldn't get version/kind; json parse error: {why}"
    version = value.get("apiVersion") or ""
    return f"unexpected GroupVersion string: {version}" if version.count("/") > 1 else ""


def decode_json(body: bytes, failure: Callable[[str], ApiError]) -> Any:
    """`failure` makes the error from what Go says about the text."""
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        if is_json(body):
            raise  # Go goes deeper than we do
        raise failure(problem(body)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(body.decode("utf-8", "replace"))  # Go reads what is no UTF-8 as U+FFFD
        raise failure(problem(body)) from None


def _unrecognized(body: bytes, kind: str, problem: str) -> ApiError:
    """The words of transformDecodeError."""
    why = f"couldn't get version/kind; json parse error: {problem}"
    if kind == "DeleteOptions":  # which are decoded elsewhere
        return ApiError(400, why)
    return ApiError(400, f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(body)})")


def without_kind(resource: Resource, body: bytes, ignored: bool) -> ApiError:
    """The API extensions server's word for a body that does not say its kind. `ignored`: unknown fields are."""
    kind, why = resource.kind, f"Object 'Kind' is missing in '{body.decode('utf-8', 'replace')}'"
    if ignored:
        return ApiError(400, f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')
    return ApiError(400, f"the object provided is unrecognized (must be of type {kind}): {why} ({_summary(body)})")


def _summary(body: bytes) -> str:
    """How a body begins; what can't be JSON is shown in hexadecimal digits (summarizeData)."""
    start = body[:_SHOWN_BYTES]
    shown = "<empty>" if not body else start.decode("utf-8", "replace") if body[:1] == b"{" else start.hex()
    return f"{shown} ..." if len(body) > _SHOWN_BYTES else shown


def _decode_yaml(body: bytes, kind: str) -> Any:
    from kubetrace.wire import yaml_reader

    try:
        value = yaml_reader.loads(body)
    except (ValueError, RecursionError) as error:
        told = f"the object provided is unrecognized (must be of type {kind}): {error} ({_summary(body)})"
        raise ApiError(400, told) from error
    return {} if value is None else _object(body, value, kind)


def decode_applied(body: bytes) -> Any:
    """The YAML of a server-side apply. Raises 400."""
    from kubetrace.wire import yaml_reader

    try:
        value = yaml_reader.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"error decoding YAML: error converting YAML to JSON: {error}") from error
    if value is not None and not isinstance(value, dict):
        why = f"json: cannot unmarshal {json_type(value)} into Go value of type map[string]interface {{}}"
        raise ApiError(400, f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {why}")
    return value


def ordered(item: Object) -> Object:
    """kind, apiVersion and metadata first, as Go's structs have them."""
    result: Object = {name: item[name] for name in ("kind", "apiVersion") if name in item}
    if "metadata" in item:
        metadata = item["metadata"]
        if isinstance(metadata, dict) and "name" in metadata:
            first = {name: metadata[name] for name in _META_ORDER if name in metadata}
            metadata = first | metadata
        result["metadata"] = metadata
    result |= {name: value for name, value in item.items() if name not in result and name != "status"}
    if "status" in item:
        result["status"] = item["status"]
    return result


class Check:
    """One walk over an object: drops unknown fields (remembering them), refuses values of the wrong type."""

    def __init__(self, resource: Resource, keep_empty: bool = False) -> None:
        """`keep_empty`: nulls, empty maps and lists stay, which Go's omitempty would drop; an apply may own them."""
        self._keep_empty = keep_empty
        self._what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
        self.unknown: list[str] = []

    def clean(self, item: Object, type: Type) -> Object:
        return self._object(item, type, "")

    def _object(self, value: Object, type: Type, path: str) -> Object:
        result = {}
        for name, entry in value.items():
            field = type.field(name)
            where = f"{path}.{name}" if path else name
            if field is None:
                self.unknown.append(where)
            elif entry is not None:
                kept = self._field(entry, field, type.descend(name), where, type)
                optional = not field.required and (type.name.rpartition(".")[2], name) not in _KEPT_EMPTY
                empty = not kept and (field.map or field.list) and optional  # Go's omitempty
                if not empty or self._keep_empty or name == "managedFields":
                    result[name] = kept
            elif name == "lastProbeTime" or self._keep_empty:
                result[name] = None
        return result

    def _field(self, value: Any, field: Field, inner: Type | None, path: str, owner: Type) -> Any:
        if field.map:
            if not isinstance(value, dict):
                self._refuse(value, field, inner, path, owner)
            return {key: self._entry(entry, field, inner, path, owner) for key, entry in value.items()}
        if field.list:
            if not isinstance(value, list):
                self._refuse(value, field, inner, path, owner)
            return [self._entry(entry, field, inner, f"{path}[{i}]", owner) for i, entry in enumerate(value)]
        return self._entry(value, field, inner, path, owner)

    def _entry(self, value: Any, field: Field, inner: Type | None, path: str, owner: Type) -> Any:
        if (field.map and field.list) or field.type.endswith(".runtime.RawExtension"):
            return value  # which may be anything
        if inner is not None and not inner.scalar:
            if value is None:
                return {}
            if not isinstance(value, dict):
                self._refuse(value, field, inner, path, owner, entry=True)
            return self._object(value, inner, path)
        expected = inner.scalar if inner is not None else field.type
        if value is None and field.map and expected == "string" and not self._keep_empty:
            return ""  # as Go has it in its map
        if expected == "quantity":
            return self._quantity(value)
        format = "int32" if expected == "int-or-string" else field.format
        if value is not None and not (_fits(value, expected) and _in_range(value, format)):
            self._refuse(value, field, inner, path, owner, entry=True)
        if expected == "integer" and isinstance(value, float):
            return int(value)
        if isinstance(value, str) and (field.format == "byte" or field.type in _TIMES):
            self._decode(value, field)
        return value

    def _decode(self, text: str, field: Field) -> None:
        """Texts that Go reads as something else: bytes in base64, times."""
        if field.format == "byte":
            why = base64_problem(text)
            conversion = f"error decoding from json: {why}"
        else:
            conversion = why = time_problem(text, _TIMES[field.type])
        if why:
            raise Mistyped(f"{self._what}: {why}", why, conversion)

    def _quantity(self, value: Any) -> str:
        """In its canonical form; numbers are allowed, too."""
        text = "" if isinstance(value, bool | list | dict) else "0" if value is None else str(value)
        try:
            return quantity.canonical(text)
        except quantity.InvalidQuantity as error:
            raise Mistyped(f"{self._what}: {error}", str(error), str(error)) from None

    def _refuse(
        self, value: Any, field: Field, inner: Type | None, path: str, owner: Type, entry: bool = False
    ) -> None:
        import re

        struct = owner.name.rpartition(".")[2]
        plain = re.sub(r"\[\d+\]", "", path)
        go_type = _go_type(field, inner, entry)
        found = json_type(value)
        if go_type in _LEAST and found == "number":
            found = f"number {value}"
        told = f"json: cannot unmarshal {found} into Go struct field {struct}.{plain} of type {go_type}"
        raise Mistyped(f"{self._what}: {told}", told, unconvertible(value, go_type))


_LEAST = {"int32": -(2**31), "int64": -(2**63)}


def _in_range(value: Any, format: str) -> bool:
    least = _LEAST.get(format)
    return least is None or not isinstance(value, int) or least <= value < -least


class Mistyped(ApiError):
    """A value of a type that its field has not: `decoding` are encoding/json's words, `conversion` those of the
    converter that strategic merge patches and applied objects go through (apimachinery runtime/converter.go)."""

    def __init__(self, message: str, decoding: str, conversion: str) -> None:
        super().__init__(400, message)
        self.decoding = decoding
        self.conversion = conversion


_GO_KINDS = {"object": "map", "array": "slice", "string": "string", "bool": "bool"}


_READ_BY_THEMSELVES = {"v1.Time": "string", "v1.MicroTime": "string", "intstr.IntOrString": "int32"}
"""Types with an UnmarshalJSON of their own, and what it wants."""


def unconvertible(value: Any, go_type: str) -> str:
    """Why the converter does not take a value for a type."""
    if wanted := _READ_BY_THEMSELVES.get(go_type):
        found = json_type(value)
        if found == "number" and wanted == "int32":
            found = f"number {general_float(value) if isinstance(value, float) else value}"
        return f"json: cannot unmarshal {found} into Go value of type {wanted}"
    is_whole = isinstance(value, int) and _in_range(value, "int64")
    plain = _GO_KINDS.get(json_type(value), "int64" if is_whole else "float64")
    if go_type.startswith("map["):
        return f"cannot restore map from {plain}"
    if go_type.startswith("[]"):
        return f"cannot restore slice from {plain}"
    if go_type.startswith("v1.") or "." in go_type:
        return f"cannot restore struct from: {plain}"
    numbers = ("int32", "int64", "float64")
    convertible = plain in numbers and (go_type in numbers or (plain, go_type) == ("int64", "string"))  # by Go's rules
    return f"cannot convert {plain} to {go_type}" if convertible else f"unrecognized type: {go_type}"


def _go_type(field: Field, inner: Type | None, entry: bool) -> str:
    if inner is not None:
        version, _, name = inner.name.rpartition(".")
        base = f"{version.rpartition('.')[2]}.{name}"
    elif field.format == "byte":
        base = "[]uint8"
    else:
        base = _GO_SCALARS.get(field.format) or _GO_SCALARS.get(field.type, field.type)
    if entry:
        return base
    return f"map[string]{base}" if field.map else f"[]{base}"


def _fits(value: Any, expected: str) -> bool:
    if expected == "string":
        return isinstance(value, str)
    if expected == "boolean":
        return isinstance(value, bool)
    if expected == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if expected == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected == "int-or-string":
        return isinstance(value, int | str) and not isinstance(value, bool)
    if expected == "quantity":
        return isinstance(value, str)
    return expected != "object" or isinstance(value, dict)


def type_of(resource: Resource) -> Type | None:
    return None if resource.custom is not None else built_in().for_kind(resource.api_version, resource.kind)

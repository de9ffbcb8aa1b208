"""What the writing commands share: --dry-run, --validate, -f, -o, and errors that name their source."""

from __future__ import annotations

import contextlib
from enum import Enum
from typing import TYPE_CHECKING, Any

from kubetrace.commands.colored import colored
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_strconv import BadValue, parse_bool

if TYPE_CHECKING:
    from kubetrace.api.builder import Info, Request
    from kubetrace.api.field_validation import FieldValidation
    from kubetrace.api.manifests import FilenameOptions
    from kubetrace.api.openapi import OpenAPI
    from kubetrace.api.resources import Mapping as ResourceMapping
    from kubetrace.api.verbs import WriteOptions
    from kubetrace.commands.shared_options import PrintOptions
    from kubetrace.environment import Environment
    from kubetrace.printing.printers import Printer
    from kubetrace.transport.call import Call
    from kubetrace.wire.go_struct import TypedObject


class DryRun(Enum):
    """Where a change ends: on the server, in its dry run, or here."""

    NONE = ""
    CLIENT = "dry run"
    SERVER = "server dry run"

    def mark(self, operation: str) -> str:
        """ "created" → "created (dry run)"."""
        return f"{operation} ({self.value})" if self.value else operation


def dry_run(environment: Environment, text: str) -> DryRun:
    """--dry-run's value (cmdutil.GetDryRunStrategy). Raises KubetraceError."""
    known = {"none": DryRun.NONE, "client": DryRun.CLIENT, "server": DryRun.SERVER, "unchanged": DryRun.CLIENT}
    try:
        flag = parse_bool(text)
    except BadValue:
        if text not in known:
            raise KubetraceError(f'Invalid dry-run value ({text}). Must be "none", "server", or "client".') from None
        if text == "unchanged":
            environment.note("dry-run-bare")
        return known[text]
    environment.note("dry-run-true" if flag else "dry-run-false", text=text)
    return DryRun.CLIENT if flag else DryRun.NONE


def check_local(local: bool, strategy: DryRun) -> None:
    """Raises KubetraceError for --local beside a dry run of the server's."""
    if local and strategy is DryRun.SERVER:
        raise KubetraceError("cannot specify --local and --dry-run=server - did you mean --dry-run=client?")


def validation_directive(text: str) -> str:
    """--validate's value as the fieldValidation parameter (cmdutil.GetValidationDirective). Raises KubetraceError."""
    from kubetrace.api.go_words import quoted

    try:
        return "Strict" if parse_bool(text) else "Ignore"
    except BadValue:
        pass
    found = {"strict": "Strict", "warn": "Warn", "ignore": "Ignore"}.get(text)
    if found is None:
        raise KubetraceError(
            f"invalid - validate option {quoted(text)}; must be one of: strict (or true), warn, ignore (or false)"
        )
    return found


def object_printer(environment: Environment, options: PrintOptions, operation: str) -> Printer:
    """The printer that a command's flags mean; without -o it says what was done. Raises KubetraceError."""
    from kubetrace.printing.formats import OutputOptions, resource_printer

    output = OutputOptions(
        options.output,
        options.template,
        options.allow_missing_template_keys,
        options.show_managed_fields,
        operation=operation,
    )
    return colored(environment, resource_printer(output, environment.environ), options.output)


def create_object(environment: Environment, info: Info, write: WriteOptions) -> dict[str, object]:
    """POSTs the object; a resourceVersion in the manifest does not count (resource.Helper.Create)."""
    from kubetrace.api import last_applied, verbs
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None and info.object is not None
    metadata = info.object.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("resourceVersion", None)
    body = last_applied.encode(info.object)
    purpose = Purpose("create", "create: a new object from the manifest")
    call = verbs.create(info.mapping, info.namespace, body, write, purpose=purpose)
    created: dict[str, object] = environment.cluster.objects.send(call, info.mapping, info.name)
    return created


def replace_object(environment: Environment, info: Info, write: WriteOptions, subresource: str = "") -> dict[str, Any]:
    """PUTs the object; one without a resourceVersion takes the place of any version (resource.Helper.Replace)."""
    from kubetrace.api import last_applied, verbs
    from kubetrace.api.metadata import set_field, text
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    assert info.mapping is not None and info.object is not None
    objects = environment.cluster.objects
    where = (info.mapping, info.namespace, info.name)
    if not text(info.object, "resourceVersion"):
        purpose = Purpose("replace", "replace: which version is there now?")
        call = replace(verbs.get(*where, subresource, purpose=purpose), operation="replace-get")
        with contextlib.suppress(KubetraceError):
            version = text(objects.send(call, info.mapping, info.name), "resourceVersion")
            if version:
                set_field(info.object, "resourceVersion", version)
    purpose = Purpose("replace", "replace: the whole object, as the manifest has it")
    body = last_applied.encode(info.object)
    call = verbs.replace_(*where, body, write, subresource, purpose=purpose)
    replaced: dict[str, Any] = objects.send(call, info.mapping, info.name)
    return replaced


def create_typed(
    environment: Environment,
    mapping: ResourceMapping,
    namespace: str,
    value: TypedObject,
    write: WriteOptions,
    *,
    failure: str = "",
) -> TypedObject:
    """POSTs an object as kubectl's typed clients do; `failure` begins the message of an error.

    Raises StatusError, TransportError, KubetraceError."""
    from kubetrace.api import last_applied, verbs
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    purpose = Purpose("create", "create: the new object that the flags describe")
    call = verbs.create(mapping, namespace, last_applied.encode_typed(value), write, purpose=purpose)
    return send_typed(environment, replace(call, operation="typed-create"), mapping, failure=failure)


def send_typed(
    environment: Environment, call: Call, mapping: ResourceMapping, name: str = "", *, failure: str = ""
) -> TypedObject:
    """A call that kubectl makes with protobuf, and its answer; `failure` begins the message of an error.

    Raises StatusError, TransportError, KubetraceError."""
    from kubetrace.api.status import StatusError
    from kubetrace.value import replace

    call = replace(call, client=str(mapping.resource.group_version))

    try:
        return as_typed(environment.cluster.objects.send(call, mapping, name))
    except KubetraceError as error:
        if failure:
            raise KubetraceError(f"{failure}{error}") from None
        raise error.without_type() if isinstance(error, StatusError) else error from None


def create_as_typed(
    environment: Environment, mapping: ResourceMapping, body: bytes, manager: str, dry: bool
) -> TypedObject:
    """POSTs a body to where the command's namespace is, and reads the answer as kubectl's struct.

    Raises StatusError, TransportError."""
    from kubetrace.api import verbs
    from kubetrace.trace.exchange import Purpose

    purpose = Purpose("create", "create: the new object that the flags describe")
    write = verbs.WriteOptions(manager, dry_run=dry)
    environment.make_client()
    call = verbs.create(mapping, environment.namespace, body, write, purpose=purpose)
    return as_typed(environment.cluster.typed.objects.send(call, mapping))


def as_typed(value: dict[str, Any]) -> TypedObject:
    """A server's answer as kubectl's struct has it; a kind without a struct stays as it came."""
    from kubetrace.wire.go_struct import TypedObject, is_registered, struct_of, typed

    if is_registered(*struct_of(value)):
        return typed(value)
    return TypedObject(value)


def make_openapi(environment: Environment) -> OpenAPI:
    from kubetrace.api.openapi import OpenAPI

    _ = environment.cluster.discovery  # its client is the one that asks
    return OpenAPI(environment.client, environment.request_timeout)


def field_validation(
    environment: Environment, directive: str, openapi: OpenAPI | None = None
) -> FieldValidation | None:
    """The check of documents before they are sent; none with --validate=ignore, which needs no client
    (factory.Validator)."""
    from kubetrace.api.field_validation import IGNORE, FieldValidation

    if directive == IGNORE:
        return None
    environment.make_client()
    return FieldValidation(openapi or make_openapi(environment), environment.cluster.objects, directive)


def manifest_request(
    environment: Environment, options: FilenameOptions, validation: FieldValidation | None, selector: str, **more: Any
) -> Request:
    """The builder's request for the objects that -f names, in their namespaces."""
    from kubetrace.api.builder import Request
    from kubetrace.api.manifests import find_sources, read_documents
    from kubetrace.api.selection import Selection

    sources = find_sources(options, environment.read_manifest, environment.write_error_bytes)
    selection = Selection()
    selection.add_selectors(selector, "")
    return Request(
        selection=selection,
        documents=read_documents(sources.sources, validation),
        namespace=environment.namespace,
        default_namespace=True,
        enforce_namespace=environment.namespace_given,
        flatten=True,
        continue_on_error=True,
        **more,
    )


def with_source(verb: str, source: str, error: KubetraceError) -> KubetraceError:
    """The same error, saying at what and for which file (cmdutil.AddSourceToErr)."""
    from kubetrace.api.go_words import quoted
    from kubetrace.api.status import StatusError

    if not source:
        return error
    if isinstance(error, StatusError):
        return error.with_message(f"error when {verb} {quoted(source)}: {error.message}")
    return KubetraceError(f"error when {verb} {quoted(source)}: {error}")

"""`explain`: what a kind and its fields are, as the server's OpenAPI documents say (kubectl pkg/cmd/explain)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.openapi import OpenAPI
    from kubetrace.api.resources import GroupVersionResource
    from kubetrace.environment import Environment
    from kubetrace.printing.jsonpath_parser import Node

_PLAINTEXT, _PLAINTEXT_V2 = "plaintext", "plaintext-openapiv2"


class ExplainOptions(Value):
    api_version: str = flag("", help="Explain this version of the API (group/version).")
    output: str = flag(_PLAINTEXT, "o", help="How to show the schema (plaintext, plaintext-openapiv2).")
    recursive: bool = flag(False, "R", help="Name the fields of fields, too.")


def run(environment: Environment, options: ExplainOptions, arguments: Arguments) -> None:
    from kubetrace.api.openapi import OpenAPI
    from kubetrace.trace.exchange import Purpose

    _ = environment.cluster.mapper  # before the arguments are looked at
    if not arguments.words:
        raise KubetraceError(
            "You must specify the type of resource to explain. "
            'Use "kubetrace api-resources" for a complete list of supported resources.\n'
        )
    if len(arguments.words) > 1:
        raise KubetraceError("We accept only this format: explain RESOURCE\n")
    resource, path = _requested(environment, arguments.words[0], bool(options.api_version))
    purpose = Purpose("openapi", "openapi: how does the server describe this kind?")
    openapi = OpenAPI(environment.client, environment.request_timeout, purpose)
    if options.output == _PLAINTEXT_V2 or (options.output == _PLAINTEXT and not _has_v3(openapi)):
        _explain_v2(environment, options, openapi, resource, path)
    else:
        _explain_v3(environment, options, openapi, resource, path)


# --- what is asked for -----------------------------------------------------------------------------------------------


def _requested(environment: Environment, argument: str, one_version: bool) -> tuple[GroupVersionResource, list[str]]:
    """The resource and the path of fields that "TYPE.GROUP.field.field" means. A resource whose name with its group
    begins the argument is preferred, unless --api-version says where to look."""
    from kubetrace.api.resources import GroupVersionResource

    if one_version:
        return split_request(environment, argument)
    nodes = _nodes(argument)
    wanted = GroupVersionResource("", "", _names(nodes[:1], "first node must be field node")[0])
    found = environment.cluster.mapper.resources_for(wanted)
    for resource in found:
        name = str(resource.group_resource)
        if argument.startswith(name):
            rest = argument.removeprefix(name)
            return resource, _names(_nodes(rest)[1:] if rest else [], "first node must be field node")
    return found[0], _names(nodes[1:], "first node must be field node")


def split_request(environment: Environment, argument: str) -> tuple[GroupVersionResource, list[str]]:
    """The resource and the path of fields that "TYPE.field.field" means (SplitAndParseResourceRequest). Raises
    KubetraceError."""
    from kubetrace.api.resources import GroupVersionResource

    nodes = _nodes(argument)
    wanted = GroupVersionResource("", "", _names(nodes[:1], "first node must be field node")[0])
    return environment.cluster.mapper.resource_for(wanted), _names(nodes[1:], "all nodes must be field nodes")


def _nodes(argument: str) -> list[Node]:
    from kubetrace.printing.jsonpath_parser import JSONPathError, Sequence, parse

    try:
        nodes = parse("{." + argument.removesuffix(".") + "}")
    except JSONPathError as error:
        raise KubetraceError(str(error)) from None
    if len(nodes) != 1 or not isinstance(nodes[0], Sequence):
        raise KubetraceError("must pass in 1 jsonpath string")
    return nodes[0].nodes


def _names(nodes: list[Node], otherwise: str) -> list[str]:
    from kubetrace.printing.jsonpath_parser import Field

    names = [node.name for node in nodes if isinstance(node, Field)]
    if len(names) < len(nodes):
        raise KubetraceError(f"invalid jsonpath syntax, {otherwise}")
    return names


# --- the answer ------------------------------------------------------------------------------------------------------


def _has_v3(openapi: OpenAPI) -> bool:
    try:
        openapi.paths()
    except KubetraceError:
        return False
    return True


def _explain_v3(
    environment: Environment, options: ExplainOptions, openapi: OpenAPI, resource: GroupVersionResource, path: list[str]
) -> None:
    from kubetrace.api.openapi import GroupVersionNotFoundError
    from kubetrace.api.resources import GroupVersion, GroupVersionResource
    from kubetrace.printing.explain.plaintext import render

    if options.api_version:
        version = GroupVersion.parse(options.api_version)
        resource = GroupVersionResource(version.group, version.version, resource.resource)
    try:
        openapi.paths()
    except KubetraceError as error:
        raise KubetraceError(f"failed to fetch list of groupVersions: {error}") from error
    try:
        document = openapi.group_version(resource.group_version)
    except GroupVersionNotFoundError:
        raise KubetraceError(f'couldn\'t find resource for "{_shown(resource)}"') from None
    except KubetraceError as error:
        where = f"apis/{resource.group_version}" if resource.group else f"api/{resource.version}"
        raise KubetraceError(f"failed to fetch openapi schema for {where}: {error}") from error
    if options.output != _PLAINTEXT:
        raise KubetraceError(f"unrecognized format: {options.output}")
    render(dict(document), resource, path, options.recursive, environment.stdout)


def _shown(resource: GroupVersionResource) -> str:
    return f"{resource.group}/{resource.version}, Resource={resource.resource}"


def _explain_v2(
    environment: Environment, options: ExplainOptions, openapi: OpenAPI, resource: GroupVersionResource, path: list[str]
) -> None:
    from kubetrace.api.resources import GroupVersion, GroupVersionKind
    from kubetrace.printing.explain.openapi_v2 import render

    kind = environment.cluster.mapper.kind_for(resource)
    if options.api_version:
        version = GroupVersion.parse(options.api_version)
        kind = GroupVersionKind(version.group, version.version, kind.kind)
    render(openapi.definitions(), kind, path, options.recursive, environment.stdout)


COMMAND = Command(
    run=run,
    options=ExplainOptions,
    usage="explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] "
    "[-o|--output=plaintext|plaintext-openapiv2]",
    description="""
    Describe a resource and its fields, as the server's OpenAPI documents describe them.

    A field is named by its path: TYPE.FIELD.FIELD. A type whose name is ambiguous takes its group, too: TYPE.GROUP.

    Use "kubetrace api-resources" for the types that the server knows.
    """,
    examples="""
    # Pods, and what is in one
    kubetrace explain pods

    # The names of all fields, with those within them
    kubetrace explain pods --recursive

    # One field
    kubetrace explain pods.spec.containers

    # Another version of the API
    kubetrace explain deployments --api-version=apps/v1

    # As kubectl showed it before OpenAPI v3
    kubetrace explain deployment -o plaintext-openapiv2
    """,
)

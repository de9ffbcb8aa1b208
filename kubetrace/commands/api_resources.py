"""`api-resources`: what the server serves (kubectl pkg/cmd/apiresources)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value, replace

if TYPE_CHECKING:
    from kubetrace.api.resources import Resource
    from kubetrace.environment import Environment

_FORMATS = ("json", "yaml", "kyaml", "name", "wide")
_COLUMNS = ("NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND")


class ApiResourcesOptions(Value):
    api_group: str = flag("", help="Only resources of this API group; empty for the core group.")
    cached: bool = flag(False, help="Answer from the discovery cache where it is still valid.")
    categories: tuple[str, ...] = flag((), help="Only resources that belong to all of these categories.")
    namespaced: bool = flag(True, help="Only resources that live in namespaces (or, if false, that do not).")
    no_headers: bool = flag(False, help="Print the table without its first line.")
    output: str = flag("", "o", help="Output format. One of: (json, yaml, kyaml, name, wide).")
    show_managed_fields: bool = flag(False, help="Has no effect: resources have no managed fields.")
    sort_by: str = flag("", help="Order by 'name' or 'kind' instead of by group.")
    verbs: tuple[str, ...] = flag((), help="Only resources that support all of these verbs.")


def run(environment: Environment, options: ApiResourcesOptions, arguments: Arguments) -> None:
    from kubetrace.api.aggregates import raise_all

    arguments.no_words()
    discovery = environment.cluster.discovery
    if options.output not in ("", *_FORMATS):
        from kubetrace.printing.formats import unknown_format

        raise unknown_format(options.output, _FORMATS, environment.environ)
    if options.sort_by not in ("", "name", "kind"):
        raise KubetraceError("--sort-by accepts only name or kind")
    if not options.cached:
        discovery.invalidate()
    errors: list[KubetraceError] = []
    found = discovery.preferred_resources()
    if found.error is not None:
        errors.append(found.error)
    resources = [
        replace(resource, group=one.group_version.group, version=one.group_version.version)
        for one in found.lists
        for resource in one.resources
        if _wanted(resource, one.group_version.group, options, arguments)
    ]
    if any(one.resources for one in found.lists):
        resources.sort(key=_order(options.sort_by))
        _print(environment, resources, options)
    raise_all(errors)


def _wanted(resource: Resource, group: str, options: ApiResourcesOptions, arguments: Arguments) -> bool:
    if not resource.verbs or (arguments.changed("api_group") and options.api_group != group):
        return False
    if arguments.changed("namespaced") and options.namespaced != resource.namespaced:
        return False
    return set(options.verbs) <= set(resource.verbs) and set(options.categories) <= set(resource.categories)


def _order(sort_by: str):  # type: ignore[no-untyped-def]
    field = sort_by or "group"
    return lambda resource: (getattr(resource, field), resource.name)


def _print(environment: Environment, resources: Sequence[Resource], options: ApiResourcesOptions) -> None:
    if options.output == "name":
        for resource in resources:
            environment.stdout.write(f"{resource.name}.{resource.group}".rstrip(".") + "\n")
    elif options.output in ("json", "yaml", "kyaml"):
        _print_objects(environment, resources, options.output)
    else:
        _print_table(environment, resources, options)


def _print_table(environment: Environment, resources: Sequence[Resource], options: ApiResourcesOptions) -> None:
    from kubetrace.printing.tabwriter import TabWriter

    wide = options.output == "wide"
    writer = TabWriter(environment.stdout)
    if not options.no_headers:
        writer.write_rows([[*_COLUMNS, "VERBS", "CATEGORIES"] if wide else list(_COLUMNS)])
    rows = []
    for resource in resources:
        version = f"{resource.group}/{resource.version}".lstrip("/")
        cells = [resource.name, ",".join(resource.short_names), version]
        cells += [str(resource.namespaced).lower(), resource.kind]
        rows.append([*cells, ",".join(resource.verbs), ",".join(resource.categories)] if wide else cells)
    writer.write_rows(rows)
    writer.flush()


def _print_objects(environment: Environment, resources: Sequence[Resource], output: str) -> None:
    from kubetrace.api.discovery_documents import resource_object
    from kubetrace.printing.formats import OutputOptions, resource_printer
    from kubetrace.wire.go_struct import TypedObject

    document = TypedObject(
        kind="APIResourceList",
        apiVersion="v1",
        groupVersion="",
        resources=[resource_object(resource) for resource in resources] or None,
    )
    resource_printer(OutputOptions(output), environment.environ).print(document, environment.stdout)


COMMAND = Command(
    run=run,
    options=ApiResourcesOptions,
    may_take_long=True,
    usage="api-resources [flags] [options]",
    description="List the resources that the server serves: names, short names, groups and kinds.",
    examples="""
    # All of them
    kubetrace api-resources

    # With their verbs and categories
    kubetrace api-resources -o wide

    # Those of one group, without a call if the cache still knows them
    kubetrace api-resources --api-group=apps --cached

    # Those that can be listed and do not live in namespaces
    kubetrace api-resources --verbs=list --namespaced=false
    """,
)

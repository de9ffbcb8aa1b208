"""`auth can-i`: may I do this? (kubectl pkg/cmd/auth/cani.go)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from kubetrace.api.resources import GroupVersionResource
    from kubetrace.environment import Environment

_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind",
          "impersonate", "*", "approve", "sign", "escalate", "attest")  # fmt: skip
_URL_VERBS = ("get", "put", "post", "head", "options", "delete", "patch", "*")
_UNDISCOVERABLE = ("users", "groups")
"""Resources that no server lists: they exist for the verb impersonate."""


class CanIOptions(Value):
    all_namespaces: bool = flag(False, "A", help="Ask about all namespaces.")
    list: bool = flag(False, help="Print everything that is allowed.")
    no_headers: bool = flag(False, help="Leave out the heading of the list.")
    quiet: bool = flag(False, "q", help="Print nothing; the exit code answers.")
    subresource: str = flag("", help="Ask about this subresource (log, scale …).")


def run(environment: Environment, options: CanIOptions, arguments: Arguments) -> int:
    if options.list:
        return _list(environment, options, arguments)
    if len(arguments.words) != 2:
        raise KubetraceError(
            "you must specify two arguments: verb resource or verb resource/resourceName.\n"
            "See 'kubetrace auth can-i -h' for help and examples."
        )
    verb, what = arguments.words
    resource = None if what.startswith("/") else _resource_for(environment, what.partition("/")[0])
    environment.make_client()
    if not options.all_namespaces:
        _ = environment.namespace
    if resource is None:
        attributes = _url(environment, options, verb, what)
    else:
        attributes = _resource(environment, options, verb, resource, what.partition("/")[2])
    if options.no_headers:
        raise KubetraceError("--no-headers cannot be set without --list specified")
    return _ask(environment, options, attributes)


# --- one question ----------------------------------------------------------------------------------------------------


def _url(environment: Environment, options: CanIOptions, verb: str, path: str) -> dict[str, Any]:
    if options.subresource:
        raise KubetraceError("--subresource can not be used with NonResourceURL")
    if verb not in _URL_VERBS:
        environment.warn(f"verb '{verb}' is not a known verb\n")
    return {"nonResourceAttributes": {"path": path, "verb": verb}}


def _resource(
    environment: Environment, options: CanIOptions, verb: str, resource: GroupVersionResource, name: str
) -> dict[str, Any]:
    attributes = {
        "namespace": "" if options.all_namespaces else environment.namespace,
        "verb": verb,
        "group": resource.group,
        "resource": resource.resource,
        "subresource": options.subresource,
        "name": name,
    }
    if resource.resource and not options.all_namespaces:
        _warn_of_scope(environment, resource)
        if verb not in _VERBS:
            environment.warn(f"verb '{verb}' is not a known verb\n")
    return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}


def _resource_for(environment: Environment, word: str) -> GroupVersionResource:
    """What the server calls it; a word that it does not know is asked about as it stands."""
    from kubetrace.api.resources import GroupVersionResource, parse_resource_argument

    if word == "*":
        return GroupVersionResource("", "", word)
    mapper = environment.cluster.mapper
    versioned, resource = parse_resource_argument(word.lower())
    for wanted in (versioned, GroupVersionResource(resource.group, "", resource.resource)):
        try:
            if wanted is not None:
                return mapper.resource_for(wanted)
        except KubetraceError:
            continue
    if str(resource) not in _UNDISCOVERABLE:
        group = f" in group '{resource.group}'" if resource.group else ""
        environment.warn(f"the server doesn't have a resource type '{resource.resource}'{group}\n")
    return GroupVersionResource("", "", word)


def _warn_of_scope(environment: Environment, resource: GroupVersionResource) -> None:
    """A namespace says nothing about a resource that lives in none. The server is asked anew, as kubectl does."""
    if not resource.version:
        return
    try:
        known = environment.cluster.discovery.resources_now(resource.group_version)
    except KubetraceError:
        return
    if any(one.name == resource.resource and not one.namespaced for one in known):
        group = f" in group '{resource.group}'" if resource.group else ""
        environment.warn(f"resource '{resource.resource}' is not namespace scoped{group}\n")


def _ask(environment: Environment, options: CanIOptions, attributes: dict[str, Any]) -> int:
    from kubetrace.api.typed_kinds import ACCESS_REVIEWS
    from kubetrace.commands.auth.reviews import review

    status = review(environment, ACCESS_REVIEWS, attributes)
    allowed = bool(status.get("allowed"))
    if not options.quiet:
        reasons = [] if allowed else [status[key] for key in ("reason", "evaluationError") if status.get(key)]
        environment.stdout.write(" - ".join(["yes" if allowed else "no", *reasons]) + "\n")
    return 0 if allowed else 1


# --- everything ------------------------------------------------------------------------------------------------------


def _list(environment: Environment, options: CanIOptions, arguments: Arguments) -> int:
    if arguments.words:
        raise KubetraceError("list option must be specified with no arguments")
    environment.make_client()
    namespace = "" if options.all_namespaces else environment.namespace
    if options.quiet or options.all_namespaces or options.subresource:
        raise KubetraceError(
            "list option can't be specified with neither quiet, all-namespaces nor subresource options"
        )
    from kubetrace.api.typed_kinds import RULES_REVIEWS
    from kubetrace.commands.auth.reviews import review
    from kubetrace.printing.go_values import sprint
    from kubetrace.printing.policy_rules import compact_rules, resource_of
    from kubetrace.printing.tabwriter import TabWriter

    status = review(environment, RULES_REVIEWS, {"namespace": namespace} if namespace else {})
    if status.get("incomplete"):
        environment.warn(f"the list may be incomplete: {status.get('evaluationError') or ''}")
    rules = compact_rules([*(status.get("resourceRules") or ()), *(status.get("nonResourceRules") or ())])
    writer = TabWriter(environment.stdout)
    if not options.no_headers:
        writer.write_rows([["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]])
    fields = ("nonResourceURLs", "resourceNames", "verbs")
    writer.write_rows([[resource_of(rule), *(sprint(rule.get(field) or []) for field in fields)] for rule in rules])
    writer.flush()
    return 0


COMMAND = Command(
    run=run,
    options=CanIOptions,
    usage="auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
    description="""
    Ask the server whether an action is allowed: "yes" and exit code 0, or "no" and 1.

    VERB is one of the API's verbs (get, list, create, delete …), TYPE a resource with its short names and groups,
    NONRESOURCEURL a path that begins with "/". Together with --as it answers for others.
    """,
    examples="""
    # May I create pods, wherever it be?
    kubetrace auth can-i create pods --all-namespaces

    # May I list deployments in the current namespace?
    kubetrace auth can-i list deployments.apps

    # May the service account "builder" of "ci" list pods in "prod"?
    kubetrace auth can-i list pods --as=system:serviceaccount:ci:builder -n prod

    # Everything?
    kubetrace auth can-i '*' '*'

    # This one job; the logs of pods; a path
    kubetrace auth can-i get jobs.batch/nightly
    kubetrace auth can-i get pods --subresource=log
    kubetrace auth can-i get /healthz

    # All that is allowed in "prod"
    kubetrace auth can-i --list -n prod
    """,
)

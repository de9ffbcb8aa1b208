"""What `approve` and `deny` share: a condition in a signing request's status says what was decided (kubectl
pkg/cmd/certificates/certificates.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions, filename, kustomize, recursive
from kubetrace.errors import KubetraceError
from kubetrace.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubetrace.api.builder import Info, Result
    from kubetrace.environment import Environment

_TRIES = 11
"""How often a decision is made anew when somebody else changes the request."""


class DecisionOptions(PrintOptions):
    filename: tuple[str, ...] = filename("the signing requests")
    force: bool = flag(False, help="Change the signing request even if it was decided so already.")
    kustomize: str = kustomize()
    recursive: bool = recursive()


class Decision(Value):
    """A condition that a signing request gets, unless it has the `opposite` one."""

    condition: str
    opposite: str
    reason: str
    message: str


def decide(environment: Environment, options: DecisionOptions, names: Sequence[str], decision: Decision) -> None:
    """Decides over each; what fails is raised at the end. Raises KubetraceError."""
    from kubetrace.commands.selecting import names_files
    from kubetrace.commands.writing import object_printer

    printer = object_printer(environment, options, decision.condition.lower())
    environment.make_client()
    if not names and not names_files(options):
        raise KubetraceError("one or more CSRs must be specified as <name> or -f <filename>")
    found = 0

    def one(info: Info) -> None:
        nonlocal found
        _decide_one(environment, info, decision, options.force)
        found += 1
        assert info.object is not None
        printer.print(info.object, environment.stdout)

    _requests(environment, options, names).visit(one)
    if not found:
        environment.stdout.write("No resources found\n")


def _requests(environment: Environment, options: DecisionOptions, names: Sequence[str]) -> Result:
    from kubetrace.api.builder import Request, build
    from kubetrace.api.selection import Selection
    from kubetrace.commands.selecting import file_documents
    from kubetrace.trace.exchange import Purpose

    selection = Selection()
    documents, single = file_documents(environment, options, selection)
    selection.add_names("certificatesigningrequests", names)
    request = Request(
        selection=selection,
        documents=documents,
        flatten=True,
        latest=True,
        single_item=single,
        continue_on_error=True,
        purpose=Purpose("certificate", "change: what does the object look like now?"),
    )
    return build(environment.cluster, request)


def _decide_one(environment: Environment, info: Info, decision: Decision, force: bool) -> None:
    from kubetrace.api.status import is_conflict

    for left in range(_TRIES - 1, -1, -1):
        _check_kind(info)
        signing_request = _as_it_is(environment, info)
        if not _add_condition(signing_request, decision) and not force:
            return
        try:
            _send(environment, signing_request)
        except KubetraceError as error:
            if not left or not is_conflict(error):
                raise
            _look_again(environment, info)
        else:
            return


def _check_kind(info: Info) -> None:
    from kubetrace.api.resources import GroupVersionKind
    from kubetrace.api.typed_kinds import SIGNING_REQUESTS

    assert info.object is not None
    wanted, found = SIGNING_REQUESTS.kind.group_kind, GroupVersionKind.of_struct(info.object).group_kind
    if found != wanted:
        raise KubetraceError(f"can only handle {wanted} objects, got {found}")


def _add_condition(signing_request: dict[str, Any], decision: Decision) -> bool:
    """False where it is there already. Raises KubetraceError where the opposite was decided."""
    import datetime

    from kubetrace.api.go_words import quoted
    from kubetrace.api.metadata import text

    status = signing_request.setdefault("status", {})
    known = [condition.get("type") for condition in status.get("conditions") or ()]
    if decision.opposite in known:
        name = quoted(text(signing_request, "name"))
        raise KubetraceError(f"certificate signing request {name} is already {decision.opposite}")
    if decision.condition in known:
        return False
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    condition = {
        "type": decision.condition,
        "status": "True",
        "reason": decision.reason,
        "message": decision.message,
        "lastUpdateTime": now,
    }
    status["conditions"] = [*(status.get("conditions") or ()), condition]
    return True


# --- calls -----------------------------------------------------------------------------------------------------------


def _as_it_is(environment: Environment, info: Info) -> dict[str, Any]:
    from kubetrace.api import verbs
    from kubetrace.api.metadata import text
    from kubetrace.api.status import is_not_found
    from kubetrace.api.typed_kinds import SIGNING_REQUESTS
    from kubetrace.commands.writing import send_typed
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    name = text(info.object, "name")
    purpose = Purpose("certificate", "certificate: what has been decided so far?")
    call = replace(verbs.get(SIGNING_REQUESTS, "", name, purpose=purpose), operation="typed-get")
    try:
        return send_typed(environment, call, SIGNING_REQUESTS, name)
    except KubetraceError as error:
        if is_not_found(error):
            raise KubetraceError(f"could not find v1 version of {name}: {error}") from None
        raise


def _send(environment: Environment, signing_request: dict[str, Any]) -> None:
    from kubetrace.api import last_applied, verbs
    from kubetrace.api.metadata import text
    from kubetrace.api.typed_kinds import SIGNING_REQUESTS
    from kubetrace.commands.writing import send_typed
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    name = text(signing_request, "name")
    purpose = Purpose("certificate", "certificate: the decision, which a signer acts upon")
    body = last_applied.encode_typed(signing_request)
    call = verbs.replace_(SIGNING_REQUESTS, "", name, body, None, "approval", purpose=purpose)
    send_typed(environment, replace(call, operation="csr-approval"), SIGNING_REQUESTS, name)


def _look_again(environment: Environment, info: Info) -> None:
    from kubetrace.trace.exchange import Purpose

    assert info.mapping is not None
    purpose = Purpose("certificate", "change: what does the object look like now?")
    info.refresh(environment.cluster.objects.get(info.mapping, info.namespace, info.name, purpose=purpose))

"""`create token` (kubectl pkg/cmd/create/create_token.go)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubetrace.cmdline.command import Arguments, Command
from kubetrace.cmdline.flags import flag
from kubetrace.commands.shared_options import PrintOptions
from kubetrace.errors import KubetraceError

if TYPE_CHECKING:
    from kubetrace.environment import Environment

_BOUND_KINDS = ("Node", "Pod", "Secret")


class CreateTokenOptions(PrintOptions):
    audience: tuple[str, ...] = flag((), kind="array", help="Whom the token is for; without one, the API server.")
    bound_object_kind: str = flag(
        "", help="Kind of an object that the token is bound to: Node, Pod or Secret. Needs --bound-object-name."
    )
    bound_object_name: str = flag(
        "", help="Name of that object. When it is deleted, the token ends. Needs --bound-object-kind."
    )
    bound_object_uid: str = flag("", help="UID of that object; without it, whatever it has now.")
    duration: float = flag(
        0.0, help="How long the token shall live; 0: as the server likes. The server may choose otherwise."
    )


def run(environment: Environment, options: CreateTokenOptions, arguments: Arguments) -> None:
    from kubetrace.commands.create.generated import the_name
    from kubetrace.commands.writing import object_printer

    name = the_name(arguments)
    _ = environment.namespace
    environment.make_client()
    printer = object_printer(environment, options, "created")
    if not name:
        raise KubetraceError("service account name is required")
    _check(options)
    answer = _request(environment, name, _token_request(options))
    token = (answer.get("status") or {}).get("token")
    if not token:
        raise KubetraceError("failed to create token: no token in server response")
    if arguments.changed("output"):
        printer.print(answer, environment.stdout)
        return
    environment.stdout.write(f"{token}\n" if environment.stdout.isatty() else token)


def _check(options: CreateTokenOptions) -> None:
    kind, name, uid = options.bound_object_kind, options.bound_object_name, options.bound_object_uid
    refusals = (
        (options.duration < 0, "--duration must be greater than or equal to 0"),
        (not float(options.duration).is_integer(), "--duration cannot be expressed in units less than seconds"),
        ("" in options.audience, "--audience must not be an empty string"),
        (not kind and bool(name), "--bound-object-name can only be set if --bound-object-kind is provided"),
        (not kind and bool(uid), "--bound-object-uid can only be set if --bound-object-kind is provided"),
        (
            bool(kind) and kind not in _BOUND_KINDS,
            "supported --bound-object-kind values are " + ", ".join(_BOUND_KINDS),
        ),
        (bool(kind) and not name, "--bound-object-name is required if --bound-object-kind is provided"),
    )
    for refused, words in refusals:
        if refused:
            raise KubetraceError(words)


def _token_request(options: CreateTokenOptions) -> dict[str, Any]:
    spec: dict[str, Any] = {"audiences": list(options.audience) or None}
    if options.duration > 0:
        spec["expirationSeconds"] = int(options.duration)
    if options.bound_object_kind:
        spec["boundObjectRef"] = {
            "kind": options.bound_object_kind,
            "apiVersion": "v1",
            "name": options.bound_object_name,
            "uid": options.bound_object_uid,
        }
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}


def _request(environment: Environment, name: str, request: dict[str, Any]) -> dict[str, Any]:
    from kubetrace.api import last_applied, verbs
    from kubetrace.api.typed_kinds import SERVICE_ACCOUNTS
    from kubetrace.commands.writing import send_typed
    from kubetrace.trace.exchange import Purpose
    from kubetrace.value import replace

    purpose = Purpose("create", "create: a token for the service account")
    body = last_applied.encode_typed(request)
    call = verbs.create(SERVICE_ACCOUNTS, environment.namespace, body, None, name, "token", purpose=purpose)
    call = replace(call, operation="typed-token")
    return send_typed(environment, call, SERVICE_ACCOUNTS, name, failure="failed to create token: ")


COMMAND = Command(
    run=run,
    options=CreateTokenOptions,
    words="names:serviceaccount",
    usage="create token SERVICE_ACCOUNT_NAME [options]",
    description="Ask for a token of a service account.",
    examples="""
    # A token for the API server
    kubetrace create token builder

    # Of a service account in another namespace
    kubetrace create token builder --namespace ci

    # For ten minutes
    kubetrace create token builder --duration 10m

    # For another audience
    kubetrace create token builder --audience https://example.com

    # Until the secret "key" is deleted
    kubetrace create token builder --bound-object-kind Secret --bound-object-name key
    """,
)
